/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_directory.c: loads the grain directory, or the redundant one. */
#include "formats/vmdk_directory.h"

#include "base/bytes.h"
#include "base/checked.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_SECTORS (VMDK_TABLE_SIZE / SECTOR_SIZE)

typedef struct {
	const char *name;
	uint64_t field_offset; /* in the header: where the place is written */
	uint64_t offset_sectors;
} DirectoryPlace;

static bool read_directory(Storage *storage, const VmdkHeader *header, const DirectoryPlace *place,
			   uint32_t *entries, GError **error)
{
	const uint64_t count = header->directory_entries;
	const uint64_t size_sectors = div_round_up(count * 4, SECTOR_SIZE);
	const char *reason = NULL;

	if (place->offset_sectors == 0 ||
	    !range_is_inside(size_sectors, place->offset_sectors, storage->size / SECTOR_SIZE))
		reason = "are not inside the file";
	else if (ranges_overlap(header->descriptor_size, header->descriptor_offset,
				size_sectors * SECTOR_SIZE, place->offset_sectors * SECTOR_SIZE))
		reason = "overlap the descriptor";
	if (reason != NULL)
		return fail(error, CORRUPT,
			    "offset 0x%" PRIx64 ": %s offset=0x%" PRIx64 " sectors: its %" PRIu64
			    " entries %s (%" PRIu64 " bytes)",
			    place->field_offset, place->name, place->offset_sectors, count, reason,
			    storage->size);
	if (!storage_read_at(storage, entries, count * 4, place->offset_sectors * SECTOR_SIZE,
			     error))
		return false;
	for (uint64_t i = 0; i < count; i++)
		entries[i] = get_le32((const uint8_t *)&entries[i]);
	return true;
}

static int compare_u32(const void *a, const void *b)
{
	const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

/* Two tables that share bytes mean that one of them was overwritten, or a file made to look larger
 * than it is. */
static bool check_tables_apart(const DirectoryPlace *place, const uint32_t *entries, uint64_t count,
			       GError **error)
{
	g_autofree uint32_t *sorted = g_try_malloc_n(count, sizeof(*sorted));

	if (sorted == NULL)
		return fail(error, IO, "no memory for %s of %" PRIu64 " entries", place->name,
			    count);
	memcpy(sorted, entries, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_u32);
	for (uint64_t i = 1; i < count; i++)
		if (sorted[i - 1] != 0 && sorted[i] - sorted[i - 1] < TABLE_SECTORS)
			return fail(error, CORRUPT,
				    "offset 0x%" PRIx64 ": %s: grain tables at sectors %" PRIu32
				    " and %" PRIu32 " overlap",
				    place->offset_sectors * SECTOR_SIZE, place->name, sorted[i - 1],
				    sorted[i]);
	return true;
}

static bool check_entries(const Storage *storage, const DirectoryPlace *place,
			  const uint32_t *entries, uint64_t count, GError **error)
{
	const uint64_t size_sectors = div_round_up(count * 4, SECTOR_SIZE);

	for (uint64_t i = 0; i < count; i++) {
		const char *reason = NULL;

		if (entries[i] == 0)
			continue;
		if (!range_is_inside(TABLE_SECTORS, entries[i], storage->size / SECTOR_SIZE))
			reason = "points past the end of the file";
		else if (ranges_overlap(TABLE_SECTORS, entries[i], size_sectors,
					place->offset_sectors))
			reason = "overlaps the directory itself";
		if (reason != NULL)
			return fail(error, CORRUPT,
				    "offset 0x%" PRIx64 ": %s entry %" PRIu64 "=%" PRIu32
				    " sectors: %s (%" PRIu64 " bytes)",
				    place->offset_sectors * SECTOR_SIZE + i * 4, place->name, i,
				    entries[i], reason, storage->size);
	}
	return check_tables_apart(place, entries, count, error);
}

/* A directory without a table, in a file that goes on behind its metadata as if it had grains: the
 * place is wrong, and only zeroes were found there. */
static bool check_not_empty(const Storage *storage, const VmdkHeader *header,
			    const DirectoryPlace *place, const uint32_t *entries, GError **error)
{
	const uint64_t count = header->directory_entries;
	/* Behind a stream's metadata: its directory, footer and end, each with a marker. */
	const uint64_t rest_sectors = div_round_up(count * 4, SECTOR_SIZE) + 8;
	const uint64_t file_sectors = storage->size / SECTOR_SIZE;

	if (!bytes_are_zero(entries, count * sizeof(*entries)) ||
	    file_sectors <= header->overhead_sectors ||
	    file_sectors - header->overhead_sectors <= rest_sectors)
		return true;
	return fail(error, CORRUPT,
		    "offset 0x%" PRIx64 ": %s is empty, but the file has %" PRIu64
		    " sectors after its metadata",
		    place->offset_sectors * SECTOR_SIZE, place->name,
		    file_sectors - header->overhead_sectors);
}

static bool load_directory(Storage *storage, const VmdkHeader *header, const DirectoryPlace *place,
			   uint32_t *entries, GError **error)
{
	return read_directory(storage, header, place, entries, error) &&
	       check_entries(storage, place, entries, header->directory_entries, error) &&
	       check_not_empty(storage, header, place, entries, error);
}

/* A table that only the redundant directory knows is one that the primary has lost. */
static bool check_against_redundant(const DirectoryPlace *place, const uint32_t *entries,
				    const uint32_t *redundant, uint64_t count, GError **error)
{
	for (uint64_t i = 0; i < count; i++)
		if (entries[i] == 0 && redundant[i] != 0)
			return fail(error, CORRUPT,
				    "offset 0x%" PRIx64 ": %s entry %" PRIu64
				    "=0: the redundant one has a table at sector %" PRIu32,
				    place->offset_sectors * SECTOR_SIZE + i * 4, place->name, i,
				    redundant[i]);
	return true;
}

static void report_fallback(const Storage *storage, const GError *damage, Findings *findings)
{
	if (findings != NULL)
		findings_add(findings, FINDING_WARNING, "vmdk.redundant-directory",
			     "check the source's storage; compare the guest's files after the "
			     "migration",
			     "%s: the grain directory is damaged (%s); the redundant one is used",
			     storage->name, damage->message);
}

static uint32_t *new_directory(const VmdkHeader *header, GError **error)
{
	uint32_t *entries = g_try_malloc0_n(header->directory_entries, sizeof(*entries));

	if (entries == NULL)
		return fail_null(error, IO,
				 "no memory for a grain directory of %" PRIu64 " entries",
				 header->directory_entries);
	return entries;
}

/* The primary one has been loaded, or `damage` says why not. */
static uint32_t *choose_directory(Storage *storage, const VmdkHeader *header, uint32_t *primary,
				  Findings *findings, GError **damage)
{
	const DirectoryPlace place = {"grain directory", offsetof(VmdkHeaderBytes, gd_offset),
				      header->gd_offset_sectors};
	const DirectoryPlace other = {"redundant grain directory",
				      offsetof(VmdkHeaderBytes, rgd_offset),
				      header->rgd_offset_sectors};
	g_autoptr(GError) why = NULL;
	g_autofree uint32_t *redundant = new_directory(header, &why);

	if (redundant == NULL || !load_directory(storage, header, &other, redundant, &why)) {
		if (*damage == NULL)
			return primary;
		g_prefix_error(damage, "the redundant one cannot serve (%s): ", why->message);
		return NULL;
	}
	if (*damage == NULL &&
	    check_against_redundant(&place, primary, redundant, header->directory_entries, damage))
		return primary;
	/* Only damage has a remedy: a disk that cannot be read has none. */
	if ((*damage)->code != V2V_ERROR_CORRUPT)
		return NULL;
	report_fallback(storage, *damage, findings);
	g_clear_error(damage);
	return g_steal_pointer(&redundant);
}

uint32_t *vmdk_directory_load(Storage *storage, const VmdkHeader *header, Findings *findings,
			      GError **error)
{
	const DirectoryPlace place = {"grain directory", offsetof(VmdkHeaderBytes, gd_offset),
				      header->gd_offset_sectors};
	GError *damage = NULL;

	/* At most VMDK_DIRECTORY_MAX_SIZE, and never more than the file could hold. */
	if (header->directory_entries * 4 > storage->size)
		return fail_null(error, CORRUPT,
				 "offset 0x%zx: capacity=%" PRIu64
				 " sectors: its grain directory of %" PRIu64
				 " entries exceeds the file (%" PRIu64 " bytes)",
				 offsetof(VmdkHeaderBytes, capacity),
				 header->capacity / SECTOR_SIZE, header->directory_entries,
				 storage->size);
	g_autofree uint32_t *primary = new_directory(header, error);
	if (primary == NULL)
		return NULL;
	uint32_t *chosen =
		load_directory(storage, header, &place, primary, &damage) ? primary : NULL;
	if (header->redundant)
		chosen = choose_directory(storage, header, primary, findings, &damage);
	if (damage != NULL)
		g_propagate_error(error, damage);
	if (chosen == primary)
		primary = NULL; /* handed over */
	return chosen;
}
