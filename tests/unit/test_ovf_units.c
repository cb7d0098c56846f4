/* SPDX-License-Identifier: Apache-2.0 */
/* test_ovf_units.c: units and numbers of OVF documents. */
#include "base/checked.h"
#include "inventory/ovf_units.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#define REFUSED 0

struct units_case {
	char text[40];
	uint64_t expected; /* bytes, or REFUSED */
	char message[40];
};

ParameterizedTestParameters(ovf_units, parse)
{
	static struct units_case cases[] = {
		{"", 1, ""},
		{"byte", 1, ""},
		{"Bytes", 1, ""},
		{"byte * 2^10", KIB, ""},
		{"byte * 2^20", MIB, ""},
		{"byte*2^30", GIB, ""},
		{"  BYTE *  2^40 ", TIB, ""},
		{"byte * 2^0", 1, ""},
		{"byte * 2^62", 1ull << 62, ""},
		{"byte * 10^9", 1000000000, ""},
		{"byte * 10^18", 1000000000000000000, ""},
		{"byte * 1024", KIB, ""},
		{"byte * 512", 512, ""},
		{"KiloBytes", KIB, ""},
		{"MegaBytes", MIB, ""},
		{"megabyte", MIB, ""},
		{"GigaBytes", GIB, ""},
		{"TeraBytes", TIB, ""},
		{"MB", MIB, ""},
		{"GiB", GIB, ""},
		{"byte * 2^63", REFUSED, "exponent"},
		{"byte * 2^64", REFUSED, "exponent"},
		{"byte * 2^18446744073709551617", REFUSED, "exponent"},
		{"byte * 2^-1", REFUSED, "exponent"},
		{"byte * 10^19", REFUSED, "exponent"},
		{"byte * 10^9 * 2^30", REFUSED, "more than one factor"},
		{"byte * 2^10 * 2^10", REFUSED, "more than one factor"},
		{"byte * 3^4", REFUSED, "neither 2 nor 10"},
		{"byte * 0", REFUSED, "no factor"},
		{"byte * ", REFUSED, "no factor"},
		{"byte * 9223372036854775808", REFUSED, "no factor"},
		{"byte * 2^", REFUSED, "exponent"},
		{"byte * 2^20x", REFUSED, "not known"},
		{"byte 2^20", REFUSED, "not known"},
		{"hertz * 10^6", REFUSED, "not known"},
		{"bit * 2^20", REFUSED, "not known"},
		{"2^20 * byte", REFUSED, "not known"},
		{"furlong", REFUSED, "not known"},
	};
	return cr_make_param_array(struct units_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct units_case *row, ovf_units, parse)
{
	g_autoptr(GError) error = NULL;
	uint64_t bytes = 0;
	const bool ok = ovf_units_parse(row->text, &bytes, &error);

	cr_assert_eq(ok, row->expected != REFUSED, "\"%s\": %s", row->text,
		     error != NULL ? error->message : "accepted");
	if (ok)
		cr_assert_eq(bytes, row->expected, "\"%s\" is %" PRIu64, row->text, bytes);
	else
		cr_assert(strstr(error->message, row->message) != NULL, "\"%s\": %s", row->text,
			  error->message);
}

Test(ovf_units, null_is_bytes)
{
	uint64_t bytes = 0;

	cr_assert(ovf_units_parse(NULL, &bytes, NULL));
	cr_assert_eq(bytes, 1);
}

struct quantity_case {
	char number[40], units[24];
	bool good;
	uint64_t expected;
};

ParameterizedTestParameters(ovf_units, quantity)
{
	static struct quantity_case cases[] = {
		{"0", "byte", true, 0},
		{"16", "byte * 2^30", true, 16 * GIB},
		{"9223372036854775807", "byte", true, INT64_MAX},
		{"9223372036854775808", "byte", false, 0},
		{"18446744073709551616", "byte", false, 0},
		{"1180591620717411303424", "byte", false, 0},
		{"8796093022207", "byte * 2^20", true, 8796093022207 * MIB},
		{"8796093022208", "byte * 2^20", false, 0},
		{"-1", "byte", false, 0},
		{"+1", "byte", false, 0},
		{"1e9", "byte", false, 0},
		{"1.0", "byte", false, 0},
		{" 1", "byte", false, 0},
		{"1 ", "byte", false, 0},
		{"0x10", "byte", false, 0},
		{"", "byte", false, 0},
		{"1", "nonsense", false, 0},
	};
	return cr_make_param_array(struct quantity_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct quantity_case *row, ovf_units, quantity)
{
	g_autoptr(GError) error = NULL;
	uint64_t bytes = 0;

	cr_assert_eq(ovf_quantity_parse(row->number, row->units, &bytes, &error), row->good,
		     "%s %s: %s", row->number, row->units,
		     error != NULL ? error->message : "accepted");
	if (row->good)
		cr_assert_eq(bytes, row->expected, "%s %s is %" PRIu64, row->number, row->units,
			     bytes);
}
