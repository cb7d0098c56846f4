/* SPDX-License-Identifier: Apache-2.0 */
/* storage_concat.c: several storages end to end. */
#include "base/checked.h"
#include "formats/storage.h"

typedef struct {
	Storage base;
	Storage **parts;  /* owned, of references */
	uint64_t *starts; /* owned; where each part begins; one more: the end */
	size_t part_count;
} ConcatStorage;

/* The last part that begins at or before `offset`. */
static size_t concat_part_at(const ConcatStorage *concat, uint64_t offset)
{
	size_t low = 0, high = concat->part_count;

	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;

		if (concat->starts[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static bool concat_read_at(Storage *storage, void *buf, size_t length, uint64_t offset,
			   GError **error)
{
	const ConcatStorage *concat = (const ConcatStorage *)storage;
	uint8_t *at = buf;

	for (size_t i = concat_part_at(concat, offset); length > 0; i++) {
		const uint64_t inside = offset - concat->starts[i];
		const size_t part = (size_t)min_u64(length, concat->starts[i + 1] - offset);

		if (!storage_read_at(concat->parts[i], at, part, inside, error))
			return false;
		at += part;
		offset += part;
		length -= part;
	}
	return true;
}

static bool concat_check_unchanged(Storage *storage, GError **error)
{
	const ConcatStorage *concat = (const ConcatStorage *)storage;

	for (size_t i = 0; i < concat->part_count; i++)
		if (!storage_check_unchanged(concat->parts[i], error))
			return false;
	return true;
}

static bool concat_is_stored_in(Storage *storage, const struct stat *file)
{
	const ConcatStorage *concat = (const ConcatStorage *)storage;

	for (size_t i = 0; i < concat->part_count; i++)
		if (storage_is_stored_in(concat->parts[i], file))
			return true;
	return false;
}

static void concat_close(Storage *storage)
{
	ConcatStorage *concat = (ConcatStorage *)storage;

	for (size_t i = 0; i < concat->part_count; i++)
		storage_unref(concat->parts[i]);
	g_free(concat->parts);
	g_free(concat->starts);
	g_free(concat);
}

static const StorageOps concat_ops = {
	.read_at = concat_read_at,
	.check_unchanged = concat_check_unchanged,
	.is_stored_in = concat_is_stored_in,
	.close = concat_close,
};

Storage *storage_new_concat(const char *name, Storage *const *parts, size_t part_count,
			    GError **error)
{
	g_autofree uint64_t *starts = g_new(uint64_t, part_count + 1);

	starts[0] = 0;
	for (size_t i = 0; i < part_count; i++)
		if (!checked_add(starts[i], parts[i]->size, &starts[i + 1]) ||
		    starts[i + 1] > (uint64_t)INT64_MAX)
			return fail_null(error, CORRUPT, "%s: part %zu: sizes add up to too much",
					 name, i + 1);
	ConcatStorage *concat = g_new0(ConcatStorage, 1);
	storage_init(&concat->base, &concat_ops, name, starts[part_count]);
	concat->parts = g_new(Storage *, part_count + 1);
	for (size_t i = 0; i < part_count; i++)
		concat->parts[i] = storage_ref(parts[i]);
	concat->part_count = part_count;
	concat->starts = g_steal_pointer(&starts);
	return &concat->base;
}
