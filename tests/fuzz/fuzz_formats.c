/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_formats.c: any bytes as an image, by probing and as each format by name; public calls only.
 */
#include "fuzz.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "formats/format.h"

#include <string.h>

#define MAX_EXTENTS 2048u      /* an image of small clusters has many */
#define MAX_READ    (64 * KIB) /* of each extent */

/* What stands plain in a storage is what the disk reads. */
static void check_plain(const Extent *extent, const uint8_t *read, size_t length)
{
	g_autofree uint8_t *stored = g_malloc(length);

	contract(extent->state == EXTENT_DATA && !extent->compressed);
	contract(range_is_inside(extent->length, extent->file_offset, extent->storage->size));
	contract(storage_read_at(extent->storage, stored, length, extent->file_offset, NULL));
	contract(memcmp(stored, read, length) == 0);
}

static void check_bytes(Disk *disk, const Extent *extent)
{
	g_autoptr(GError) error = NULL;
	const size_t length = (size_t)min_u64(extent->length, MAX_READ);
	g_autofree uint8_t *buf = g_malloc(length);
	const bool read = disk_read_at(disk, buf, length, extent->offset, &error);

	contract_error(read, error);
	if (extent->state != EXTENT_DATA)
		contract(read && bytes_are_zero(buf, length));
	if (read && extent->storage != NULL)
		check_plain(extent, buf, length);
}

static void check_extents(Disk *disk)
{
	uint64_t at = 0;

	for (unsigned i = 0; i < MAX_EXTENTS && at < disk->size; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GError) layer_error = NULL;
		Extent extent, layer;
		const bool known = disk_extent_at(disk, at, &extent, &error);
		const bool layer_known = disk_layer_extent_at(disk, at, &layer, &layer_error);

		contract_error(known, error);
		contract_error(layer_known, layer_error);
		if (!known || !layer_known)
			return;
		contract(extent.offset == at && layer.offset == at);
		contract(extent.length > 0 && extent.length <= disk->size - at);
		contract(layer.length > 0 && layer.length <= disk->size - at);
		contract(disk->backing != NULL || extent.state == layer.state);
		check_bytes(disk, &extent);
		at += extent.length;
	}
}

/* Outside the disk is USAGE, whatever the image says. */
static void check_ends(Disk *disk)
{
	uint8_t byte;
	g_autoptr(GError) error = NULL;

	contract(!disk_read_at(disk, &byte, 1, disk->size, &error));
	contract(g_error_matches(error, V2V_ERROR, V2V_ERROR_USAGE));
	contract(!disk_read_at(disk, &byte, 1, UINT64_MAX, NULL));
}

static void try_format(Storage *storage, const char *format)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Findings) findings = findings_new();
	const OpenOptions options = {.findings = findings};
	g_autoptr(Disk) disk = image_open(storage, format, &options, &error);

	contract_error(disk != NULL, error);
	if (disk == NULL) {
		contract(error->domain == V2V_ERROR);
		return;
	}
	check_extents(disk);
	check_ends(disk);
	if (disk->ops->describe != NULL) {
		g_autoptr(GVariant) facts = g_variant_ref_sink(disk->ops->describe(disk));
		contract(g_variant_is_of_type(facts, G_VARIANT_TYPE_VARDICT));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	g_autoptr(Storage) storage = storage_new_memory("fuzz", bytes, length);

	try_format(storage, NULL);
	for (size_t i = 0; format_drivers[i] != NULL; i++)
		try_format(storage, format_drivers[i]->name);
	return 0;
}
