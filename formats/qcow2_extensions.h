/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_extensions.h: the optional sections behind the header of a qcow2 image; no I/O. */
#ifndef V2V_FORMATS_QCOW2_EXTENSIONS_H
#define V2V_FORMATS_QCOW2_EXTENSIONS_H

#include "base/error.h"

#include <stddef.h>

typedef struct {
	const uint8_t *bytes; /* borrowed from the parsed area, NULL: not there */
	uint32_t length;
} Qcow2Extension;

typedef struct { /* those whose contents matter for reading */
	Qcow2Extension backing_format, feature_names, data_file;
} Qcow2Extensions;

/* The area of `length` bytes that begins at `offset` of the file. CORRUPT for a section that goes
 * beyond the area, a type that comes twice, too many sections. */
bool qcow2_extensions_parse(const uint8_t *bytes, size_t length, uint64_t offset,
			    Qcow2Extensions *out, GError **error);

/* The name that the image itself gives an incompatible feature, safe to show; NULL if it gives
 * none. Owned by the caller. */
char *qcow2_feature_name(const Qcow2Extensions *extensions, unsigned bit);

#endif
