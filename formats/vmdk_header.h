/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_header.h: header and footer of a sparse extent file; bytes in, checked numbers out. */
#ifndef V2V_FORMATS_VMDK_HEADER_H
#define V2V_FORMATS_VMDK_HEADER_H

#include "base/error.h"
#include "formats/vmdk_layout.h"

#define VMDK_GRAIN_MIN_SIZE 4096u
#define VMDK_GRAIN_MAX_SIZE (1024u * 1024u)
/* 64 TiB of 64 KiB grains; the grain directory is held in memory. */
#define VMDK_DIRECTORY_MAX_SIZE  (8u * 1024u * 1024u)
#define VMDK_DESCRIPTOR_MAX_SIZE (1024u * 1024u)

typedef struct {
	uint32_t version, flags;
	uint64_t capacity;                           /* guest bytes; > 0 */
	uint32_t grain_size;                         /* bytes */
	uint64_t descriptor_offset, descriptor_size; /* bytes; both 0: no descriptor inside */
	/* Not checked yet: when one directory lies outside the file the other may serve. */
	uint64_t gd_offset_sectors, rgd_offset_sectors;
	uint64_t overhead_sectors; /* no grain starts before */
	uint64_t directory_entries;
	bool compressed, redundant, zero_grains, unclean;
} VmdkHeader;

/* `header_offset` is where the bytes stand in a file of `file_size` bytes. */
bool vmdk_header_parse(const VmdkHeaderBytes *raw, uint64_t header_offset, uint64_t file_size,
		       VmdkHeader *out, GError **error);

/* The footer at the end of the file, for a header whose grain directory is VMDK_GD_AT_END: fills in
 * where the directory is. */
bool vmdk_footer_parse(const VmdkFooterBytes *raw, uint64_t file_size, VmdkHeader *header,
		       GError **error);

#endif
