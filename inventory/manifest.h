/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.h: the .mf of an OVF package: a digest per file (DSP0243, "Distribution"). */
#ifndef V2V_INVENTORY_MANIFEST_H
#define V2V_INVENTORY_MANIFEST_H

#include "base/cancel.h"
#include "formats/storage.h"

#define MANIFEST_MAX_BYTES  (8u * 1024u * 1024u)
#define MANIFEST_DIGEST_MAX 64u

typedef struct {               /* "SHA256(vm.ovf)= 0123…" */
	char *name;            /* owned */
	char *hex;             /* owned; digits only, of whatever length */
	const char *algorithm; /* borrowed, static: "SHA1", "SHA256", "SHA512" */
} ManifestLine;

void manifest_line_clear(ManifestLine *line);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ManifestLine, manifest_line_clear)
/* One line without its end. CORRUPT when it has another form, UNSUPPORTED for another algorithm. */
bool manifest_line_parse(const char *text, size_t length, ManifestLine *out, GError **error);

typedef struct {
	char *name;            /* owned */
	const char *algorithm; /* borrowed, static */
	uint8_t digest[MANIFEST_DIGEST_MAX];
	unsigned digest_length;
} ManifestEntry;

typedef struct Manifest Manifest;

/* Errors name the line. Names are judged as members are: REFUSED when one leads elsewhere. */
Manifest *manifest_parse(const char *bytes, size_t length, GError **error);
void manifest_free(Manifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Manifest, manifest_free)

guint manifest_count(const Manifest *manifest);
const ManifestEntry *manifest_entry(const Manifest *manifest, guint index);
bool manifest_lists(const Manifest *manifest, const char *name);

/* Reads all of `file`, in order; CORRUPT when its digest is another. */
bool manifest_entry_verify(const ManifestEntry *entry, Storage *file, const Cancel *cancel,
			   GError **error);

#endif
