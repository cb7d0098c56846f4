/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_layout.h: qcow2 on disk, versions 2 and 3; all big-endian.
 * https://www.qemu.org/docs/master/interop/qcow2.html */
#ifndef V2V_FORMATS_QCOW2_LAYOUT_H
#define V2V_FORMATS_QCOW2_LAYOUT_H

#include <assert.h>
#include <stdint.h>

#define QCOW2_MAGIC 0x514649fbu /* "QFI\xfb" */

#define QCOW2_V2_HEADER_LENGTH 72u
#define QCOW2_V3_HEADER_LENGTH 104u
/* With the compression type and its padding. */
#define QCOW2_FULL_HEADER_LENGTH 112u

typedef struct {
	uint8_t magic[4], version[4];
	uint8_t backing_file_offset[8], backing_file_size[4];
	uint8_t cluster_bits[4], size[8];
	uint8_t crypt_method[4];
	uint8_t l1_size[4], l1_table_offset[8];
	uint8_t refcount_table_offset[8], refcount_table_clusters[4];
	uint8_t nb_snapshots[4], snapshots_offset[8];
	/* From here on version 3 only. */
	uint8_t incompatible_features[8], compatible_features[8], autoclear_features[8];
	uint8_t refcount_order[4], header_length[4];
	uint8_t compression_type[1], padding[7]; /* there when header_length says so */
} Qcow2HeaderBytes;
static_assert(sizeof(Qcow2HeaderBytes) == QCOW2_FULL_HEADER_LENGTH, "byte arrays only: no padding");

#define QCOW2_MIN_CLUSTER_BITS 9u
#define QCOW2_MAX_CLUSTER_BITS 21u
#define QCOW2_MAX_L1_BYTES     (32u * 1024u * 1024u)
#define QCOW2_MAX_RT_BYTES     (8u * 1024u * 1024u)
#define QCOW2_MAX_NAME_LENGTH  1023u
#define QCOW2_MAX_SNAPSHOTS    65536u
#define QCOW2_MAX_EXTENSIONS   1024u

#define QCOW2_INCOMPATIBLE_DIRTY       (1ull << 0)
#define QCOW2_INCOMPATIBLE_CORRUPT     (1ull << 1)
#define QCOW2_INCOMPATIBLE_DATA_FILE   (1ull << 2)
#define QCOW2_INCOMPATIBLE_COMPRESSION (1ull << 3)
#define QCOW2_INCOMPATIBLE_EXTENDED_L2 (1ull << 4)
#define QCOW2_INCOMPATIBLE_KNOWN       0x1full
#define QCOW2_COMPATIBLE_LAZY          (1ull << 0)

#define QCOW2_COMPRESSION_BIT 3 /* the number of QCOW2_INCOMPATIBLE_COMPRESSION */

#define QCOW2_EXTENSION_END            0u
#define QCOW2_EXTENSION_BACKING_FORMAT 0xe2792acau
#define QCOW2_EXTENSION_FEATURE_NAMES  0x6803f857u
#define QCOW2_EXTENSION_BITMAPS        0x23852875u
#define QCOW2_EXTENSION_ENCRYPTION     0x0537be77u
#define QCOW2_EXTENSION_DATA_FILE      0x44415441u

typedef struct {
	uint8_t type[4], length[4]; /* then the contents, padded to a multiple of 8 */
} Qcow2ExtensionBytes;

typedef struct {
	uint8_t kind; /* 0: incompatible, 1: compatible, 2: autoclear */
	uint8_t bit;
	uint8_t name[46];
} Qcow2FeatureNameBytes;
static_assert(sizeof(Qcow2FeatureNameBytes) == 48, "byte arrays only: no padding");

/* Entries of the L1 table, of L2 tables and of the refcount table: 64 bits. */
#define QCOW2_ENTRY_COPIED     (1ull << 63) /* the refcount is exactly one */
#define QCOW2_ENTRY_COMPRESSED (1ull << 62) /* L2 only */
#define QCOW2_ENTRY_ZERO       (1ull << 0)  /* L2 only, version 3 */
#define QCOW2_ENTRY_OFFSET     0x00fffffffffffe00ull
#define QCOW2_L1_RESERVED      0x7f000000000001ffull
#define QCOW2_L2_RESERVED      0x3f000000000001feull /* of standard clusters */

#endif
