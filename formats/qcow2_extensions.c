/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_extensions.c: the optional sections behind the header of a qcow2 image. */
#include "formats/qcow2_extensions.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "formats/qcow2_layout.h"

#include <string.h>

static bool extension_take(uint32_t type, Qcow2Extension found, uint64_t offset,
			   Qcow2Extensions *out, GError **error)
{
	Qcow2Extension *slot = NULL;

	switch (type) {
	case QCOW2_EXTENSION_BACKING_FORMAT:
		slot = &out->backing_format;
		break;
	case QCOW2_EXTENSION_FEATURE_NAMES:
		slot = &out->feature_names;
		break;
	case QCOW2_EXTENSION_DATA_FILE:
		slot = &out->data_file;
		break;
	default: /* bitmaps, encryption, unknown: nothing to read in them here */
		return true;
	}
	if (slot->bytes != NULL)
		return fail(error, CORRUPT,
			    "offset 0x%" PRIx64 ": header extension type=0x%08" PRIx32
			    ": comes twice",
			    offset, type);
	*slot = found;
	return true;
}

bool qcow2_extensions_parse(const uint8_t *bytes, size_t length, uint64_t offset,
			    Qcow2Extensions *out, GError **error)
{
	size_t at = 0;

	memset(out, 0, sizeof(*out));
	for (unsigned count = 0; length - at >= sizeof(Qcow2ExtensionBytes); count++) {
		const uint32_t type = get_be32(bytes + at);
		const uint32_t size = get_be32(bytes + at + 4);
		const size_t room = length - at - sizeof(Qcow2ExtensionBytes);

		if (type == QCOW2_EXTENSION_END)
			return true;
		if (count == QCOW2_MAX_EXTENSIONS)
			return fail(error, CORRUPT,
				    "offset 0x%" PRIx64 ": more than %u header extensions",
				    offset + at, QCOW2_MAX_EXTENSIONS);
		if (size > room)
			return fail(error, CORRUPT,
				    "offset 0x%" PRIx64 ": length=%" PRIu32
				    " of header extension 0x%08" PRIx32
				    ": exceeds the %zu bytes left for extensions",
				    offset + at + 4, size, type, room);
		if (!extension_take(
			    type, (Qcow2Extension){bytes + at + sizeof(Qcow2ExtensionBytes), size},
			    offset + at, out, error))
			return false;
		at += sizeof(Qcow2ExtensionBytes) + (size_t)min_u64(round_up(size, 8), room);
	}
	return true;
}

char *qcow2_feature_name(const Qcow2Extensions *extensions, unsigned bit)
{
	const Qcow2Extension *table = &extensions->feature_names;

	for (uint32_t at = 0; table->length - at >= sizeof(Qcow2FeatureNameBytes);
	     at += (uint32_t)sizeof(Qcow2FeatureNameBytes)) {
		const uint8_t *entry = table->bytes + at;
		const char *name = (const char *)entry + offsetof(Qcow2FeatureNameBytes, name);

		if (entry[0] == 0 && entry[1] == bit)
			return text_for_display(
				name,
				strnlen(name, sizeof(Qcow2FeatureNameBytes) -
						      offsetof(Qcow2FeatureNameBytes, name)),
				64);
	}
	return NULL;
}
