/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c: a copy to nowhere that keeps the digests. */
#include "convert/verify.h"

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

static bool nowhere_unit(DiskWriter *writer, WriteUnit *unit, GError **error)
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
	.unit_place = nowhere_unit,
	.unit_write = nowhere_unit,
	.unit_free = nowhere_unit_free,
};

bool verify_disk(Disk *disk, const DigestMap *expected, const CopyOptions *options, GError **error)
{
	DiskWriter nowhere = {
		.ops = &nowhere_ops,
		.format = "nowhere",
		.size = disk->size,
		.unit_size = DIGEST_BLOCK_SIZE,
	};
	g_autoptr(DigestMap) actual = digest_map_new(disk->size);
	CopyOptions reading = *options;
	uint64_t block;

	reading.digests = actual;
	reading.changes = NULL;
	if (!copy_disk(disk, &nowhere, &reading, NULL, error))
		return false;
	if (digest_map_equal(expected, actual, &block))
		return true;
	return fail(error, IO, "guest bytes at offset %" PRIu64 " differ from the source",
		    block * DIGEST_BLOCK_SIZE);
}
