/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_qcow2_write.c: a disk drawn by the input, written as qcow2 and read back: equal bytes, and
 * the same file by one thread as by three. The last bytes of the input are the options. */
#include "fuzz.h"

#include "base/checked.h"
#include "convert/copy.h"
#include "formats/format.h"

#include <string.h>

#define OPTION_BYTES 4u
#define MAX_SIZE     (512 * KIB)

/* Two bytes draw a run: what it holds, and how long it is (in 512 bytes, plus one odd byte). */
static GByteArray *draw(const uint8_t *bytes, size_t length)
{
	GByteArray *drawn = g_byte_array_new();
	uint32_t random = 1;

	for (size_t i = 0; i + 1 < length && drawn->len < MAX_SIZE; i += 2) {
		const guint start = drawn->len;
		const guint run = bytes[i + 1] * 512u + (bytes[i] >> 7);

		g_byte_array_set_size(drawn, start + run);
		for (guint at = start; at < start + run; at++) {
			random = random * 1103515245u + 12345u;
			drawn->data[at] = bytes[i] % 3 == 0   ? 0
					  : bytes[i] % 3 == 1 ? bytes[i]
							      : (uint8_t)(random >> 16);
		}
	}
	if (drawn->len == 0)
		g_byte_array_append(drawn, (const uint8_t *)"", 1);
	return drawn;
}

/* True when the options make sense to the driver. */
static bool write_image(Storage *from, Storage *to, const CreateOptions *options, unsigned threads)
{
	static const OpenOptions nothing = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(Disk) disk = image_open(from, "raw", &nothing, &error);
	contract(disk != NULL);
	g_autoptr(DiskWriter) writer = format_find("qcow2")->create(to, options, &error);
	CopyCounts counts;

	contract_error(writer != NULL, error);
	if (writer == NULL) {
		contract(g_error_matches(error, V2V_ERROR, V2V_ERROR_USAGE));
		return false;
	}
	contract(copy_disk(disk, writer, &(CopyOptions){.threads = threads}, &counts, &error));
	contract(writer->ops->finish(writer, &error));
	contract(counts.data_bytes + counts.zero_bytes == disk->size);
	return true;
}

static void check_equal(Storage *image, const GByteArray *drawn, uint64_t size)
{
	static const OpenOptions nothing = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(Disk) disk = image_open(image, NULL, &nothing, &error);

	contract(disk != NULL && strcmp(disk->format, "qcow2") == 0);
	contract(disk->size == round_up(size, SECTOR_SIZE)); /* as the format wants it */
	g_autofree uint8_t *read = g_malloc0(size);
	contract(disk_read_at(disk, read, drawn->len, 0, &error));
	contract(memcmp(read, drawn->data, drawn->len) == 0);
}

static void check_same_file(Storage *one, Storage *three)
{
	contract(one->size == three->size);
	g_autofree uint8_t *bytes_one = g_malloc(one->size);
	g_autofree uint8_t *bytes_three = g_malloc(one->size);
	contract(storage_read_at(one, bytes_one, one->size, 0, NULL));
	contract(storage_read_at(three, bytes_three, three->size, 0, NULL));
	contract(memcmp(bytes_one, bytes_three, one->size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const char *const compressions[] = {NULL, "zlib", "zstd", "lzma"};

	if (length < OPTION_BYTES)
		return 0;
	const uint8_t *choice = bytes + length - OPTION_BYTES;
	g_autoptr(GByteArray) drawn = draw(bytes, length - OPTION_BYTES);
	const CreateOptions options = {
		.size = drawn->len,
		.cluster_size = choice[0] % 8 == 0 ? 0 : 1u << (8 + choice[0] % 15),
		.compression = compressions[choice[1] % G_N_ELEMENTS(compressions)],
		.compression_level = choice[2] % 8,
	};
	g_autoptr(Storage) from = storage_new_memory("drawn", drawn->data, drawn->len);
	g_autoptr(Storage) one = storage_new_memory("one", NULL, 0);
	g_autoptr(Storage) three = storage_new_memory("three", NULL, 0);

	if (write_image(from, one, &options, 1)) {
		check_equal(one, drawn, drawn->len);
		contract(write_image(from, three, &options, 3));
		check_same_file(one, three);
	}
	return 0;
}
