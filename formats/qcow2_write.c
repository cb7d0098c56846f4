/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_write.c: guest clusters on their way into a qcow2 image of version 3. */
#include "formats/qcow2_write.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "formats/drivers.h"
#include "formats/qcow2_entry.h"

#include <string.h>

#define QCOW2_DEFAULT_CLUSTER_SIZE (64 * KIB)
#define QCOW2_UNIT_SIZE            (1 * MIB)
/* Compressed clusters take at least so much, so that a cluster of 2 MiB of the file never holds
 * more of them than a 16-bit reference count can tell. */
#define QCOW2_MIN_COMPRESSED 64u
/* Room for compressed clusters is taken so much at a time, or plain ones in between would leave a
 * gap behind each. */
#define QCOW2_BYTES_CHUNK (1 * MIB)

typedef struct {               /* one guest cluster of a unit */
	Qcow2ClusterKind kind; /* ZERO, PLAIN or COMPRESSED */
	uint32_t length;       /* compressed: bytes in unit->packed */
	uint64_t file_offset;  /* once placed */
	const uint8_t *bytes;  /* borrowed: of the caller, of unit->packed or unit->tail */
} Qcow2Piece;

struct WriteUnit {
	uint64_t offset; /* of the guest */
	size_t count;
	uint8_t *packed; /* owned; compressed clusters end to end; NULL: none */
	uint8_t *tail;   /* owned; a last cluster that the guest has only a part of; NULL: none */
	Qcow2Piece pieces[];
};

static void qcow2_unit_free(WriteUnit *unit)
{
	if (unit == NULL)
		return;
	g_free(unit->packed);
	g_free(unit->tail);
	g_free(unit);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WriteUnit, qcow2_unit_free)

/* The unit's clusters as they are, the last one filled up with zeroes. */
static WriteUnit *qcow2_unit_new(const Qcow2Writer *qcow2, const uint8_t *bytes, size_t length,
				 uint64_t offset)
{
	const size_t cluster_size = qcow2->cluster_size;
	const size_t count = (size_t)div_round_up(length, cluster_size);
	const size_t rest = length % cluster_size;
	WriteUnit *unit = g_malloc0(sizeof(WriteUnit) + count * sizeof(Qcow2Piece));

	unit->offset = offset;
	unit->count = count;
	for (size_t i = 0; i < count; i++) {
		Qcow2Piece *piece = &unit->pieces[i];
		const size_t present = MIN(length - i * cluster_size, cluster_size);

		piece->kind = QCOW2_CLUSTER_ZERO;
		if (bytes == NULL || bytes_are_zero(bytes + i * cluster_size, present))
			continue;
		piece->kind = QCOW2_CLUSTER_PLAIN;
		piece->bytes = bytes + i * cluster_size;
	}
	if (rest > 0 && unit->pieces[count - 1].kind == QCOW2_CLUSTER_PLAIN) {
		unit->tail = g_malloc0(cluster_size);
		memcpy(unit->tail, unit->pieces[count - 1].bytes, rest);
		unit->pieces[count - 1].bytes = unit->tail;
	}
	return unit;
}

/* Clusters that do not get smaller stay plain. */
static void qcow2_unit_compress(const Qcow2Writer *qcow2, WriteUnit *unit,
				Qcow2Compressor *compressor)
{
	const uint32_t cluster_size = qcow2->cluster_size;
	size_t used = 0;

	unit->packed = g_malloc(unit->count * cluster_size);
	for (size_t i = 0; i < unit->count; i++) {
		Qcow2Piece *piece = &unit->pieces[i];
		uint8_t *place = unit->packed + used;

		if (piece->kind != QCOW2_CLUSTER_PLAIN)
			continue;
		size_t length = qcow2_compress(compressor, place, cluster_size - 1, piece->bytes,
					       cluster_size);
		if (length == 0)
			continue;
		if (length < QCOW2_MIN_COMPRESSED) {
			memset(place + length, 0, QCOW2_MIN_COMPRESSED - length);
			length = QCOW2_MIN_COMPRESSED;
		}
		piece->kind = QCOW2_CLUSTER_COMPRESSED;
		piece->length = (uint32_t)length;
		piece->bytes = place;
		used += length;
	}
}

static WriteUnit *qcow2_unit_encode(DiskWriter *writer, const void *buf, size_t length,
				    uint64_t offset, GError **error)
{
	Qcow2Writer *qcow2 = (Qcow2Writer *)writer;
	g_autoptr(WriteUnit) unit = qcow2_unit_new(qcow2, buf, length, offset);

	if (buf != NULL && qcow2->compressors != NULL) {
		Qcow2Compressor *compressor = qcow2_compressor_take(qcow2->compressors, error);

		if (compressor == NULL)
			return NULL;
		qcow2_unit_compress(qcow2, unit, compressor);
		qcow2_compressor_give(qcow2->compressors, compressor);
	}
	return g_steal_pointer(&unit);
}

/* The table of a guest offset, which may be NULL. */
static uint64_t **qcow2_table_of(const Qcow2Writer *qcow2, uint64_t guest_offset)
{
	return &qcow2->l2[guest_offset / qcow2_l2_span(qcow2->cluster_bits)];
}

/* The entry of a guest cluster; its table is made when there is none. */
static uint64_t *qcow2_entry_of(const Qcow2Writer *qcow2, uint64_t guest_offset)
{
	const uint64_t entries = qcow2->cluster_size / 8;
	uint64_t **table = qcow2_table_of(qcow2, guest_offset);

	if (*table == NULL)
		*table = g_new0(uint64_t, entries);
	return *table + (guest_offset >> qcow2->cluster_bits) % entries;
}

static uint64_t qcow2_take_cluster(Qcow2Writer *qcow2)
{
	const uint64_t offset = qcow2->next_offset;

	qcow2->next_offset += qcow2->cluster_size;
	return offset;
}

static uint64_t qcow2_take_bytes(Qcow2Writer *qcow2, uint32_t length)
{
	if (length > qcow2->byte_end - qcow2->byte_offset) {
		if (qcow2->byte_end != qcow2->next_offset) /* plain clusters came in between */
			qcow2->byte_offset = qcow2->next_offset;
		qcow2->byte_end = qcow2->next_offset +
				  round_up(MAX(length, QCOW2_BYTES_CHUNK), qcow2->cluster_size);
		qcow2->next_offset = qcow2->byte_end;
	}
	const uint64_t offset = qcow2->byte_offset;
	qcow2->byte_offset += length;
	return offset;
}

/* A plain cluster that is written again stays where it is. */
static void qcow2_place_plain(Qcow2Writer *qcow2, uint64_t *entry, Qcow2Piece *piece)
{
	const Qcow2Cluster before = qcow2_entry_decode(*entry, qcow2->cluster_bits);

	piece->file_offset =
		before.kind == QCOW2_CLUSTER_PLAIN ? before.file_offset : qcow2_take_cluster(qcow2);
	*entry = piece->file_offset | QCOW2_ENTRY_COPIED;
}

/* What was there is forgotten; a backing image must not show through. */
static void qcow2_place_zero(const Qcow2Writer *qcow2, uint64_t guest_offset)
{
	if (qcow2->backing_name != NULL)
		*qcow2_entry_of(qcow2, guest_offset) = QCOW2_ENTRY_ZERO;
	else if (*qcow2_table_of(qcow2, guest_offset) != NULL)
		*qcow2_entry_of(qcow2, guest_offset) = 0;
}

static bool qcow2_place_compressed(Qcow2Writer *qcow2, uint64_t *entry, Qcow2Piece *piece,
				   GError **error)
{
	const uint64_t limit = qcow2_compressed_offset_limit(qcow2->cluster_bits);

	piece->file_offset = qcow2_take_bytes(qcow2, piece->length);
	if (piece->file_offset >= limit)
		return fail(error, UNSUPPORTED,
			    "compressed cluster at offset %" PRIu64 ": qcow2 with clusters of %u "
			    "bytes reaches %" PRIu64,
			    piece->file_offset, qcow2->cluster_size, limit);
	*entry = qcow2_entry_of_compressed(piece->file_offset, piece->length, qcow2->cluster_bits);
	return true;
}

static bool qcow2_unit_place(DiskWriter *writer, WriteUnit *unit, GError **error)
{
	Qcow2Writer *qcow2 = (Qcow2Writer *)writer;

	for (size_t i = 0; i < unit->count; i++) {
		Qcow2Piece *piece = &unit->pieces[i];
		const uint64_t guest_offset = unit->offset + i * qcow2->cluster_size;

		if (piece->kind == QCOW2_CLUSTER_ZERO)
			qcow2_place_zero(qcow2, guest_offset);
		else if (piece->kind == QCOW2_CLUSTER_PLAIN)
			qcow2_place_plain(qcow2, qcow2_entry_of(qcow2, guest_offset), piece);
		else if (!qcow2_place_compressed(qcow2, qcow2_entry_of(qcow2, guest_offset), piece,
						 error))
			return false;
	}
	return true;
}

static size_t qcow2_piece_length(const Qcow2Writer *qcow2, const Qcow2Piece *piece)
{
	return piece->kind == QCOW2_CLUSTER_COMPRESSED ? piece->length : qcow2->cluster_size;
}

/* Pieces that follow each other in memory and in the file go out in one write. */
static bool qcow2_unit_write(DiskWriter *writer, WriteUnit *unit, GError **error)
{
	const Qcow2Writer *qcow2 = (Qcow2Writer *)writer;
	const uint8_t *bytes = NULL;
	uint64_t offset = 0;
	size_t length = 0;

	for (size_t i = 0; i < unit->count; i++) {
		const Qcow2Piece *piece = &unit->pieces[i];

		if (piece->kind == QCOW2_CLUSTER_ZERO)
			continue;
		if (bytes == NULL || piece->bytes != bytes + length ||
		    piece->file_offset != offset + length) {
			if (!storage_write_at(writer->storage, bytes, length, offset, error))
				return false;
			bytes = piece->bytes;
			offset = piece->file_offset;
			length = 0;
		}
		length += qcow2_piece_length(qcow2, piece);
	}
	return storage_write_at(writer->storage, bytes, length, offset, error);
}

static void qcow2_writer_close(DiskWriter *writer)
{
	Qcow2Writer *qcow2 = (Qcow2Writer *)writer;

	for (uint32_t i = 0; qcow2->l2 != NULL && i < qcow2->l1_entries; i++)
		g_free(qcow2->l2[i]);
	g_free(qcow2->l2);
	qcow2_compressors_free(qcow2->compressors);
	g_free(qcow2->backing_name);
	g_free(qcow2->backing_format);
	g_free(qcow2);
}

static const DiskWriterOps qcow2_writer_ops = {
	.unit_encode = qcow2_unit_encode,
	.unit_place = qcow2_unit_place,
	.unit_write = qcow2_unit_write,
	.unit_free = qcow2_unit_free,
	.finish = qcow2_finish,
	.close = qcow2_writer_close,
};

static bool qcow2_set_geometry(Qcow2Writer *qcow2, const CreateOptions *options, GError **error)
{
	const uint64_t cluster_size =
		options->cluster_size != 0 ? options->cluster_size : QCOW2_DEFAULT_CLUSTER_SIZE;

	if (!is_power_of_two(cluster_size) || cluster_size < 1u << QCOW2_MIN_CLUSTER_BITS ||
	    cluster_size > 1u << QCOW2_MAX_CLUSTER_BITS)
		return fail(error, USAGE,
			    "cluster size %" PRIu64
			    ": qcow2 has powers of two from 512 to 2097152 bytes",
			    cluster_size);
	qcow2->cluster_size = (uint32_t)cluster_size;
	qcow2->cluster_bits = (unsigned)__builtin_ctzll(cluster_size);
	const uint64_t span = qcow2_l2_span(qcow2->cluster_bits);
	const uint64_t limit = span * (QCOW2_MAX_L1_BYTES / 8);
	if (options->size > limit)
		return fail(error, USAGE,
			    "disk of %" PRIu64 " bytes: qcow2 with clusters of %" PRIu64
			    " bytes holds %" PRIu64,
			    options->size, cluster_size, limit);
	qcow2->l1_entries = (uint32_t)MAX(div_round_up(options->size, span), 1);
	return true;
}

static bool qcow2_set_compression(Qcow2Writer *qcow2, const CreateOptions *options, GError **error)
{
	int level;

	if (options->compression == NULL)
		return true;
	if (strcmp(options->compression, "zstd") == 0)
		qcow2->compression = QCOW2_ZSTD;
	else if (strcmp(options->compression, "zlib") != 0)
		return fail(error, USAGE, "compression \"%s\": qcow2 has zlib and zstd",
			    options->compression);
	if (!qcow2_compression_level(qcow2->compression, options->compression_level, &level, error))
		return false;
	qcow2->compressors = qcow2_compressors_new(qcow2->compression, level);
	return true;
}

DiskWriter *qcow2_create(Storage *storage, const CreateOptions *options, GError **error)
{
	Qcow2Writer *qcow2 = g_new0(Qcow2Writer, 1);
	g_autoptr(DiskWriter) writer = &qcow2->base;

	/* QEMU knows whole sectors only: it would cut the last one off. */
	disk_writer_init(writer, &qcow2_writer_ops, qcow2_format.name, storage,
			 round_up(min_u64(options->size, INT64_MAX), SECTOR_SIZE), QCOW2_UNIT_SIZE);
	if (!qcow2_set_geometry(qcow2, options, error) ||
	    !qcow2_set_compression(qcow2, options, error))
		return NULL;
	writer->unit_size = MAX(QCOW2_UNIT_SIZE, qcow2->cluster_size);
	qcow2->backing_name = g_strdup(options->backing_name);
	qcow2->backing_format = g_strdup(options->backing_format);
	qcow2->l2 = g_new0(uint64_t *, qcow2->l1_entries);
	/* The first cluster is the header's. */
	qcow2->next_offset = qcow2->byte_offset = qcow2->byte_end = qcow2->cluster_size;
	g_autofree uint8_t *header = qcow2_header_format(qcow2, &(Qcow2Layout){0}, error);
	return header != NULL ? g_steal_pointer(&writer) : NULL;
}
