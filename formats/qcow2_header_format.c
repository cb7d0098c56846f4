/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_header_format.c: the first cluster of a qcow2 image that is written. */
#include "base/bytes.h"
#include "base/checked.h"
#include "formats/qcow2_layout.h"
#include "formats/qcow2_write.h"

#include <string.h>

typedef struct { /* a cluster that is filled from its beginning */
	uint8_t *bytes;
	size_t used, size;
} HeaderArea;

/* The area reserved; NULL when it does not fit. */
static uint8_t *area_take(HeaderArea *area, size_t length)
{
	uint8_t *place = area->bytes + area->used;

	if (length > area->size - area->used)
		return NULL;
	area->used += length;
	return place;
}

static bool put_extension(HeaderArea *area, uint32_t type, const void *contents, size_t length)
{
	uint8_t *place = area_take(area, sizeof(Qcow2ExtensionBytes) + (size_t)round_up(length, 8));

	if (place == NULL)
		return false;
	put_be32(place, type);
	put_be32(place + 4, (uint32_t)length);
	if (length > 0)
		memcpy(place + sizeof(Qcow2ExtensionBytes), contents, length);
	return true;
}

static bool put_extensions(HeaderArea *area, const Qcow2Writer *qcow2)
{
	/* For readers that do not know the only feature that they must know. */
	static const Qcow2FeatureNameBytes compression = {0, QCOW2_COMPRESSION_BIT,
							  "compression type"};

	if (qcow2->backing_format != NULL &&
	    !put_extension(area, QCOW2_EXTENSION_BACKING_FORMAT, qcow2->backing_format,
			   strlen(qcow2->backing_format)))
		return false;
	if (qcow2->compression == QCOW2_ZSTD &&
	    !put_extension(area, QCOW2_EXTENSION_FEATURE_NAMES, &compression, sizeof(compression)))
		return false;
	return put_extension(area, QCOW2_EXTENSION_END, NULL, 0);
}

static void put_version2(Qcow2HeaderBytes *raw, const Qcow2Writer *qcow2, const Qcow2Layout *layout)
{
	put_be32(raw->magic, QCOW2_MAGIC);
	put_be32(raw->version, 3);
	put_be32(raw->cluster_bits, qcow2->cluster_bits);
	put_be64(raw->size, qcow2->base.size);
	put_be32(raw->l1_size, qcow2->l1_entries);
	put_be64(raw->l1_table_offset, layout->l1_offset);
	put_be64(raw->refcount_table_offset, layout->refcount_table_offset);
	put_be32(raw->refcount_table_clusters, (uint32_t)layout->refcount_table_clusters);
}

/* Older readers know no compression type: it is there only when it says something. */
static uint32_t put_version3(Qcow2HeaderBytes *raw, const Qcow2Writer *qcow2)
{
	const bool zstd = qcow2->compression == QCOW2_ZSTD;
	const uint32_t length = zstd ? QCOW2_FULL_HEADER_LENGTH : QCOW2_V3_HEADER_LENGTH;

	put_be64(raw->incompatible_features, zstd ? QCOW2_INCOMPATIBLE_COMPRESSION : 0);
	put_be32(raw->refcount_order, 4);
	put_be32(raw->header_length, length);
	raw->compression_type[0] = (uint8_t)qcow2->compression;
	return length;
}

uint8_t *qcow2_header_format(const Qcow2Writer *qcow2, const Qcow2Layout *layout, GError **error)
{
	g_autofree uint8_t *bytes = g_malloc0(qcow2->cluster_size);
	HeaderArea area = {bytes, 0, qcow2->cluster_size};
	Qcow2HeaderBytes raw = {0};
	const size_t name_length = qcow2->backing_name != NULL ? strlen(qcow2->backing_name) : 0;

	put_version2(&raw, qcow2, layout);
	area.used = put_version3(&raw, qcow2);
	uint8_t *name = put_extensions(&area, qcow2) ? area_take(&area, name_length) : NULL;
	if (name == NULL || name_length > QCOW2_MAX_NAME_LENGTH)
		return fail_null(error, USAGE,
				 "name of the backing image of %zu bytes: does not fit in the "
				 "first cluster of %u bytes, or exceeds %u",
				 name_length, qcow2->cluster_size, QCOW2_MAX_NAME_LENGTH);
	if (name_length > 0) {
		memcpy(name, qcow2->backing_name, name_length);
		put_be64(raw.backing_file_offset, (uint64_t)(name - bytes));
		put_be32(raw.backing_file_size, (uint32_t)name_length);
	}
	memcpy(bytes, &raw, get_be32(raw.header_length));
	return g_steal_pointer(&bytes);
}
