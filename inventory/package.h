/* SPDX-License-Identifier: Apache-2.0 */
/* package.h: the files of an OVF package, wherever they stand: a folder, a tar, a compressed one.
 */
#ifndef V2V_INVENTORY_PACKAGE_H
#define V2V_INVENTORY_PACKAGE_H

#include "formats/folder.h"
#include "inventory/member_list.h"
#include "inventory/source.h"

typedef struct Package Package;

typedef enum {
	PACKAGE_UNKNOWN,
	PACKAGE_FOLDER, /* a folder with an .ovf */
	PACKAGE_OVF,    /* an .ovf whose files stand beside it */
	PACKAGE_TAR,
	PACKAGE_TAR_GZIP,
	PACKAGE_TAR_XZ,
	PACKAGE_ZIP,
} PackageKind;

/* From the first bytes and, for compressed ones, the name. */
PackageKind package_probe(const char *path);

/* Reads the table of contents; a compressed package is unpacked into one unlinked file first. */
Package *package_open(const char *path, const SourceOptions *options, GError **error);
void package_free(Package *package); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Package, package_free)

/* Of an archive all its members, of a folder what may be the .ovf, .mf and .cert. Borrowed. */
const MemberList *package_members(const Package *package);
/* For an .ovf that was named itself: its name; NULL: it must be found among the members. */
const char *package_ovf_name(const Package *package);
/* Exact name. IO when there is none, REFUSED when it leads elsewhere. Safe from many threads. */
Storage *package_open_member(Package *package, const char *name, GError **error);
/* All of a small member, with a NUL behind. */
char *package_read_member(Package *package, const char *name, size_t max_length, size_t *length,
			  GError **error);

/* The members beside `name` as the folder of an image: names in it are looked up there. Borrows
 * the package. */
Folder *package_folder_of(Package *package, const char *name);

#endif
