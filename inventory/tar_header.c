/* SPDX-License-Identifier: Apache-2.0 */
/* tar_header.c: one block of a tar archive: bytes in, checked values out. */
#include "inventory/tar_header.h"

#include "base/checked.h"

#include <stdio.h>
#include <string.h>

#define FIELD_AT(field) ((unsigned)offsetof(TarHeaderBytes, field))

/* Base-256, a GNU extension: the first bit set, the rest a big-endian two's complement number. */
static bool parse_base256(const uint8_t *field, size_t length, uint64_t *out, GError **error)
{
	uint64_t value = field[0] & 0x7f;

	if (field[0] == 0xff)
		return fail(error, CORRUPT, "offset 0x%x: size is a negative number",
			    FIELD_AT(size));
	for (size_t i = 1; i < length; i++) {
		if (value > INT64_MAX >> 8)
			return fail(error, CORRUPT, "offset 0x%x: size is above 2^63 bytes",
				    FIELD_AT(size));
		value = value << 8 | field[i];
	}
	*out = value;
	return true;
}

/* Octal digits, spaces before, a space or NUL after (unless the field is full). */
static bool parse_octal(const uint8_t *field, size_t length, uint64_t *out)
{
	uint64_t value = 0;
	size_t at = 0, digits = 0;

	while (at < length && field[at] == ' ')
		at++;
	for (; at < length && field[at] >= '0' && field[at] <= '7'; at++, digits++)
		value = value << 3 | (uint64_t)(field[at] - '0');
	for (; at < length; at++)
		if (field[at] != ' ' && field[at] != '\0')
			return false;
	*out = value;
	return digits > 0;
}

static bool check_checksum(const TarHeaderBytes *raw, GError **error)
{
	const uint8_t *bytes = (const uint8_t *)raw;
	const size_t first = offsetof(TarHeaderBytes, checksum);
	uint64_t stated, sum = 0;

	for (size_t i = 0; i < TAR_BLOCK_SIZE; i++)
		sum += i >= first && i < first + sizeof(raw->checksum) ? ' ' : bytes[i];
	if (!parse_octal(raw->checksum, sizeof(raw->checksum), &stated))
		return fail(error, CORRUPT, "offset 0x%x: checksum is not an octal number",
			    FIELD_AT(checksum));
	if (stated != sum)
		return fail(error, CORRUPT,
			    "offset 0x%x: checksum=%" PRIu64 ": the header sums to "
			    "%" PRIu64,
			    FIELD_AT(checksum), stated, sum);
	return true;
}

static bool parse_type(uint8_t type, TarType *out, GError **error)
{
	const char *what = "is not a regular file";

	switch (type) {
	case '0':
	case '\0':
	case '7':
		*out = TAR_REGULAR;
		return true;
	case '5':
		*out = TAR_FOLDER;
		return true;
	case 'L':
		*out = TAR_LONG_NAME;
		return true;
	case 'x':
		*out = TAR_PAX;
		return true;
	case 'g':
		*out = TAR_PAX_GLOBAL;
		return true;
	case '1':
	case 'K':
		what = "is a hard link or a long link name";
		break;
	case '2':
		what = "is a symbolic link";
		break;
	case '3':
	case '4':
		what = "is a device";
		break;
	case '6':
		what = "is a FIFO";
		break;
	case 'S':
		what = "is a sparse file";
		break;
	default:
		break;
	}
	return fail(error, REFUSED, "offset 0x%x: type=0x%02x: the member %s", FIELD_AT(type), type,
		    what);
}

static bool parse_name(const TarHeaderBytes *raw, char *out, size_t out_size, GError **error)
{
	const bool is_posix = memcmp(raw->magic, "ustar", 6) == 0;
	const bool is_gnu = memcmp(raw->magic, "ustar ", 6) == 0;
	static const uint8_t none[6];

	if (!is_posix && !is_gnu && memcmp(raw->magic, none, sizeof(none)) != 0)
		return fail(error, CORRUPT, "offset 0x%x: magic is not \"ustar\"", FIELD_AT(magic));
	if (is_posix && raw->prefix[0] != '\0')
		snprintf(out, out_size, "%.155s/%.100s", (const char *)raw->prefix,
			 (const char *)raw->name);
	else
		snprintf(out, out_size, "%.100s", (const char *)raw->name);
	return true;
}

bool tar_header_parse(const TarHeaderBytes *raw, TarHeader *out, GError **error)
{
	if (!check_checksum(raw, error) || !parse_type(raw->type, &out->type, error) ||
	    !parse_name(raw, out->name, sizeof(out->name), error))
		return false;
	if (raw->size[0] & 0x80)
		return parse_base256(raw->size, sizeof(raw->size), &out->size, error);
	if (!parse_octal(raw->size, sizeof(raw->size), &out->size)) {
		g_autofree char *shown =
			text_for_display((const char *)raw->size, sizeof(raw->size), 64);
		return fail(error, CORRUPT, "offset 0x%x: size=\"%s\": not an octal number",
			    FIELD_AT(size), shown);
	}
	return true;
}

/* "LENGTH KEY=VALUE\n": LENGTH counts all of it, in decimal. */
static bool pax_next(const char **at, const char *end, const char **key, size_t *record_length)
{
	uint64_t length = 0;
	const char *p = *at;

	for (; p < end && *p >= '0' && *p <= '9' && length < UINT32_MAX; p++)
		length = length * 10 + (uint64_t)(*p - '0');
	if (p == *at || p >= end || *p != ' ' || length > (uint64_t)(end - *at))
		return false;
	const size_t before = (size_t)(p + 1 - *at);
	if (length < before + 2 || (*at)[length - 1] != '\n')
		return false;
	*key = p + 1;
	*record_length = (size_t)length - before - 1; /* key, '=', value */
	*at += length;
	return true;
}

static bool pax_set_path(TarOverrides *overrides, const char *value, size_t length, GError **error)
{
	if (overrides->path != NULL)
		return fail(error, CORRUPT, "pax record path: given twice");
	if (memchr(value, '\0', length) != NULL)
		return fail(error, REFUSED, "pax record path: holds a NUL byte");
	overrides->path = g_strndup(value, length);
	return true;
}

static bool pax_set_size(TarOverrides *overrides, const char *value, size_t length, GError **error)
{
	uint64_t size = 0;

	if (overrides->has_size)
		return fail(error, CORRUPT, "pax record size: given twice");
	for (size_t i = 0; i < length; i++)
		if (value[i] < '0' || value[i] > '9' || !checked_mul(size, 10, &size) ||
		    !checked_add(size, (uint64_t)(value[i] - '0'), &size) || size > INT64_MAX)
			length = 0;
	if (length == 0)
		return fail(error, CORRUPT, "pax record size: not a number of at most 2^63-1");
	overrides->has_size = true;
	overrides->size = size;
	return true;
}

bool tar_pax_parse(const char *records, size_t length, bool global, TarOverrides *overrides,
		   GError **error)
{
	const char *end = records + length, *key = NULL;
	size_t record_length = 0;

	for (const char *at = records; at < end;) {
		if (!pax_next(&at, end, &key, &record_length))
			return fail(error, CORRUPT, "pax record at %zu of %zu: malformed",
				    (size_t)(at - records), length);
		const char *equals = memchr(key, '=', record_length);
		if (equals == NULL)
			return fail(error, CORRUPT, "pax record without '='");

		g_autofree char *name = g_strndup(key, (size_t)(equals - key));
		const char *value = equals + 1;
		const size_t value_length = record_length - (size_t)(value - key);
		const bool is_path = strcmp(name, "path") == 0, is_size = strcmp(name, "size") == 0;

		if (g_str_has_prefix(name, "GNU.sparse.") || strcmp(name, "SCHILY.realsize") == 0 ||
		    strcmp(name, "SUN.holesdata") == 0)
			return fail(error, REFUSED, "pax record %s: the member is a sparse file",
				    name);
		if (strcmp(name, "linkpath") == 0 || (global && (is_path || is_size)))
			return fail(error, REFUSED, "pax record %s: not accepted here", name);
		if (is_path && !pax_set_path(overrides, value, value_length, error))
			return false;
		if (is_size && !pax_set_size(overrides, value, value_length, error))
			return false;
	}
	return true;
}
