/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_disk.h: an open qcow2 image, for qcow2.c and qcow2_read.c. */
#ifndef V2V_FORMATS_QCOW2_DISK_H
#define V2V_FORMATS_QCOW2_DISK_H

#include "formats/disk.h"
#include "formats/qcow2_header.h"
#include "formats/qcow2_metadata.h"
#include "formats/table_cache.h"

typedef struct { /* immutable after open, but for the cache */
	Disk base;
	Storage *storage; /* a reference */
	Qcow2Header header;
	uint64_t *l1;            /* owned; header.l1_entries offsets of L2 tables, 0: none */
	Qcow2Metadata *metadata; /* owned */
	TableCache *tables;      /* owned; L2 tables as they stand in the file, checked */
	uint64_t table_span;     /* guest bytes that one L2 table maps */
} Qcow2Disk;

bool qcow2_read_at(Disk *disk, void *buf, size_t length, uint64_t offset, GError **error);
bool qcow2_extent_at(Disk *disk, uint64_t offset, Extent *out, GError **error);
/* A TableLoad: reads the L2 table of an L1 entry and checks every entry of it. */
bool qcow2_load_table(void *owner, uint64_t index, void *buf, GError **error);

#endif
