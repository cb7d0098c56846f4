/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_entry.c: what one entry of an L2 table says. */
#include "formats/qcow2_entry.h"

#include "base/checked.h"

/* The descriptor of a compressed cluster holds an offset of so many bits, then a count of sectors
 * beyond the first one in the rest of its 62. */
static unsigned compressed_offset_bits(unsigned cluster_bits)
{
	return 62 - (cluster_bits - 8);
}

uint64_t qcow2_compressed_offset_limit(unsigned cluster_bits)
{
	const unsigned bits = compressed_offset_bits(cluster_bits);

	return 1ull << (bits < 56 ? bits : 56);
}

static Qcow2Cluster decode_compressed(uint64_t entry, unsigned cluster_bits)
{
	const unsigned offset_bits = compressed_offset_bits(cluster_bits);
	const uint64_t descriptor = entry & (QCOW2_ENTRY_COMPRESSED - 1);
	const uint64_t offset = descriptor & ((1ull << offset_bits) - 1);
	const uint64_t sectors = (descriptor >> offset_bits) + 1;

	return (Qcow2Cluster){QCOW2_CLUSTER_COMPRESSED, offset,
			      (uint32_t)(sectors * SECTOR_SIZE - offset % SECTOR_SIZE)};
}

Qcow2Cluster qcow2_entry_decode(uint64_t entry, unsigned cluster_bits)
{
	const uint64_t offset = entry & QCOW2_ENTRY_OFFSET;

	if ((entry & QCOW2_ENTRY_COMPRESSED) != 0)
		return decode_compressed(entry, cluster_bits);
	if ((entry & QCOW2_ENTRY_ZERO) != 0)
		return (Qcow2Cluster){QCOW2_CLUSTER_ZERO, offset, 0};
	if (offset == 0)
		return (Qcow2Cluster){QCOW2_CLUSTER_UNALLOCATED, 0, 0};
	return (Qcow2Cluster){QCOW2_CLUSTER_PLAIN, offset, 1u << cluster_bits};
}

const char *qcow2_entry_problem(uint64_t entry, unsigned cluster_bits, unsigned version)
{
	const uint64_t offset = entry & QCOW2_ENTRY_OFFSET;

	if ((entry & QCOW2_ENTRY_COMPRESSED) != 0)
		return decode_compressed(entry, cluster_bits).file_offset <
				       qcow2_compressed_offset_limit(cluster_bits)
			       ? NULL
			       : "reserved bits set";
	if ((entry & QCOW2_L2_RESERVED) != 0)
		return "reserved bits set";
	if ((entry & QCOW2_ENTRY_ZERO) != 0 && version < 3)
		return "zero flag set in a version 2 image";
	if (offset == 0 && (entry & QCOW2_ENTRY_COPIED) != 0)
		return "allocated at offset 0";
	if ((offset & ((1ull << cluster_bits) - 1)) != 0)
		return "not a multiple of the cluster size";
	return NULL;
}

uint64_t qcow2_entry_of_compressed(uint64_t file_offset, uint32_t length, unsigned cluster_bits)
{
	const uint64_t sectors = (file_offset % SECTOR_SIZE + length - 1) / SECTOR_SIZE;

	return QCOW2_ENTRY_COMPRESSED | sectors << compressed_offset_bits(cluster_bits) |
	       file_offset;
}
