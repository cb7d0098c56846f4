/* SPDX-License-Identifier: Apache-2.0 */
/* spool.c: bytes that come in order, kept in an unlinked file, never more than was allowed. */
#include "inventory/spool.h"

#include "base/bytes.h"
#include "base/checked.h"

#include <errno.h>
#include <sys/statvfs.h>

/* What stays free for others in the spool's file system, as a share of what is free now. */
#define FREE_KEPT_SHARE 16u

static bool free_space(const Storage *storage, uint64_t *out, GError **error)
{
	struct statvfs status;

	if (fstatvfs(storage->fd, &status) != 0)
		return fail_errno(error, errno, "%s: free space", storage->name);
	*out = (uint64_t)status.f_bavail * status.f_frsize;
	*out -= *out / FREE_KEPT_SHARE;
	return true;
}

bool spool_open(Spool *spool, const char *name, const SpoolOptions *options, GError **error)
{
	uint64_t available = 0;

	*spool = (Spool){.budget = options->budget, .cancel = options->cancel};
	spool->storage = storage_new_spool(name, options->folder, error);
	if (spool->storage == NULL || !free_space(spool->storage, &available, error))
		return false;
	if (spool->budget == 0 || spool->budget > available)
		spool->budget = available;
	return true;
}

bool spool_append(Spool *spool, const void *bytes, size_t length, GError **error)
{
	if (!cancel_check(spool->cancel, error))
		return false;
	if (length > spool->budget - spool->length)
		return fail(error, REFUSED,
			    "unpacks to more than %" PRIu64 " bytes, which is "
			    "all that it may",
			    spool->budget);
	/* Zeroes stay holes: a sparse disk takes no room, nor does a bomb. */
	if (!bytes_are_zero(bytes, length) &&
	    !storage_write_at(spool->storage, bytes, length, spool->length, error))
		return false;
	spool->length += length;
	return true;
}

Storage *spool_finish(Spool *spool, GError **error)
{
	Storage *storage = NULL;

	if (storage_set_size(spool->storage, spool->length, error))
		storage = g_steal_pointer(&spool->storage);
	spool_close(spool);
	return storage;
}

void spool_close(Spool *spool)
{
	g_clear_pointer(&spool->storage, storage_unref);
}
