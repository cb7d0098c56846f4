/* SPDX-License-Identifier: Apache-2.0 */
/* table_cache.c: least recently used tables make room; pinned ones stay. */
#include "formats/table_cache.h"

#define MIN_TABLES 8u

typedef struct {
	uint64_t index;
	unsigned pins;
	bool loading;
	GList link;        /* in TableCache.unpinned when pins == 0 */
	uint8_t *contents; /* owned */
} CachedTable;

struct TableCache {
	size_t table_size;
	size_t max_tables;
	TableLoad load;
	void *owner; /* borrowed */
	GMutex lock;
	GCond loaded;
	GHashTable *by_index;    /* index -> CachedTable, owned */
	GHashTable *by_contents; /* contents -> CachedTable, borrowed */
	GQueue unpinned;         /* links are inside the tables; oldest first */
};

static void cached_table_free(void *pointer)
{
	CachedTable *table = pointer;

	g_free(table->contents);
	g_free(table);
}

TableCache *table_cache_new(size_t table_size, size_t max_bytes, TableLoad load, void *owner)
{
	TableCache *cache = g_new0(TableCache, 1);

	cache->table_size = table_size;
	cache->max_tables = MAX(max_bytes / table_size, MIN_TABLES);
	cache->load = load;
	cache->owner = owner;
	g_mutex_init(&cache->lock);
	g_cond_init(&cache->loaded);
	cache->by_index =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, cached_table_free);
	cache->by_contents = g_hash_table_new(NULL, NULL);
	return cache;
}

void table_cache_free(TableCache *cache)
{
	if (cache == NULL)
		return;
	g_hash_table_unref(cache->by_contents);
	g_hash_table_unref(cache->by_index);
	g_cond_clear(&cache->loaded);
	g_mutex_clear(&cache->lock);
	g_free(cache);
}

/* The lock is held. */
static void forget(TableCache *cache, CachedTable *table)
{
	g_hash_table_remove(cache->by_contents, table->contents);
	g_hash_table_remove(cache->by_index, &table->index);
}

/* The lock is held; it is given up while the table loads, so that other tables can be had. */
static CachedTable *load_table(TableCache *cache, uint64_t index, GError **error)
{
	while (g_hash_table_size(cache->by_index) >= cache->max_tables &&
	       cache->unpinned.length > 0) {
		GList *oldest = g_queue_pop_head_link(&cache->unpinned);
		forget(cache, oldest->data);
	}
	CachedTable *table = g_new0(CachedTable, 1);
	table->index = index;
	table->pins = 1;
	table->loading = true;
	table->link.data = table;
	table->contents = g_malloc(cache->table_size);
	g_hash_table_insert(cache->by_index, &table->index, table);
	g_hash_table_insert(cache->by_contents, table->contents, table);
	g_mutex_unlock(&cache->lock);
	const bool ok = cache->load(cache->owner, index, table->contents, error);
	g_mutex_lock(&cache->lock);
	table->loading = false;
	if (!ok) /* who waited for it looks again, and meets the error itself */
		forget(cache, table);
	g_cond_broadcast(&cache->loaded);
	return ok ? table : NULL;
}

const void *table_cache_pin(TableCache *cache, uint64_t index, GError **error)
{
	CachedTable *table;

	g_mutex_lock(&cache->lock);
	while ((table = g_hash_table_lookup(cache->by_index, &index)) != NULL && table->loading)
		g_cond_wait(&cache->loaded, &cache->lock);
	if (table == NULL)
		table = load_table(cache, index, error);
	else if (table->pins++ == 0)
		g_queue_unlink(&cache->unpinned, &table->link);
	g_mutex_unlock(&cache->lock);
	return table != NULL ? table->contents : NULL;
}

void table_cache_unpin(TableCache *cache, const void *contents)
{
	g_mutex_lock(&cache->lock);
	CachedTable *table = g_hash_table_lookup(cache->by_contents, contents);
	g_assert(table != NULL && table->pins > 0);
	if (--table->pins == 0)
		g_queue_push_tail_link(&cache->unpinned, &table->link);
	g_mutex_unlock(&cache->lock);
}
