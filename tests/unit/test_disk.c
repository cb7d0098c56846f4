/* SPDX-License-Identifier: Apache-2.0 */
/* test_disk.c: chains read as one disk; extents merge; ranges are checked; chains of images. */
#include "base/checked.h"
#include "formats/format.h"
#include "map_disk.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 1024u

struct chain_case {
	char top[16], middle[16], base[16]; /* "" : no such layer */
	char seen[64];                      /* runs: state and blocks */
};

static char *describe(Disk *disk)
{
	GString *out = g_string_new(NULL);

	for (uint64_t at = 0; at < disk->size;) {
		Extent extent;

		cr_assert(disk_extent_at(disk, at, &extent, NULL));
		cr_assert_eq(extent.offset, at);
		g_string_append_printf(out, "%s%s%" PRIu64, at > 0 ? " " : "",
				       extent.state == EXTENT_DATA   ? extent.compressed ? "d" : "D"
				       : extent.state == EXTENT_ZERO ? "Z"
								     : ".",
				       extent.length / BLOCK);
		at += extent.length;
	}
	return g_string_free(out, FALSE);
}

static Disk *chain_of(const struct chain_case *row)
{
	Disk *top = map_disk_new(row->top, BLOCK, 1, 0);

	if (row->middle[0] != '\0')
		top->backing = map_disk_new(row->middle, BLOCK, 2, 0);
	if (row->base[0] != '\0')
		top->backing->backing = map_disk_new(row->base, BLOCK, 3, 0);
	return top;
}

/* What the guest reads at `index`, found the slow way. */
static void expected_block(const struct chain_case *row, size_t index, uint8_t block[BLOCK])
{
	const char *const maps[] = {row->top, row->middle, row->base};

	memset(block, 0, BLOCK);
	for (uint8_t i = 0; i < 3; i++) {
		const char kind = index < strlen(maps[i]) ? maps[i][index] : '.';

		if (index >= strlen(maps[i]) || kind == 'Z' || kind == 'N')
			return;
		if (kind == '.')
			continue;
		map_disk_fill(block, BLOCK, (uint8_t)(i + 1), index);
		return;
	}
}

ParameterizedTestParameters(disk, chains)
{
	static struct chain_case cases[] = {
		{"DDDD", "", "", "D4"},
		{"....", "", "", ".4"},
		{"DDZZ..D", "", "", "D2 Z2 .2 D1"},
		{"DdDD", "", "", "D1 d1 D2"},
		{"....", "DDZZ", "", "D2 Z2"},
		{"D...", ".Z..", "...D", "D1 Z1 .1 D1"},
		{"DD..", "..DD", "", "D4"},
		{"....", "D", "", "D1 .3"},      /* a backing disk that is shorter */
		{"....", "..", "DDDD", "D2 .2"}, /* the middle one cuts the base off */
		{"......", ".D", "....D", ".1 D1 .4"},
		{"ZZZZ", "DDDD", "", "Z4"},
		{"N.", "DD", "", "D2"},
	};

	return cr_make_param_array(struct chain_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct chain_case *row, disk, chains)
{
	g_autoptr(Disk) disk = chain_of(row);
	g_autofree char *seen = describe(disk);
	g_autofree uint8_t *all = g_malloc((size_t)disk->size);
	g_autofree uint8_t *expected = g_malloc((size_t)disk->size);

	cr_expect_str_eq(seen, row->seen, "%s/%s/%s: %s", row->top, row->middle, row->base, seen);
	for (size_t i = 0; i < strlen(row->top); i++)
		expected_block(row, i, expected + i * BLOCK);
	cr_assert(disk_read_at(disk, all, (size_t)disk->size, 0, NULL));
	cr_expect_arr_eq(all, expected, disk->size, "%s/%s/%s", row->top, row->middle, row->base);
	for (size_t offset = 1; offset < disk->size; offset += 333)
		for (size_t length = 1; length <= disk->size - offset; length += 777) {
			cr_assert(disk_read_at(disk, all, length, offset, NULL));
			cr_assert(memcmp(all, expected + offset, length) == 0,
				  "%s/%s/%s: %zu at %zu", row->top, row->middle, row->base, length,
				  offset);
		}
}

Test(disk, ranges_are_checked)
{
	g_autoptr(Disk) disk = map_disk_new("DD", BLOCK, 1, 2 * BLOCK - 1);
	g_autoptr(GError) error = NULL;
	uint8_t buf[2 * BLOCK];
	Extent extent;

	cr_expect(disk_read_at(disk, buf, 2 * BLOCK - 1, 0, NULL));
	cr_expect_not(disk_read_at(disk, buf, 2 * BLOCK, 0, &error));
	cr_expect_eq(error->code, V2V_ERROR_USAGE);
	cr_expect_not(disk_read_at(disk, buf, 2, UINT64_MAX, NULL));
	cr_expect_not(disk_read_at(disk, buf, 0, 0, NULL));
	cr_expect_not(disk_extent_at(disk, 2 * BLOCK - 1, &extent, NULL));
}

Test(disk, an_error_belongs_to_its_own_extent_and_names_the_layer)
{
	g_autoptr(Disk) disk = map_disk_new("..DD", BLOCK, 1, 0);
	g_autoptr(GError) error = NULL;
	uint8_t buf[BLOCK];
	Extent extent;

	disk->backing = map_disk_new("ZZZZ", BLOCK, 2, 0);
	map_disk_fail_at(disk->backing, 1);
	cr_assert(disk_extent_at(disk, 0, &extent, NULL));
	cr_expect_eq(extent.length, BLOCK);
	cr_expect_not(disk_extent_at(disk, BLOCK, &extent, &error));
	cr_expect_str_eq(error->message, "map2: block 1");
	g_clear_error(&error);
	map_disk_fail_at(disk, 3);
	cr_expect_not(disk_read_at(disk, buf, 1, 3 * BLOCK, &error));
	cr_expect_str_eq(error->message, "map1: block 3");
}

Test(disk, a_layer_alone_says_what_is_not_its_own)
{
	g_autoptr(Disk) disk = map_disk_new(".D", BLOCK, 1, 0);
	Extent extent;

	disk->backing = map_disk_new("DD", BLOCK, 2, 0);
	cr_assert(disk_layer_extent_at(disk, 0, &extent, NULL));
	cr_expect_eq(extent.state, EXTENT_UNALLOCATED);
}

static void qemu_img(const char *first, ...)
{
	g_autoptr(GPtrArray) args = g_ptr_array_new();
	g_autoptr(GError) error = NULL;
	int status = 0;
	va_list rest;

	g_ptr_array_add(args, (void *)(uintptr_t) "qemu-img");
	va_start(rest, first);
	for (const char *arg = first; arg != NULL; arg = va_arg(rest, const char *))
		g_ptr_array_add(args, (void *)(uintptr_t)arg);
	va_end(rest);
	g_ptr_array_add(args, NULL);
	cr_assert(g_spawn_sync(NULL, (char **)args->pdata, NULL,
			       G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
			       NULL, &status, &error));
	cr_assert_eq(status, 0, "qemu-img %s", first);
}

static void enter_folder(void)
{
	g_autofree char *folder = g_dir_make_tmp("disk-XXXXXX", NULL);

	cr_assert_eq(chdir(folder), 0);
}

/* top.qcow2 -> sub/middle.qcow2 -> base.raw: that in sub/, not the one beside the top. */
Test(image, a_backing_name_counts_from_the_image_that_holds_it, .init = enter_folder)
{
	g_autofree char *wrong = g_strnfill(BLOCK, 'w');
	g_autofree char *right = g_strnfill(BLOCK, 'r');
	struct stat status;
	char byte;

	cr_assert_eq(mkdir("sub", 0700), 0);
	cr_assert(g_file_set_contents("base.raw", wrong, BLOCK, NULL));
	cr_assert(g_file_set_contents("sub/base.raw", right, BLOCK, NULL));
	qemu_img("create", "-f", "qcow2", "-b", "base.raw", "-F", "raw", "sub/middle.qcow2", NULL);
	qemu_img("create", "-f", "qcow2", "-b", "sub/middle.qcow2", "-F", "qcow2", "top.qcow2",
		 NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(Disk) disk = image_open_path("top.qcow2", NULL, NULL, NULL, &error);
	cr_assert_not_null(disk, "%s", error != NULL ? error->message : "");
	cr_assert(disk_read_at(disk, &byte, 1, 0, NULL));
	cr_expect_eq(byte, 'r');
	cr_assert_eq(stat("sub/base.raw", &status), 0);
	cr_expect(disk_is_stored_in(disk, &status));
	cr_assert_eq(stat("base.raw", &status), 0);
	cr_expect_not(disk_is_stored_in(disk, &status));
	cr_expect(disk_check_unchanged(disk, NULL));
	cr_assert_eq(truncate("sub/base.raw", 2 * BLOCK), 0);
	cr_expect_not(disk_check_unchanged(disk, NULL));
}

Test(image, a_chain_that_comes_back_to_itself_is_refused, .init = enter_folder)
{
	g_autoptr(GError) error = NULL;

	qemu_img("create", "-f", "qcow2", "a.qcow2", "1M", NULL);
	qemu_img("create", "-f", "qcow2", "-b", "a.qcow2", "-F", "qcow2", "b.qcow2", NULL);
	qemu_img("rebase", "-u", "-b", "b.qcow2", "-F", "qcow2", "a.qcow2", NULL);
	cr_expect_null(image_open_path("a.qcow2", NULL, NULL, NULL, &error));
	cr_expect_eq(error->code, V2V_ERROR_CORRUPT);
	cr_expect(strstr(error->message, "comes back") != NULL, "%s", error->message);
}

Test(image, a_raw_that_the_image_declares_must_not_look_like_another_format, .init = enter_folder)
{
	g_autoptr(GError) error = NULL;

	qemu_img("create", "-f", "qcow2", "inner", "1M", NULL);
	qemu_img("create", "-f", "qcow2", "-b", "inner", "-F", "raw", "top.qcow2", NULL);
	cr_expect_null(image_open_path("top.qcow2", NULL, NULL, NULL, &error));
	cr_expect_eq(error->code, V2V_ERROR_REFUSED, "%s", error->message);
	g_autoptr(Findings) findings = findings_new();
	g_autoptr(Disk) said = image_open_path("inner", "raw", NULL, findings, NULL);
	cr_expect_not_null(said, "the user's own word counts");
	cr_assert_eq(findings_count(findings), 1, "but a warning is due");
	cr_expect_str_eq(findings_get(findings, 0)->id, "image.raw-with-magic");
}

Test(image, what_nobody_knows_is_not_guessed_to_be_raw, .init = enter_folder)
{
	g_autofree char *text = g_strnfill(BLOCK, 'x');
	g_autoptr(GError) error = NULL;

	cr_assert(g_file_set_contents("plain", text, BLOCK, NULL));
	cr_assert(g_file_set_contents("empty", "", 0, NULL));
	cr_expect_null(image_open_path("plain", NULL, NULL, NULL, &error));
	cr_expect_eq(error->code, V2V_ERROR_UNSUPPORTED);
	g_clear_error(&error);
	cr_expect_null(image_open_path("empty", NULL, NULL, NULL, &error));
	cr_expect_eq(error->code, V2V_ERROR_UNSUPPORTED);
	g_clear_error(&error);
	cr_expect_null(image_open_path("empty", "raw", NULL, NULL, &error));
	cr_expect_eq(error->code, V2V_ERROR_CORRUPT);
}

Test(image, an_absurd_size_is_refused, .init = enter_folder)
{
	g_autoptr(GError) error = NULL;

	qemu_img("create", "-f", "qcow2", "-o", "cluster_size=2M", "huge.qcow2", "65T", NULL);
	cr_expect_null(image_open_path("huge.qcow2", NULL, NULL, NULL, &error));
	cr_expect_eq(error->code, V2V_ERROR_UNSUPPORTED);
	cr_expect(strstr(error->message, "exceeds 64 TiB") != NULL, "%s", error->message);
}
