/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2.c: opens qcow2 images, versions 2 and 3, one layer. */
#include "base/bytes.h"
#include "base/checked.h"
#include "formats/drivers.h"
#include "formats/qcow2_disk.h"
#include "formats/qcow2_layout.h"
#include "formats/qcow2_write.h"

#include <string.h>

/* L2 tables kept in memory, per image of a chain. */
#define QCOW2_TABLES_MAX_BYTES (4 * MIB)
/* L1 and refcount tables are read in pieces of so many entries. */
#define QCOW2_PIECE_ENTRIES 8192u

static int qcow2_probe(const uint8_t *head, size_t head_length, const uint8_t *tail,
		       size_t tail_length)
{
	(void)tail;
	(void)tail_length;
	return head_length >= 8 && get_be32(head) == QCOW2_MAGIC ? 100 : 0;
}

static bool qcow2_load_header(Storage *storage, Qcow2Header *out, GError **error)
{
	uint8_t start[24] = {0};
	const size_t start_length = (size_t)min_u64(sizeof(start), storage->size);

	if (!storage_read_at(storage, start, start_length, 0, error))
		return false;
	const size_t length = qcow2_header_bytes_wanted(start, storage->size);
	g_autofree uint8_t *bytes = g_malloc(length);
	return storage_read_at(storage, bytes, length, 0, error) &&
	       qcow2_header_parse(bytes, length, storage->size, out, error);
}

/* An entry that points to a table of one cluster: aligned, inside the file, not in the header. */
static const char *qcow2_pointer_problem(const Qcow2Disk *qcow2, uint64_t offset)
{
	if (offset % qcow2->header.cluster_size != 0)
		return "not a multiple of the cluster size";
	if (offset == 0)
		return "allocated at offset 0";
	if (!range_is_inside(qcow2->header.cluster_size, offset, qcow2->storage->size))
		return "past the end of the file";
	return NULL;
}

static bool qcow2_take_l1_entry(Qcow2Disk *qcow2, uint32_t index, uint64_t entry, GError **error)
{
	const uint64_t offset = entry & QCOW2_ENTRY_OFFSET;

	if (entry == 0)
		return true;
	const char *problem = (entry & QCOW2_L1_RESERVED) != 0
				      ? "reserved bits set"
				      : qcow2_pointer_problem(qcow2, offset);
	if (problem != NULL)
		return fail(error, CORRUPT,
			    "offset 0x%" PRIx64 ": L1 entry %u=0x%016" PRIx64 ": %s",
			    qcow2->header.l1_offset + (uint64_t)index * 8, index, entry, problem);
	/* Told at once: a table of 32 MiB that says one thing would fill the list below. */
	if (index > 0 && qcow2->l1[index - 1] == offset)
		return fail(error, CORRUPT,
			    "offset 0x%" PRIx64 ": L1 entry %u=0x%016" PRIx64
			    ": overlaps the L2 table of the entry before",
			    qcow2->header.l1_offset + (uint64_t)index * 8, index, entry);
	qcow2->l1[index] = offset;
	qcow2_metadata_add(qcow2->metadata, QCOW2_HOLDS_L2, qcow2->header.cluster_size, offset);
	return true;
}

/* Refcounts do not matter for reading, but where they stand does: no guest data is there. Those of
 * an image that was not closed may be wrong. */
static bool qcow2_take_refcount_entry(Qcow2Disk *qcow2, uint32_t index, uint64_t entry,
				      GError **error)
{
	if (entry == 0)
		return true;
	const char *problem = qcow2_pointer_problem(qcow2, entry);
	if (problem != NULL && qcow2->header.dirty)
		return true;
	if (problem != NULL)
		return fail(error, CORRUPT,
			    "offset 0x%" PRIx64 ": refcount table entry %u=0x%016" PRIx64 ": %s",
			    qcow2->header.refcount_table_offset + (uint64_t)index * 8, index, entry,
			    problem);
	qcow2_metadata_add(qcow2->metadata, QCOW2_HOLDS_REFCOUNT_BLOCK, qcow2->header.cluster_size,
			   entry);
	return true;
}

typedef bool (*Qcow2TakeEntry)(Qcow2Disk *qcow2, uint32_t index, uint64_t entry, GError **error);

static bool qcow2_load_entries(Qcow2Disk *qcow2, uint64_t offset, uint32_t count,
			       Qcow2TakeEntry take, GError **error)
{
	g_autofree uint8_t *bytes = g_malloc(QCOW2_PIECE_ENTRIES * 8);

	for (uint32_t done = 0; done < count; done += QCOW2_PIECE_ENTRIES) {
		const uint32_t piece = MIN(count - done, QCOW2_PIECE_ENTRIES);

		if (!storage_read_at(qcow2->storage, bytes, (size_t)piece * 8,
				     offset + (uint64_t)done * 8, error))
			return false;
		for (uint32_t i = 0; i < piece; i++)
			if (!take(qcow2, done + i, get_be64(bytes + (size_t)i * 8), error))
				return false;
	}
	return true;
}

static bool qcow2_load_tables(Qcow2Disk *qcow2, GError **error)
{
	const Qcow2Header *header = &qcow2->header;
	Qcow2Metadata *metadata = qcow2->metadata;

	qcow2_metadata_add(metadata, QCOW2_HOLDS_HEADER, header->cluster_size, 0);
	qcow2_metadata_add(metadata, QCOW2_HOLDS_L1, (uint64_t)header->l1_entries * 8,
			   header->l1_offset);
	qcow2_metadata_add(metadata, QCOW2_HOLDS_REFCOUNT_TABLE, header->refcount_table_size,
			   header->refcount_table_offset);
	qcow2->l1 = g_try_new0(uint64_t, header->l1_entries);
	if (qcow2->l1 == NULL && header->l1_entries > 0)
		return fail(error, IO, "no memory for an L1 table of %u entries",
			    header->l1_entries);
	return qcow2_load_entries(qcow2, header->l1_offset, header->l1_entries, qcow2_take_l1_entry,
				  error) &&
	       qcow2_load_entries(qcow2, header->refcount_table_offset,
				  (uint32_t)(header->refcount_table_size / 8),
				  qcow2_take_refcount_entry, error) &&
	       qcow2_metadata_seal(metadata, error);
}

static void qcow2_close(Disk *disk)
{
	Qcow2Disk *qcow2 = (Qcow2Disk *)disk;

	table_cache_free(qcow2->tables);
	qcow2_metadata_free(qcow2->metadata);
	g_free(qcow2->l1);
	qcow2_header_clear(&qcow2->header);
	storage_unref(qcow2->storage);
	g_free(qcow2);
}

static void add_fact(GVariantBuilder *facts, const char *key, GVariant *value)
{
	g_variant_builder_add(facts, "{sv}", key, value);
}

/* The names and the order of `qemu-img info`. */
static GVariant *qcow2_describe(Disk *disk)
{
	const Qcow2Header *header = &((const Qcow2Disk *)disk)->header;
	GVariantBuilder facts;

	g_variant_builder_init(&facts, G_VARIANT_TYPE_VARDICT);
	add_fact(&facts, "compat", g_variant_new_string(header->version == 2 ? "0.10" : "1.1"));
	add_fact(&facts, "compression-type",
		 g_variant_new_string(header->compression == QCOW2_ZSTD ? "zstd" : "zlib"));
	add_fact(&facts, "lazy-refcounts", g_variant_new_boolean(header->lazy_refcounts));
	add_fact(&facts, "refcount-bits", g_variant_new_uint32(header->refcount_bits));
	add_fact(&facts, "corrupt", g_variant_new_boolean(FALSE));     /* or not opened */
	add_fact(&facts, "extended-l2", g_variant_new_boolean(FALSE)); /* the same */
	add_fact(&facts, "cluster-size", g_variant_new_uint32(header->cluster_size));
	add_fact(&facts, "encrypted", g_variant_new_boolean(FALSE)); /* the same */
	add_fact(&facts, "dirty", g_variant_new_boolean(header->dirty));
	add_fact(&facts, "snapshots", g_variant_new_uint32(header->snapshots));
	if (header->backing_name != NULL) {
		g_autofree char *shown =
			text_for_display(header->backing_name, strlen(header->backing_name), 1023);
		add_fact(&facts, "backing-filename", g_variant_new_string(shown));
	}
	if (header->backing_format != NULL) {
		g_autofree char *shown = text_for_display(header->backing_format,
							  strlen(header->backing_format), 16);
		add_fact(&facts, "backing-filename-format", g_variant_new_string(shown));
	}
	return g_variant_builder_end(&facts);
}

static const DiskOps qcow2_disk_ops = {
	.read_at = qcow2_read_at,
	.extent_at = qcow2_extent_at,
	.describe = qcow2_describe,
	.close = qcow2_close,
};

static Disk *qcow2_open(Storage *storage, const OpenOptions *options, char **backing_format,
			GError **error)
{
	Qcow2Header header;

	if (!qcow2_load_header(storage, &header, error))
		return NULL;
	Qcow2Disk *qcow2 = g_new0(Qcow2Disk, 1);
	g_autoptr(Disk) disk = &qcow2->base;
	disk_init(disk, &qcow2_disk_ops, qcow2_format.name, storage->name, header.size,
		  header.cluster_size);
	qcow2->storage = storage_ref(storage);
	qcow2->header = header;
	qcow2->metadata = qcow2_metadata_new(header.cluster_bits);
	qcow2->table_span = qcow2_l2_span(header.cluster_bits);
	if (!qcow2_load_tables(qcow2, error))
		return NULL;
	qcow2->tables = table_cache_new(header.cluster_size, QCOW2_TABLES_MAX_BYTES,
					qcow2_load_table, qcow2);
	if (header.dirty && options->findings != NULL)
		findings_add(options->findings, FINDING_WARNING, "qcow2.dirty",
			     "qemu-img check -r leaks repairs a copy",
			     "%s was not closed properly: its reference counts may be wrong, its "
			     "data is read as it stands",
			     storage->name);
	disk->backing_name = g_strdup(header.backing_name);
	*backing_format = g_strdup(header.backing_format);
	return g_steal_pointer(&disk);
}

const FormatDriver qcow2_format = {
	.name = "qcow2",
	.title = "QEMU copy-on-write, versions 2 and 3",
	.suffixes = "qcow2",
	.probe = qcow2_probe,
	.open = qcow2_open,
	.create = qcow2_create,
};
