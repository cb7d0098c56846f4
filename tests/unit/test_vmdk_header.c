/* SPDX-License-Identifier: Apache-2.0 */
/* test_vmdk_header.c: header and footer of a sparse extent, a row per field and value. */
#include "formats/vmdk_header.h"

#include "base/bytes.h"
#include "vmdk_fixture.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

struct field_case {
	char name[40];
	uint32_t offset, width; /* bytes */
	uint64_t value;
	int expected; /* a V2vError, or -1 for success */
	char message[80];
};

#define FIELD(member) offsetof(VmdkHeaderBytes, member), sizeof(((VmdkHeaderBytes *)NULL)->member)

static void put_field(uint8_t *bytes, const struct field_case *row)
{
	for (uint32_t i = 0; i < row->width; i++)
		bytes[row->offset + i] = (uint8_t)(row->value >> 8 * i);
}

ParameterizedTestParameters(vmdk_header, parse)
{
	static struct field_case cases[] = {
		{"version 1", FIELD(version), 1, -1, ""},
		{"version 3", FIELD(version), 3, -1, ""},
		{"version 0", FIELD(version), 0, V2V_ERROR_UNSUPPORTED,
		 "offset 0x4: version=0: only 1 to 3 are known"},
		{"version 4", FIELD(version), 4, V2V_ERROR_UNSUPPORTED, "version=4"},
		{"magic", FIELD(magic), 0x44574f43, V2V_ERROR_CORRUPT, "offset 0x0: magic"},
		{"unknown flag", FIELD(flags), 0x11, V2V_ERROR_UNSUPPORTED,
		 "flags=0x11: bits 0x10 are not known"},
		{"capacity 0", FIELD(capacity), 0, V2V_ERROR_CORRUPT, "offset 0xc: capacity=0"},
		{"capacity 1", FIELD(capacity), 1, -1, ""},
		{"capacity 2^63", FIELD(capacity), 1ull << 63, V2V_ERROR_CORRUPT, "capacity="},
		{"capacity 2^54", FIELD(capacity), 1ull << 54, V2V_ERROR_CORRUPT, "2^54-1"},
		{"capacity at the limit", FIELD(capacity), 1ull << 37, -1, ""},
		{"capacity past the limit", FIELD(capacity), (1ull << 37) + 1,
		 V2V_ERROR_UNSUPPORTED, "has 2097153 entries, the limit is 2097152"},
		{"grain of 8", FIELD(grain_size), 8, -1, ""},
		{"grain of 2048", FIELD(grain_size), 2048, -1, ""},
		{"grain of 4", FIELD(grain_size), 4, V2V_ERROR_CORRUPT, "grain size=4"},
		{"grain of 4096", FIELD(grain_size), 4096, V2V_ERROR_CORRUPT, "grain size=4096"},
		{"grain of 24", FIELD(grain_size), 24, V2V_ERROR_CORRUPT, "not a power of two"},
		{"grain of 2^55", FIELD(grain_size), 1ull << 55, V2V_ERROR_CORRUPT, "grain size="},
		{"256 entries", FIELD(table_entries), 256, V2V_ERROR_CORRUPT, "must be 512"},
		{"newlines", FIELD(newlines), 0, V2V_ERROR_CORRUPT, "offset 0x49: newline test"},
		{"compression 2", FIELD(compression), 2, V2V_ERROR_UNSUPPORTED, "offset 0x4d"},
		{"compression without flag", FIELD(compression), 1, V2V_ERROR_CORRUPT,
		 "contradicts flags=0x3"},
		{"flag without compression", FIELD(flags), 0x30003, V2V_ERROR_CORRUPT,
		 "contradicts flags=0x30003"},
		{"markers only", FIELD(flags), 0x20003, V2V_ERROR_UNSUPPORTED, "or neither"},
		{"descriptor past the end", FIELD(descriptor_offset), 1u << 20, V2V_ERROR_CORRUPT,
		 "end past the end of the file"},
		{"descriptor that wraps", FIELD(descriptor_offset), UINT64_MAX, V2V_ERROR_CORRUPT,
		 "end past the end of the file"},
		{"descriptor of 1 MiB + 1", FIELD(descriptor_size), 2049, V2V_ERROR_CORRUPT,
		 "the limit is 2048 sectors"},
		{"no descriptor", FIELD(descriptor_offset), 0, -1, ""},
		{"directory anywhere", FIELD(gd_offset), UINT64_MAX - 1, -1, ""},
	};
	return cr_make_param_array(struct field_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct field_case *row, vmdk_header, parse)
{
	g_autoptr(GError) error = NULL;
	VmdkHeaderBytes raw;
	VmdkHeader header;

	vmdk_fixture_header(&raw, 20480, 0x3);
	put_field((uint8_t *)&raw, row);
	const bool ok = vmdk_header_parse(&raw, 0, MIB, &header, &error);
	cr_assert_eq(ok, row->expected < 0, "%s: %s", row->name, error ? error->message : "");
	if (ok)
		return;
	cr_assert_eq(error->code, row->expected, "%s: %s", row->name, error->message);
	cr_assert_not_null(strstr(error->message, row->message), "%s: %s", row->name,
			   error->message);
}

Test(vmdk_header, numbers_are_bytes)
{
	VmdkHeaderBytes raw;
	VmdkHeader header;

	vmdk_fixture_header(&raw, 65537, 0x7);
	cr_assert(vmdk_header_parse(&raw, 0, MIB, &header, NULL));
	cr_assert_eq(header.capacity, 65537 * 512);
	cr_assert_eq(header.grain_size, 65536);
	cr_assert_eq(header.directory_entries, 2);
	cr_assert_eq(header.descriptor_offset, 512);
	cr_assert_eq(header.descriptor_size, 20 * 512);
	cr_assert(header.zero_grains && header.redundant && !header.compressed);
}

ParameterizedTestParameters(vmdk_header, footer)
{
	static struct field_case cases[] = {
		{"good", FIELD(version), 3, -1, ""},
		{"itself", FIELD(gd_offset), VMDK_GD_AT_END, V2V_ERROR_CORRUPT,
		 "offset 0xffc38: grain directory offset=0xffffffffffffffff"},
		{"capacity", FIELD(capacity), 1, V2V_ERROR_CORRUPT, "the header says 20480"},
		{"grain size", FIELD(grain_size), 8, V2V_ERROR_CORRUPT, "the header says 128"},
		{"flags", FIELD(flags), 0x30003, V2V_ERROR_CORRUPT, "the header says 0x30001"},
		{"magic", FIELD(magic), 0, V2V_ERROR_CORRUPT, "offset 0xffc00: magic"},
		{"footer marker", 512 + 12, 4, 0, V2V_ERROR_CORRUPT, "offset 0xffe00: marker"},
		{"grain where the end should be", 512 + 8, 4, 77, V2V_ERROR_CORRUPT, "size=77"},
	};
	/* The last two are of the end marker, which follows the footer; type 0 is right there. */
	cases[G_N_ELEMENTS(cases) - 2].value = 1;
	return cr_make_param_array(struct field_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct field_case *row, vmdk_header, footer)
{
	g_autoptr(GError) error = NULL;
	VmdkFooterBytes raw = {0};
	VmdkHeader header;

	vmdk_fixture_header(&raw.footer, 20480, 0x30001);
	cr_assert(vmdk_header_parse(&raw.footer, 0, MIB, &header, NULL));
	put_le32(raw.footer_marker.type, VMDK_MARKER_FOOTER);
	put_le64(raw.footer.gd_offset, 77);
	put_field((uint8_t *)&raw.footer, row);
	const bool ok = vmdk_footer_parse(&raw, MIB, &header, &error);
	cr_assert_eq(ok, row->expected < 0, "%s: %s", row->name, error ? error->message : "");
	if (ok)
		cr_assert_eq(header.gd_offset_sectors, 77, "%s", row->name);
	else
		cr_assert_not_null(strstr(error->message, row->message), "%s: %s", row->name,
				   error->message);
}
