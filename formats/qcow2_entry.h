/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_entry.h: what one entry of an L2 table says; no I/O. */
#ifndef V2V_FORMATS_QCOW2_ENTRY_H
#define V2V_FORMATS_QCOW2_ENTRY_H

#include "formats/qcow2_layout.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum {
	QCOW2_CLUSTER_UNALLOCATED,
	QCOW2_CLUSTER_ZERO, /* file_offset is what was allocated for it, or 0 */
	QCOW2_CLUSTER_PLAIN,
	QCOW2_CLUSTER_COMPRESSED,
} Qcow2ClusterKind;

typedef struct {
	Qcow2ClusterKind kind;
	uint64_t file_offset;
	uint32_t
		length; /* bytes in the file; of a compressed one at most, to the end of a sector */
} Qcow2Cluster;

/* Any value gives a cluster; qcow2_entry_problem() says whether it may be believed. */
Qcow2Cluster qcow2_entry_decode(uint64_t entry, unsigned cluster_bits);

/* What is wrong with the entry whatever the file is, NULL if nothing. */
const char *qcow2_entry_problem(uint64_t entry, unsigned cluster_bits, unsigned version);

/* The entry of a compressed cluster: bounds are the caller's to keep. */
uint64_t qcow2_entry_of_compressed(uint64_t file_offset, uint32_t length, unsigned cluster_bits);

/* Compressed clusters must begin below this offset of the file. */
uint64_t qcow2_compressed_offset_limit(unsigned cluster_bits);

#endif
