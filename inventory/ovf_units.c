/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_units.c: numbers and units of an OVF document (DMTF DSP0004, annex C). */
#include "inventory/ovf_units.h"

#include "base/checked.h"

#include <string.h>

#define SHOWN_BYTES 60u

static const struct {
	const char *name;
	uint64_t bytes;
} legacy_units[] = {
	{"byte", 1}, {"bytes", 1}, {"kilobyte", KIB}, {"kilobytes", KIB},
	{"kb", KIB}, {"kib", KIB}, {"megabyte", MIB}, {"megabytes", MIB},
	{"mb", MIB}, {"mib", MIB}, {"gigabyte", GIB}, {"gigabytes", GIB},
	{"gb", GIB}, {"gib", GIB}, {"terabyte", TIB}, {"terabytes", TIB},
	{"tb", TIB}, {"tib", TIB},
};

static bool parse_digits(const char **at, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	const char *p = *at;

	for (; g_ascii_isdigit(*p); p++)
		if (!checked_mul(value, 10, &value) ||
		    !checked_add(value, (uint64_t)(*p - '0'), &value) || value > max)
			return false;
	if (p == *at)
		return false;
	*at = p;
	*out = value;
	return true;
}

bool ovf_number_parse(const char *text, uint64_t max, uint64_t *out, GError **error)
{
	const char *at = text;

	if (parse_digits(&at, max, out) && *at == '\0')
		return true;
	g_autofree char *shown = text_for_display(text, strlen(text), SHOWN_BYTES);
	return fail(error, CORRUPT, "\"%s\" is not a whole number of at most %" PRIu64, shown, max);
}

static bool power(uint64_t base, uint64_t exponent, uint64_t *out)
{
	uint64_t value = 1;

	for (uint64_t i = 0; i < exponent; i++)
		if (!checked_mul(value, base, &value) || value > INT64_MAX)
			return false;
	*out = value;
	return true;
}

/* "* 2^20" or "* 1024" with the blanks taken out; NULL or what is wrong with it. */
static const char *parse_factor(const char *at, uint64_t *out)
{
	uint64_t base, exponent;

	if (*at++ != '*')
		return "is not known";
	if (!parse_digits(&at, INT64_MAX, &base) || base == 0)
		return "has no factor of 1 to 2^63-1";
	*out = base;
	if (*at == '^') {
		at++;
		if (base != 2 && base != 10)
			return "is a power of neither 2 nor 10";
		if (!parse_digits(&at, 1000, &exponent) || !power(base, exponent, out))
			return "has an exponent that is negative or gives 2^63 or more";
	}
	if (*at == '*')
		return "has more than one factor";
	return *at == '\0' ? NULL : "is not known";
}

static char *compact(const char *text)
{
	GString *out = g_string_new(NULL);

	for (; *text != '\0'; text++)
		if (!g_ascii_isspace(*text))
			g_string_append_c(out, g_ascii_tolower(*text));
	return g_string_free(out, FALSE);
}

bool ovf_units_parse(const char *text, uint64_t *bytes_per_unit, GError **error)
{
	g_autofree char *units = compact(text != NULL ? text : "");
	const char *fault = "is not known";

	*bytes_per_unit = 1;
	if (units[0] == '\0')
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(legacy_units); i++) {
		if (strcmp(units, legacy_units[i].name) == 0) {
			*bytes_per_unit = legacy_units[i].bytes;
			return true;
		}
	}
	if (g_str_has_prefix(units, "byte*"))
		fault = parse_factor(units + strlen("byte"), bytes_per_unit);
	if (fault == NULL)
		return true;
	g_autofree char *shown = text_for_display(text, strlen(text), SHOWN_BYTES);
	return fail(error, CORRUPT, "unit \"%s\" %s", shown, fault);
}

bool ovf_quantity_parse(const char *number, const char *units, uint64_t *out, GError **error)
{
	uint64_t unit, count;

	if (!ovf_units_parse(units, &unit, error) ||
	    !ovf_number_parse(number, INT64_MAX, &count, error))
		return false;
	if (!checked_mul(count, unit, out) || *out > INT64_MAX)
		return fail(error, CORRUPT,
			    "%" PRIu64 " units of %" PRIu64 " bytes are 2^63 bytes or more", count,
			    unit);
	return true;
}
