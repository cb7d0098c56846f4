/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_header.c: what the header of a sparse extent may say. */
#include "formats/vmdk_header.h"

#include "base/bytes.h"
#include "base/checked.h"

#include <stddef.h>
#include <string.h>

#define KNOWN_FLAGS                                                                                \
	(VMDK_FLAG_NEWLINES | VMDK_FLAG_REDUNDANT | VMDK_FLAG_ZERO_GRAINS | VMDK_FLAG_COMPRESSED | \
	 VMDK_FLAG_MARKERS)

/* "offset 0x14: grain size=3: ": where a field stands and what it holds. */
#define FIELD(name)       "offset 0x%" PRIx64 ": " name "=%" PRIu64 ": "
#define AT(base, member)  ((base) + offsetof(VmdkHeaderBytes, member))
#define IN_FOOTER(member) (footer_offset + offsetof(VmdkFooterBytes, member))

static bool check_identity(const VmdkHeaderBytes *raw, uint64_t base, VmdkHeader *out,
			   GError **error)
{
	if (memcmp(raw->magic, VMDK_MAGIC, sizeof(raw->magic)) != 0)
		return fail(error, CORRUPT, "offset 0x%" PRIx64 ": magic is not \"KDMV\"", base);
	out->version = get_le32(raw->version);
	if (out->version < 1 || out->version > 3)
		return fail(error, UNSUPPORTED, FIELD("version") "only 1 to 3 are known",
			    AT(base, version), (uint64_t)out->version);
	out->flags = get_le32(raw->flags);
	if ((out->flags & ~KNOWN_FLAGS) != 0)
		return fail(error, UNSUPPORTED,
			    "offset 0x%" PRIx64 ": flags=0x%" PRIx32 ": bits 0x%" PRIx32
			    " are not known",
			    AT(base, flags), out->flags, out->flags & ~KNOWN_FLAGS);
	if ((out->flags & VMDK_FLAG_NEWLINES) != 0 &&
	    memcmp(raw->newlines, VMDK_NEWLINES, sizeof(raw->newlines)) != 0)
		return fail(error, CORRUPT,
			    "offset 0x%" PRIx64 ": newline test=%02x %02x %02x %02x: not 0a 20 0d "
			    "0a, the file went through a transfer in text mode",
			    AT(base, newlines), raw->newlines[0], raw->newlines[1],
			    raw->newlines[2], raw->newlines[3]);
	return true;
}

static bool check_compression(const VmdkHeaderBytes *raw, uint64_t base, VmdkHeader *out,
			      GError **error)
{
	const uint16_t algorithm = get_le16(raw->compression);

	out->compressed = (out->flags & VMDK_FLAG_COMPRESSED) != 0;
	if (algorithm > VMDK_COMPRESSION_ZLIB)
		return fail(error, UNSUPPORTED, FIELD("compression") "only 0 and 1 are known",
			    AT(base, compression), (uint64_t)algorithm);
	if (out->compressed != (algorithm == VMDK_COMPRESSION_ZLIB))
		return fail(error, CORRUPT,
			    FIELD("compression") "contradicts flags=0x%" PRIx32
						 ", which say that grains are %s",
			    AT(base, compression), (uint64_t)algorithm, out->flags,
			    out->compressed ? "compressed" : "plain");
	if (out->compressed != ((out->flags & VMDK_FLAG_MARKERS) != 0))
		return fail(error, UNSUPPORTED,
			    "offset 0x%" PRIx64 ": flags=0x%" PRIx32
			    ": grains are either compressed and marked, or neither",
			    AT(base, flags), out->flags);
	return true;
}

static bool check_geometry(const VmdkHeaderBytes *raw, uint64_t base, VmdkHeader *out,
			   GError **error)
{
	const uint64_t capacity_sectors = get_le64(raw->capacity);
	const uint64_t grain_sectors = get_le64(raw->grain_size);
	const uint32_t table_entries = get_le32(raw->table_entries);

	if (!is_power_of_two(grain_sectors) || grain_sectors < VMDK_GRAIN_MIN_SIZE / SECTOR_SIZE ||
	    grain_sectors > VMDK_GRAIN_MAX_SIZE / SECTOR_SIZE)
		return fail(error, CORRUPT,
			    FIELD("grain size") "not a power of two from 8 to 2048 sectors",
			    AT(base, grain_size), grain_sectors);
	if (table_entries != VMDK_TABLE_ENTRIES)
		return fail(error, CORRUPT, FIELD("entries per grain table") "must be 512",
			    AT(base, table_entries), (uint64_t)table_entries);
	out->grain_size = (uint32_t)(grain_sectors * SECTOR_SIZE);
	if (capacity_sectors == 0 || capacity_sectors > INT64_MAX / SECTOR_SIZE)
		return fail(error, CORRUPT, FIELD("capacity") "not from 1 to 2^54-1 sectors",
			    AT(base, capacity), capacity_sectors);
	out->capacity = capacity_sectors * SECTOR_SIZE;
	out->directory_entries =
		div_round_up(out->capacity, (uint64_t)VMDK_TABLE_ENTRIES * out->grain_size);
	if (out->directory_entries > VMDK_DIRECTORY_MAX_SIZE / 4)
		return fail(error, UNSUPPORTED,
			    FIELD("capacity") "its grain directory has %" PRIu64
					      " entries, the limit is %u",
			    AT(base, capacity), capacity_sectors, out->directory_entries,
			    VMDK_DIRECTORY_MAX_SIZE / 4);
	return true;
}

static bool check_descriptor(const VmdkHeaderBytes *raw, uint64_t base, uint64_t file_size,
			     VmdkHeader *out, GError **error)
{
	const uint64_t offset_sectors = get_le64(raw->descriptor_offset);
	const uint64_t size_sectors = get_le64(raw->descriptor_size);

	if (offset_sectors == 0 || size_sectors == 0)
		return true;
	if (size_sectors > VMDK_DESCRIPTOR_MAX_SIZE / SECTOR_SIZE)
		return fail(error, CORRUPT, FIELD("descriptor size") "the limit is %u sectors",
			    AT(base, descriptor_size), size_sectors,
			    VMDK_DESCRIPTOR_MAX_SIZE / SECTOR_SIZE);
	if (!range_is_inside(size_sectors, offset_sectors, file_size / SECTOR_SIZE))
		return fail(error, CORRUPT,
			    FIELD("descriptor offset") "its %" PRIu64
						       " sectors end past the end of the file "
						       "(%" PRIu64 " bytes)",
			    AT(base, descriptor_offset), offset_sectors, size_sectors, file_size);
	out->descriptor_offset = offset_sectors * SECTOR_SIZE;
	out->descriptor_size = size_sectors * SECTOR_SIZE;
	return true;
}

bool vmdk_header_parse(const VmdkHeaderBytes *raw, uint64_t header_offset, uint64_t file_size,
		       VmdkHeader *out, GError **error)
{
	*out = (VmdkHeader){
		.gd_offset_sectors = get_le64(raw->gd_offset),
		.rgd_offset_sectors = get_le64(raw->rgd_offset),
		.overhead_sectors = get_le64(raw->overhead),
		.unclean = raw->unclean_shutdown[0] != 0,
	};
	if (!check_identity(raw, header_offset, out, error) ||
	    !check_compression(raw, header_offset, out, error) ||
	    !check_geometry(raw, header_offset, out, error))
		return false;
	out->redundant = (out->flags & VMDK_FLAG_REDUNDANT) != 0 && out->rgd_offset_sectors != 0;
	out->zero_grains = (out->flags & VMDK_FLAG_ZERO_GRAINS) != 0;
	return check_descriptor(raw, header_offset, file_size, out, error);
}

static bool check_marker(const VmdkMarkerBytes *raw, uint64_t marker_offset, uint32_t type,
			 GError **error)
{
	const uint32_t found_type = get_le32(raw->type), size = get_le32(raw->size);

	if (size == 0 && found_type == type)
		return true;
	return fail(error, CORRUPT,
		    "offset 0x%" PRIx64 ": marker of size=%" PRIu32 " and type=%" PRIu32
		    " where the %s of size 0 and type %" PRIu32
		    " should be: the file has no end, it was probably cut",
		    marker_offset, size, found_type,
		    type == VMDK_MARKER_EOS ? "end-of-stream marker" : "footer marker", type);
}

bool vmdk_footer_parse(const VmdkFooterBytes *raw, uint64_t file_size, VmdkHeader *header,
		       GError **error)
{
	const uint64_t footer_offset = file_size - sizeof(*raw);
	const uint64_t base = IN_FOOTER(footer);
	VmdkHeader footer;

	if (!check_marker(&raw->footer_marker, IN_FOOTER(footer_marker), VMDK_MARKER_FOOTER,
			  error) ||
	    !check_marker(&raw->end_marker, IN_FOOTER(end_marker), VMDK_MARKER_EOS, error) ||
	    !vmdk_header_parse(&raw->footer, base, file_size, &footer, error))
		return false;
	if (footer.gd_offset_sectors == VMDK_GD_AT_END)
		return fail(error, CORRUPT,
			    "offset 0x%" PRIx64 ": grain directory offset=0x%" PRIx64
			    ": the footer refers to itself",
			    AT(base, gd_offset), footer.gd_offset_sectors);
	if (footer.capacity != header->capacity)
		return fail(error, CORRUPT, FIELD("capacity") "the header says %" PRIu64,
			    AT(base, capacity), footer.capacity / SECTOR_SIZE,
			    header->capacity / SECTOR_SIZE);
	if (footer.grain_size != header->grain_size)
		return fail(error, CORRUPT, FIELD("grain size") "the header says %" PRIu32,
			    AT(base, grain_size), (uint64_t)(footer.grain_size / SECTOR_SIZE),
			    header->grain_size / SECTOR_SIZE);
	if (footer.flags != header->flags)
		return fail(error, CORRUPT,
			    "offset 0x%" PRIx64 ": flags=0x%" PRIx32 ": the header says 0x%" PRIx32,
			    AT(base, flags), footer.flags, header->flags);
	header->gd_offset_sectors = footer.gd_offset_sectors;
	header->rgd_offset_sectors = footer.rgd_offset_sectors;
	header->redundant = footer.redundant;
	header->overhead_sectors = footer.overhead_sectors;
	return true;
}
