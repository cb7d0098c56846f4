/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_read.c: from guest offsets to bytes of the file, through L2 tables that are checked. */
#include "base/bytes.h"
#include "base/checked.h"
#include "formats/qcow2_codec.h"
#include "formats/qcow2_disk.h"
#include "formats/qcow2_entry.h"

#include <string.h>

/* Neighbouring compressed clusters are read from the file in one go, up to so much. */
#define QCOW2_SPAN_MAX_BYTES (1 * MIB)

/* What must stand in the file where an L2 entry points; NULL when it does. */
static const char *qcow2_place_problem(const Qcow2Disk *qcow2, const Qcow2Cluster *cluster,
				       uint64_t guest_offset, Qcow2Gap *gap)
{
	const uint64_t file_size = qcow2->storage->size;
	/* Of a compressed cluster no more is known here than where it begins. */
	const uint64_t wanted =
		cluster->kind == QCOW2_CLUSTER_COMPRESSED
			? 1
			: min_u64(qcow2->header.cluster_size, qcow2->base.size - guest_offset);

	if (!range_is_inside(wanted, cluster->file_offset, file_size))
		return "past the end of the file";
	return qcow2_metadata_at(qcow2->metadata, cluster->file_offset, gap) != NULL
		       ? "overlaps metadata"
		       : NULL;
}

static bool qcow2_check_entry(const Qcow2Disk *qcow2, uint64_t entry, uint64_t guest_offset,
			      Qcow2Gap *gap, GError **error)
{
	const Qcow2Header *header = &qcow2->header;
	const Qcow2Cluster cluster = qcow2_entry_decode(entry, header->cluster_bits);
	const char *problem = qcow2_entry_problem(entry, header->cluster_bits, header->version);

	if (problem == NULL &&
	    (cluster.file_offset != 0 || cluster.kind == QCOW2_CLUSTER_COMPRESSED))
		problem = qcow2_place_problem(qcow2, &cluster, guest_offset, gap);
	if (problem == NULL)
		return true;
	const char *table = qcow2_metadata_at(qcow2->metadata, cluster.file_offset, gap);
	return fail(error, CORRUPT,
		    "L2 entry=0x%016" PRIx64 " for guest offset 0x%" PRIx64 ": %s%s%s%s", entry,
		    guest_offset, problem, table != NULL ? " (" : "", table != NULL ? table : "",
		    table != NULL ? ")" : "");
}

/* Each entry is checked once, when its table comes into memory. */
bool qcow2_load_table(void *owner, uint64_t index, void *buf, GError **error)
{
	const Qcow2Disk *qcow2 = owner;
	const uint32_t cluster_size = qcow2->header.cluster_size;
	const uint64_t guest_start = index * qcow2->table_span;
	const uint64_t guest_length = min_u64(qcow2->table_span, qcow2->base.size - guest_start);
	const uint64_t entries = div_round_up(guest_length, cluster_size);
	Qcow2Gap gap = {0, 0};

	if (!storage_read_at(qcow2->storage, buf, cluster_size, qcow2->l1[index], error))
		return false;
	for (uint64_t i = 0; i < entries; i++) {
		const uint64_t entry = get_be64((const uint8_t *)buf + i * 8);

		if (entry != 0 &&
		    !qcow2_check_entry(qcow2, entry, guest_start + i * cluster_size, &gap, error))
			return fail_in(error, "offset 0x%" PRIx64 ": ", qcow2->l1[index] + i * 8);
	}
	return true;
}

typedef struct { /* a place in an L2 table that is in memory */
	const uint8_t *table;
	uint64_t first, end; /* entries: that of the offset asked for, end of those of the disk */
} Qcow2Cursor;

static bool qcow2_cursor_open(Qcow2Disk *qcow2, uint64_t guest_offset, Qcow2Cursor *cursor,
			      GError **error)
{
	const uint64_t index = guest_offset / qcow2->table_span;
	const uint64_t start = index * qcow2->table_span;
	const uint64_t length = min_u64(qcow2->table_span, qcow2->base.size - start);

	cursor->table = table_cache_pin(qcow2->tables, index, error);
	cursor->first = (guest_offset - start) >> qcow2->header.cluster_bits;
	cursor->end = div_round_up(length, qcow2->header.cluster_size);
	return cursor->table != NULL;
}

static Qcow2Cluster qcow2_cursor_at(const Qcow2Disk *qcow2, const Qcow2Cursor *cursor, uint64_t i)
{
	return qcow2_entry_decode(get_be64(cursor->table + i * 8), qcow2->header.cluster_bits);
}

/* The entry behind a run of the cursor's first cluster: same kind, and in one place if plain. */
static uint64_t qcow2_run_end(const Qcow2Disk *qcow2, const Qcow2Cursor *cursor, uint64_t limit)
{
	const Qcow2Cluster first = qcow2_cursor_at(qcow2, cursor, cursor->first);
	uint64_t i = cursor->first + 1;

	for (; i < limit; i++) {
		const Qcow2Cluster next = qcow2_cursor_at(qcow2, cursor, i);
		const uint64_t distance = (i - cursor->first) << qcow2->header.cluster_bits;

		if (next.kind != first.kind || (first.kind == QCOW2_CLUSTER_PLAIN &&
						next.file_offset != first.file_offset + distance))
			break;
	}
	return i;
}

/* A run of L1 entries without tables is one extent: an empty 2 TiB disk is one answer. */
static uint64_t qcow2_no_table_end(const Qcow2Disk *qcow2, uint64_t index)
{
	const uint64_t count = div_round_up(qcow2->base.size, qcow2->table_span);

	while (index < count && qcow2->l1[index] == 0)
		index++;
	return min_u64(index * qcow2->table_span, qcow2->base.size);
}

bool qcow2_extent_at(Disk *disk, uint64_t offset, Extent *out, GError **error)
{
	static const ExtentState states[] = {
		[QCOW2_CLUSTER_UNALLOCATED] = EXTENT_UNALLOCATED,
		[QCOW2_CLUSTER_ZERO] = EXTENT_ZERO,
		[QCOW2_CLUSTER_PLAIN] = EXTENT_DATA,
		[QCOW2_CLUSTER_COMPRESSED] = EXTENT_DATA,
	};
	Qcow2Disk *qcow2 = (Qcow2Disk *)disk;
	const uint64_t index = offset / qcow2->table_span;
	Qcow2Cursor cursor;

	*out = (Extent){.offset = offset, .state = EXTENT_UNALLOCATED};
	if (qcow2->l1[index] == 0) {
		out->length = qcow2_no_table_end(qcow2, index) - offset;
		return true;
	}
	if (!qcow2_cursor_open(qcow2, offset, &cursor, error))
		return false;
	const Qcow2Cluster cluster = qcow2_cursor_at(qcow2, &cursor, cursor.first);
	const uint64_t end = qcow2_run_end(qcow2, &cursor, cursor.end);
	table_cache_unpin(qcow2->tables, cursor.table);
	out->length = min_u64(index * qcow2->table_span + (end << qcow2->header.cluster_bits),
			      disk->size) -
		      offset;
	out->state = states[cluster.kind];
	out->compressed = cluster.kind == QCOW2_CLUSTER_COMPRESSED;
	if (cluster.kind == QCOW2_CLUSTER_PLAIN) {
		out->storage = qcow2->storage;
		out->file_offset = cluster.file_offset + offset % qcow2->header.cluster_size;
	}
	return true;
}

typedef struct { /* what is left to read */
	uint8_t *buf;
	size_t length;
	uint64_t offset; /* of the guest */
} Qcow2Request;

static void qcow2_request_advance(Qcow2Request *request, size_t length)
{
	request->buf += length;
	request->length -= length;
	request->offset += length;
}

/* The part of the request that lies in its first cluster. */
static bool qcow2_read_compressed(const Qcow2Disk *qcow2, const uint8_t *stream, size_t length,
				  Qcow2Request *request, GError **error)
{
	const uint32_t cluster_size = qcow2->header.cluster_size;
	const uint32_t skip = (uint32_t)(request->offset % cluster_size);
	const size_t wanted = MIN(request->length, cluster_size - skip);
	g_autofree uint8_t *scratch = wanted < cluster_size ? g_malloc(cluster_size) : NULL;
	uint8_t *whole = scratch != NULL ? scratch : request->buf;

	if (!qcow2_decompress(qcow2->header.compression, whole, cluster_size, stream, length,
			      error))
		return fail_in(error, "compressed cluster for guest offset 0x%" PRIx64 ": ",
			       request->offset - skip);
	if (scratch != NULL)
		memcpy(request->buf, scratch + skip, wanted);
	qcow2_request_advance(request, wanted);
	return true;
}

static uint64_t qcow2_stream_end(const Qcow2Disk *qcow2, const Qcow2Cluster *cluster)
{
	return min_u64(cluster->file_offset + cluster->length, qcow2->storage->size);
}

/* The run [cursor.first, end) of compressed clusters, as far as one read of the file reaches. */
static bool qcow2_read_span(const Qcow2Disk *qcow2, const Qcow2Cursor *cursor, uint64_t end,
			    Qcow2Request *request, GError **error)
{
	Qcow2Cluster cluster = qcow2_cursor_at(qcow2, cursor, cursor->first);
	const uint64_t from = cluster.file_offset;
	uint64_t to = qcow2_stream_end(qcow2, &cluster);
	uint64_t count = 1;

	for (; cursor->first + count < end; count++) {
		cluster = qcow2_cursor_at(qcow2, cursor, cursor->first + count);
		const uint64_t next_to = qcow2_stream_end(qcow2, &cluster);
		if (cluster.file_offset < from || cluster.file_offset > to || next_to < to ||
		    next_to - from > QCOW2_SPAN_MAX_BYTES)
			break;
		to = next_to;
	}
	g_autofree uint8_t *streams = g_malloc(to - from);
	if (!storage_read_at(qcow2->storage, streams, to - from, from, error))
		return false;
	for (uint64_t i = cursor->first; i < cursor->first + count; i++) {
		cluster = qcow2_cursor_at(qcow2, cursor, i);
		if (!qcow2_read_compressed(
			    qcow2, streams + (cluster.file_offset - from),
			    (size_t)(qcow2_stream_end(qcow2, &cluster) - cluster.file_offset),
			    request, error))
			return fail_in(error, "offset 0x%" PRIx64 ": ", cluster.file_offset);
	}
	return true;
}

/* What one L2 table has of the request's beginning: one run of clusters. */
static bool qcow2_read_run(const Qcow2Disk *qcow2, const Qcow2Cursor *cursor, Qcow2Request *request,
			   GError **error)
{
	const uint32_t cluster_size = qcow2->header.cluster_size;
	const uint64_t skip = request->offset % cluster_size;
	const uint64_t limit = cursor->first + div_round_up(skip + request->length, cluster_size);
	const uint64_t end = qcow2_run_end(qcow2, cursor, min_u64(limit, cursor->end));
	const Qcow2Cluster cluster = qcow2_cursor_at(qcow2, cursor, cursor->first);
	const size_t length =
		(size_t)min_u64((end - cursor->first) * cluster_size - skip, request->length);

	if (cluster.kind == QCOW2_CLUSTER_COMPRESSED)
		return qcow2_read_span(qcow2, cursor, end, request, error);
	if (cluster.kind != QCOW2_CLUSTER_PLAIN)
		memset(request->buf, 0, length);
	else if (!storage_read_at(qcow2->storage, request->buf, length, cluster.file_offset + skip,
				  error))
		return false;
	qcow2_request_advance(request, length);
	return true;
}

bool qcow2_read_at(Disk *disk, void *buf, size_t length, uint64_t offset, GError **error)
{
	Qcow2Disk *qcow2 = (Qcow2Disk *)disk;
	Qcow2Request request = {buf, length, offset};

	while (request.length > 0) {
		Qcow2Cursor cursor;

		g_assert(qcow2->l1[request.offset / qcow2->table_span] != 0);
		if (!qcow2_cursor_open(qcow2, request.offset, &cursor, error))
			return false;
		const bool ok = qcow2_read_run(qcow2, &cursor, &request, error);
		table_cache_unpin(qcow2->tables, cursor.table);
		if (!ok)
			return false;
	}
	return true;
}
