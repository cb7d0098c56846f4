/* SPDX-License-Identifier: Apache-2.0 */
/* copy_plan.h: cuts a disk's extents into work items that respect both sides' clusters. */
#ifndef V2V_CONVERT_COPY_PLAN_H
#define V2V_CONVERT_COPY_PLAN_H

#include "convert/copy.h"

/* Items are multiples of the writer's unit (64 KiB at least) and, for digests, of their block. Not
 * larger: what was read should still be in the processor's cache when it is written. */
#define COPY_ITEM_SIZE          (256u * 1024u)
#define COPY_MAX_UNITS_PER_ITEM 32u

typedef struct CopyPlan CopyPlan;

typedef struct { /* a run of guest bytes that one worker copies */
	uint64_t offset;
	size_t length;
	bool has_data; /* false: all zeroes */
} CopyItem;

/* All borrowed. Without options->changes: the whole disk, where items without data are left out;
 * else every item that a change touches, whole. options->cancel is asked while looking for data,
 * which takes long on a large disk in many small extents. */
CopyPlan *copy_plan_new(Disk *from, const DiskWriter *to, const CopyOptions *options);
void copy_plan_free(CopyPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CopyPlan, copy_plan_free)

size_t copy_plan_item_size(const CopyPlan *plan); /* bytes */

/* The next item in guest order. False at the end, and then `error` is not set. Adds to *skipped the
 * bytes that were passed over because nothing has to be written there. Not for several threads. */
bool copy_plan_next(CopyPlan *plan, CopyItem *item, uint64_t *skipped, GError **error);

#endif
