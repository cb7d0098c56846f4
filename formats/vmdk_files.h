/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_files.h: the files of a VMDK: which kind one is, its descriptor, the extents it names. */
#ifndef V2V_FORMATS_VMDK_FILES_H
#define V2V_FORMATS_VMDK_FILES_H

#include "formats/folder.h"
#include "formats/vmdk_descriptor.h"
#include "formats/vmdk_header.h"

typedef enum {
	VMDK_KIND_NONE,     /* none of the others; a descriptor, if anything */
	VMDK_KIND_SPARSE,   /* "KDMV" */
	VMDK_KIND_COWD,     /* vmfsSparse */
	VMDK_KIND_SESPARSE, /* seSparse, space efficient */
	VMDK_KIND_UTF16,    /* a descriptor in UTF-16 with a byte order mark */
} VmdkKind;

VmdkKind vmdk_kind_of(const uint8_t *head, size_t length);

/* A file that is a descriptor and nothing else. */
VmdkDescriptor *vmdk_read_descriptor(Storage *storage, GError **error);

/* The descriptor inside a sparse extent; it may name no other file, so it has one SPARSE extent. */
VmdkDescriptor *vmdk_read_embedded_descriptor(Storage *storage, const VmdkHeader *header,
					      GError **error);

/* Opens extent files; a plain file that several extents lie in is opened once. */
typedef struct VmdkFiles VmdkFiles;

/* All borrowed; `folder` and `encoding` may be NULL. */
VmdkFiles *vmdk_files_new(Folder *folder, Storage *descriptor, const char *encoding);
void vmdk_files_free(VmdkFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmdkFiles, vmdk_files_free)

/* A reference for the caller. Never the descriptor itself; no sparse file twice. */
Storage *vmdk_files_open(VmdkFiles *files, const VmdkExtentLine *line, GError **error);

#endif
