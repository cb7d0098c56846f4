/* SPDX-License-Identifier: Apache-2.0 */
/* test_vmdk.c: whole disks from memory: what is read, how often, and what is opened for it. */
#include "vmdk_fixture.h"

#include "base/bytes.h"

#include <criterion/criterion.h>
#include <string.h>

static Disk *open_image(Storage *storage, Folder *folder)
{
	const OpenOptions options = {.folder = folder};
	g_autoptr(GError) error = NULL;
	Disk *disk = image_open(storage, NULL, &options, &error);

	cr_assert_not_null(disk, "%s", error != NULL ? error->message : "");
	return disk;
}

/* All 2 TiB, whose grain tables are all there and empty. */
Test(vmdk, an_empty_disk_is_a_few_answers)
{
	g_autoptr(GByteArray) image = vmdk_fixture_empty(4096);
	g_autoptr(Storage) storage = vmdk_fixture_storage(image, "empty");
	g_autoptr(Disk) disk = open_image(storage, NULL);
	unsigned answers = 0;
	Extent extent;

	cr_assert_eq(disk->size, 2 * TIB);
	for (uint64_t at = 0; at < disk->size; at += extent.length, answers++) {
		cr_assert(disk_layer_extent_at(disk, at, &extent, NULL));
		cr_assert_eq(extent.state, EXTENT_UNALLOCATED);
	}
	cr_assert_leq(answers, 8, "%u answers", answers);
	cr_assert(disk_extent_at(disk, 12345, &extent, NULL));
	cr_assert_eq(extent.length, 2 * TIB - 12345);
	/* What was found empty is not read again. */
	const int reads = ((CountedStorage *)storage)->reads;
	cr_assert(disk_extent_at(disk, 777, &extent, NULL));
	cr_assert_eq(((CountedStorage *)storage)->reads, reads);
}

Test(vmdk, a_stream_is_read_in_few_large_pieces)
{
	const unsigned grains = 700;
	const size_t size = grains * 65536u, step = 2 * MIB;
	g_autofree uint8_t *guest = g_malloc(size), *buf = g_malloc(step);
	g_autoptr(GByteArray) image = vmdk_fixture_stream(grains, guest);
	g_autoptr(Storage) storage = vmdk_fixture_storage(image, "stream");
	const CountedStorage *counted = (const CountedStorage *)storage;
	g_autoptr(Disk) disk = open_image(storage, NULL);

	for (size_t at = 0; at < size; at += step) {
		const size_t length = MIN(step, size - at);

		cr_assert(disk_read_at(disk, buf, length, at, NULL));
		cr_assert_arr_eq(buf, guest + at, length, "at %zu", at);
	}
	/* Runs of two grains: one read each, and never much more than the file has. */
	cr_assert_leq(counted->reads, (int)grains / 3 + 30);
	cr_assert_leq(counted->bytes_read, (int)(image->len + image->len / 8));
}

typedef struct {
	Disk *disk;
	const uint8_t *guest;
	uint32_t seed;
} Reader;

static void *read_anywhere(void *argument)
{
	const Reader *reader = argument;
	g_autofree uint8_t *buf = g_malloc(300000);
	uint32_t state = reader->seed;
	size_t wrong = 0;

	for (int i = 0; i < 300; i++) {
		Extent extent;

		state = state * 1103515245u + 12345u;
		const uint64_t offset = (state >> 3) % reader->disk->size;
		state = state * 1103515245u + 12345u;
		const size_t length =
			(size_t)min_u64(1 + (state >> 8) % 300000, reader->disk->size - offset);

		if (!disk_read_at(reader->disk, buf, length, offset, NULL) ||
		    memcmp(buf, reader->guest + offset, length) != 0 ||
		    !disk_extent_at(reader->disk, offset, &extent, NULL) ||
		    (extent.state == EXTENT_DATA) != ((offset / 65536) % 3 != 2))
			wrong++;
	}
	return GSIZE_TO_POINTER(wrong);
}

Test(vmdk, many_threads_read_anything_at_once)
{
	const unsigned grains = 1100; /* three tables */
	g_autofree uint8_t *guest = g_malloc(grains * 65536u);
	g_autoptr(GByteArray) image = vmdk_fixture_stream(grains, guest);
	g_autoptr(Storage) storage = vmdk_fixture_storage(image, "stream");
	g_autoptr(Disk) disk = open_image(storage, NULL);
	Reader readers[4];
	GThread *threads[4];

	for (uint32_t i = 0; i < 4; i++) {
		readers[i] = (Reader){disk, guest, i + 1};
		threads[i] = g_thread_new("reader", read_anywhere, &readers[i]);
	}
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(GPOINTER_TO_SIZE(g_thread_join(threads[i])), 0, "thread %u", i);
}

/* Where a grain is damaged its neighbours can still be had. */
Test(vmdk, damage_is_an_error_for_what_it_hits_only)
{
	g_autofree uint8_t *guest = g_malloc(9 * 65536u), *buf = g_malloc(9 * 65536u);
	g_autoptr(GByteArray) image = vmdk_fixture_stream(9, guest);
	g_autoptr(Storage) storage = vmdk_fixture_storage(image, "stream.vmdk");
	g_autoptr(GError) error = NULL;

	image->data[65536 + VMDK_GRAIN_MARKER_SIZE + 200] ^= 0xff;
	g_autoptr(Disk) disk = open_image(storage, NULL);
	cr_assert_not(disk_read_at(disk, buf, 10, 100, &error));
	cr_assert_eq(error->code, V2V_ERROR_CORRUPT);
	cr_assert_not_null(strstr(error->message, "stream.vmdk: offset 0x1000c: grain at sector 0"),
			   "%s", error->message);
	cr_assert(disk_read_at(disk, buf, 8 * 65536, 65536, NULL));
	cr_assert_arr_eq(buf, guest + 65536, 8 * 65536);
}

static Storage *text_storage(const char *extents)
{
	g_autofree char *text = g_strconcat("# Disk DescriptorFile\ncreateType=\"custom\"\n",
					    extents, "ddb.x = \"1\"\n", NULL);

	return storage_new_memory("d.vmdk", text, strlen(text));
}

Test(vmdk, each_extent_file_is_opened_once_and_nothing_else)
{
	RecordingFolder *folder = vmdk_fixture_folder(8 * SECTOR_SIZE);
	g_autoptr(Folder) unref = &folder->base;
	g_autoptr(Storage) storage =
		text_storage("RW 2 FLAT \"a\" 6\nRW 3 ZERO\nRW 1 FLAT \"b\"\nRW 1 FLAT \"a\" 0\n");
	g_autoptr(Disk) disk = open_image(storage, &folder->base);
	uint8_t buf[7 * SECTOR_SIZE];

	cr_assert_eq(folder->names->len, 2);
	cr_assert_str_eq(g_ptr_array_index(folder->names, 0), "a");
	cr_assert_str_eq(g_ptr_array_index(folder->names, 1), "b");
	cr_assert(disk_read_at(disk, buf, sizeof(buf), 0, NULL));
	static const uint8_t sectors[] = {7, 8, 0, 0, 0, 1, 1};
	for (size_t i = 0; i < sizeof(buf); i++)
		cr_assert_eq(buf[i], sectors[i / SECTOR_SIZE], "byte %zu", i);
}

static void refused_without_opening(const char *extents, int code)
{
	RecordingFolder *folder = vmdk_fixture_folder(8 * SECTOR_SIZE);
	g_autoptr(Folder) unref = &folder->base;
	g_autoptr(Storage) storage = text_storage(extents);
	const OpenOptions options = {.folder = &folder->base};
	g_autoptr(GError) error = NULL;

	cr_assert_null(image_open(storage, NULL, &options, &error), "%s", extents);
	cr_assert_eq(error->code, code, "%s: %s", extents, error->message);
	cr_assert_eq(folder->names->len, 0, "%s: opened a file", extents);
}

/* The whole text is checked before the first file that it names. */
Test(vmdk, a_bad_text_opens_nothing)
{
	refused_without_opening("RW 2 FLAT \"../a\" 0\n", V2V_ERROR_REFUSED);
	refused_without_opening("RW 2 FLAT \"a:b\" 0\n", V2V_ERROR_REFUSED);
	refused_without_opening("RW 2 FLAT \"a\" 0\nRW 0 FLAT \"b\" 0\n", V2V_ERROR_CORRUPT);
	refused_without_opening("RW 2 FLAT \"a\" 0\nRW 8 VMFSRDM \"b\"\n", V2V_ERROR_UNSUPPORTED);
}

Test(vmdk, without_a_folder_extents_are_refused)
{
	g_autoptr(Storage) storage = text_storage("RW 2 FLAT \"a\" 0\n");
	const OpenOptions options = {.folder = NULL};
	g_autoptr(GError) error = NULL;

	cr_assert_null(image_open(storage, NULL, &options, &error));
	cr_assert_eq(error->code, V2V_ERROR_REFUSED);
}
