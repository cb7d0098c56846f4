/* SPDX-License-Identifier: Apache-2.0 */
/* disk.c: chains of layers made into one disk; the one range check for all drivers. */
#include "formats/disk.h"

#include "base/checked.h"

#include <string.h>

void disk_init(Disk *disk, const DiskOps *ops, const char *format, const char *name, uint64_t size,
	       uint32_t cluster_size)
{
	disk->ops = ops;
	disk->format = format;
	disk->name = g_strdup(name);
	disk->size = size;
	disk->cluster_size = cluster_size;
	disk->backing = NULL;
	disk->backing_name = NULL;
	disk->storages = NULL;
}

void disk_close(Disk *disk)
{
	while (disk != NULL) {
		Disk *backing = disk->backing;
		g_autoptr(GPtrArray) storages = disk->storages; /* after the driver's own */

		g_free(disk->name);
		g_free(disk->backing_name);
		disk->ops->close(disk);
		disk = backing;
	}
}

static bool check_range(const Disk *disk, uint64_t length, uint64_t offset, GError **error)
{
	if (length > 0 && range_is_inside(length, offset, disk->size))
		return true;
	return fail(error, USAGE,
		    "%s: %" PRIu64 " bytes at guest offset %" PRIu64
		    ": outside the disk of %" PRIu64 " bytes",
		    disk->name, length, offset, disk->size);
}

bool disk_layer_extent_at(Disk *disk, uint64_t offset, Extent *out, GError **error)
{
	if (!check_range(disk, 1, offset, error))
		return false;
	*out = (Extent){0};
	if (!disk->ops->extent_at(disk, offset, out, error))
		return fail_in(error, "%s: ", disk->name);
	g_assert(out->offset == offset && out->length > 0 && out->length <= disk->size - offset);
	return true;
}

/* The extent at `offset`, cut to `length`, from the layer that decides; *owner is that layer. */
static bool resolve(Disk *disk, uint64_t length, uint64_t offset, Disk **owner, Extent *out,
		    GError **error)
{
	for (Disk *layer = disk;; layer = layer->backing) {
		if (offset >= layer->size) { /* a backing disk that is shorter than its overlay */
			*out = (Extent){offset, length, EXTENT_UNALLOCATED, false, NULL, 0};
			*owner = NULL;
			return true;
		}
		if (!disk_layer_extent_at(layer, offset, out, error))
			return false;
		out->length = min_u64(out->length, length);
		*owner = layer;
		if (out->state != EXTENT_UNALLOCATED || layer->backing == NULL)
			return true;
		length = out->length;
	}
}

static bool extents_join(const Extent *a, const Extent *b)
{
	if (a->state != b->state || a->compressed != b->compressed || a->storage != b->storage)
		return false;
	return a->storage == NULL || a->file_offset + a->length == b->file_offset;
}

bool disk_extent_at(Disk *disk, uint64_t offset, Extent *out, GError **error)
{
	/* Enough to make an empty 64 TiB disk a few answers, little enough to answer at once. */
	const unsigned max_joins = 4096;
	Disk *owner;

	if (!check_range(disk, 1, offset, error) ||
	    !resolve(disk, disk->size - offset, offset, &owner, out, error))
		return false;
	for (unsigned i = 0; i < max_joins && out->length < disk->size - offset; i++) {
		const uint64_t next_offset = offset + out->length;
		Extent next;

		/* An error belongs to the one who asks for the extent that it stands in. */
		if (!resolve(disk, disk->size - next_offset, next_offset, &owner, &next, NULL) ||
		    !extents_join(out, &next))
			break;
		out->length += next.length;
	}
	return true;
}

bool disk_read_at(Disk *disk, void *buf, size_t length, uint64_t offset, GError **error)
{
	uint8_t *at = buf;

	if (!check_range(disk, length, offset, error))
		return false;
	while (length > 0) {
		Disk *owner;
		Extent extent;

		if (!resolve(disk, length, offset, &owner, &extent, error))
			return false;
		const size_t part = (size_t)extent.length;
		if (extent.state != EXTENT_DATA)
			memset(at, 0, part);
		else if (!owner->ops->read_at(owner, at, part, offset, error))
			return fail_in(error, "%s: ", owner->name);
		at += part;
		offset += part;
		length -= part;
	}
	return true;
}

bool disk_check_unchanged(Disk *disk, GError **error)
{
	for (guint i = 0; disk->storages != NULL && i < disk->storages->len; i++)
		if (!storage_check_unchanged(g_ptr_array_index(disk->storages, i), error))
			return false;
	return true;
}

bool disk_is_stored_in(Disk *disk, const struct stat *file)
{
	for (guint i = 0; disk->storages != NULL && i < disk->storages->len; i++)
		if (storage_is_stored_in(g_ptr_array_index(disk->storages, i), file))
			return true;
	return false;
}
