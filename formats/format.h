/* SPDX-License-Identifier: Apache-2.0 */
/* format.h: a format driver is one const value, listed once in formats/registry.c. */
#ifndef V2V_FORMATS_FORMAT_H
#define V2V_FORMATS_FORMAT_H

#include "base/finding.h"
#include "formats/disk.h"
#include "formats/folder.h"
#include "formats/writer.h"

/* Probing sees at most so much of the head and of the tail. */
#define PROBE_LENGTH 4096u
/* Images in one chain, the top included. */
#define CHAIN_MAX_DEPTH 64u

typedef struct {
	Folder *folder;     /* borrowed; where companions are opened; NULL: nowhere, REFUSED */
	Findings *findings; /* borrowed; warnings about an accepted image go here; may be NULL */
	bool layer_only; /* do not open the backing image: the caller wants this layer's extents */
	unsigned depth;  /* of this image in its chain; the generic half counts */
} OpenOptions;

typedef struct {
	const char *name;     /* as typed: --from-format qcow2 */
	const char *title;    /* as listed: "QEMU copy-on-write v2/v3" */
	const char *suffixes; /* "qcow2 qcow": file names that mean this format when writing */

	/* 0 (no) to 100 (its magic, nothing else has that), from the first and last bytes (the same
	 * bytes for a short file). NULL: is never guessed (raw). */
	int (*probe)(const uint8_t *head, size_t head_length, const uint8_t *tail,
		     size_t tail_length);
	/* Takes references to `storage` as it needs. CORRUPT, UNSUPPORTED (feature bit), REFUSED
	 * (other file), IO. Does not open the backing image: sets disk->backing_name (and
	 * *backing_format, owned by the caller, may stay NULL) and leaves the rest to
	 * image_open(). Errors carry offset and field but not the file's name: image_open() adds
	 * it. */
	Disk *(*open)(Storage *storage, const OpenOptions *options, char **backing_format,
		      GError **error);
	/* NULL: cannot be written. `storage` is empty. */
	DiskWriter *(*create)(Storage *storage, const CreateOptions *options, GError **error);
} FormatDriver;

/* NULL-terminated, in the order to list. */
extern const FormatDriver *const format_drivers[];

/* NULL when there is no such format. */
const FormatDriver *format_find(const char *name);
/* The format whose suffix the file name has, among those that can be written; NULL if none. */
const FormatDriver *format_find_by_suffix(const char *path);

/* The best bidder for the contents. UNSUPPORTED when nobody knows them ("say --from-format raw"):
 * raw is never guessed. */
const FormatDriver *format_probe(Storage *storage, GError **error);

/* Opens an image and its whole backing chain, each layer from options->folder. `format` NULL:
 * probe. A raw that carries another format's magic is REFUSED unless `format` was given as raw. */
Disk *image_open(Storage *storage, const char *format, const OpenOptions *options, GError **error);
/* The same for a path; companions come from beneath its folder and from `allowed_roots`. */
Disk *image_open_path(const char *path, const char *format, const char *const *allowed_roots,
		      Findings *findings, GError **error);

#endif
