/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_sparse.c: opening a sparse extent, its grain tables, and runs of grains in one state. */
#include "formats/vmdk_sparse.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "formats/vmdk_directory.h"
#include "formats/vmdk_grain.h"

#include <stdlib.h>
#include <string.h>

/* Tables looked at beyond the first for one answer about a hole: 32 GiB of 64 KiB grains. More
 * would make small reads in a large hole slow. */
#define HOLE_MAX_TABLES 1024u

static bool read_footer(Storage *storage, VmdkHeader *header, GError **error)
{
	VmdkFooterBytes raw;

	if (storage->size < SECTOR_SIZE + sizeof(raw) || storage->size % SECTOR_SIZE != 0)
		return fail(error, CORRUPT,
			    "offset 0x%zx: grain directory offset=0x%" PRIx64
			    ": the file of %" PRIu64 " bytes has no footer, it was probably cut",
			    offsetof(VmdkHeaderBytes, gd_offset), header->gd_offset_sectors,
			    storage->size);
	return storage_read_at(storage, &raw, sizeof(raw), storage->size - sizeof(raw), error) &&
	       vmdk_footer_parse(&raw, storage->size, header, error);
}

static bool read_header(Storage *storage, VmdkHeader *out, GError **error)
{
	VmdkHeaderBytes raw;

	if (storage->size < sizeof(raw))
		return fail(error, CORRUPT, "file size=%" PRIu64 ": a header has %zu bytes",
			    storage->size, sizeof(raw));
	if (!storage_read_at(storage, &raw, sizeof(raw), 0, error) ||
	    !vmdk_header_parse(&raw, 0, storage->size, out, error))
		return false;
	return out->gd_offset_sectors != VMDK_GD_AT_END || read_footer(storage, out, error);
}

typedef struct {
	uint32_t sector;
	uint32_t entry;
} PlacedGrain;

static int compare_places(const void *a, const void *b)
{
	const uint32_t left = ((const PlacedGrain *)a)->sector;
	const uint32_t right = ((const PlacedGrain *)b)->sector;

	return left < right ? -1 : left > right;
}

static bool refuse_entry(const VmdkSparse *sparse, uint64_t table, unsigned entry, uint32_t value,
			 const char *reason, GError **error)
{
	return fail(error, CORRUPT,
		    "offset 0x%" PRIx64 ": grain table %" PRIu64 " entry %u=%" PRIu32
		    " sectors: %s",
		    (uint64_t)sparse->directory[table] * SECTOR_SIZE + entry * 4u, table, entry,
		    value, reason);
}

/* Plain grains of one table must not share bytes. Marked ones say themselves whose they are. */
static bool check_grains_apart(const VmdkSparse *sparse, uint64_t table, const uint32_t *entries,
			       GError **error)
{
	const uint32_t grain_sectors = sparse->header.grain_size / SECTOR_SIZE;
	PlacedGrain placed[VMDK_TABLE_ENTRIES];
	size_t count = 0;
	bool sorted = true;

	for (uint32_t i = 0; i < VMDK_TABLE_ENTRIES; i++) {
		if (entries[i] <= VMDK_GTE_ZERO)
			continue;
		placed[count++] = (PlacedGrain){entries[i], i};
		sorted = sorted && (count < 2 || placed[count - 2].sector < entries[i]);
	}
	if (!sorted)
		qsort(placed, count, sizeof(placed[0]), compare_places);
	for (size_t i = 1; i < count; i++)
		if (placed[i].sector - placed[i - 1].sector < grain_sectors)
			return refuse_entry(sparse, table, placed[i].entry, placed[i].sector,
					    "overlaps another grain", error);
	return true;
}

static const char *entry_damage(const VmdkSparse *sparse, uint64_t grain, uint32_t sector)
{
	const uint64_t least = sparse->header.compressed ? VMDK_GRAIN_MARKER_SIZE + 1
							 : vmdk_grain_length(sparse, grain);

	if (sector == VMDK_GTE_ZERO && !sparse->header.zero_grains)
		return "means a grain of zeroes, which the header's flags do not allow";
	if (sector == VMDK_GTE_ZERO)
		return NULL;
	if (sector < sparse->header.overhead_sectors)
		return "lies inside the metadata before the first grain";
	if (!range_is_inside(least, (uint64_t)sector * SECTOR_SIZE, sparse->storage->size))
		return "points past the end of the file";
	return NULL;
}

/* TableLoad: entries in our byte order; those beyond the capacity are nobody's, and cleared. */
static bool load_table(void *owner, uint64_t table, void *buf, GError **error)
{
	VmdkSparse *sparse = owner;
	const uint64_t first_grain = table * VMDK_TABLE_ENTRIES;
	const uint64_t grains = min_u64(sparse->grain_count - first_grain, VMDK_TABLE_ENTRIES);
	uint8_t raw[VMDK_TABLE_SIZE];
	uint32_t *entries = buf;

	if (!storage_read_at(sparse->storage, raw, sizeof(raw),
			     (uint64_t)sparse->directory[table] * SECTOR_SIZE, error))
		return false;
	memset(entries, 0, VMDK_TABLE_SIZE);
	for (unsigned i = 0; i < grains; i++) {
		entries[i] = get_le32(raw + i * 4);
		if (entries[i] == VMDK_GTE_UNALLOCATED)
			continue;
		const char *damage = entry_damage(sparse, first_grain + i, entries[i]);
		if (damage != NULL)
			return refuse_entry(sparse, table, i, entries[i], damage, error);
	}
	if (bytes_are_zero(entries, VMDK_TABLE_SIZE))
		atomic_store_explicit(&sparse->empty[table], true, memory_order_relaxed);
	return sparse->header.compressed || check_grains_apart(sparse, table, entries, error);
}

VmdkSparse *vmdk_sparse_open(Storage *storage, size_t cache_size, Findings *findings,
			     GError **error)
{
	g_autoptr(VmdkSparse) sparse = g_new0(VmdkSparse, 1);
	VmdkHeader *header = &sparse->header;

	if (!read_header(storage, header, error))
		return NULL;
	sparse->storage = storage_ref(storage);
	sparse->grain_count = div_round_up(header->capacity, header->grain_size);
	sparse->directory = vmdk_directory_load(storage, header, findings, error);
	if (sparse->directory == NULL)
		return NULL;
	sparse->empty = g_try_malloc0(header->directory_entries);
	if (sparse->empty == NULL)
		return fail_null(error, IO, "no memory for %" PRIu64 " grain tables",
				 header->directory_entries);
	sparse->tables = table_cache_new(VMDK_TABLE_SIZE, cache_size, load_table, sparse);
	if (header->compressed)
		sparse->grains =
			table_cache_new(header->grain_size, cache_size, vmdk_grain_load, sparse);
	if (header->unclean && findings != NULL)
		findings_add(findings, FINDING_WARNING, "vmdk.unclean-shutdown",
			     "shut the source machine down properly before the migration",
			     "%s: was not closed properly; its last writes may be missing",
			     storage->name);
	return g_steal_pointer(&sparse);
}

void vmdk_sparse_close(VmdkSparse *sparse)
{
	if (sparse == NULL)
		return;
	table_cache_free(sparse->grains);
	table_cache_free(sparse->tables);
	g_free(sparse->empty);
	g_free(sparse->directory);
	storage_unref(sparse->storage);
	g_free(sparse);
}

const VmdkHeader *vmdk_sparse_header(const VmdkSparse *sparse)
{
	return &sparse->header;
}

static bool table_is_absent(const VmdkSparse *sparse, uint64_t table)
{
	return sparse->directory[table] == 0 ||
	       atomic_load_explicit(&sparse->empty[table], memory_order_relaxed);
}

bool vmdk_sparse_entries(VmdkSparse *sparse, uint32_t *out, size_t count, uint64_t grain,
			 GError **error)
{
	const uint64_t table = grain / VMDK_TABLE_ENTRIES;
	const uint32_t *entries = table_cache_pin(sparse->tables, table, error);

	g_assert(count <= VMDK_TABLE_ENTRIES - grain % VMDK_TABLE_ENTRIES);
	if (entries == NULL)
		return false;
	memcpy(out, entries + grain % VMDK_TABLE_ENTRIES, count * sizeof(*out));
	table_cache_unpin(sparse->tables, entries);
	return true;
}

static ExtentState entry_state(uint32_t entry)
{
	if (entry == VMDK_GTE_UNALLOCATED)
		return EXTENT_UNALLOCATED;
	return entry == VMDK_GTE_ZERO ? EXTENT_ZERO : EXTENT_DATA;
}

/* How many of `count` entries, the first included, are one run: in one state and, when plain, one
 * behind the other in the file. */
static size_t entries_run(const VmdkSparse *sparse, const uint32_t *entries, size_t count)
{
	const uint32_t grain_sectors = sparse->header.grain_size / SECTOR_SIZE;
	const ExtentState state = entry_state(entries[0]);
	const bool placed = state == EXTENT_DATA && !sparse->header.compressed;
	size_t run = 1;

	while (run < count && entry_state(entries[run]) == state &&
	       (!placed || entries[run] == entries[run - 1] + grain_sectors))
		run++;
	return run;
}

/* The first grain from `grain` (of a table's first) on that may not be a hole. */
static uint64_t hole_end(VmdkSparse *sparse, uint64_t grain)
{
	uint64_t table = grain / VMDK_TABLE_ENTRIES;
	const uint64_t last = min_u64(sparse->header.directory_entries, table + HOLE_MAX_TABLES);

	for (; table < last; table++) {
		uint32_t entries[VMDK_TABLE_ENTRIES];

		if (table_is_absent(sparse, table))
			continue;
		/* A damaged table is an error for whoever asks for what is in it. */
		if (!vmdk_sparse_entries(sparse, entries, VMDK_TABLE_ENTRIES,
					 table * VMDK_TABLE_ENTRIES, NULL))
			break;
		if (table_is_absent(sparse, table))
			continue;
		const size_t run = entries[0] == VMDK_GTE_UNALLOCATED
					   ? entries_run(sparse, entries, VMDK_TABLE_ENTRIES)
					   : 0;
		return table * VMDK_TABLE_ENTRIES + run;
	}
	return table * VMDK_TABLE_ENTRIES;
}

bool vmdk_sparse_extent_at(VmdkSparse *sparse, uint64_t offset, Extent *out, GError **error)
{
	const uint32_t grain_size = sparse->header.grain_size;
	const uint64_t grain = offset / grain_size;
	const uint64_t table = grain / VMDK_TABLE_ENTRIES;
	uint64_t end = (table + 1) * VMDK_TABLE_ENTRIES;
	uint32_t entries[VMDK_TABLE_ENTRIES] = {VMDK_GTE_UNALLOCATED};

	if (!table_is_absent(sparse, table)) {
		const size_t count = (size_t)(end - grain);

		if (!vmdk_sparse_entries(sparse, entries, count, grain, error))
			return false;
		end = grain + entries_run(sparse, entries, count);
	}
	const ExtentState state = entry_state(entries[0]);
	if (state == EXTENT_UNALLOCATED && end % VMDK_TABLE_ENTRIES == 0)
		end = hole_end(sparse, end);
	*out = (Extent){
		.offset = offset,
		.length = min_u64(end * grain_size, sparse->header.capacity) - offset,
		.state = state,
	};
	if (state != EXTENT_DATA)
		return true;
	out->compressed = sparse->header.compressed;
	if (!out->compressed) {
		out->storage = sparse->storage;
		out->file_offset = (uint64_t)entries[0] * SECTOR_SIZE + offset % grain_size;
	}
	return true;
}
