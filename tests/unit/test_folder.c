/* SPDX-License-Identifier: Apache-2.0 */
/* test_folder.c: names from inside images stay in the folder, or beneath a root the user named. */
#include "formats/folder.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* top/{image,fifo,link,out -> ../secret,up -> ..,sub/inner}, top-evil/secret, secret */
static char *top, *parent;

static void put(const char *relative, const char *text)
{
	g_autofree char *path = g_build_filename(parent, relative, NULL);

	cr_assert(g_file_set_contents(path, text, -1, NULL));
}

static void make_tree(void)
{
	g_autofree char *made = g_dir_make_tmp("folder-XXXXXX", NULL);

	parent = realpath(made, NULL);
	top = g_build_filename(parent, "top", NULL);
	cr_assert_eq(chdir(parent), 0);
	cr_assert_eq(mkdir("top", 0700), 0);
	cr_assert_eq(mkdir("top/sub", 0700), 0);
	cr_assert_eq(mkdir("top-evil", 0700), 0);
	put("top/image", "image");
	put("top/sub/inner", "inner");
	put("top-evil/secret", "secret");
	put("secret", "secret");
	cr_assert_eq(mkfifo("top/fifo", 0600), 0);
	cr_assert_eq(symlink("image", "top/link"), 0);
	cr_assert_eq(symlink("../secret", "top/out"), 0);
	cr_assert_eq(symlink("..", "top/up"), 0);
	cr_assert_eq(symlink("/proc/self/root", "top/magic"), 0);
}

TestSuite(folder, .init = make_tree);

struct name_case {
	char name[64]; /* @ is the absolute path of the parent folder */
	char root[16]; /* allowed, beneath the parent; "" none; "/" the root of all */
	int expected;  /* a V2vError, or -1 for success */
};

ParameterizedTestParameters(folder, names)
{
	static struct name_case cases[] = {
		{"image", "", -1},
		{"./image", "", -1},
		{"sub/inner", "", -1},
		{"sub//inner", "", -1},
		{"", "", V2V_ERROR_REFUSED},
		{".", "", V2V_ERROR_REFUSED},
		{"sub", "", V2V_ERROR_REFUSED},
		{"..", "", V2V_ERROR_REFUSED},
		{"../secret", "", V2V_ERROR_REFUSED},
		{"sub/../image", "", V2V_ERROR_REFUSED},
		{"../top-evil/secret", "", V2V_ERROR_REFUSED},
		{"link", "", V2V_ERROR_REFUSED},
		{"out", "", V2V_ERROR_REFUSED},
		{"up/secret", "", V2V_ERROR_REFUSED},
		{"magic/etc/passwd", "", V2V_ERROR_REFUSED},
		{"fifo", "", V2V_ERROR_REFUSED},
		{"absent", "", V2V_ERROR_IO},
		{"image/x", "", V2V_ERROR_IO},
		{"/etc/passwd", "", V2V_ERROR_REFUSED},
		{"/dev/zero", "/", V2V_ERROR_REFUSED},
		{"/proc/self/fd/0", "/", V2V_ERROR_REFUSED},
		{"/proc/self/root/etc/passwd", "/", V2V_ERROR_REFUSED},
		{"/etc/passwd", "/", -1},
		{"@/secret", "", V2V_ERROR_REFUSED},
		{"@/top/image", "", V2V_ERROR_REFUSED},
		{"@/top/image", "top", -1},
		{"@/top/image", "top/", -1},
		{"@/top/sub/inner", "top", -1},
		{"@/top-evil/secret", "top", V2V_ERROR_REFUSED},
		{"@/top/../secret", "top", V2V_ERROR_REFUSED},
		{"@/top/out", "top", V2V_ERROR_REFUSED},
		{"@/top//etc/passwd", "top", V2V_ERROR_REFUSED},
		{"@/top/", "top", V2V_ERROR_IO},
		{"@/top", "top", V2V_ERROR_REFUSED},
		{"json:{\"driver\":\"file\"}", "/", V2V_ERROR_REFUSED},
		{"nbd://host/x", "/", V2V_ERROR_REFUSED},
		{"file:image", "/", V2V_ERROR_REFUSED},
		{"sub\\inner", "/", V2V_ERROR_REFUSED},
		{"ima\nge", "/", V2V_ERROR_REFUSED},
		{"ima\x7fge", "/", V2V_ERROR_REFUSED},
	};

	return cr_make_param_array(struct name_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct name_case *row, folder, names)
{
	g_autofree char *root =
		row->root[0] == '/' ? g_strdup("/") : g_build_filename(parent, row->root, NULL);
	const char *const roots[] = {row->root[0] != '\0' ? root : NULL, NULL};
	g_autofree char *image = g_build_filename(top, "image", NULL);
	g_autoptr(Folder) folder = folder_of_file(image, roots, NULL);
	g_autofree char *name = row->name[0] == '@' ? g_strconcat(parent, row->name + 1, NULL)
						    : g_strdup(row->name);
	g_autoptr(GError) error = NULL;
	g_autoptr(Storage) storage = folder_open(folder, name, &error);

	if (row->expected < 0)
		cr_expect_not_null(storage, "\"%s\": %s", row->name,
				   error != NULL ? error->message : "");
	else
		cr_expect(storage == NULL && error->code == row->expected, "\"%s\" root \"%s\": %s",
			  row->name, row->root, error != NULL ? error->message : "was opened");
}

Test(folder, a_name_that_is_too_long_is_refused)
{
	g_autoptr(Folder) folder = folder_open_path(top, NULL, NULL);
	g_autofree char *name = g_strnfill(1024, 'a');
	g_autoptr(GError) error = NULL;

	cr_expect_null(folder_open(folder, name, &error));
	cr_expect_eq(error->code, V2V_ERROR_REFUSED);
	cr_expect_lt(strlen(error->message), 300, "the message is cut too");
}

Test(folder, beneath_counts_from_the_prefix_and_remembers_what_it_opened)
{
	const char *const roots[] = {parent, NULL};
	g_autoptr(Folder) folder = folder_open_path(top, roots, NULL);
	g_autoptr(GPtrArray) opened = g_ptr_array_new_with_free_func((GDestroyNotify)storage_unref);
	g_autoptr(Folder) beneath = folder_new_beneath(folder, "sub", opened);
	g_autofree char *absolute = g_build_filename(parent, "secret", NULL);

	storage_unref(folder_open(beneath, "inner", NULL));
	storage_unref(folder_open(beneath, absolute, NULL));
	cr_expect_eq(opened->len, 2);
	cr_expect_null(folder_open(beneath, "image", NULL));
	cr_expect_null(folder_open(beneath, "../image", NULL));
	cr_expect_null(folder_open(beneath, "nbd:x", NULL));
	cr_expect_eq(opened->len, 2);
}

Test(folder, what_is_replaced_by_a_symlink_after_it_was_opened_stays_what_it_was)
{
	g_autoptr(Folder) folder = folder_open_path(top, NULL, NULL);
	g_autofree char *moved = g_build_filename(parent, "moved", NULL);

	cr_assert_eq(rename(top, moved), 0);
	cr_assert_eq(symlink("top-evil", "top"), 0);
	cr_expect_null(folder_open(folder, "secret", NULL));
	g_autoptr(Storage) image = folder_open(folder, "image", NULL);
	cr_expect_not_null(image);
}
