/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_directory.h: the grain directory of a sparse extent: where its grain tables are. */
#ifndef V2V_FORMATS_VMDK_DIRECTORY_H
#define V2V_FORMATS_VMDK_DIRECTORY_H

#include "base/finding.h"
#include "formats/storage.h"
#include "formats/vmdk_header.h"

/* The checked directory: the sector of each grain table, 0 where there is none; the primary one, or
 * the redundant one (a warning in `findings`, which may be NULL) when the primary is damaged.
 * header->directory_entries of them, owned by the caller. */
uint32_t *vmdk_directory_load(Storage *storage, const VmdkHeader *header, Findings *findings,
			      GError **error);

#endif
