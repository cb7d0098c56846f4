/* SPDX-License-Identifier: Apache-2.0 */
/* storage_slice.c: a range of another storage, such as a member of a tar. */
#include "base/checked.h"
#include "formats/storage.h"

typedef struct {
	Storage base;
	Storage *parent; /* a reference */
	uint64_t start;  /* bytes, in parent */
} SliceStorage;

static SliceStorage *slice_from(Storage *storage)
{
	return (SliceStorage *)storage;
}

static bool slice_read_at(Storage *storage, void *buf, size_t length, uint64_t offset,
			  GError **error)
{
	const SliceStorage *slice = slice_from(storage);

	return storage_read_at(slice->parent, buf, length, slice->start + offset, error);
}

typedef bool (*FindFunction)(Storage *storage, uint64_t offset, uint64_t *out, GError **error);

static bool slice_find(const SliceStorage *slice, FindFunction find, uint64_t offset, uint64_t *out,
		       GError **error)
{
	uint64_t at;

	if (!find(slice->parent, slice->start + offset, &at, error))
		return false;
	*out = min_u64(at - slice->start, slice->base.size);
	return true;
}

static bool slice_find_data(Storage *storage, uint64_t offset, uint64_t *out, GError **error)
{
	return slice_find(slice_from(storage), storage_find_data, offset, out, error);
}

static bool slice_find_hole(Storage *storage, uint64_t offset, uint64_t *out, GError **error)
{
	return slice_find(slice_from(storage), storage_find_hole, offset, out, error);
}

static bool slice_check_unchanged(Storage *storage, GError **error)
{
	return storage_check_unchanged(slice_from(storage)->parent, error);
}

static bool slice_is_stored_in(Storage *storage, const struct stat *file)
{
	return storage_is_stored_in(slice_from(storage)->parent, file);
}

static void slice_close(Storage *storage)
{
	storage_unref(slice_from(storage)->parent);
	g_free(storage);
}

static const StorageOps slice_ops = {
	.read_at = slice_read_at,
	.find_data = slice_find_data,
	.find_hole = slice_find_hole,
	.check_unchanged = slice_check_unchanged,
	.is_stored_in = slice_is_stored_in,
	.close = slice_close,
};

Storage *storage_new_slice(Storage *parent, const char *name, uint64_t length, uint64_t offset,
			   GError **error)
{
	if (!range_is_inside(length, offset, parent->size))
		return fail_null(error, CORRUPT,
				 "%s: %" PRIu64 " bytes at offset %" PRIu64
				 ": past the end of %s at %" PRIu64,
				 name, length, offset, parent->name, parent->size);
	SliceStorage *slice = g_new0(SliceStorage, 1);
	storage_init(&slice->base, &slice_ops, name, length);
	slice->parent = storage_ref(parent);
	slice->start = offset;
	slice->base.fd = parent->fd;
	slice->base.fd_offset = parent->fd_offset + offset;
	return &slice->base;
}
