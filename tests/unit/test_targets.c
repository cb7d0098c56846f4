/* SPDX-License-Identifier: Apache-2.0 */
/* test_targets.c: which target a URI means, and the target dir: on a real folder. */
#include "base/checked.h"
#include "base/error.h"
#include "tests/unit/target_fixture.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>

static const TargetOptions no_options = {.virt_type = "auto"};

static char *make_folder(void)
{
	char *folder = g_dir_make_tmp("v2v-target-XXXXXX", NULL);

	cr_assert_not_null(folder);
	return folder;
}

static void remove_folder(const char *folder)
{
	g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(entries)) != NULL) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		cr_expect_eq(g_unlink(path), 0, "%s", path);
	}
	cr_expect_eq(g_rmdir(folder), 0, "%s", folder);
}

static Target *open_dir(const char *folder, bool force)
{
	g_autofree char *uri = g_strconcat("dir:", folder, NULL);

	return open_target(uri, NULL, "auto", force);
}

Test(targets, unknown_uri_is_a_usage_error_with_the_list)
{
	static const char *const uris[] = {"", "nonsense", "dir:", "http://host/", "kvm2"};

	for (size_t i = 0; i < G_N_ELEMENTS(uris); i++) {
		g_autoptr(GError) error = NULL;

		cr_expect_null(target_open(uris[i], &no_options, &error), "%s", uris[i]);
		cr_assert(g_error_matches(error, V2V_ERROR, V2V_ERROR_USAGE), "%s", uris[i]);
		cr_expect_not_null(strstr(error->message, "dir:PATH"), "%s", error->message);
	}
}

Test(targets, dir_without_a_folder)
{
	g_autoptr(GError) error = NULL;

	cr_expect_null(target_open("dir:/nonexistent/folder", &no_options, &error));
	cr_expect(g_error_matches(error, V2V_ERROR, V2V_ERROR_IO));
	cr_expect_not_null(strstr(error->message, "/nonexistent/folder"));
}

Test(targets, dir_writes_the_xml_and_takes_it_back)
{
	g_autofree char *folder = make_folder();
	g_autoptr(Target) target = open_dir(folder, false);
	g_autoptr(DomainCase) made = domain_case_named("plain", folder, "kvm");
	g_autofree char *path = g_build_filename(folder, "plain.xml", NULL);
	g_autofree char *read = NULL;
	g_autoptr(GError) error = NULL;

	cr_expect_str_eq(target->virt_type, "kvm");
	cr_expect_not(check_finds(target, &made->plan, 0, "target.name-taken"));
	cr_assert(target_define(target, &made->plan, "<domain/>", &error));
	cr_assert(g_file_get_contents(path, &read, NULL, NULL));
	cr_expect_str_eq(read, "<domain/>");
	cr_expect(check_finds(target, &made->plan, 0, "target.name-taken"));
	cr_expect_not(target_start(target, "plain", &error));
	cr_expect(g_error_matches(error, V2V_ERROR, V2V_ERROR_UNSUPPORTED));
	cr_expect(target_rollback(target, "plain", NULL));
	cr_expect_not(g_file_test(path, G_FILE_TEST_EXISTS));
	remove_folder(folder);
}

Test(targets, dir_replaces_only_by_force)
{
	g_autofree char *folder = make_folder();
	g_autoptr(Target) target = open_dir(folder, false);
	g_autoptr(Target) forced = open_dir(folder, true);
	g_autoptr(DomainCase) made = domain_case_named("plain", folder, "kvm");
	g_autofree char *path = g_build_filename(folder, "plain.xml", NULL);
	g_autofree char *read = NULL;
	g_autoptr(GError) error = NULL;

	cr_assert(g_file_set_contents(path, "old", -1, NULL));
	cr_expect_not(target_define(target, &made->plan, "<domain/>", &error));
	cr_expect(g_error_matches(error, V2V_ERROR, V2V_ERROR_REFUSED));
	cr_expect(target_rollback(target, "plain", NULL));
	cr_expect(g_file_test(path, G_FILE_TEST_EXISTS), "somebody else's file is left alone");
	cr_expect_not(check_finds(forced, &made->plan, 0, "target.name-taken"));
	cr_assert(target_define(forced, &made->plan, "<domain/>", NULL));
	cr_assert(g_file_get_contents(path, &read, NULL, NULL));
	cr_expect_str_eq(read, "<domain/>");
	remove_folder(folder);
}

Test(targets, dir_finds_that_space_is_short)
{
	g_autofree char *folder = make_folder();
	g_autoptr(Target) target = open_dir(folder, false);
	g_autoptr(DomainCase) made = domain_case_named("plain", folder, "kvm");

	cr_expect(check_finds(target, &made->plan, UINT64_MAX, "target.no-space"));
	cr_expect(check_finds(target, &made->plan, 1u << 20, "target.no-space") == false);
	remove_folder(folder);
	cr_expect(check_finds(target, &made->plan, 0, "target.no-folder"));
}
