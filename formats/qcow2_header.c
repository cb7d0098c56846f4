/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_header.c: the header of a qcow2 image: bytes in, checked numbers out. */
#include "formats/qcow2_header.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "formats/qcow2_extensions.h"
#include "formats/qcow2_layout.h"

#include <string.h>

#define FIELD(name) offsetof(Qcow2HeaderBytes, name)
#define HEX         "0x%" PRIx64

void qcow2_header_clear(Qcow2Header *header)
{
	g_clear_pointer(&header->backing_name, g_free);
	g_clear_pointer(&header->backing_format, g_free);
}

size_t qcow2_header_bytes_wanted(const uint8_t bytes[24], uint64_t file_size)
{
	const uint32_t bits = get_be32(bytes + FIELD(cluster_bits));
	const bool known = bits >= QCOW2_MIN_CLUSTER_BITS && bits <= QCOW2_MAX_CLUSTER_BITS;

	return (size_t)min_u64(known ? 1ull << bits : QCOW2_FULL_HEADER_LENGTH, file_size);
}

static bool parse_identity(const uint8_t *bytes, size_t length, Qcow2Header *out, GError **error)
{
	if (length < QCOW2_V2_HEADER_LENGTH)
		return fail(error, CORRUPT,
			    "offset 0x0: file of %zu bytes ends inside the header of %u", length,
			    QCOW2_V2_HEADER_LENGTH);
	if (get_be32(bytes) != QCOW2_MAGIC)
		return fail(error, CORRUPT, "offset 0x0: magic=0x%08" PRIx32 ": not \"QFI\\xfb\"",
			    get_be32(bytes));
	out->version = get_be32(bytes + FIELD(version));
	if (out->version != 2 && out->version != 3)
		return fail(error, UNSUPPORTED,
			    "offset 0x4: version=%u: unsupported; 2 and 3 can be read%s",
			    out->version, out->version == 1 ? ", qcow version 1 cannot" : "");
	out->cluster_bits = get_be32(bytes + FIELD(cluster_bits));
	if (out->cluster_bits < QCOW2_MIN_CLUSTER_BITS ||
	    out->cluster_bits > QCOW2_MAX_CLUSTER_BITS)
		return fail(error, CORRUPT, "offset 0x14: cluster_bits=%u: not within %u to %u",
			    out->cluster_bits, QCOW2_MIN_CLUSTER_BITS, QCOW2_MAX_CLUSTER_BITS);
	out->cluster_size = 1u << out->cluster_bits;
	return true;
}

/* What version 2 implies, or version 3 says. */
static bool parse_version3(const uint8_t *bytes, size_t length, Qcow2Header *out, GError **error)
{
	out->header_length = QCOW2_V2_HEADER_LENGTH;
	out->refcount_bits = 16;
	if (out->version == 2)
		return true;
	if (length < QCOW2_V3_HEADER_LENGTH)
		return fail(error, CORRUPT,
			    "offset 0x0: file of %zu bytes ends inside the header of %u", length,
			    QCOW2_V3_HEADER_LENGTH);
	out->header_length = get_be32(bytes + FIELD(header_length));
	if (out->header_length < QCOW2_V3_HEADER_LENGTH || out->header_length % 8 != 0 ||
	    out->header_length > out->cluster_size || out->header_length > length)
		return fail(
			error, CORRUPT,
			"offset 0x64: header_length=%u: not a multiple of 8 from %u to %" PRIu64,
			out->header_length, QCOW2_V3_HEADER_LENGTH,
			min_u64(out->cluster_size, length));
	const uint32_t refcount_order = get_be32(bytes + FIELD(refcount_order));
	if (refcount_order > 6)
		return fail(error, CORRUPT, "offset 0x60: refcount_order=%u: exceeds 6",
			    refcount_order);
	out->refcount_bits = 1u << refcount_order;
	return true;
}

static bool refuse_unknown_feature(uint64_t features, const Qcow2Extensions *extensions,
				   GError **error)
{
	const unsigned bit = (unsigned)__builtin_ctzll(features & ~QCOW2_INCOMPATIBLE_KNOWN);
	g_autofree char *name = qcow2_feature_name(extensions, bit);

	return fail(error, UNSUPPORTED,
		    "offset 0x48: incompatible_features=" HEX ": bit %u (%s): unsupported",
		    features, bit, name != NULL ? name : "unknown");
}

static bool refuse_data_file(uint64_t features, const Qcow2Extensions *extensions, GError **error)
{
	const Qcow2Extension *file = &extensions->data_file;
	g_autofree char *name =
		file->bytes != NULL ? text_for_display((const char *)file->bytes, file->length, 255)
				    : g_strdup("");

	return fail(error, UNSUPPORTED,
		    "offset 0x48: incompatible_features=" HEX
		    ": bit 2 (external data file \"%s\"): unsupported",
		    features, name);
}

static bool check_features(uint64_t features, const Qcow2Extensions *extensions, GError **error)
{
	if ((features & ~QCOW2_INCOMPATIBLE_KNOWN) != 0)
		return refuse_unknown_feature(features, extensions, error);
	if ((features & QCOW2_INCOMPATIBLE_CORRUPT) != 0)
		return fail(error, REFUSED,
			    "offset 0x48: incompatible_features=" HEX
			    ": bit 1 (corrupt): refused; repair a copy with qemu-img check -r all",
			    features);
	if ((features & QCOW2_INCOMPATIBLE_DATA_FILE) != 0)
		return refuse_data_file(features, extensions, error);
	if ((features & QCOW2_INCOMPATIBLE_EXTENDED_L2) != 0)
		return fail(error, UNSUPPORTED,
			    "offset 0x48: incompatible_features=" HEX
			    ": bit 4 (extended L2 entries): unsupported",
			    features);
	return true;
}

static bool parse_compression(const uint8_t *bytes, uint64_t features, Qcow2Header *out,
			      GError **error)
{
	const bool bit_set = (features & QCOW2_INCOMPATIBLE_COMPRESSION) != 0;
	const bool present = out->header_length > FIELD(compression_type);
	const unsigned type = present ? bytes[FIELD(compression_type)] : 0;

	if (bit_set != (type != 0))
		return fail(
			error, CORRUPT,
			"offset 0x68: compression_type=%u: contradicts incompatible feature bit "
			"3 (compression type), which is %s",
			type, bit_set ? "set" : "clear");
	if (type > QCOW2_ZSTD)
		return fail(error, UNSUPPORTED,
			    "offset 0x68: compression_type=%u: unsupported; 0 (zlib) and 1 (zstd) "
			    "can be read",
			    type);
	out->compression = type == QCOW2_ZSTD ? QCOW2_ZSTD : QCOW2_ZLIB;
	return true;
}

/* Version 3: what the image says about itself, named by its own table where it is unknown. */
static bool parse_features(const uint8_t *bytes, const Qcow2Extensions *extensions,
			   Qcow2Header *out, GError **error)
{
	if (out->version == 2)
		return true;
	const uint64_t features = get_be64(bytes + FIELD(incompatible_features));
	const uint64_t compatible = get_be64(bytes + FIELD(compatible_features));
	out->dirty = (features & QCOW2_INCOMPATIBLE_DIRTY) != 0;
	out->lazy_refcounts = (compatible & QCOW2_COMPATIBLE_LAZY) != 0;
	return check_features(features, extensions, error) &&
	       parse_compression(bytes, features, out, error);
}

static bool check_encryption(const uint8_t *bytes, GError **error)
{
	static const char *const names[] = {"none", "AES", "LUKS"};
	const uint32_t method = get_be32(bytes + FIELD(crypt_method));

	if (method == 0)
		return true;
	return fail(error, UNSUPPORTED,
		    "offset 0x20: crypt_method=%u (%s): encryption: unsupported", method,
		    method < G_N_ELEMENTS(names) ? names[method] : "unknown");
}

typedef struct { /* a table that the header points to */
	const char *name;
	uint64_t field_offset; /* of the pointer, inside the header */
	uint64_t offset, length;
} TableField;

/* Aligned, behind the header's cluster, inside the file. */
static bool check_table(const TableField *table, uint32_t cluster_size, uint64_t file_size,
			GError **error)
{
	const char *why = NULL;

	if (table->offset % cluster_size != 0)
		why = "not a multiple of the cluster size";
	else if (table->offset < cluster_size)
		why = "inside the header's cluster of size";
	if (why != NULL)
		return fail(error, CORRUPT, "offset " HEX ": %s offset=" HEX ": %s %u",
			    table->field_offset, table->name, table->offset, why, cluster_size);
	if (!range_is_inside(table->length, table->offset, file_size))
		return fail(error, CORRUPT,
			    "offset " HEX ": %s offset=" HEX ": its %" PRIu64
			    " bytes end past the end of the file at " HEX,
			    table->field_offset, table->name, table->offset, table->length,
			    file_size);
	return true;
}

static bool parse_l1(const uint8_t *bytes, uint64_t file_size, Qcow2Header *out, GError **error)
{
	const uint64_t span = qcow2_l2_span(out->cluster_bits);

	out->size = get_be64(bytes + FIELD(size));
	out->l1_entries = get_be32(bytes + FIELD(l1_size));
	out->l1_offset = get_be64(bytes + FIELD(l1_table_offset));
	if (out->l1_entries > QCOW2_MAX_L1_BYTES / 8)
		return fail(error, CORRUPT, "offset 0x24: l1_size=%u: exceeds %u entries",
			    out->l1_entries, QCOW2_MAX_L1_BYTES / 8);
	if (div_round_up(out->size, span) > QCOW2_MAX_L1_BYTES / 8)
		return fail(error, CORRUPT,
			    "offset 0x18: size=%" PRIu64 ": exceeds the %" PRIu64
			    " bytes that the largest L1 table maps with clusters of %u bytes",
			    out->size, span * (QCOW2_MAX_L1_BYTES / 8), out->cluster_size);
	if (div_round_up(out->size, span) > out->l1_entries)
		return fail(error, CORRUPT,
			    "offset 0x24: l1_size=%u: too small for size=%" PRIu64
			    ", which needs %" PRIu64 " entries",
			    out->l1_entries, out->size, div_round_up(out->size, span));
	if (out->l1_entries == 0) /* an empty disk has no table to look at */
		return true;
	const TableField table = {"L1 table", FIELD(l1_table_offset), out->l1_offset,
				  (uint64_t)out->l1_entries * 8};
	return check_table(&table, out->cluster_size, file_size, error);
}

static bool parse_refcount_table(const uint8_t *bytes, uint64_t file_size, Qcow2Header *out,
				 GError **error)
{
	const uint32_t clusters = get_be32(bytes + FIELD(refcount_table_clusters));

	out->refcount_table_offset = get_be64(bytes + FIELD(refcount_table_offset));
	if (clusters == 0 || clusters > QCOW2_MAX_RT_BYTES >> out->cluster_bits)
		return fail(error, CORRUPT,
			    "offset 0x38: refcount_table_clusters=%u: not within 1 to %u", clusters,
			    QCOW2_MAX_RT_BYTES >> out->cluster_bits);
	out->refcount_table_size = (uint64_t)clusters << out->cluster_bits;
	const TableField table = {"refcount table", FIELD(refcount_table_offset),
				  out->refcount_table_offset, out->refcount_table_size};
	return check_table(&table, out->cluster_size, file_size, error);
}

static bool parse_snapshots(const uint8_t *bytes, Qcow2Header *out, GError **error)
{
	out->snapshots = get_be32(bytes + FIELD(nb_snapshots));
	if (out->snapshots > QCOW2_MAX_SNAPSHOTS)
		return fail(error, CORRUPT, "offset 0x3c: nb_snapshots=%u: exceeds %u",
			    out->snapshots, QCOW2_MAX_SNAPSHOTS);
	return true;
}

typedef struct {
	size_t offset; /* where the extensions end, too: with the cluster when there is no name */
	uint32_t length;
} NameField;

static bool parse_backing_name(const uint8_t *bytes, size_t length, uint32_t header_length,
			       NameField *out, GError **error)
{
	const uint64_t offset = get_be64(bytes + FIELD(backing_file_offset));
	const uint32_t name_length = get_be32(bytes + FIELD(backing_file_size));

	*out = (NameField){length, 0};
	if (offset == 0)
		return true;
	if (offset < header_length || offset > length)
		return fail(error, CORRUPT,
			    "offset 0x8: backing_file_offset=" HEX
			    ": not between the header and the end of its cluster at 0x%zx",
			    offset, length);
	if (name_length > QCOW2_MAX_NAME_LENGTH || name_length > length - offset)
		return fail(error, CORRUPT, "offset 0x10: backing_file_size=%u: exceeds %" PRIu64,
			    name_length, min_u64(QCOW2_MAX_NAME_LENGTH, length - offset));
	if (memchr(bytes + offset, 0, name_length) != NULL)
		return fail(error, CORRUPT,
			    "offset " HEX ": backing file name: holds a NUL byte: refused", offset);
	*out = (NameField){(size_t)offset, name_length};
	return true;
}

static bool parse_backing_format(const Qcow2Extension *format, Qcow2Header *out, GError **error)
{
	if (format->bytes == NULL || out->backing_name == NULL)
		return true;
	if (format->length > 15 || memchr(format->bytes, 0, format->length) != NULL) {
		g_autofree char *shown =
			text_for_display((const char *)format->bytes, format->length, 64);
		return fail(error, CORRUPT, "backing format \"%s\": not a format's name", shown);
	}
	out->backing_format = g_strndup((const char *)format->bytes, format->length);
	return true;
}

bool qcow2_header_parse(const uint8_t *bytes, size_t length, uint64_t file_size, Qcow2Header *out,
			GError **error)
{
	g_auto(Qcow2Header) header = {0};
	Qcow2Extensions extensions;
	NameField name;

	if (!parse_identity(bytes, length, &header, error))
		return false;
	length = (size_t)min_u64(length, header.cluster_size);
	if (!parse_version3(bytes, length, &header, error) ||
	    !parse_backing_name(bytes, length, header.header_length, &name, error) ||
	    !qcow2_extensions_parse(bytes + header.header_length,
				    name.offset - header.header_length, header.header_length,
				    &extensions, error) ||
	    !parse_features(bytes, &extensions, &header, error) ||
	    !check_encryption(bytes, error) || !parse_l1(bytes, file_size, &header, error) ||
	    !parse_refcount_table(bytes, file_size, &header, error) ||
	    !parse_snapshots(bytes, &header, error))
		return false;
	if (name.length > 0)
		header.backing_name = g_strndup((const char *)bytes + name.offset, name.length);
	if (!parse_backing_format(&extensions.backing_format, &header, error))
		return false;
	*out = header;
	memset(&header, 0, sizeof(header)); /* handed over */
	return true;
}
