/* SPDX-License-Identifier: Apache-2.0 */
/* ovf.h: an OVF document (DMTF DSP0243 1.x and 2.0): what it refers to and which VMs it describes.
 */
#ifndef V2V_INVENTORY_OVF_H
#define V2V_INVENTORY_OVF_H

#include "inventory/vm.h"

#include "base/error.h"

typedef struct {
	char *id, *href;     /* owned */
	char *compression;   /* owned; NULL: none ("identity") */
	uint64_t size;       /* bytes as the document claims; 0: not said */
	uint64_t chunk_size; /* bytes; 0: one file */
} OvfFile;

typedef struct {
	char *id;          /* owned */
	char *file_id;     /* owned; NULL: an empty disk of `capacity` */
	char *parent_id;   /* owned; NULL: whole; else a delta over that disk */
	char *format;      /* owned; the URI as written; may be NULL */
	uint64_t capacity; /* bytes; 0: not said */
} OvfDisk;

typedef struct OvfDocument OvfDocument;

/* Everything about the document as such is checked here: references that lead nowhere, ids given
 * twice. Errors name line or element. Pure: reads `bytes` and nothing else. */
OvfDocument *ovf_parse(const char *bytes, size_t length, GError **error);
void ovf_document_free(OvfDocument *document);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OvfDocument, ovf_document_free)

guint ovf_file_count(const OvfDocument *document);
const OvfFile *ovf_file(const OvfDocument *document, guint index);
/* NULL when there is none of that id. */
const OvfFile *ovf_find_file(const OvfDocument *document, const char *id);
const OvfDisk *ovf_find_disk(const OvfDocument *document, const char *id);

/* The VMs in order, each by a name of its own: its name, or its id where names repeat. */
char **ovf_list(const OvfDocument *document);
/* `name` is one of the list or an id; NULL: the only one. USAGE when it is not clear which. */
Vm *ovf_describe(const OvfDocument *document, const char *name, GError **error);

/* The disk that `vm_disk_id` (VmDisk.id) was made from; NULL when it was made from a plain file,
 * then `*file` is that. */
const OvfDisk *ovf_disk_of(const OvfDocument *document, const char *vm_disk_id,
			   const OvfFile **file);

#endif
