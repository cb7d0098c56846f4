/* SPDX-License-Identifier: Apache-2.0 */
/* block_devices.c: kernel names of disks and partitions, and their replacement by UUIDs. */
#include "convert/guest/block_devices.h"

#include <string.h>

enum { MAX_DRIVES = 26 * 27, MAX_PARTITION = 4096 };

void block_device_free(void *device)
{
	BlockDevice *block = device;

	g_free(block->device);
	g_free(block->type);
	g_free(block->uuid);
	g_free(block->label);
	g_free(block->part_uuid);
	g_free(block->part_type);
	g_free(block);
}

/* Digits at *at, at most `limit`; false when there are none or too many. */
static bool take_number(const char **at, const char *end, unsigned limit, unsigned *out)
{
	const char *start = *at;
	unsigned value = 0;

	while (*at < end && g_ascii_isdigit(**at)) {
		value = value * 10 + (unsigned)(**at - '0');
		if (value > limit)
			return false;
		(*at)++;
	}
	*out = value;
	return *at > start;
}

static bool take_text(const char **at, const char *end, const char *text)
{
	const size_t length = strlen(text);

	if ((size_t)(end - *at) < length || memcmp(*at, text, length) != 0)
		return false;
	*at += length;
	return true;
}

/* "b3", "aa", "ab12": letters count in base 26 without a zero. */
static bool parse_lettered(const char *at, const char *end, unsigned *drive, unsigned *partition)
{
	unsigned index = 0;
	const char *start = at;

	for (; at < end && g_ascii_islower(*at); at++) {
		index = index * 26 + (unsigned)(*at - 'a') + 1;
		if (index > MAX_DRIVES)
			return false;
	}
	if (at == start)
		return false;
	*drive = index - 1;
	*partition = 0;
	return at == end ||
	       (take_number(&at, end, MAX_PARTITION, partition) && at == end && *partition > 0);
}

/* "0n1p3" and "0d1p3": the drive's number stands before or after the letter. */
static bool parse_numbered(const char *at, const char *end, const char *between, unsigned *drive,
			   unsigned *partition)
{
	unsigned first = 0, second = 0;

	if (!take_number(&at, end, MAX_DRIVES, &first) || !take_text(&at, end, between) ||
	    !take_number(&at, end, MAX_DRIVES, &second))
		return false;
	*drive = between[0] == 'n' ? first : second;
	*partition = 0;
	if (between[0] == 'n' && second != 1)
		return false;
	return at == end ||
	       (take_text(&at, end, "p") && take_number(&at, end, MAX_PARTITION, partition) &&
		at == end && *partition > 0);
}

bool block_device_name_parse(const char *name, size_t length, unsigned *drive, unsigned *partition)
{
	static const char *const lettered[] = {"sd", "hd", "vd", "xvd"};
	const char *at = name, *end = name + length;

	if (!take_text(&at, end, "/dev/"))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(lettered); i++) {
		const char *rest = at;

		if (take_text(&rest, end, lettered[i]))
			return parse_lettered(rest, end, drive, partition);
	}
	if (take_text(&at, end, "nvme"))
		return parse_numbered(at, end, "n", drive, partition);
	if (take_text(&at, end, "cciss/c"))
		return parse_numbered(at, end, "d", drive, partition);
	return false;
}

const BlockDevice *block_devices_find(const GPtrArray *devices, const char *name, size_t length)
{
	unsigned drive, partition;

	if (!block_device_name_parse(name, length, &drive, &partition))
		return NULL;
	for (guint i = 0; i < devices->len; i++) {
		const BlockDevice *device = g_ptr_array_index(devices, i);

		if (!device->scattered && device->drive == drive && device->partition == partition)
			return device;
	}
	return NULL;
}

char *block_device_stable_name(const BlockDevice *device)
{
	if (device->uuid != NULL)
		return g_strconcat("UUID=", device->uuid, NULL);
	if (device->part_uuid != NULL)
		return g_strconcat("PARTUUID=", device->part_uuid, NULL);
	return NULL;
}

static size_t name_length(const char *at)
{
	size_t length = 0;

	while (g_ascii_isalnum(at[length]) || (at[length] != '\0' && strchr("/_-", at[length])))
		length++;
	return length;
}

static bool starts_word(const char *text, const char *at)
{
	return at == text || g_ascii_isspace(at[-1]) || strchr("\"'=,:", at[-1]) != NULL;
}

static bool ends_word(char c)
{
	return c == '\0' || g_ascii_isspace(c) || strchr("\"',:", c) != NULL;
}

char *block_devices_replace(const GPtrArray *devices, const char *text, GPtrArray *done,
			    GPtrArray *unknown)
{
	GString *out = g_string_new(NULL);
	const char *copied = text;
	unsigned drive, partition;

	for (const char *at = strstr(text, "/dev/"); at != NULL; at = strstr(at, "/dev/")) {
		const size_t length = name_length(at);
		const char *end = at + length;

		if (starts_word(text, at) && ends_word(*end) &&
		    block_device_name_parse(at, length, &drive, &partition)) {
			const BlockDevice *device = block_devices_find(devices, at, length);
			g_autofree char *stable =
				device != NULL ? block_device_stable_name(device) : NULL;

			if (stable == NULL && unknown != NULL)
				g_ptr_array_add(unknown, g_strndup(at, length));
			if (stable != NULL) {
				g_string_append_len(out, copied, at - copied);
				g_string_append(out, stable);
				copied = end;
				if (done != NULL)
					g_ptr_array_add(done,
							g_strdup_printf("%.*s -> %s", (int)length,
									at, stable));
			}
		}
		at = end;
	}
	g_string_append(out, copied);
	return g_string_free(out, FALSE);
}
