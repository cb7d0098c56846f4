/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c: the one list of formats. */
#include "base/checked.h"
#include "formats/drivers.h"
#include "formats/format.h"

#include <string.h>

const FormatDriver *const format_drivers[] = {
	&raw_format,
	&vmdk_format,
	&qcow2_format,
	NULL,
};

const FormatDriver *format_find(const char *name)
{
	for (size_t i = 0; format_drivers[i] != NULL; i++)
		if (strcmp(format_drivers[i]->name, name) == 0)
			return format_drivers[i];
	return NULL;
}

const FormatDriver *format_find_by_suffix(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot == NULL)
		return NULL;
	for (size_t i = 0; format_drivers[i] != NULL; i++) {
		if (format_drivers[i]->create == NULL)
			continue;
		g_auto(GStrv) suffixes = g_strsplit(format_drivers[i]->suffixes, " ", -1);
		for (char **suffix = suffixes; *suffix != NULL; suffix++)
			if (g_ascii_strcasecmp(dot + 1, *suffix) == 0)
				return format_drivers[i];
	}
	return NULL;
}

const FormatDriver *format_probe(Storage *storage, GError **error)
{
	uint8_t head[PROBE_LENGTH], tail[PROBE_LENGTH];
	const size_t length = (size_t)min_u64(storage->size, PROBE_LENGTH);
	const FormatDriver *best = NULL;
	int best_bid = 0;

	if (!storage_read_at(storage, head, length, 0, error) ||
	    !storage_read_at(storage, tail, length, storage->size - length, error))
		return NULL;
	for (size_t i = 0; format_drivers[i] != NULL; i++) {
		const FormatDriver *driver = format_drivers[i];
		const int bid =
			driver->probe != NULL ? driver->probe(head, length, tail, length) : 0;

		if (bid > best_bid) {
			best_bid = bid;
			best = driver;
		}
	}
	if (best == NULL)
		return fail_null(
			error, UNSUPPORTED,
			"no known image format; if it is a raw disk, say --from-format raw");
	return best;
}
