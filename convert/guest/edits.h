/* SPDX-License-Identifier: Apache-2.0 */
/* edits.h: changes to files of a guest: collected, seen by later steps, written at once. */
#ifndef V2V_CONVERT_GUEST_EDITS_H
#define V2V_CONVERT_GUEST_EDITS_H

#include "convert/guest/appliance.h"

typedef struct Edits Edits;

Edits *edits_new(Appliance *appliance, bool dry_run); /* borrows the appliance */
void edits_free(Edits *edits);                        /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Edits, edits_free)

/* The text of a regular file of at most `max_bytes`, links followed inside the guest, pending edits
 * seen. NULL without an error: there is no such file. A zero byte is an error. Owned. */
char *edits_read(Edits *edits, const char *path, size_t max_bytes, GError **error);
/* The same, but a missing file is an error too. */
char *edits_need(Edits *edits, const char *path, size_t max_bytes, GError **error);
/* The same for settings that may be missing or unusable: NULL then. */
char *edits_try_read(Edits *edits, const char *path, size_t max_bytes);
/* The bytes of a file as they are on the disk, pending edits not seen. Owned. */
GBytes *edits_read_bytes(Edits *edits, const char *path, size_t max_bytes, GError **error);
bool edits_exists(Edits *edits, const char *path);    /* anything, links not followed */
bool edits_is_file(Edits *edits, const char *path);   /* a regular file, links followed */
bool edits_is_folder(Edits *edits, const char *path); /* links followed */
/* Paths of what stands in a folder and matches a shell pattern, sorted; owned strings. */
GPtrArray *edits_list(Edits *edits, const char *folder, const char *pattern);

/* Nothing is written before edits_write(). The folder above a new file is made when missing. */
void edits_set(Edits *edits, const char *path, const char *text);
void edits_remove(Edits *edits, const char *path);
void edits_link(Edits *edits, const char *path, const char *target);

guint edits_mark(const Edits *edits); /* for edits_rewind(): forgets what came after */
void edits_rewind(Edits *edits, guint mark);
bool edits_write(Edits *edits, GError **error); /* nothing in a dry run */
/* Paths that edits created or changed so far; owned strings. */
GPtrArray *edits_touched(const Edits *edits);

#endif
