/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_sparse.h: one hosted sparse extent file: guest ranges into grains, plain or compressed. */
#ifndef V2V_FORMATS_VMDK_SPARSE_H
#define V2V_FORMATS_VMDK_SPARSE_H

#include "base/finding.h"
#include "formats/disk.h"
#include "formats/vmdk_header.h"

typedef struct VmdkSparse VmdkSparse;

/* Holds a reference to `storage`. Keeps at most cache_size bytes of tables, and as many of decoded
 * grains. `findings` is used while opening only, and may be NULL. */
VmdkSparse *vmdk_sparse_open(Storage *storage, size_t cache_size, Findings *findings,
			     GError **error);
void vmdk_sparse_close(VmdkSparse *sparse); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmdkSparse, vmdk_sparse_close)

const VmdkHeader *vmdk_sparse_header(const VmdkSparse *sparse);

/* Like DiskOps, of this extent's bytes: offset 0 is its first. Safe from many threads at once. */
bool vmdk_sparse_extent_at(VmdkSparse *sparse, uint64_t offset, Extent *out, GError **error);
bool vmdk_sparse_read_at(VmdkSparse *sparse, void *buf, size_t length, uint64_t offset,
			 GError **error);

#endif
