/* SPDX-License-Identifier: Apache-2.0 */
/* table_cache.h: second-level tables of an image, a bounded number in memory; safe from many
 * threads. */
#ifndef V2V_FORMATS_TABLE_CACHE_H
#define V2V_FORMATS_TABLE_CACHE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct TableCache TableCache;

/* Reads and checks table `index` into `buf` (table_size bytes); called without the lock held. */
typedef bool (*TableLoad)(void *owner, uint64_t index, void *buf, GError **error);

/* Keeps at most max_bytes of tables (but never fewer than 8) of table_size bytes each. */
TableCache *table_cache_new(size_t table_size, size_t max_bytes, TableLoad load, void *owner);
void table_cache_free(TableCache *cache); /* nothing may be pinned; NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TableCache, table_cache_free)

/* The table, loaded if need be; it stays until unpinned. NULL and the loader's error on failure. */
const void *table_cache_pin(TableCache *cache, uint64_t index, GError **error);
void table_cache_unpin(TableCache *cache, const void *table);

#endif
