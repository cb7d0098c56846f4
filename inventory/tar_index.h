/* SPDX-License-Identifier: Apache-2.0 */
/* tar_index.h: where the members of a tar archive stand; nothing is extracted. */
#ifndef V2V_INVENTORY_TAR_INDEX_H
#define V2V_INVENTORY_TAR_INDEX_H

#include "formats/storage.h"
#include "inventory/member_list.h"

/* Reads the headers only. Every fault is an error that begins with the header's offset: an archive
 * without its end marker is CORRUPT (cut), one with anything but regular files is REFUSED. */
MemberList *tar_index_parse(Storage *archive, GError **error);

#endif
