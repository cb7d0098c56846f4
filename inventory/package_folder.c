/* SPDX-License-Identifier: Apache-2.0 */
/* package_folder.c: the members of a package as the folder that an image stands in. */
#include "inventory/package.h"

#include <string.h>

typedef struct {
	Folder base;
	Package *package; /* borrowed */
	char *prefix;     /* owned; "" or "disks/" */
} PackageFolder;

static Storage *package_folder_open(Folder *folder, const char *name, GError **error)
{
	const PackageFolder *own = (const PackageFolder *)folder;
	g_autofree char *member = g_strconcat(own->prefix, name, NULL);

	return package_open_member(own->package, member, error);
}

static void package_folder_close(Folder *folder)
{
	PackageFolder *own = (PackageFolder *)folder;

	g_free(own->prefix);
	g_free(own);
}

Folder *package_folder_of(Package *package, const char *name)
{
	static const FolderOps ops = {.open = package_folder_open, .close = package_folder_close};
	PackageFolder *own = g_new0(PackageFolder, 1);
	const char *slash = strrchr(name, '/');

	folder_init(&own->base, &ops);
	own->package = package;
	own->prefix = g_strndup(name, slash != NULL ? (gsize)(slash + 1 - name) : 0);
	return &own->base;
}
