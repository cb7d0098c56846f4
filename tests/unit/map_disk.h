/* SPDX-License-Identifier: Apache-2.0 */
/* map_disk.h: a disk for tests, drawn as text: a letter per block. */
#ifndef V2V_TESTS_MAP_DISK_H
#define V2V_TESTS_MAP_DISK_H

#include "formats/disk.h"

/* 'D' data, 'd' compressed data, 'N' data that is all zeroes, 'Z' zero, '.' unallocated. The bytes
 * of block i of data follow from `seed` and i alone. `size` 0: as long as the map. */
Disk *map_disk_new(const char *map, size_t block_size, uint8_t seed, uint64_t size);
/* Reading or looking at the block fails from now on (IO, "block N"). */
void map_disk_fail_at(Disk *disk, uint64_t block);
/* What a guest reads from block `index` of data. */
void map_disk_fill(uint8_t *buf, size_t length, uint8_t seed, uint64_t index);
/* How often an extent was asked for. */
unsigned map_disk_looks(const Disk *disk);

#endif
