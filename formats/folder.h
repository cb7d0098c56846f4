/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h: the only place from which files that an image or a definition names are opened. */
#ifndef V2V_FORMATS_FOLDER_H
#define V2V_FORMATS_FOLDER_H

#include "formats/storage.h"

typedef struct Folder Folder;

/* The driver's half: a folder of the file system, or the members of an archive. */
typedef struct {
	/* `name` has been checked by folder_open(). REFUSED when it leads outside, IO when absent.
	 */
	Storage *(*open)(Folder *folder, const char *name, GError **error);
	void (*close)(Folder *folder); /* frees `folder` too */
} FolderOps;

struct Folder { /* a driver embeds this as its first member `base` */
	const FolderOps *ops;
	int references; /* atomic */
};

void folder_init(Folder *folder, const FolderOps *ops);
Folder *folder_ref(Folder *folder);
void folder_unref(Folder *folder); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Folder, folder_unref)

/*
 * A file named from inside an image. The name is a relative path: empty names, absolute ones, "..",
 * control bytes, backslashes and names with a ':' before the first '/' (URIs, "json:") are REFUSED.
 */
Storage *folder_open(Folder *folder, const char *name, GError **error);

/* Names are relative to `prefix`, a path inside `parent` (absolute ones stay what they are), and
 * all that is opened is added to `opened` (of Storage, with references; borrowed). */
Folder *folder_new_beneath(Folder *parent, const char *prefix, GPtrArray *opened);

/*
 * The folder that holds `path`, kept open: names are resolved beneath it by openat2(2) with
 * RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS, regular files only, O_RDONLY.
 * An absolute name is accepted when it lies (textually, then by openat2) beneath one of
 * `allowed_roots` (NULL-terminated, may be NULL), which the user has named.
 */
Folder *folder_of_file(const char *path, const char *const *allowed_roots, GError **error);
/* The same for a folder itself. */
Folder *folder_open_path(const char *path, const char *const *allowed_roots, GError **error);

#endif
