/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_layout.h: hosted sparse extents ("Virtual Disk Format 5.0", VMware 2011); little-endian.
 * https://www.vmware.com/app/vmdk/?src=vmdk */
#ifndef V2V_FORMATS_VMDK_LAYOUT_H
#define V2V_FORMATS_VMDK_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define VMDK_SECTOR_SIZE 512u

#define VMDK_MAGIC     "KDMV"
#define COWD_MAGIC     "COWD"                     /* vmfsSparse, of ESXi snapshots */
#define SESPARSE_MAGIC "\xbe\xba\xfe\xca\0\0\0\0" /* seSparse, of ESXi snapshots */

#define VMDK_FLAG_NEWLINES     0x1u /* the newline bytes are filled in */
#define VMDK_FLAG_REDUNDANT    0x2u /* there is a redundant grain directory */
#define VMDK_FLAG_ZERO_GRAINS  0x4u /* a grain table entry of 1 means zeroes */
#define VMDK_FLAG_COMPRESSED   0x10000u
#define VMDK_FLAG_MARKERS      0x20000u
#define VMDK_COMPRESSION_ZLIB  1u /* "deflate" there, but with zlib's head and tail */
#define VMDK_NEWLINES          "\n \r\n"
#define VMDK_GD_AT_END         UINT64_MAX /* the grain directory's place stands in the footer */
#define VMDK_TABLE_ENTRIES     512u       /* grains of one grain table */
#define VMDK_TABLE_SIZE        (VMDK_TABLE_ENTRIES * 4u)
#define VMDK_GTE_UNALLOCATED   0u
#define VMDK_GTE_ZERO          1u /* with VMDK_FLAG_ZERO_GRAINS */
#define VMDK_MARKER_EOS        0u
#define VMDK_MARKER_FOOTER     3u
#define VMDK_GRAIN_MARKER_SIZE 12u

/* At the start of an extent file, and in the footer of one that was written in one go. Sizes and
 * offsets are in sectors. */
typedef struct {
	uint8_t magic[4], version[4], flags[4];
	uint8_t capacity[8], grain_size[8];
	uint8_t descriptor_offset[8], descriptor_size[8]; /* 0: none inside */
	uint8_t table_entries[4];                         /* of one grain table */
	uint8_t rgd_offset[8], gd_offset[8];              /* redundant, primary */
	uint8_t overhead[8];                              /* before the first grain */
	uint8_t unclean_shutdown[1];
	uint8_t newlines[4];
	uint8_t compression[2];
	uint8_t rest[433];
} VmdkHeaderBytes;
static_assert(sizeof(VmdkHeaderBytes) == VMDK_SECTOR_SIZE, "byte arrays only: no padding");

/* Before a footer, grain table, grain directory, and at the end: a sector of its own. */
typedef struct {
	uint8_t sectors[8]; /* that follow */
	uint8_t size[4];    /* 0: not a grain */
	uint8_t type[4];
	uint8_t rest[496];
} VmdkMarkerBytes;
static_assert(sizeof(VmdkMarkerBytes) == VMDK_SECTOR_SIZE, "byte arrays only: no padding");

/* The last three sectors of a file whose header says VMDK_GD_AT_END. */
typedef struct {
	VmdkMarkerBytes footer_marker;
	VmdkHeaderBytes footer;
	VmdkMarkerBytes end_marker;
} VmdkFooterBytes;

/* Before the zlib stream of a grain. */
typedef struct {
	uint8_t sector[8]; /* of the guest */
	uint8_t size[4];   /* bytes of the stream */
} VmdkGrainMarkerBytes;
static_assert(sizeof(VmdkGrainMarkerBytes) == VMDK_GRAIN_MARKER_SIZE, "no padding");

#endif
