/* SPDX-License-Identifier: Apache-2.0 */
/* raw.c: bytes as they are. Never guessed; holes stay holes. */
#include "base/bytes.h"
#include "base/checked.h"
#include "formats/drivers.h"
#include "formats/format.h"

#define RAW_UNIT_SIZE (256u * 1024u)
/* Zeroes are looked for in runs of this many bytes: smaller holes cost more than they save. */
#define RAW_ZERO_GRANULE      (64u * 1024u)
#define RAW_GRANULES_PER_UNIT (RAW_UNIT_SIZE / RAW_ZERO_GRANULE)

typedef struct {
	Disk base;
	Storage *storage; /* a reference */
} RawDisk;

static bool raw_read_at(Disk *disk, void *buf, size_t length, uint64_t offset, GError **error)
{
	return storage_read_at(((RawDisk *)disk)->storage, buf, length, offset, error);
}

static bool raw_extent_at(Disk *disk, uint64_t offset, Extent *out, GError **error)
{
	Storage *storage = ((RawDisk *)disk)->storage;
	uint64_t data, end;

	if (!storage_find_data(storage, offset, &data, error))
		return false;
	if (data > offset) {
		*out = (Extent){offset, data - offset, EXTENT_ZERO, false, NULL, 0};
		return true;
	}
	if (!storage_find_hole(storage, offset, &end, error))
		return false;
	end = end > offset ? end : disk->size; /* the file changes under us: read it all */
	*out = (Extent){offset, end - offset, EXTENT_DATA, false, storage, offset};
	return true;
}

static void raw_close(Disk *disk)
{
	storage_unref(((RawDisk *)disk)->storage);
	g_free(disk);
}

static const DiskOps raw_disk_ops = {
	.read_at = raw_read_at,
	.extent_at = raw_extent_at,
	.close = raw_close,
};

static Disk *raw_open(Storage *storage, const OpenOptions *options, char **backing_format,
		      GError **error)
{
	(void)options;
	(void)backing_format;
	if (storage->size == 0)
		return fail_null(error, CORRUPT, "raw disk of 0 bytes");
	RawDisk *raw = g_new0(RawDisk, 1);
	disk_init(&raw->base, &raw_disk_ops, raw_format.name, storage->name, storage->size, 4096);
	raw->storage = storage_ref(storage);
	return &raw->base;
}

struct WriteUnit {
	const uint8_t *bytes; /* borrowed; NULL: all zeroes */
	size_t length;
	uint64_t offset;
	bool zero[RAW_GRANULES_PER_UNIT];
};

static WriteUnit *raw_unit_encode(DiskWriter *writer, const void *buf, size_t length,
				  uint64_t offset, GError **error)
{
	WriteUnit *unit = g_new0(WriteUnit, 1);

	(void)writer;
	(void)error;
	g_assert(length <= RAW_UNIT_SIZE);
	unit->bytes = buf;
	unit->length = length;
	unit->offset = offset;
	for (size_t at = 0, i = 0; at < length; at += RAW_ZERO_GRANULE, i++)
		unit->zero[i] = buf == NULL || bytes_are_zero(unit->bytes + at,
							      MIN(length - at, RAW_ZERO_GRANULE));
	return unit;
}

static bool raw_unit_write(DiskWriter *writer, WriteUnit *unit, GError **error)
{
	for (size_t at = 0; at < unit->length;) {
		const bool zero = unit->zero[at / RAW_ZERO_GRANULE];
		size_t end = at;
		bool ok = true;

		while (end < unit->length && unit->zero[end / RAW_ZERO_GRANULE] == zero)
			end = MIN(end + RAW_ZERO_GRANULE, unit->length);
		if (!zero)
			ok = storage_write_at(writer->storage, unit->bytes + at, end - at,
					      unit->offset + at, error);
		else if (writer->rewriting)
			ok = storage_write_zeroes(writer->storage, end - at, unit->offset + at,
						  error);
		if (!ok)
			return false;
		at = end;
	}
	return true;
}

static void raw_unit_free(WriteUnit *unit)
{
	g_free(unit);
}

static bool raw_finish(DiskWriter *writer, GError **error)
{
	return storage_flush(writer->storage, error);
}

static void raw_writer_close(DiskWriter *writer)
{
	g_free(writer);
}

static const DiskWriterOps raw_writer_ops = {
	.unit_encode = raw_unit_encode,
	.unit_place = NULL, /* a byte's place is its guest offset */
	.unit_write = raw_unit_write,
	.unit_free = raw_unit_free,
	.finish = raw_finish,
	.close = raw_writer_close,
};

static DiskWriter *raw_create(Storage *storage, const CreateOptions *options, GError **error)
{
	if (options->compression != NULL)
		return fail_null(error, USAGE, "raw images cannot be compressed");
	if (options->cluster_size != 0)
		return fail_null(error, USAGE, "raw images have no clusters");
	if (options->backing_name != NULL)
		return fail_null(error, USAGE, "raw images have no backing image");
	if (!storage_set_size(storage, options->size, error))
		return NULL;
	DiskWriter *writer = g_new0(DiskWriter, 1);
	disk_writer_init(writer, &raw_writer_ops, raw_format.name, storage, options->size,
			 RAW_UNIT_SIZE);
	return writer;
}

const FormatDriver raw_format = {
	.name = "raw",
	.title = "raw disk image",
	.suffixes = "raw img",
	.open = raw_open,
	.create = raw_create,
};
