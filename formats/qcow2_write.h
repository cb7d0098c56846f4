/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_write.h: a qcow2 image being written, for qcow2.c, qcow2_write.c and qcow2_finish.c. */
#ifndef V2V_FORMATS_QCOW2_WRITE_H
#define V2V_FORMATS_QCOW2_WRITE_H

#include "formats/format.h"
#include "formats/qcow2_codec.h"

/*
 * Guest data is only ever appended; where it stands is kept in memory, 8 bytes for each guest
 * cluster that was ever touched. Tables, reference counts and at last the header are computed from
 * that map in finish(): a file that was not finished has no header and is no image.
 */
typedef struct {
	DiskWriter base;
	unsigned cluster_bits;
	uint32_t cluster_size;
	Qcow2Compressors *compressors; /* owned; NULL: plain clusters only */
	Qcow2Compression compression;
	char *backing_name, *backing_format; /* owned; NULL: none, not said */

	uint64_t **l2; /* owned; l1_entries tables of L2 entries, NULL: all unallocated */
	uint32_t l1_entries;
	uint64_t next_offset; /* of the file, where the next plain cluster goes */
	/* Compressed clusters go end to end into [byte_offset, byte_end), which ends with a
	 * cluster. */
	uint64_t byte_offset, byte_end;
} Qcow2Writer;

DiskWriter *qcow2_create(Storage *storage, const CreateOptions *options, GError **error);
bool qcow2_finish(DiskWriter *writer, GError **error);

/* The first cluster of the image, for a table at l1_offset and so on: owned by the caller. USAGE
 * when the name of the backing image does not fit. */
typedef struct {
	uint64_t l1_offset;
	uint64_t refcount_table_offset, refcount_table_clusters;
} Qcow2Layout;

uint8_t *qcow2_header_format(const Qcow2Writer *qcow2, const Qcow2Layout *layout, GError **error);

#endif
