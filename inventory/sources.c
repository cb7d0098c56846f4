/* SPDX-License-Identifier: Apache-2.0 */
/* sources.c: the source drivers, and the generic half of every source. */
#include "inventory/drivers.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

const SourceDriver *const source_drivers[] = {&ova_source_driver, NULL};

static const SourceDriver *best_bidder(const char *uri)
{
	const SourceDriver *best = NULL;
	int highest = 0;

	for (size_t i = 0; source_drivers[i] != NULL; i++) {
		const int bid = source_drivers[i]->probe(uri);

		if (bid > highest) {
			highest = bid;
			best = source_drivers[i];
		}
	}
	return best;
}

static bool fail_unknown(const char *uri, GError **error)
{
	GString *titles = g_string_new(NULL);

	for (size_t i = 0; source_drivers[i] != NULL; i++)
		g_string_append_printf(titles, "%s%s", i > 0 ? "; " : "", source_drivers[i]->title);
	g_autofree char *all = g_string_free(titles, FALSE);
	return fail(error, UNSUPPORTED, "%s: not a source of VMs that is known; understood: %s",
		    uri, all);
}

Source *source_open(const char *uri, const SourceOptions *options, GError **error)
{
	if (strstr(uri, "://") == NULL && access(uri, R_OK) != 0)
		return fail_errno(error, errno, "%s", uri), NULL;
	const SourceDriver *driver = best_bidder(uri);
	if (driver == NULL)
		return fail_unknown(uri, error), NULL;
	Source *source = driver->open(uri, options, error);
	if (source == NULL)
		return fail_in_null(error, "%s: ", uri);
	source->uri = g_strdup(uri);
	return source;
}

void source_close(Source *source)
{
	if (source == NULL)
		return;
	g_free(source->uri);
	source->ops->close(source);
}

char **source_list(Source *source, GError **error)
{
	char **names = source->ops->list(source, error);

	return names != NULL ? names : fail_in_null(error, "%s: ", source->uri);
}

Vm *source_describe(Source *source, const char *name, GError **error)
{
	Vm *vm = source->ops->describe(source, name, error);

	return vm != NULL ? vm : fail_in_null(error, "%s: ", source->uri);
}

Disk *source_open_disk(Source *source, const Vm *vm, const VmDisk *disk, GError **error)
{
	if (source->ops->open_disk == NULL)
		return fail_null(error, UNSUPPORTED, "%s: %s gives no access to disks", source->uri,
				 source->driver->title);
	Disk *opened = source->ops->open_disk(source, vm, disk, error);
	return opened != NULL ? opened : fail_in_null(error, "%s: ", source->uri);
}

bool source_verify(Source *source, const Cancel *cancel, GError **error)
{
	return source->ops->verify == NULL || source->ops->verify(source, cancel, error) ||
	       fail_in(error, "%s: ", source->uri);
}
