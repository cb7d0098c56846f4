/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_descriptor.h: the text that says what a VMDK consists of; a parser without I/O. */
#ifndef V2V_FORMATS_VMDK_DESCRIPTOR_H
#define V2V_FORMATS_VMDK_DESCRIPTOR_H

#include "base/error.h"

#include <stddef.h>

#define VMDK_EXTENTS_MAX     4096u
#define VMDK_EXTENT_NAME_MAX 510u /* bytes */
#define VMDK_NO_PARENT       0xffffffffu

typedef enum {
	VMDK_EXTENT_FLAT,   /* plain bytes in a file */
	VMDK_EXTENT_SPARSE, /* a hosted sparse extent file */
	VMDK_EXTENT_ZERO,   /* no file: reads as zeroes */
} VmdkExtentType;

typedef struct {
	VmdkExtentType type;
	uint64_t size;        /* guest bytes; > 0 */
	uint64_t file_offset; /* FLAT: bytes */
	char *name;           /* owned; bytes as written, NULL for ZERO */
	unsigned line;        /* from 1, for messages */
} VmdkExtentLine;

typedef struct {
	char *create_type; /* owned */
	uint32_t cid;      /* changes with the contents */
	uint32_t parent_cid;
	char *parent_name;  /* owned; NULL when parent_cid is VMDK_NO_PARENT */
	char *encoding;     /* owned; of file names; may be NULL */
	char *adapter_type; /* owned; "lsilogic"; may be NULL */
	GPtrArray *extents; /* owned, of VmdkExtentLine, in the order of the disk; not empty */
	uint64_t size;      /* guest bytes, all extents; fits in 63 bits */
} VmdkDescriptor;

/* `text` may hold anything; it ends at the first zero byte. CORRUPT, or UNSUPPORTED for a kind
 * of disk that we do not read, with what to do instead. Offsets in messages are of the text. */
VmdkDescriptor *vmdk_descriptor_parse(const char *text, size_t length, GError **error);
void vmdk_descriptor_free(VmdkDescriptor *descriptor); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmdkDescriptor, vmdk_descriptor_free)

static inline const VmdkExtentLine *vmdk_descriptor_extent(const VmdkDescriptor *descriptor,
							   guint index)
{
	return g_ptr_array_index(descriptor->extents, index);
}

/* How much these first bytes look like a descriptor: 0 to 100. */
int vmdk_descriptor_probe(const char *text, size_t length);

#endif
