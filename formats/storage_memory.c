/* SPDX-License-Identifier: Apache-2.0 */
/* storage_memory.c: bytes in memory; for small members of archives and for tests. */
#include "base/checked.h"
#include "formats/storage.h"

#include <string.h>

/* Nobody keeps more than this in memory. */
#define MEMORY_MAX_SIZE (1u << 30)

typedef struct {
	Storage base;
	GRWLock lock;
	GByteArray *bytes; /* owned */
} MemoryStorage;

static MemoryStorage *memory_from(Storage *storage)
{
	return (MemoryStorage *)storage;
}

static bool memory_read_at(Storage *storage, void *buf, size_t length, uint64_t offset,
			   GError **error)
{
	MemoryStorage *memory = memory_from(storage);

	(void)error; /* the range is inside: nothing here can fail */
	g_rw_lock_reader_lock(&memory->lock);
	memcpy(buf, memory->bytes->data + offset, length);
	g_rw_lock_reader_unlock(&memory->lock);
	return true;
}

/* The writer's lock is held. */
static bool memory_resize(MemoryStorage *memory, uint64_t size, GError **error)
{
	const guint old = memory->bytes->len;

	if (size > MEMORY_MAX_SIZE)
		return fail(error, IO, "%s: size %" PRIu64 ": more than %u in memory",
			    memory->base.name, size, MEMORY_MAX_SIZE);
	g_byte_array_set_size(memory->bytes, (guint)size);
	if (size > old)
		memset(memory->bytes->data + old, 0, (size_t)size - old);
	memory->base.size = size;
	return true;
}

/* `buf` NULL: zeroes. */
static bool memory_fill(Storage *storage, const void *buf, uint64_t length, uint64_t offset,
			GError **error)
{
	MemoryStorage *memory = memory_from(storage);
	bool ok = true;

	g_rw_lock_writer_lock(&memory->lock);
	if (offset + length > memory->base.size)
		ok = memory_resize(memory, offset + length, error);
	if (ok && buf != NULL)
		memcpy(memory->bytes->data + offset, buf, (size_t)length);
	else if (ok)
		memset(memory->bytes->data + offset, 0, (size_t)length);
	g_rw_lock_writer_unlock(&memory->lock);
	return ok;
}

static bool memory_write_at(Storage *storage, const void *buf, size_t length, uint64_t offset,
			    GError **error)
{
	return memory_fill(storage, buf, length, offset, error);
}

static bool memory_write_zeroes(Storage *storage, uint64_t length, uint64_t offset, GError **error)
{
	return memory_fill(storage, NULL, length, offset, error);
}

static bool memory_set_size(Storage *storage, uint64_t size, GError **error)
{
	MemoryStorage *memory = memory_from(storage);

	g_rw_lock_writer_lock(&memory->lock);
	const bool ok = memory_resize(memory, size, error);
	g_rw_lock_writer_unlock(&memory->lock);
	return ok;
}

static void memory_close(Storage *storage)
{
	MemoryStorage *memory = memory_from(storage);

	g_byte_array_unref(memory->bytes);
	g_rw_lock_clear(&memory->lock);
	g_free(memory);
}

static const StorageOps memory_ops = {
	.read_at = memory_read_at,
	.write_at = memory_write_at,
	.write_zeroes = memory_write_zeroes,
	.set_size = memory_set_size,
	.close = memory_close,
};

Storage *storage_new_memory(const char *name, const void *bytes, size_t length)
{
	MemoryStorage *memory = g_new0(MemoryStorage, 1);

	g_assert(length <= MEMORY_MAX_SIZE);
	storage_init(&memory->base, &memory_ops, name, length);
	g_rw_lock_init(&memory->lock);
	memory->bytes = g_byte_array_new();
	if (length > 0)
		g_byte_array_append(memory->bytes, bytes, (guint)length);
	return &memory->base;
}
