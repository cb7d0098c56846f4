/* SPDX-License-Identifier: Apache-2.0 */
/* copy_plan.c: which items a copy consists of. */
#include "convert/copy_plan.h"

#include "base/checked.h"

struct CopyPlan {
	Disk *from;
	uint64_t to_size;
	size_t item_size;
	const GArray *changes;
	const Cancel *cancel;
	guint next_change;
	uint64_t position; /* guest offset of the next item, a multiple of item_size */
	Extent extent;     /* the one looked at last; length 0: none yet */
};

CopyPlan *copy_plan_new(Disk *from, const DiskWriter *to, const CopyOptions *options)
{
	CopyPlan *plan = g_new0(CopyPlan, 1);

	g_assert(is_power_of_two(to->unit_size));
	plan->from = from;
	plan->to_size = to->size;
	plan->item_size =
		MAX(to->unit_size, options->digests != NULL ? DIGEST_BLOCK_SIZE : COPY_ITEM_SIZE);
	g_assert(plan->item_size / to->unit_size <= COPY_MAX_UNITS_PER_ITEM);
	plan->changes = options->changes;
	plan->cancel = options->cancel;
	return plan;
}

void copy_plan_free(CopyPlan *plan)
{
	g_free(plan);
}

size_t copy_plan_item_size(const CopyPlan *plan)
{
	return plan->item_size;
}

/* The extent that holds `offset`. */
static bool look_at(CopyPlan *plan, uint64_t offset, GError **error)
{
	const Extent *known = &plan->extent;

	if (known->length > 0 && offset >= known->offset && offset - known->offset < known->length)
		return true;
	return disk_extent_at(plan->from, offset, &plan->extent, error);
}

/* Where the first DATA at or after `offset` begins; `end` or more when there is none before it. */
static bool find_data(CopyPlan *plan, uint64_t offset, uint64_t end, uint64_t *out, GError **error)
{
	while (offset < end) {
		if (!cancel_check(plan->cancel, error) || !look_at(plan, offset, error))
			return false;
		if (plan->extent.state == EXTENT_DATA)
			break;
		offset = plan->extent.offset + plan->extent.length;
	}
	*out = offset;
	return true;
}

static void make_item(CopyPlan *plan, uint64_t offset, CopyItem *item)
{
	item->offset = offset;
	item->length = (size_t)min_u64(plan->item_size, plan->to_size - offset);
	plan->position = offset + item->length;
}

static bool next_of_disk(CopyPlan *plan, CopyItem *item, uint64_t *skipped, GError **error)
{
	const uint64_t end = plan->from->size;
	uint64_t data;

	if (plan->position >= end || !find_data(plan, plan->position, end, &data, error))
		return false;
	if (data >= end) {
		*skipped += end - plan->position;
		plan->position = end;
		return false;
	}
	data = round_down(data, plan->item_size);
	*skipped += data - plan->position;
	make_item(plan, data, item);
	item->has_data = true;
	return true;
}

static bool next_of_changes(CopyPlan *plan, CopyItem *item, GError **error)
{
	while (plan->next_change < plan->changes->len) {
		const Extent *change = &g_array_index(plan->changes, Extent, plan->next_change);
		const uint64_t end = min_u64(change->offset + change->length, plan->to_size);
		const uint64_t first = round_down(change->offset, plan->item_size);
		const uint64_t start = MAX(first, plan->position);
		uint64_t data, item_end;

		if (start >= end) {
			plan->next_change++;
			continue;
		}
		make_item(plan, start, item);
		item_end = min_u64(start + item->length, plan->from->size);
		if (!find_data(plan, start, item_end, &data, error))
			return false;
		item->has_data = data < item_end;
		return true;
	}
	return false;
}

bool copy_plan_next(CopyPlan *plan, CopyItem *item, uint64_t *skipped, GError **error)
{
	return plan->changes != NULL ? next_of_changes(plan, item, error)
				     : next_of_disk(plan, item, skipped, error);
}

/* Neighbours become one, whatever their state: a change is only a place to look at. */
static void changes_append(GArray *changes, const Extent *extent)
{
	Extent *last = changes->len > 0 ? &g_array_index(changes, Extent, changes->len - 1) : NULL;

	if (last != NULL && last->offset + last->length == extent->offset)
		last->length += extent->length;
	else
		g_array_append_vals(changes, extent, 1);
}

GArray *copy_layer_changes(Disk *overlay, GError **error)
{
	g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(Extent));

	for (uint64_t at = 0; at < overlay->size;) {
		Extent extent;

		if (!disk_layer_extent_at(overlay, at, &extent, error))
			return NULL;
		at += extent.length;
		if (extent.state != EXTENT_UNALLOCATED)
			changes_append(changes, &extent);
	}
	return g_steal_pointer(&changes);
}
