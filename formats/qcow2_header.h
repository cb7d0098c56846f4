/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_header.h: the header of a qcow2 image and its extensions, checked; no I/O. */
#ifndef V2V_FORMATS_QCOW2_HEADER_H
#define V2V_FORMATS_QCOW2_HEADER_H

#include "base/error.h"

#include <stddef.h>

typedef enum { QCOW2_ZLIB = 0, QCOW2_ZSTD = 1 } Qcow2Compression;

typedef struct {
	unsigned version; /* 2 or 3 */
	unsigned cluster_bits;
	uint32_t cluster_size; /* bytes, 1 << cluster_bits */
	uint64_t size;         /* bytes */
	uint32_t l1_entries;
	uint64_t l1_offset;
	uint64_t refcount_table_offset;
	uint64_t refcount_table_size; /* bytes, of whole clusters */
	uint32_t snapshots;
	uint32_t header_length;
	unsigned refcount_bits;
	bool dirty, lazy_refcounts;
	Qcow2Compression compression;
	char *backing_name;   /* owned, NULL if none */
	char *backing_format; /* owned, NULL if not said */
} Qcow2Header;

void qcow2_header_clear(Qcow2Header *header);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Qcow2Header, qcow2_header_clear)

/*
 * `bytes` are the first of a file of file_size bytes: all of its first cluster, as far as the file
 * goes (qcow2_header_bytes_wanted() says how many). Offsets, sizes and counts in *out lie inside
 * the file and the format's limits. UNSUPPORTED for features we do not read, REFUSED for an image
 * marked corrupt, CORRUPT for the rest.
 */
bool qcow2_header_parse(const uint8_t *bytes, size_t length, uint64_t file_size, Qcow2Header *out,
			GError **error);

/* How many bytes qcow2_header_parse() wants, from the first 24 of the file; never more than 2 MiB.
 */
size_t qcow2_header_bytes_wanted(const uint8_t bytes[24], uint64_t file_size);

/* Guest bytes that one L2 table maps. */
static inline uint64_t qcow2_l2_span(unsigned cluster_bits)
{
	return 1ull << (2 * cluster_bits - 3);
}

#endif
