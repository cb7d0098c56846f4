/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_grain.c: reads grains: plain ones straight into the caller's memory, compressed ones many at
 * a time, each decoded once. */
#include "formats/vmdk_grain.h"

#include "base/bytes.h"
#include "formats/inflate.h"

#include <string.h>

/* Compressed bytes per read: so many that the system call does not count, so few that they are
 * still in the processor's cache when they are decoded. */
#define BATCH_SIZE (1024u * 1024u)

/* Neighbouring grains and where they stand. */
typedef struct {
	uint64_t grain; /* the first one's number */
	size_t count;
	uint32_t sectors[VMDK_TABLE_ENTRIES + 1]; /* and the next one's that has any; 0: unknown */
} GrainRun;

/* Marker and stream at most: deflate makes nothing larger than that of a grain. */
static uint64_t stored_max_size(const VmdkSparse *sparse)
{
	return 2 * (uint64_t)sparse->header.grain_size;
}

static bool run_load(VmdkSparse *sparse, uint64_t offset, size_t length, GrainRun *out,
		     GError **error)
{
	const uint32_t grain_size = sparse->header.grain_size;
	const uint64_t last_grain = (offset + length - 1) / grain_size;

	out->grain = offset / grain_size;
	const size_t known = (size_t)(VMDK_TABLE_ENTRIES - out->grain % VMDK_TABLE_ENTRIES);
	if (!vmdk_sparse_entries(sparse, out->sectors, known, out->grain, error))
		return false;
	out->count = (size_t)min_u64(last_grain - out->grain + 1, known);
	size_t next = out->count;
	while (next < known && out->sectors[next] <= VMDK_GTE_ZERO)
		next++;
	out->sectors[out->count] = next < known ? out->sectors[next] : 0;
	return true;
}

static bool read_plain(VmdkSparse *sparse, void *buf, size_t length, uint64_t offset,
		       const GrainRun *run, GError **error)
{
	const uint32_t grain_size = sparse->header.grain_size;
	uint8_t *at = buf;

	for (size_t i = 0; i < run->count && length > 0;) {
		const uint64_t within = offset % grain_size;
		size_t next = i + 1;

		g_assert(run->sectors[i] > VMDK_GTE_ZERO); /* the caller asks for data only */
		while (next < run->count &&
		       run->sectors[next] == run->sectors[next - 1] + grain_size / SECTOR_SIZE)
			next++;
		const size_t part =
			(size_t)min_u64(length, (uint64_t)(next - i) * grain_size - within);
		if (!storage_read_at(sparse->storage, at, part,
				     (uint64_t)run->sectors[i] * SECTOR_SIZE + within, error))
			return false;
		at += part;
		offset += part;
		length -= part;
		i = next;
	}
	return true;
}

/* Checks marker and stream of one grain, `stored_length` bytes at most of them from file_offset
 * on, and decodes it into grain_size bytes. */
static bool decode_grain(const VmdkSparse *sparse, uint8_t *buf, const uint8_t *stored,
			 uint64_t stored_length, uint64_t file_offset, uint64_t grain,
			 GError **error)
{
	const uint32_t grain_size = sparse->header.grain_size;
	const uint64_t sector = grain * (grain_size / SECTOR_SIZE);
	VmdkGrainMarkerBytes marker;
	size_t produced;

	g_assert(stored_length > sizeof(marker)); /* load_table() has checked */
	memcpy(&marker, stored, sizeof(marker));
	const uint64_t marker_sector = get_le64(marker.sector);
	const uint32_t size = get_le32(marker.size);
	if (marker_sector != sector)
		return fail(error, CORRUPT,
			    "offset 0x%" PRIx64 ": grain marker sector=%" PRIu64
			    ": the grain table has it at sector %" PRIu64,
			    file_offset, marker_sector, sector);
	if (size == 0 || size > stored_length - sizeof(marker))
		return fail(error, CORRUPT,
			    "offset 0x%" PRIx64 ": grain marker size=%" PRIu32
			    ": not from 1 to %" PRIu64
			    ", up to the next grain, the end of the file or twice a grain",
			    file_offset + offsetof(VmdkGrainMarkerBytes, size), size,
			    stored_length - sizeof(marker));
	if (!inflate_zlib(buf, grain_size, stored + sizeof(marker), size, &produced, error))
		return fail_in(error, "offset 0x%" PRIx64 ": grain at sector %" PRIu64 ": ",
			       file_offset + sizeof(marker), sector);
	if (produced != grain_size && produced != vmdk_grain_length(sparse, grain))
		return fail(error, CORRUPT,
			    "offset 0x%" PRIx64 ": grain at sector %" PRIu64
			    ": zlib stream yields %zu of %" PRIu64 " bytes",
			    file_offset + sizeof(marker), sector, produced,
			    vmdk_grain_length(sparse, grain));
	return true;
}

/* How many grains from `first` on one read can bring: they stand close together in ascending order.
 * *length is what to read. */
static size_t batch_of(const VmdkSparse *sparse, const GrainRun *run, size_t first,
		       uint64_t *length)
{
	const uint64_t max_sectors = stored_max_size(sparse) / SECTOR_SIZE;
	const uint32_t *sectors = run->sectors;
	const uint64_t start = sectors[first];
	size_t next = first + 1;

	while (next < run->count && sectors[next] > sectors[next - 1] &&
	       sectors[next] - sectors[next - 1] <= max_sectors &&
	       (sectors[next] - start + max_sectors) * SECTOR_SIZE <= BATCH_SIZE)
		next++;
	uint64_t end = sectors[next - 1] + max_sectors;
	if (sectors[next] > sectors[next - 1]) /* 0 when not known */
		end = min_u64(end, sectors[next]);
	*length = min_u64(end * SECTOR_SIZE, sparse->storage->size) - start * SECTOR_SIZE;
	return next - first;
}

/* Whole grains [first, first + count) of a run into `buf`, as many as one read brings: *done. */
static bool read_batch(VmdkSparse *sparse, uint8_t *buf, const GrainRun *run, size_t first,
		       size_t *done, GError **error)
{
	const uint64_t start = (uint64_t)run->sectors[first] * SECTOR_SIZE;
	uint64_t length;
	const size_t count = batch_of(sparse, run, first, &length);
	g_autofree uint8_t *stored = g_malloc(length);

	if (!storage_read_at(sparse->storage, stored, length, start, error))
		return false;
	for (size_t i = first; i < first + count; i++) {
		const uint64_t at = (uint64_t)run->sectors[i] * SECTOR_SIZE - start;
		const uint64_t end = i + 1 < first + count
					     ? (uint64_t)run->sectors[i + 1] * SECTOR_SIZE - start
					     : length;

		if (!decode_grain(sparse, buf, stored + at, end - at, start + at, run->grain + i,
				  error))
			return false;
		buf += sparse->header.grain_size;
	}
	*done = count;
	return true;
}

bool vmdk_grain_load(void *owner, uint64_t grain, void *buf, GError **error)
{
	VmdkSparse *sparse = owner;
	const uint32_t grain_size = sparse->header.grain_size;
	GrainRun run;
	size_t done;

	return run_load(sparse, grain * grain_size, grain_size, &run, error) &&
	       read_batch(sparse, buf, &run, 0, &done, error);
}

/* A piece of one grain, or the last grain, whose stream may hold more than the disk. */
static bool read_piece(VmdkSparse *sparse, void *buf, size_t length, uint64_t offset,
		       GError **error)
{
	const uint32_t grain_size = sparse->header.grain_size;
	const uint8_t *decoded = table_cache_pin(sparse->grains, offset / grain_size, error);

	if (decoded == NULL)
		return false;
	memcpy(buf, decoded + offset % grain_size, length);
	table_cache_unpin(sparse->grains, decoded);
	return true;
}

static bool read_compressed(VmdkSparse *sparse, void *buf, size_t length, uint64_t offset,
			    const GrainRun *run, GError **error)
{
	const uint32_t grain_size = sparse->header.grain_size;
	const size_t last = run->count - 1;
	GrainRun whole = *run;
	uint8_t *at = buf;

	whole.count = (offset + length) % grain_size == 0 ? run->count : last;
	for (size_t i = 0; i < run->count;) {
		const uint64_t within = offset % grain_size;
		size_t part = (size_t)min_u64(length, grain_size - within);
		size_t done = 1;

		if (within != 0 || part < grain_size) {
			if (!read_piece(sparse, at, part, offset, error))
				return false;
		} else {
			if (!read_batch(sparse, at, &whole, i, &done, error))
				return false;
			part = done * grain_size;
		}
		at += part;
		offset += part;
		length -= part;
		i += done;
	}
	return true;
}

bool vmdk_sparse_read_at(VmdkSparse *sparse, void *buf, size_t length, uint64_t offset,
			 GError **error)
{
	const uint32_t grain_size = sparse->header.grain_size;
	uint8_t *at = buf;

	while (length > 0) { /* once per grain table */
		GrainRun run;

		if (!run_load(sparse, offset, length, &run, error))
			return false;
		const size_t part =
			(size_t)min_u64(length, (run.grain + run.count) * grain_size - offset);
		if (!(sparse->header.compressed
			      ? read_compressed(sparse, at, part, offset, &run, error)
			      : read_plain(sparse, at, part, offset, &run, error)))
			return false;
		at += part;
		offset += part;
		length -= part;
	}
	return true;
}
