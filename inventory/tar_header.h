/* SPDX-License-Identifier: Apache-2.0 */
/* tar_header.h: one block of a tar archive: bytes in, checked values out. Layout: POSIX.1-2017
 * pax(1), "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar". */
#ifndef V2V_INVENTORY_TAR_HEADER_H
#define V2V_INVENTORY_TAR_HEADER_H

#include "base/error.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define TAR_BLOCK_SIZE 512u

typedef struct {
	uint8_t name[100], mode[8], uid[8], gid[8];
	uint8_t size[12], mtime[12], checksum[8];
	uint8_t type, link_name[100];
	uint8_t magic[6], version[2];
	uint8_t user[32], group[32], device_major[8], device_minor[8];
	uint8_t prefix[155], rest[12];
} TarHeaderBytes;
static_assert(sizeof(TarHeaderBytes) == TAR_BLOCK_SIZE, "byte arrays only: no padding");

typedef enum {
	TAR_REGULAR,
	TAR_FOLDER,     /* carries nothing: passed over */
	TAR_LONG_NAME,  /* GNU: the contents are the name of the next member */
	TAR_PAX,        /* records about the next member */
	TAR_PAX_GLOBAL, /* records about all that follow */
} TarType;

typedef struct {
	char name[257]; /* prefix, '/', name; may be empty */
	uint64_t size;  /* bytes of contents */
	TarType type;
} TarHeader;

/* Checks the checksum first. CORRUPT, or REFUSED for what is no regular file (links, devices,
 * sparse files). The texts name the field's offset inside the block. */
bool tar_header_parse(const TarHeaderBytes *raw, TarHeader *out, GError **error);

typedef struct {    /* what pax records say about a member */
	char *path; /* owned; NULL: nothing */
	bool has_size;
	uint64_t size;
} TarOverrides;

/* Adds to `overrides`. `global` records may not name a path or a size. */
bool tar_pax_parse(const char *records, size_t length, bool global, TarOverrides *overrides,
		   GError **error);

#endif
