/* SPDX-License-Identifier: Apache-2.0 */
/* test_table_cache.c: bounded, pinned tables stay, failures are not kept, many threads. */
#include "formats/table_cache.h"

#include <criterion/criterion.h>
#include <string.h>

#define TABLE_SIZE 512u

typedef struct {
	gint loads;        /* atomic */
	uint64_t fails_at; /* index; UINT64_MAX: never */
} Loader;

static bool load(void *owner, uint64_t index, void *buf, GError **error)
{
	Loader *loader = owner;
	uint64_t *numbers = buf;

	g_atomic_int_inc(&loader->loads);
	g_usleep(50);
	if (index == loader->fails_at)
		return fail(error, CORRUPT, "table %" PRIu64, index);
	for (size_t i = 0; i < TABLE_SIZE / sizeof(*numbers); i++)
		numbers[i] = index;
	return true;
}

static bool holds(const void *table, uint64_t index)
{
	uint64_t numbers[TABLE_SIZE / sizeof(uint64_t)];

	memcpy(numbers, table, sizeof(numbers));
	return numbers[0] == index && numbers[G_N_ELEMENTS(numbers) - 1] == index;
}

Test(table_cache, oldest_makes_room)
{
	Loader loader = {.fails_at = UINT64_MAX};
	g_autoptr(TableCache) cache = table_cache_new(TABLE_SIZE, 10 * TABLE_SIZE, load, &loader);

	for (uint64_t round = 0; round < 2; round++)
		for (uint64_t i = 0; i < 10; i++)
			table_cache_unpin(cache, table_cache_pin(cache, i, NULL));
	cr_expect_eq(loader.loads, 10, "ten fit: %d loads", loader.loads);
	table_cache_unpin(cache, table_cache_pin(cache, 0, NULL)); /* 1 is the oldest now */
	table_cache_unpin(cache, table_cache_pin(cache, 10, NULL));
	table_cache_unpin(cache, table_cache_pin(cache, 0, NULL));
	cr_expect_eq(loader.loads, 11);
	table_cache_unpin(cache, table_cache_pin(cache, 1, NULL));
	cr_expect_eq(loader.loads, 12);
}

Test(table_cache, pinned_tables_stay_even_when_there_are_too_many)
{
	Loader loader = {.fails_at = UINT64_MAX};
	g_autoptr(TableCache) cache = table_cache_new(TABLE_SIZE, 0, load, &loader);
	const void *tables[20];

	for (uint64_t i = 0; i < G_N_ELEMENTS(tables); i++)
		tables[i] = table_cache_pin(cache, i, NULL);
	for (uint64_t i = 0; i < G_N_ELEMENTS(tables); i++)
		cr_expect(holds(tables[i], i), "table %" PRIu64, i);
	for (uint64_t i = 0; i < G_N_ELEMENTS(tables); i++)
		table_cache_unpin(cache, tables[i]);
	cr_expect_eq(loader.loads, 20);
}

Test(table_cache, a_failure_is_told_and_not_kept)
{
	Loader loader = {.fails_at = 3};
	g_autoptr(TableCache) cache = table_cache_new(TABLE_SIZE, 0, load, &loader);
	g_autoptr(GError) error = NULL;

	cr_expect_null(table_cache_pin(cache, 3, &error));
	cr_expect_str_eq(error->message, "table 3");
	loader.fails_at = UINT64_MAX;
	const void *table = table_cache_pin(cache, 3, NULL);
	cr_expect(holds(table, 3));
	table_cache_unpin(cache, table);
}

typedef struct {
	TableCache *cache;
	uint32_t seed;
	unsigned failures;
} Visitor;

static void *visit(void *pointer)
{
	Visitor *visitor = pointer;
	GRand *rand = g_rand_new_with_seed(visitor->seed);

	for (unsigned i = 0; i < 2000; i++) {
		const uint64_t index = (uint64_t)g_rand_int_range(rand, 0, 24);
		const void *table = table_cache_pin(visitor->cache, index, NULL);

		visitor->failures += table == NULL;
		if (table == NULL)
			continue;
		cr_assert(holds(table, index), "table %" PRIu64 " holds another one", index);
		table_cache_unpin(visitor->cache, table);
	}
	g_rand_free(rand);
	return NULL;
}

Test(table_cache, many_threads)
{
	Loader loader = {.fails_at = 7};
	g_autoptr(TableCache) cache = table_cache_new(TABLE_SIZE, 12 * TABLE_SIZE, load, &loader);
	Visitor visitors[8];
	GThread *threads[8];

	for (uint32_t i = 0; i < 8; i++) {
		visitors[i] = (Visitor){cache, i + 1, 0};
		threads[i] = g_thread_new("visit", visit, &visitors[i]);
	}
	for (size_t i = 0; i < 8; i++) {
		g_thread_join(threads[i]);
		cr_expect_gt(visitors[i].failures, 20, "table 7 fails each time");
	}
}
