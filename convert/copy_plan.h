/* SPDX-License-Identifier: Apache-2.0 */
/* copy_plan.h: cuts a disk's extents into work items that respect both sides' clusters. */
#ifndef V2V_CONVERT_COPY_PLAN_H
#define V2V_CONVERT_COPY_PLAN_H

#include "base/cancel.h"
#include "formats/disk.h"
#include "formats/writer.h"

/* Items are multiples of 1 MiB (a digest's block) and of the writer's unit (64 KiB at least). */
#define COPY_MAX_UNITS_PER_ITEM 32u

typedef struct CopyPlan CopyPlan;

typedef struct { /* a run of guest bytes that one worker copies */
	uint64_t offset;
	size_t length;
	bool has_data; /* false: all zeroes */
} CopyItem;

/* All borrowed. `changes` (of Extent, ascending) NULL: the whole disk, where items without data are
 * left out; else every item that a change touches, whole. `cancel` may be NULL: is asked while
 * looking for data, which takes long on a large disk in many small extents. */
CopyPlan *copy_plan_new(Disk *from, const DiskWriter *to, const GArray *changes,
			const Cancel *cancel);
void copy_plan_free(CopyPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CopyPlan, copy_plan_free)

size_t copy_plan_item_size(const CopyPlan *plan); /* bytes */

/* The next item in guest order. False at the end, and then `error` is not set. Adds to *skipped the
 * bytes that were passed over because nothing has to be written there. Not for several threads. */
bool copy_plan_next(CopyPlan *plan, CopyItem *item, uint64_t *skipped, GError **error);

#endif
