/* SPDX-License-Identifier: Apache-2.0 */
/* copy.h: the copy engine: one disk into one image, any formats. */
#ifndef V2V_CONVERT_COPY_H
#define V2V_CONVERT_COPY_H

#include "base/cancel.h"
#include "base/progress.h"
#include "convert/digest.h"
#include "formats/disk.h"
#include "formats/writer.h"

typedef struct {
	unsigned threads;      /* workers; 0: one per processor, at most 16 */
	uint64_t rate_limit;   /* bytes of guest data per second; 0: none */
	const Cancel *cancel;  /* borrowed, may be NULL */
	Progress *progress;    /* borrowed, may be NULL; the caller has begun the phase */
	DigestMap *digests;    /* borrowed, may be NULL: filled in the same pass */
	const GArray *changes; /* of Extent, ascending: copy only these, over what is there (a
				* delta); NULL: everything, into an empty image */
} CopyOptions;

typedef struct {
	uint64_t data_bytes; /* guest bytes written as data, in whole units of the writer */
	uint64_t zero_bytes; /* guest bytes in units that are zero, for whatever reason */
} CopyCounts;

/* Copies all of `from` (or its changes) into `to`; sizes must be equal, or `to` larger (the rest
 * reads as zeroes). Does not call finish. On failure `to` is junk. IO when the files that `from`
 * reads changed meanwhile. */
bool copy_disk(Disk *from, DiskWriter *to, const CopyOptions *options, CopyCounts *counts,
	       GError **error);

/* The changed extents of the top layer of `overlay` (DATA and ZERO, neighbours joined), for
 * CopyOptions.changes: an array of Extent, of which offset and length matter, owned by the caller;
 * NULL on error. */
GArray *copy_layer_changes(Disk *overlay, GError **error);

#endif
