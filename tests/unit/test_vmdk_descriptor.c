/* SPDX-License-Identifier: Apache-2.0 */
/* test_vmdk_descriptor.c: the text of a VMDK, a row per way it can be. */
#include "formats/vmdk_descriptor.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

struct text_case {
	char name[40]; /* arrays: rows move to another process, a pointer crashes there */
	char text[200];
	int expected; /* a V2vError, or -1 for success */
	char message[80];
};

#define TYPE "createType=\"monolithicFlat\"\n"
#define FLAT "RW 8 FLAT \"a\" 0\n"

ParameterizedTestParameters(vmdk_descriptor, parse)
{
	static struct text_case cases[] = {
		{"smallest", TYPE FLAT, -1, ""},
		{"comments and blank lines", "# x\n\n  \t\n" TYPE "  # y\n" FLAT, -1, ""},
		{"carriage returns", "createType=\"vmfs\"\r\nRW 8 VMFS \"a\"\r\n", -1, ""},
		{"value without quotes", "createType=vmfs\n" FLAT, -1, ""},
		{"seven fields", TYPE "RW 8 FLAT \"a\" 0 part 1\n", -1, ""},
		{"unknown keys", TYPE "x.y=z\nddb.uuid=\"unfinished\n" FLAT, -1, ""},
		{"version 4", "version=4\n" TYPE FLAT, -1, ""},
		{"hint without a parent", TYPE FLAT "parentFileNameHint=\"/x\"\n", -1, ""},
		{"empty", "", V2V_ERROR_CORRUPT, "createType is missing"},
		{"no extent", TYPE, V2V_ERROR_CORRUPT, "no extent"},
		{"eight fields", TYPE "RW 8 FLAT \"a\" 0 part 1 2\n", V2V_ERROR_CORRUPT,
		 "offset 0x1c, line 2: extent=\"2\": more than 7 fields"},
		{"version 5", "version=5\n", V2V_ERROR_UNSUPPORTED, "version=\"5\": only 1 to 4"},
		{"two versions", "version=1\nversion=1\n", V2V_ERROR_CORRUPT,
		 "there is one already"},
		{"two CIDs", "CID=1\ncid=1\n", V2V_ERROR_CORRUPT, "there is one already"},
		{"two parentCIDs", "parentCID=1\nparentCID=1\n", V2V_ERROR_CORRUPT,
		 "there is one already"},
		{"CID of 9 digits", "CID=123456789\n", V2V_ERROR_CORRUPT,
		 "not 1 to 8 hexadecimal digits"},
		{"CID empty", "CID=\n", V2V_ERROR_CORRUPT, "not 1 to 8 hexadecimal digits"},
		{"two values", "createType=\"vmfs\" \"x\"\n", V2V_ERROR_CORRUPT, "not one value"},
		{"open quote", "createType=\"vmfs\n", V2V_ERROR_CORRUPT, "not one value"},
		{"control bytes are escaped", "createType=\"\x1b[2J\"\n", V2V_ERROR_UNSUPPORTED,
		 "createType=\"\\x1b[2J\""},
		{"parent without a hint", TYPE FLAT "parentCID=1\n", V2V_ERROR_CORRUPT,
		 "parentCID=00000001: parentFileNameHint"},
		{"parent with an empty hint", TYPE FLAT "parentCID=1\nparentFileNameHint=\"\"\n",
		 V2V_ERROR_CORRUPT, "parentFileNameHint"},
		{"no size", TYPE "RW FLAT \"a\" 0\n", V2V_ERROR_CORRUPT, "extent size=\"FLAT\""},
		{"access only", TYPE "RW\n", V2V_ERROR_CORRUPT, "extent size=\"\""},
		{"size with a sign", TYPE "RW +8 FLAT \"a\" 0\n", V2V_ERROR_CORRUPT,
		 "extent size=\"+8\""},
		{"no file", TYPE "RW 8 FLAT\n", V2V_ERROR_CORRUPT, "not 1 to 510 bytes"},
		{"name without an end", TYPE "RW 8 FLAT \"a 0\n", V2V_ERROR_CORRUPT,
		 "no closing quote"},
		{"offset that is no number", TYPE "RW 8 FLAT \"a\" b\n", V2V_ERROR_CORRUPT,
		 "extent offset=\"b\""},
		{"sum too large", TYPE "RW 18014398509481983 ZERO\nRW 1 ZERO\n", V2V_ERROR_CORRUPT,
		 "line 3: extent size=\"1\": the disk would be larger"},
		{"unknown extent type", TYPE "RW 8 ROUND \"a\"\n", V2V_ERROR_UNSUPPORTED,
		 "extent type=\"ROUND\": not a kind"},
		{"split, cut", "createType=custom\n" FLAT, V2V_ERROR_CORRUPT, "probably cut"},
		{"split, whole", "createType=custom\n" FLAT "ddb.x = \"1\"\n", -1, ""},
	};
	return cr_make_param_array(struct text_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct text_case *row, vmdk_descriptor, parse)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VmdkDescriptor) descriptor =
		vmdk_descriptor_parse(row->text, strlen(row->text), &error);

	if (row->expected < 0) {
		cr_assert_not_null(descriptor, "%s: %s", row->name, error ? error->message : "");
		cr_assert_null(descriptor->parent_name, "%s", row->name);
		return;
	}
	cr_assert_null(descriptor, "%s: accepted", row->name);
	cr_assert_eq(error->code, row->expected, "%s: %s", row->name, error->message);
	cr_assert_not_null(strstr(error->message, row->message), "%s: %s", row->name,
			   error->message);
}

Test(vmdk_descriptor, says_what_stands_there)
{
	static const char text[] =
		"# Disk DescriptorFile\nversion=1\nencoding=\"windows-1252\"\nCID=fffffffe\n"
		"parentCID=12ab\nparentFileNameHint=\"base disk.vmdk\"\n"
		"createType=\"twoGbMaxExtentSparse\"\n\nRW 4192256 SPARSE \"a b-s001.vmdk\"\n"
		"RDONLY 7 ZERO\nRW 9 FLAT \"f\" 63\nddb.adapterType = \"buslogic\"\n";
	g_autoptr(VmdkDescriptor) found = vmdk_descriptor_parse(text, sizeof(text), NULL);

	cr_assert_not_null(found);
	cr_assert_str_eq(found->create_type, "twoGbMaxExtentSparse");
	cr_assert_eq(found->cid, 0xfffffffe);
	cr_assert_eq(found->parent_cid, 0x12ab);
	cr_assert_str_eq(found->parent_name, "base disk.vmdk");
	cr_assert_str_eq(found->encoding, "windows-1252");
	cr_assert_str_eq(found->adapter_type, "buslogic");
	cr_assert_eq(found->size, (4192256ull + 7 + 9) * 512);
	cr_assert_eq(found->extents->len, 3);
	const VmdkExtentLine *sparse = vmdk_descriptor_extent(found, 0);
	const VmdkExtentLine *zero = vmdk_descriptor_extent(found, 1);
	const VmdkExtentLine *flat = vmdk_descriptor_extent(found, 2);
	cr_assert(sparse->type == VMDK_EXTENT_SPARSE && sparse->line == 9);
	cr_assert_str_eq(sparse->name, "a b-s001.vmdk");
	cr_assert(zero->type == VMDK_EXTENT_ZERO && zero->name == NULL && zero->size == 7 * 512);
	cr_assert(flat->type == VMDK_EXTENT_FLAT && flat->file_offset == 63 * 512);
}

/* A trailing byte of Shift_JIS and GBK may be a backslash, but never a quote. */
Test(vmdk_descriptor, names_are_bytes)
{
	static const char text[] = TYPE "RW 8 FLAT \"\x95\x5c\x83\x66.vmdk\" 0\n";
	g_autoptr(VmdkDescriptor) found = vmdk_descriptor_parse(text, strlen(text), NULL);

	cr_assert_not_null(found);
	cr_assert_str_eq(vmdk_descriptor_extent(found, 0)->name, "\x95\x5c\x83\x66.vmdk");
}

/* Any prefix of a text is parsed or refused, without reading past its end (under ASan). */
Test(vmdk_descriptor, any_prefix)
{
	static const char text[] = "# c\nversion=1\nCID=1\nparentCID=ffffffff\n" TYPE FLAT
				   "RW 2 ZERO\nRW 3 SPARSE \"s\"\nddb.adapterType = \"ide\"\n";

	for (size_t length = 0; length < sizeof(text); length++) {
		g_autofree char *cut = g_memdup2(text, length);
		g_autoptr(GError) error = NULL;
		g_autoptr(VmdkDescriptor) found =
			vmdk_descriptor_parse(cut != NULL ? cut : "", length, &error);

		cr_assert((found == NULL) == (error != NULL), "%zu", length);
		(void)vmdk_descriptor_probe(cut != NULL ? cut : "", length);
	}
}

Test(vmdk_descriptor, probe)
{
	static const char title[] = "# disk descriptorfile\n", other[] = "# Other\nversion=1\n";
	static const char stream[] = "# By a converter\nversion=1\nCID=1\ncreateType=\"x\"\n";

	cr_assert_eq(vmdk_descriptor_probe(title, strlen(title)), 100);
	cr_assert_eq(vmdk_descriptor_probe(stream, strlen(stream)), 80);
	cr_assert_eq(vmdk_descriptor_probe(other, strlen(other)), 0);
	cr_assert_eq(vmdk_descriptor_probe("KDMV", 4), 0);
}
