/* SPDX-License-Identifier: Apache-2.0 */
/* fstab.h: /etc/fstab and /etc/crypttab as text: read them, and put UUIDs where names will change.
 */
#ifndef V2V_CONVERT_GUEST_FSTAB_H
#define V2V_CONVERT_GUEST_FSTAB_H

#include "convert/guest/block_devices.h"

typedef struct {
	char *spec, *point, *type; /* owned; octal escapes undone */
	char *options;             /* owned; "" when the line has none */
} FstabEntry;

GPtrArray *fstab_parse(const char *text); /* of FstabEntry, in the file's order */

typedef struct {         /* what the editing of a table says; lists of owned strings, never NULL */
	GPtrArray *done; /* "/dev/sda1 -> UUID=…" */
	GPtrArray *unknown; /* "/dev/sdc1 (/data)": stays, and will probably not be found */
} TableEdit;

void table_edit_init(TableEdit *edit);
void table_edit_clear(TableEdit *edit);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TableEdit, table_edit_clear)

/*
 * Both keep comments, columns and every line that need not change. `root` is the device of the root
 * file system, whatever name the "/" line uses; may be NULL. Result owned by the caller.
 */
char *fstab_use_uuids(const char *text, const GPtrArray *devices, const BlockDevice *root,
		      TableEdit *edit);
char *crypttab_use_uuids(const char *text, const GPtrArray *devices, TableEdit *edit);

#endif
