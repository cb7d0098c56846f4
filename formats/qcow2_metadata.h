/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_metadata.h: which clusters of the file hold tables, so that none passes as guest data. */
#ifndef V2V_FORMATS_QCOW2_METADATA_H
#define V2V_FORMATS_QCOW2_METADATA_H

#include "base/error.h"

typedef enum {
	QCOW2_HOLDS_HEADER,
	QCOW2_HOLDS_L1,
	QCOW2_HOLDS_L2,
	QCOW2_HOLDS_REFCOUNT_TABLE,
	QCOW2_HOLDS_REFCOUNT_BLOCK,
} Qcow2Holds;

typedef struct Qcow2Metadata Qcow2Metadata; /* immutable, once sealed */

typedef struct { /* offsets of the file: no metadata in [from, to) */
	uint64_t from, to;
} Qcow2Gap;

Qcow2Metadata *qcow2_metadata_new(unsigned cluster_bits);
void qcow2_metadata_free(Qcow2Metadata *metadata);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Qcow2Metadata, qcow2_metadata_free)

/* All clusters that [offset, offset + length) touches; offset is a multiple of the cluster size. */
void qcow2_metadata_add(Qcow2Metadata *metadata, Qcow2Holds what, uint64_t length, uint64_t offset);
/* Nothing is added afterwards. CORRUPT when two tables share a cluster. */
bool qcow2_metadata_seal(Qcow2Metadata *metadata, GError **error);

/* What the cluster at `offset` holds ("L1 table"), or NULL: no metadata, and *gap says how far that
 * is true. *gap is tried first: ascending offsets cost nothing. Begin with {0, 0}. */
const char *qcow2_metadata_at(const Qcow2Metadata *metadata, uint64_t offset, Qcow2Gap *gap);

#endif
