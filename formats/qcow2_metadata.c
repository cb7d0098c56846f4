/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_metadata.c: a sorted list of the clusters of the file that hold tables. */
#include "formats/qcow2_metadata.h"

#include "base/checked.h"

#include <stdlib.h>

#define HOLDS_MASK UINT64_C(511) /* offsets of clusters have nine bits to spare: what they hold */

struct Qcow2Metadata {
	uint64_t cluster_size;
	GArray *clusters; /* of uint64_t: offset | Qcow2Holds; ascending, once sealed */
};

static const char *const names[] = {
	[QCOW2_HOLDS_HEADER] = "header",
	[QCOW2_HOLDS_L1] = "L1 table",
	[QCOW2_HOLDS_L2] = "L2 table",
	[QCOW2_HOLDS_REFCOUNT_TABLE] = "refcount table",
	[QCOW2_HOLDS_REFCOUNT_BLOCK] = "refcount block",
};

Qcow2Metadata *qcow2_metadata_new(unsigned cluster_bits)
{
	Qcow2Metadata *metadata = g_new(Qcow2Metadata, 1);

	metadata->cluster_size = 1ull << cluster_bits;
	metadata->clusters = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	return metadata;
}

void qcow2_metadata_free(Qcow2Metadata *metadata)
{
	if (metadata == NULL)
		return;
	g_array_unref(metadata->clusters);
	g_free(metadata);
}

void qcow2_metadata_add(Qcow2Metadata *metadata, Qcow2Holds what, uint64_t length, uint64_t offset)
{
	const uint64_t count = div_round_up(length, metadata->cluster_size);

	for (uint64_t i = 0; i < count; i++) {
		const uint64_t entry = (offset + i * metadata->cluster_size) | what;

		g_array_append_val(metadata->clusters, entry);
	}
}

/* Tables that were written in order need no sorting, which takes as much memory again. */
static bool is_ascending(const GArray *clusters)
{
	for (guint i = 1; i < clusters->len; i++)
		if (g_array_index(clusters, uint64_t, i - 1) > g_array_index(clusters, uint64_t, i))
			return false;
	return true;
}

static int entry_compare(const void *left, const void *right)
{
	const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

bool qcow2_metadata_seal(Qcow2Metadata *metadata, GError **error)
{
	if (!is_ascending(metadata->clusters))
		g_array_sort(metadata->clusters, entry_compare);
	for (guint i = 1; i < metadata->clusters->len; i++) {
		const uint64_t a = g_array_index(metadata->clusters, uint64_t, i - 1);
		const uint64_t b = g_array_index(metadata->clusters, uint64_t, i);

		if ((a & ~HOLDS_MASK) == (b & ~HOLDS_MASK))
			return fail(error, CORRUPT, "offset 0x%" PRIx64 ": %s overlaps %s",
				    a & ~HOLDS_MASK, names[b & HOLDS_MASK], names[a & HOLDS_MASK]);
	}
	return true;
}

/* How many entries lie before `offset`. */
static guint entries_before(const GArray *clusters, uint64_t offset)
{
	guint low = 0, high = clusters->len;

	while (low < high) {
		const guint middle = low + (high - low) / 2;

		if (g_array_index(clusters, uint64_t, middle) < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *qcow2_metadata_at(const Qcow2Metadata *metadata, uint64_t offset, Qcow2Gap *gap)
{
	const GArray *clusters = metadata->clusters;
	const uint64_t start = round_down(offset, metadata->cluster_size);

	if (offset >= gap->from && offset < gap->to)
		return NULL;
	const guint next = entries_before(clusters, start);
	const uint64_t following =
		next < clusters->len ? g_array_index(clusters, uint64_t, next) : UINT64_MAX;
	if (next < clusters->len && (following & ~HOLDS_MASK) == start)
		return names[following & HOLDS_MASK];
	gap->from = start;
	gap->to = next < clusters->len ? following & ~HOLDS_MASK : UINT64_MAX;
	return NULL;
}
