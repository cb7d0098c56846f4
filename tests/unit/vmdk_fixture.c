/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_fixture.c: VMDK images made in memory; the streams by zlib, which is not what reads them. */
#include "vmdk_fixture.h"

#include "base/bytes.h"

#include <criterion/criterion.h>
#include <gio/gio.h>
#include <string.h>

#define GRAIN_SIZE 65536u

void vmdk_fixture_header(VmdkHeaderBytes *out, uint64_t capacity_sectors, uint32_t flags)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->magic, VMDK_MAGIC, 4);
	put_le32(out->version, 1);
	put_le32(out->flags, flags);
	put_le64(out->capacity, capacity_sectors);
	put_le64(out->grain_size, GRAIN_SIZE / SECTOR_SIZE);
	put_le64(out->descriptor_offset, 1);
	put_le64(out->descriptor_size, 20);
	put_le32(out->table_entries, VMDK_TABLE_ENTRIES);
	put_le64(out->rgd_offset, 21);
	put_le64(out->overhead, 128);
	memcpy(out->newlines, VMDK_NEWLINES, 4);
	put_le16(out->compression, (flags & VMDK_FLAG_COMPRESSED) != 0);
}

/* Header and descriptor, 21 sectors. */
static GByteArray *new_image(VmdkHeaderBytes *header)
{
	GByteArray *image = g_byte_array_new();
	g_autofree char *text = g_strdup_printf(
		"# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n"
		"createType=\"%s\"\nRW %" PRIu64 " SPARSE \"x.vmdk\"\nddb.x = \"1\"\n",
		get_le16(header->compression) != 0 ? "streamOptimized" : "monolithicSparse",
		get_le64(header->capacity));

	g_byte_array_append(image, (const uint8_t *)header, sizeof(*header));
	g_byte_array_append(image, (const uint8_t *)text, (guint)strlen(text));
	g_byte_array_set_size(image, 21 * SECTOR_SIZE);
	memset(image->data + SECTOR_SIZE + strlen(text), 0, 20 * SECTOR_SIZE - strlen(text));
	return image;
}

/* Zeroes up to a multiple of `unit`; the sector that follows. */
static uint32_t pad(GByteArray *image, guint unit)
{
	static const uint8_t zeroes[GRAIN_SIZE];
	const guint rest = image->len % unit;

	if (rest > 0)
		g_byte_array_append(image, zeroes, unit - rest);
	return image->len / SECTOR_SIZE;
}

GByteArray *vmdk_fixture_empty(unsigned tables)
{
	VmdkHeaderBytes header;

	vmdk_fixture_header(&header, tables * 512ull * 2048, VMDK_FLAG_NEWLINES);
	put_le64(header.grain_size, 2048);
	put_le64(header.gd_offset, 21);
	const uint32_t first = 21 + (uint32_t)div_round_up(tables * 4ull, SECTOR_SIZE);
	put_le64(header.overhead, first + tables * 4ull);
	GByteArray *image = new_image(&header);
	g_byte_array_set_size(image, (first + tables * 4) * SECTOR_SIZE);
	memset(image->data + 21 * SECTOR_SIZE, 0, image->len - 21 * SECTOR_SIZE);
	for (unsigned i = 0; i < tables; i++)
		put_le32(image->data + 21 * SECTOR_SIZE + i * 4, first + i * 4);
	return image;
}

static void append_grain(GByteArray *image, const uint8_t *plain, unsigned grain)
{
	g_autoptr(GZlibCompressor) zlib = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 1);
	g_autofree uint8_t *packed = g_malloc(2 * GRAIN_SIZE);
	VmdkGrainMarkerBytes marker;
	gsize consumed, produced;

	cr_assert_eq(g_converter_convert(G_CONVERTER(zlib), plain, GRAIN_SIZE, packed,
					 2 * GRAIN_SIZE, G_CONVERTER_INPUT_AT_END, &consumed,
					 &produced, NULL),
		     G_CONVERTER_FINISHED);
	put_le64(marker.sector, grain * (GRAIN_SIZE / SECTOR_SIZE));
	put_le32(marker.size, (uint32_t)produced);
	g_byte_array_append(image, (const uint8_t *)&marker, sizeof(marker));
	g_byte_array_append(image, packed, (guint)produced);
	pad(image, SECTOR_SIZE);
}

GByteArray *vmdk_fixture_stream(unsigned grain_count, uint8_t *guest)
{
	const unsigned tables = (grain_count + VMDK_TABLE_ENTRIES - 1) / VMDK_TABLE_ENTRIES;
	g_autofree uint8_t *entries = g_malloc0(tables * VMDK_TABLE_SIZE);
	VmdkHeaderBytes header;
	uint32_t state = 7;

	vmdk_fixture_header(&header, grain_count * 128ull, 0x30001);
	GByteArray *image = new_image(&header);
	pad(image, GRAIN_SIZE);
	for (unsigned i = 0; i < grain_count; i++) {
		uint8_t *plain = guest + (size_t)i * GRAIN_SIZE;

		memset(plain, 0, GRAIN_SIZE);
		if (i % 3 == 2)
			continue;
		for (size_t j = 0; j < GRAIN_SIZE; j++) {
			state = state * 1103515245u + 12345u;
			plain[j] = j % 5000 < 2500 ? (uint8_t)i : (uint8_t)(state >> 28);
		}
		put_le32(entries + i * 4, image->len / SECTOR_SIZE);
		append_grain(image, plain, i);
	}
	const uint32_t first = image->len / SECTOR_SIZE;
	g_byte_array_append(image, entries, tables * VMDK_TABLE_SIZE);
	put_le64(image->data + offsetof(VmdkHeaderBytes, gd_offset), image->len / SECTOR_SIZE);
	for (unsigned i = 0; i < tables; i++) {
		uint8_t entry[4];

		put_le32(entry, first + i * 4);
		g_byte_array_append(image, entry, sizeof(entry));
	}
	pad(image, SECTOR_SIZE);
	return image;
}

static bool counted_read_at(Storage *storage, void *buf, size_t length, uint64_t offset,
			    GError **error)
{
	CountedStorage *counted = (CountedStorage *)storage;

	(void)error;
	g_atomic_int_inc(&counted->reads);
	g_atomic_int_add(&counted->bytes_read, (gint)length);
	memcpy(buf, counted->bytes->data + offset, length);
	return true;
}

static void counted_close(Storage *storage)
{
	g_free(storage);
}

Storage *vmdk_fixture_storage(const GByteArray *bytes, const char *name)
{
	static const StorageOps ops = {.read_at = counted_read_at, .close = counted_close};
	CountedStorage *counted = g_new0(CountedStorage, 1);

	storage_init(&counted->base, &ops, name, bytes->len);
	counted->bytes = bytes;
	return &counted->base;
}

static Storage *recording_open(Folder *folder, const char *name, GError **error)
{
	RecordingFolder *recording = (RecordingFolder *)folder;

	(void)error;
	g_ptr_array_add(recording->names, g_strdup(name));
	return vmdk_fixture_storage(recording->bytes, name);
}

static void recording_close(Folder *folder)
{
	RecordingFolder *recording = (RecordingFolder *)folder;

	g_byte_array_unref(recording->bytes);
	g_ptr_array_unref(recording->names);
	g_free(recording);
}

RecordingFolder *vmdk_fixture_folder(size_t file_length)
{
	static const FolderOps ops = {.open = recording_open, .close = recording_close};
	RecordingFolder *recording = g_new0(RecordingFolder, 1);

	folder_init(&recording->base, &ops);
	recording->bytes = g_byte_array_new();
	g_byte_array_set_size(recording->bytes, (guint)file_length);
	for (size_t i = 0; i < file_length; i++)
		recording->bytes->data[i] = (uint8_t)(i / SECTOR_SIZE + 1);
	recording->names = g_ptr_array_new_with_free_func(g_free);
	return recording;
}
