/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_grain.h: the inside of a sparse extent, shared by vmdk_sparse.c and vmdk_grain.c only. */
#ifndef V2V_FORMATS_VMDK_GRAIN_H
#define V2V_FORMATS_VMDK_GRAIN_H

#include "base/checked.h"
#include "formats/table_cache.h"
#include "formats/vmdk_sparse.h"

#include <stdatomic.h>

struct VmdkSparse {
	Storage *storage; /* a reference */
	VmdkHeader header;
	uint64_t grain_count;
	uint32_t *directory; /* owned; the sector of each grain table, 0: none */
	atomic_bool *empty;  /* owned; per table: has been loaded, and has no grain */
	TableCache *tables;  /* owned; of uint32_t[VMDK_TABLE_ENTRIES] */
	TableCache *grains;  /* owned; decoded grains for small reads; NULL when not compressed */
};

/* Guest bytes of a grain: the last one may be shorter. */
static inline uint64_t vmdk_grain_length(const VmdkSparse *sparse, uint64_t grain)
{
	const uint64_t start = grain * sparse->header.grain_size;

	return min_u64(sparse->header.capacity - start, sparse->header.grain_size);
}

/* The table entries of `count` grains from `grain` on, all in one table. */
bool vmdk_sparse_entries(VmdkSparse *sparse, uint32_t *out, size_t count, uint64_t grain,
			 GError **error);

/* TableLoad of a VmdkSparse: grain `grain`, decoded, grain_size bytes. */
bool vmdk_grain_load(void *owner, uint64_t grain, void *buf, GError **error);

#endif
