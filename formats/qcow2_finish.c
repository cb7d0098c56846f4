/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_finish.c: the tables of a written image, computed from where its clusters are. */
#include "base/bytes.h"
#include "base/checked.h"
#include "formats/qcow2_entry.h"
#include "formats/qcow2_write.h"

#include <string.h>

#define TABLES_BUFFER_SIZE (1 * MIB)

typedef struct { /* of the file, in clusters; in this order behind the guest's */
	uint64_t l2_first, l2_count;
	uint64_t l1_first, l1_count;
	uint64_t table_first, table_count; /* refcount table */
	uint64_t block_first, block_count; /* refcount blocks */
	uint64_t end;
} TablePlan;

typedef struct {          /* tables go out in few large writes */
	Storage *storage; /* borrowed */
	uint8_t *buf;     /* owned; TABLES_BUFFER_SIZE */
	size_t used;
	uint64_t offset; /* of the file, where buf goes */
} TableStream;

static bool table_stream_flush(TableStream *stream, GError **error)
{
	if (!storage_write_at(stream->storage, stream->buf, stream->used, stream->offset, error))
		return false;
	stream->offset += stream->used;
	stream->used = 0;
	return true;
}

static bool table_stream_put(TableStream *stream, uint64_t value, unsigned bytes, GError **error)
{
	if (stream->used + bytes > TABLES_BUFFER_SIZE && !table_stream_flush(stream, error))
		return false;
	if (bytes == 8)
		put_be64(stream->buf + stream->used, value);
	else
		put_be16(stream->buf + stream->used, (uint16_t)value);
	stream->used += bytes;
	return true;
}

/* Zeroes up to cluster `end` of the file. */
static bool table_stream_pad(TableStream *stream, uint64_t end_offset, GError **error)
{
	while (stream->offset + stream->used < end_offset)
		if (!table_stream_put(stream, 0, 8, error))
			return false;
	return true;
}

static bool l2_is_empty(const Qcow2Writer *qcow2, uint32_t index)
{
	return qcow2->l2[index] == NULL || bytes_are_zero(qcow2->l2[index], qcow2->cluster_size);
}

/* Refcounts count the clusters that hold refcounts, too: grown until they do. */
static bool plan_tables(const Qcow2Writer *qcow2, TablePlan *plan, GError **error)
{
	const uint64_t cluster_size = qcow2->cluster_size;
	const uint64_t used =
		qcow2->byte_end == qcow2->next_offset ? qcow2->byte_offset : qcow2->next_offset;

	memset(plan, 0, sizeof(*plan));
	plan->l2_first = div_round_up(used, cluster_size);
	for (uint32_t i = 0; i < qcow2->l1_entries; i++)
		plan->l2_count += l2_is_empty(qcow2, i) ? 0 : 1;
	plan->l1_first = plan->l2_first + plan->l2_count;
	plan->l1_count = div_round_up((uint64_t)qcow2->l1_entries * 8, cluster_size);
	plan->table_first = plan->l1_first + plan->l1_count;
	for (;;) {
		plan->block_first = plan->table_first + plan->table_count;
		plan->end = plan->block_first + plan->block_count;
		const uint64_t blocks = div_round_up(plan->end, cluster_size / 2);
		const uint64_t tables = div_round_up(blocks * 8, cluster_size);
		if (blocks == plan->block_count && tables == plan->table_count)
			break;
		plan->block_count = blocks;
		plan->table_count = tables;
	}
	if (plan->table_count * cluster_size > QCOW2_MAX_RT_BYTES)
		return fail(error, UNSUPPORTED,
			    "file of %" PRIu64 " clusters of %u bytes: more than a qcow2 refcount "
			    "table of %u bytes counts: take larger clusters",
			    plan->end, qcow2->cluster_size, QCOW2_MAX_RT_BYTES);
	return true;
}

static void count_l2(const Qcow2Writer *qcow2, const uint64_t *table, uint16_t *counts)
{
	for (uint64_t i = 0; i < qcow2->cluster_size / 8; i++) {
		const Qcow2Cluster cluster = qcow2_entry_decode(table[i], qcow2->cluster_bits);

		if (cluster.length == 0)
			continue;
		const uint64_t first = cluster.file_offset >> qcow2->cluster_bits;
		const uint64_t last =
			(cluster.file_offset + cluster.length - 1) >> qcow2->cluster_bits;
		for (uint64_t at = first; at <= last; at++) {
			g_assert(counts[at] < UINT16_MAX);
			counts[at]++;
		}
	}
}

/* How often each cluster of the file is used; NULL when there is no memory. */
static uint16_t *count_references(const Qcow2Writer *qcow2, const TablePlan *plan, GError **error)
{
	uint16_t *counts = g_try_new0(uint16_t, plan->end);

	if (counts == NULL)
		return fail_null(error, IO, "no memory for the refcounts of %" PRIu64 " clusters",
				 plan->end);
	counts[0] = 1; /* the header */
	for (uint32_t i = 0; i < qcow2->l1_entries; i++)
		if (qcow2->l2[i] != NULL)
			count_l2(qcow2, qcow2->l2[i], counts);
	for (uint64_t i = plan->l2_first; i < plan->end; i++)
		counts[i] = 1;
	return counts;
}

static bool write_mapping(const Qcow2Writer *qcow2, const TablePlan *plan, TableStream *stream,
			  GError **error)
{
	uint64_t next = plan->l2_first << qcow2->cluster_bits;

	for (uint32_t i = 0; i < qcow2->l1_entries; i++) {
		if (l2_is_empty(qcow2, i))
			continue;
		for (uint32_t j = 0; j < qcow2->cluster_size / 8; j++)
			if (!table_stream_put(stream, qcow2->l2[i][j], 8, error))
				return false;
	}
	for (uint32_t i = 0; i < qcow2->l1_entries; i++) {
		const bool empty = l2_is_empty(qcow2, i);

		if (!table_stream_put(stream, empty ? 0 : next | QCOW2_ENTRY_COPIED, 8, error))
			return false;
		next += empty ? 0 : qcow2->cluster_size;
	}
	return table_stream_pad(stream, plan->table_first << qcow2->cluster_bits, error);
}

static bool write_refcounts(const Qcow2Writer *qcow2, const TablePlan *plan, const uint16_t *counts,
			    TableStream *stream, GError **error)
{
	for (uint64_t i = 0; i < plan->block_count; i++)
		if (!table_stream_put(stream, (plan->block_first + i) << qcow2->cluster_bits, 8,
				      error))
			return false;
	if (!table_stream_pad(stream, plan->block_first << qcow2->cluster_bits, error))
		return false;
	for (uint64_t i = 0; i < plan->end; i++)
		if (!table_stream_put(stream, counts[i], 2, error))
			return false;
	return true;
}

static bool write_tables(const Qcow2Writer *qcow2, const TablePlan *plan, GError **error)
{
	g_autofree uint16_t *counts = count_references(qcow2, plan, error);
	g_autofree uint8_t *buf = g_malloc(TABLES_BUFFER_SIZE);
	TableStream stream = {qcow2->base.storage, buf, 0, plan->l2_first << qcow2->cluster_bits};

	return counts != NULL && write_mapping(qcow2, plan, &stream, error) &&
	       write_refcounts(qcow2, plan, counts, &stream, error) &&
	       table_stream_flush(&stream, error) &&
	       storage_set_size(qcow2->base.storage, plan->end << qcow2->cluster_bits, error) &&
	       storage_flush(qcow2->base.storage, error);
}

bool qcow2_finish(DiskWriter *writer, GError **error)
{
	Qcow2Writer *qcow2 = (Qcow2Writer *)writer;
	TablePlan plan;

	if (!plan_tables(qcow2, &plan, error) || !write_tables(qcow2, &plan, error))
		return false;
	const Qcow2Layout layout = {
		.l1_offset = plan.l1_first << qcow2->cluster_bits,
		.refcount_table_offset = plan.table_first << qcow2->cluster_bits,
		.refcount_table_clusters = plan.table_count,
	};
	g_autofree uint8_t *header = qcow2_header_format(qcow2, &layout, error);
	return header != NULL &&
	       storage_write_at(writer->storage, header, qcow2->cluster_size, 0, error) &&
	       storage_flush(writer->storage, error);
}
