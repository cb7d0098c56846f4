/* SPDX-License-Identifier: Apache-2.0 */
/* test_guest_initramfs.c: images made by cpio and the packers of the distributions, read and
 * extended; what was written is read back by cpio. */
#include "base/error.h"
#include "convert/guest/cpio.h"
#include "convert/guest/initramfs_build.h"
#include "convert/guest/initramfs_image.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>

#define KERNEL "6.1.0-test"

static char *shell(const char *command)
{
	const char *argv[] = {"sh", "-ec", command, NULL};
	g_autoptr(GError) error = NULL;
	g_autoptr(GSubprocess) child = g_subprocess_newv(
		argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error);
	char *output = NULL;

	cr_assert(child != NULL &&
			  g_subprocess_communicate_utf8(child, NULL, NULL, &output, NULL, &error),
		  "%s", error != NULL ? error->message : "");
	cr_assert(g_subprocess_get_successful(child), "%s", command);
	return output;
}

/* Makes an image of a tree with the links of a merged /usr; `pack` reads stdin, writes stdout. */
static GByteArray *make_image(const char *folder, const char *pack)
{
	g_autofree char *command = g_strdup_printf(
		"cd %s; mkdir -p t/usr/lib/modules/" KERNEL "/kernel/drivers/block t/etc t/usr/bin "
		"t/usr/lib/systemd t/conf; "
		"ln -sfn usr/lib t/lib; ln -sfn usr/bin t/sbin; echo x > t/usr/lib/modules/" KERNEL
		"/modules.dep.bin; echo ko > t/usr/lib/modules/" KERNEL
		"/kernel/drivers/block/virtio_blk.ko; echo RESUME=/dev/sda2 > t/conf/resume; "
		"echo x > t/usr/bin/modprobe; echo x > t/usr/lib/systemd/systemd-udevd; "
		"head -c 300000 /dev/urandom | od -x > t/usr/big; "
		"(cd t; find . | LC_ALL=C sort | cpio --quiet -o -H newc) | %s > image",
		folder, pack);
	g_autofree char *output = shell(command);
	g_autofree char *path = g_build_filename(folder, "image", NULL);
	char *bytes = NULL;
	gsize length;

	cr_assert(g_file_get_contents(path, &bytes, &length, NULL));
	return g_byte_array_new_take((guint8 *)bytes, length);
}

static char *scratch(void)
{
	return g_dir_make_tmp("initramfs-XXXXXX", NULL);
}

static void sweep(const char *folder)
{
	g_autofree char *command = g_strdup_printf("rm -rf %s", folder);
	g_autofree char *output = shell(command);
}

struct pack_case {
	char pack[64], tool[16];
};

ParameterizedTestParameters(guest_initramfs, packers)
{
	static struct pack_case cases[] = {
		{"cat", "cat"},
		{"gzip -9", "gzip"},
		{"xz --check=crc32", "xz"},
		{"zstd -q -3", "zstd"},
		{"bzip2", "bzip2"},
		{"lz4 -q -l -9", "lz4"},
		{"lzma", "lzma"},
		{"gzip | (cat; head -c 700 /dev/zero)", "gzip"},
	};
	return cr_make_param_array(struct pack_case, cases, G_N_ELEMENTS(cases));
}

static InitramfsImage *read_image(const GByteArray *bytes, const char *what)
{
	g_autoptr(GError) error = NULL;
	InitramfsImage *image = initramfs_image_read(bytes->data, bytes->len, &error);

	cr_assert_not_null(image, "%s: %s", what, error != NULL ? error->message : "");
	return image;
}

/* The image, then the image with a piece behind it, then with two. */
ParameterizedTest(struct pack_case *row, guest_initramfs, packers)
{
	g_autofree char *tool = g_find_program_in_path(row->tool);
	g_autofree char *folder = scratch();

	if (tool == NULL)
		cr_skip_test("%s is not installed", row->tool);
	g_autoptr(GByteArray) bytes = make_image(folder, row->pack);
	g_autoptr(InitramfsImage) image = read_image(bytes, row->pack);
	const InitramfsFile *setting = initramfs_image_find(image, "conf/resume");

	cr_assert_str_eq(setting->content, "RESUME=/dev/sda2\n", "%s", row->pack);
	cr_assert_null(initramfs_image_find(image, "lib/modules/" KERNEL "/added.ko"));
	for (unsigned round = 0; round < 2; round++) {
		g_autofree char *path =
			g_strdup_printf("lib/modules/" KERNEL "/new/folder/added%u.ko", round);
		g_autofree char *content = g_strnfill(3000 + round, 'k');
		g_autoptr(InitramfsImage) below = read_image(bytes, row->pack);
		g_autoptr(InitramfsPiece) piece = initramfs_piece_new(below);

		initramfs_piece_add(piece, path, S_IFREG | 0644, content, strlen(content));
		initramfs_piece_add(piece, "conf/resume", S_IFREG | 0644, "new", 3);
		g_autoptr(GByteArray) tail = initramfs_piece_format(piece, bytes->len);

		g_byte_array_append(bytes, tail->data, tail->len);
		g_autoptr(InitramfsImage) after = read_image(bytes, row->pack);
		const InitramfsFile *added = initramfs_image_find(after, path);

		cr_assert_not_null(added, "%s, round %u", row->pack, round);
		cr_assert_eq(added->size, strlen(content), "%s", row->pack);
		cr_assert_str_eq(initramfs_image_find(after, "conf/resume")->content, "new");
		cr_assert_not_null(initramfs_image_find(after, "usr/big"), "%s", row->pack);
	}
	sweep(folder);
}

/* The piece as GNU cpio reads it: the folder that is a link in the image is not written again. */
Test(guest_initramfs, cpio_reads_the_piece)
{
	g_autofree char *folder = scratch();
	g_autoptr(GByteArray) bytes = make_image(folder, "cat");
	g_autoptr(InitramfsImage) image = read_image(bytes, "cat");
	g_autoptr(InitramfsPiece) piece = initramfs_piece_new(image);

	initramfs_piece_add(piece, "lib/modules/" KERNEL "/new/a.ko", S_IFREG | 0644, "abc", 3);
	g_autoptr(GByteArray) tail = initramfs_piece_format(piece, bytes->len);
	g_autofree char *path = g_build_filename(folder, "piece", NULL);

	cr_assert_eq(bytes->len % 512, 0u, "cpio pads, so the piece begins at once");
	cr_assert(g_file_set_contents(path, (const char *)tail->data, tail->len, NULL));
	g_autofree char *command =
		g_strdup_printf("cpio --quiet -tv < %s | awk '{print $1, $NF}'", path);
	g_autofree char *listing = shell(command);

	cr_assert_str_eq(listing, "drwxr-xr-x usr/lib/modules/" KERNEL "/new\n"
				  "-rw-r--r-- usr/lib/modules/" KERNEL "/new/a.ko\n");
	sweep(folder);
}

/* An LZ4 piece as lz4 itself reads it, behind the image. */
Test(guest_initramfs, lz4_reads_the_piece)
{
	g_autofree char *tool = g_find_program_in_path("lz4");
	g_autofree char *folder = scratch();

	if (tool == NULL)
		cr_skip_test("lz4 is not installed");
	g_autoptr(GByteArray) bytes = make_image(folder, "lz4 -q -l");
	g_autoptr(InitramfsImage) image = read_image(bytes, "lz4");
	g_autoptr(InitramfsPiece) piece = initramfs_piece_new(image);
	g_autofree char *content = g_strnfill(5000000, 'z'); /* more than a block */

	cr_assert(image->lz4);
	initramfs_piece_add(piece, "etc/x", S_IFREG | 0644, content, strlen(content));
	g_autoptr(GByteArray) tail = initramfs_piece_format(piece, bytes->len);
	g_autofree char *path = g_build_filename(folder, "image", NULL);

	g_byte_array_append(bytes, tail->data, tail->len);
	cr_assert(g_file_set_contents(path, (const char *)bytes->data, bytes->len, NULL));
	g_autofree char *command = g_strdup_printf(
		"lz4 -q -dc %s > %s/plain; grep -a -o z %s/plain | wc -l", path, folder, folder);
	g_autofree char *count = shell(command);

	cr_assert_geq(atoi(count), 5000000);
	sweep(folder);
}

struct broken_case {
	char name[40];
	int keep;         /* bytes of the image that stay; negative: that many are cut off */
	int flip;         /* offset of a byte that is changed; -1: none */
	char message[60]; /* part of the error */
};

ParameterizedTestParameters(guest_initramfs, broken)
{
	static struct broken_case cases[] = {
		{"cut in a header", 60, -1, "ends inside a cpio archive"},
		{"cut in a file", -2000, -1, "ends inside a cpio archive"},
		{"no magic", -1, 0, "offset 0x0: "},
		{"size is not hexadecimal", 4096, 54, "not hexadecimal"},
	};
	return cr_make_param_array(struct broken_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct broken_case *row, guest_initramfs, broken)
{
	g_autofree char *folder = scratch();
	g_autoptr(GByteArray) bytes = make_image(folder, "cat");
	g_autoptr(GError) error = NULL;

	g_byte_array_set_size(bytes,
			      row->keep > 0 ? (guint)row->keep : bytes->len - (guint)-row->keep);
	if (row->flip >= 0)
		bytes->data[row->flip] = 'Z';
	g_autoptr(InitramfsImage) image = initramfs_image_read(bytes->data, bytes->len, &error);

	cr_assert_null(image, "%s", row->name);
	cr_assert(g_error_matches(error, V2V_ERROR, V2V_ERROR_CORRUPT), "%s", row->name);
	cr_assert(strstr(error->message, row->message), "%s: %s", row->name, error->message);
	sweep(folder);
}

Test(guest_initramfs, what_can_be_extended)
{
	g_autofree char *folder = scratch();
	g_autoptr(GByteArray) bytes = make_image(folder, "cat");
	g_autoptr(InitramfsImage) image = read_image(bytes, "cat");
	g_autoptr(Modules) same = modules_parse("kernel/drivers/block/virtio_blk.ko:\n", "");
	g_autoptr(Modules) packed = modules_parse("kernel/drivers/block/virtio_blk.ko.xz:\n", "");

	cr_assert(initramfs_can_be_extended(image, same, KERNEL));
	cr_assert_not(initramfs_can_be_extended(image, packed, KERNEL),
		      "the indexes of the root name other files than the image has");
	cr_assert_not(initramfs_can_be_extended(image, same, "5.0"));
	cr_assert(initramfs_has_module(image, KERNEL, "kernel/drivers/block/virtio_blk.ko.xz"));
	cr_assert_not(initramfs_has_module(image, KERNEL, "kernel/drivers/virtio/virtio.ko"));
	g_hash_table_remove(image->files, "usr/lib/systemd/systemd-udevd");
	cr_assert_not(initramfs_can_be_extended(image, same, KERNEL), "nothing would load them");
	sweep(folder);
}

/* Any split of the bytes gives the same members. */
static bool want_all(void *user, const CpioMember *member)
{
	(void)user;
	(void)member;
	return true;
}

static void note_member(void *user, const CpioMember *member)
{
	g_string_append_printf(user, "%s:%" PRIu64 ";", member->path, member->size);
}

Test(guest_initramfs, feeding_in_pieces_of_any_length)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	cpio_append(bytes, "a", S_IFREG | 0644, "12345", 5);
	cpio_append(bytes, "./b/c", S_IFDIR | 0755, NULL, 0);
	cpio_append(bytes, NULL, 0, NULL, 0);
	g_byte_array_append(bytes, (const guint8 *)"\0\0\0\0", 4);
	cpio_append(bytes, "/d", S_IFREG | 0644, "x", 1);
	cpio_append(bytes, NULL, 0, NULL, 0);
	for (guint step = 1; step < 40; step++) {
		g_autoptr(GString) seen = g_string_new(NULL);
		const CpioVisitor visitor = {want_all, note_member, seen};
		g_autoptr(CpioReader) reader = cpio_reader_new(&visitor);

		for (guint at = 0; at < bytes->len; at += step)
			cr_assert(cpio_reader_feed(reader, bytes->data + at,
						   MIN(step, bytes->len - at), NULL));
		cr_assert(cpio_reader_is_between(reader));
		cr_assert_str_eq(seen->str, "a:5;b/c:0;d:1;", "step %u", step);
	}
}
