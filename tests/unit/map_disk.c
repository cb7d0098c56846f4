/* SPDX-License-Identifier: Apache-2.0 */
/* map_disk.c: a disk drawn as text. */
#include "map_disk.h"

#include "base/checked.h"

#include <string.h>

typedef struct {
	Disk base;
	char *map; /* owned */
	size_t block_size;
	uint8_t seed;
	uint64_t fails_at;
	gint looks; /* atomic */
} MapDisk;

void map_disk_fill(uint8_t *buf, size_t length, uint8_t seed, uint64_t index)
{
	uint32_t state = (uint32_t)index * 2654435761u + seed * 40503u + 1;

	for (size_t i = 0; i < length; i++) {
		state = state * 1664525u + 1013904223u;
		buf[i] = (uint8_t)(state >> 24);
	}
}

static bool map_disk_read_at(Disk *disk, void *buf, size_t length, uint64_t offset, GError **error)
{
	MapDisk *map = (MapDisk *)disk;
	g_autofree uint8_t *block = g_malloc(map->block_size);
	uint8_t *at = buf;

	while (length > 0) {
		const uint64_t index = offset / map->block_size;
		const size_t inside = (size_t)(offset % map->block_size);
		const size_t part = MIN(length, map->block_size - inside);

		g_assert(strchr("DdN", map->map[index]) != NULL);
		if (index == map->fails_at)
			return fail(error, IO, "block %" PRIu64, index);
		memset(block, 0, map->block_size);
		if (map->map[index] != 'N')
			map_disk_fill(block, map->block_size, map->seed, index);
		memcpy(at, block + inside, part);
		at += part;
		offset += part;
		length -= part;
	}
	return true;
}

static bool map_disk_extent_at(Disk *disk, uint64_t offset, Extent *out, GError **error)
{
	MapDisk *map = (MapDisk *)disk;
	const uint64_t index = offset / map->block_size;
	const char kind = map->map[index];
	const uint64_t end = min_u64((index + 1) * map->block_size, disk->size);

	g_atomic_int_inc(&map->looks);
	if (index == map->fails_at && strchr("DdN", kind) == NULL)
		return fail(error, IO, "block %" PRIu64, index);
	out->offset = offset;
	out->length = end - offset;
	out->compressed = kind == 'd';
	out->state = kind == 'Z' ? EXTENT_ZERO : kind == '.' ? EXTENT_UNALLOCATED : EXTENT_DATA;
	return true;
}

static void map_disk_close(Disk *disk)
{
	g_free(((MapDisk *)disk)->map);
	g_free(disk);
}

static const DiskOps map_disk_ops = {
	.read_at = map_disk_read_at,
	.extent_at = map_disk_extent_at,
	.close = map_disk_close,
};

Disk *map_disk_new(const char *map, size_t block_size, uint8_t seed, uint64_t size)
{
	MapDisk *disk = g_new0(MapDisk, 1);
	g_autofree char *name = g_strdup_printf("map%u", seed);

	disk_init(&disk->base, &map_disk_ops, "map", name,
		  size > 0 ? size : strlen(map) * block_size, 512);
	disk->map = g_strdup(map);
	disk->block_size = block_size;
	disk->seed = seed;
	disk->fails_at = UINT64_MAX;
	return &disk->base;
}

void map_disk_fail_at(Disk *disk, uint64_t block)
{
	((MapDisk *)disk)->fails_at = block;
}

unsigned map_disk_looks(const Disk *disk)
{
	return (unsigned)((const MapDisk *)disk)->looks;
}
