/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c: a copy to nowhere that keeps the digests. */
#include "convert/verify.h"

#include "base/bytes.h"
#include "base/checked.h"

struct WriteUnit {
	char nothing;
};

static WriteUnit *nowhere_unit_encode(DiskWriter *writer, const void *buf, size_t length,
				      uint64_t offset, GError **error)
{
	(void)writer;
	(void)buf;
	(void)length;
	(void)offset;
	(void)error;
	return g_new0(WriteUnit, 1);
}

static bool nowhere_unit_write(DiskWriter *writer, WriteUnit *unit, GError **error)
{
	(void)writer;
	(void)unit;
	(void)error;
	return true;
}

static void nowhere_unit_free(WriteUnit *unit)
{
	g_free(unit);
}

static const DiskWriterOps nowhere_ops = {
	.unit_encode = nowhere_unit_encode,
	.unit_write = nowhere_unit_write,
	.unit_free = nowhere_unit_free,
};

/* A target may be larger than what was copied: whole sectors, or because the user wanted it. */
static bool check_rest_is_zero(Disk *disk, uint64_t offset, const Cancel *cancel, GError **error)
{
	g_autofree uint8_t *buf = g_malloc(DIGEST_BLOCK_SIZE);

	while (offset < disk->size) {
		Extent extent;

		if (!cancel_check(cancel, error) || !disk_extent_at(disk, offset, &extent, error))
			return false;
		if (extent.state == EXTENT_DATA) {
			extent.length = min_u64(extent.length, DIGEST_BLOCK_SIZE);
			if (!disk_read_at(disk, buf, (size_t)extent.length, offset, error))
				return false;
			if (!bytes_are_zero(buf, (size_t)extent.length))
				return fail(error, IO,
					    "guest bytes at offset %" PRIu64
					    ", past the end of the source, are not zero",
					    offset);
		}
		offset += extent.length;
	}
	return true;
}

bool verify_disk(Disk *disk, const DigestMap *expected, const CopyOptions *options, GError **error)
{
	DiskWriter nowhere = {
		.ops = &nowhere_ops,
		.format = "nowhere",
		.size = disk->size,
		.unit_size = DIGEST_BLOCK_SIZE,
	};
	const uint64_t size = digest_map_size(expected);
	g_autoptr(DigestMap) actual = digest_map_new(size);
	CopyOptions reading = *options;
	uint64_t block;

	if (disk->size < size)
		return fail(error, IO, "%" PRIu64 " bytes long, the source is %" PRIu64, disk->size,
			    size);
	reading.digests = actual;
	reading.changes = NULL;
	if (!copy_disk(disk, &nowhere, &reading, NULL, error) ||
	    !check_rest_is_zero(disk, size, options->cancel, error))
		return false;
	if (digest_map_equal(expected, actual, &block))
		return true;
	return fail(error, IO, "guest bytes at offset %" PRIu64 " differ from the source",
		    block * DIGEST_BLOCK_SIZE);
}
