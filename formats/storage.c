/* SPDX-License-Identifier: Apache-2.0 */
/* storage.c: references and the one range check for every kind of storage. */
#include "formats/storage.h"

#include "base/checked.h"

/* off_t is signed: nothing that Linux stores is longer. */
#define STORAGE_MAX_SIZE ((uint64_t)INT64_MAX)

void storage_init(Storage *storage, const StorageOps *ops, const char *name, uint64_t size)
{
	storage->ops = ops;
	storage->name = g_strdup(name);
	storage->size = size;
	storage->fd = -1;
	storage->fd_offset = 0;
	g_atomic_int_set(&storage->references, 1);
}

Storage *storage_ref(Storage *storage)
{
	g_atomic_int_inc(&storage->references);
	return storage;
}

void storage_unref(Storage *storage)
{
	if (storage == NULL || !g_atomic_int_dec_and_test(&storage->references))
		return;
	g_free(storage->name);
	storage->ops->close(storage);
}

bool storage_read_at(Storage *storage, void *buf, size_t length, uint64_t offset, GError **error)
{
	if (length == 0)
		return true;
	if (!range_is_inside(length, offset, storage->size))
		return fail(error, CORRUPT,
			    "%s: read of %zu bytes at offset %" PRIu64 ": past the end at %" PRIu64,
			    storage->name, length, offset, storage->size);
	return storage->ops->read_at(storage, buf, length, offset, error);
}

bool storage_write_at(Storage *storage, const void *buf, size_t length, uint64_t offset,
		      GError **error)
{
	g_assert(storage->ops->write_at != NULL);
	if (length == 0)
		return true;
	if (!range_is_inside(length, offset, STORAGE_MAX_SIZE))
		return fail(error, USAGE, "%s: write of %zu bytes at offset %" PRIu64 ": too far",
			    storage->name, length, offset);
	return storage->ops->write_at(storage, buf, length, offset, error);
}

bool storage_write_zeroes(Storage *storage, uint64_t length, uint64_t offset, GError **error)
{
	g_assert(storage->ops->write_zeroes != NULL);
	if (length == 0)
		return true;
	if (!range_is_inside(length, offset, STORAGE_MAX_SIZE))
		return fail(error, USAGE, "%s: zeroes at %" PRIu64 "+%" PRIu64 ": too far",
			    storage->name, offset, length);
	return storage->ops->write_zeroes(storage, length, offset, error);
}

bool storage_set_size(Storage *storage, uint64_t size, GError **error)
{
	g_assert(storage->ops->set_size != NULL);
	if (size > STORAGE_MAX_SIZE)
		return fail(error, USAGE, "%s: size %" PRIu64 ": too large", storage->name, size);
	return storage->ops->set_size(storage, size, error);
}

bool storage_flush(Storage *storage, GError **error)
{
	return storage->ops->flush == NULL || storage->ops->flush(storage, error);
}

bool storage_find_data(Storage *storage, uint64_t offset, uint64_t *out, GError **error)
{
	*out = offset;
	return offset >= storage->size || storage->ops->find_data == NULL ||
	       storage->ops->find_data(storage, offset, out, error);
}

bool storage_find_hole(Storage *storage, uint64_t offset, uint64_t *out, GError **error)
{
	*out = storage->size;
	return offset >= storage->size || storage->ops->find_hole == NULL ||
	       storage->ops->find_hole(storage, offset, out, error);
}

bool storage_check_unchanged(Storage *storage, GError **error)
{
	return storage->ops->check_unchanged == NULL ||
	       storage->ops->check_unchanged(storage, error);
}

bool storage_is_stored_in(Storage *storage, const struct stat *file)
{
	return storage->ops->is_stored_in != NULL && storage->ops->is_stored_in(storage, file);
}
