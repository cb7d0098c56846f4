/* SPDX-License-Identifier: Apache-2.0 */
/* test_manifest.c: lines of a manifest, and digests of files. */
#include "inventory/manifest.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

/* Of "abc": FIPS 180-4, examples. */
#define ABC_SHA1   "a9993e364706816aba3e25717850c26c9cd0d89d"
#define ABC_SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

struct line_case {
	char text[160];
	char name[32], algorithm[8]; /* "" when the line is refused */
};

ParameterizedTestParameters(manifest, line)
{
	static struct line_case cases[] = {
		{"SHA1(a.ovf)= " ABC_SHA1, "a.ovf", "SHA1"},
		{"SHA256(a.ovf)= " ABC_SHA256, "a.ovf", "SHA256"},
		{"sha256 (a.ovf) =" ABC_SHA256 "\r", "a.ovf", "SHA256"},
		{"SHA-256(a.ovf)=" ABC_SHA256, "a.ovf", "SHA256"},
		{"SHA512(a)= 00", "a", "SHA512"}, /* the length is judged by manifest_parse() */
		{"SHA1(a (1).ovf)= " ABC_SHA1, "a (1).ovf", "SHA1"},
		{"SHA1(a)= ", "", ""},
		{"SHA1(a)=", "", ""},
		{"SHA1(a) " ABC_SHA1, "", ""},
		{"SHA1 a = " ABC_SHA1, "", ""},
		{"SHA1(a)= " ABC_SHA1 " x", "", ""},
		{"SHA224(a)= 00", "", ""},
		{"MD5(a)= 00", "", ""},
		{"(a)= 00", "", ""},
		{")a(= 00", "", ""},
		{"", "", ""},
	};
	return cr_make_param_array(struct line_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct line_case *row, manifest, line)
{
	g_autoptr(GError) error = NULL;
	g_auto(ManifestLine) line = {0};
	const bool ok = manifest_line_parse(row->text, strlen(row->text), &line, &error);

	cr_assert_eq(ok, row->algorithm[0] != '\0', "\"%s\": %s", row->text,
		     error != NULL ? error->message : "accepted");
	if (ok) {
		cr_assert_str_eq(line.name, row->name);
		cr_assert_str_eq(line.algorithm, row->algorithm);
	}
}

static Manifest *parse(const char *text, GError **error)
{
	return manifest_parse(text, strlen(text), error);
}

Test(manifest, lists_what_it_lists)
{
	g_autoptr(Manifest) manifest =
		parse("\r\nSHA1(a.ovf)= " ABC_SHA1 "\r\n\nSHA256(./b)= " ABC_SHA256, NULL);

	cr_assert_not_null(manifest);
	cr_assert_eq(manifest_count(manifest), 2);
	cr_assert(manifest_lists(manifest, "a.ovf"));
	cr_assert(manifest_lists(manifest, "b"));
	cr_assert_not(manifest_lists(manifest, "c"));
	cr_assert_eq(manifest_entry(manifest, 0)->digest_length, 20);
	cr_assert_eq(manifest_entry(manifest, 1)->digest[31], 0xad);
}

Test(manifest, an_error_names_the_line)
{
	g_autoptr(GError) error = NULL;

	cr_assert_null(parse("\nSHA1(a)= " ABC_SHA1 "\nSHA1(a)= 00\n", &error));
	cr_assert_eq(error->code, V2V_ERROR_CORRUPT);
	cr_assert_str_eq(error->message, "line 3: SHA1 of 2 hexadecimal digits: there must be 40");
}

Test(manifest, a_name_that_leads_elsewhere_is_refused)
{
	g_autoptr(GError) error = NULL;

	cr_assert_null(parse("SHA1(../x)= " ABC_SHA1, &error));
	cr_assert_eq(error->code, V2V_ERROR_REFUSED);
}

Test(manifest, digests_are_compared)
{
	g_autoptr(Manifest) manifest = parse("SHA1(a)= " ABC_SHA1 "\nSHA256(a)= " ABC_SHA256, NULL);
	g_autoptr(Storage) abc = storage_new_memory("a", "abc", 3);
	g_autoptr(Storage) abd = storage_new_memory("a", "abd", 3);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < 2; i++) {
		cr_assert(manifest_entry_verify(manifest_entry(manifest, i), abc, NULL, NULL));
		cr_assert_not(
			manifest_entry_verify(manifest_entry(manifest, i), abd, NULL, &error));
		cr_assert_eq(error->code, V2V_ERROR_CORRUPT);
		g_clear_error(&error);
	}
}

Test(manifest, hashing_stops_when_asked)
{
	g_autoptr(Manifest) manifest = parse("SHA1(a)= " ABC_SHA1, NULL);
	g_autoptr(Storage) abc = storage_new_memory("a", "abc", 3);
	g_autoptr(GError) error = NULL;
	const Cancel cancel = {.requested = true};

	cr_assert_not(manifest_entry_verify(manifest_entry(manifest, 0), abc, &cancel, &error));
	cr_assert_eq(error->code, V2V_ERROR_INTERRUPTED);
}
