/* SPDX-License-Identifier: Apache-2.0 */
/* storage.h: sized, random-access bytes that an image is stored in. */
#ifndef V2V_FORMATS_STORAGE_H
#define V2V_FORMATS_STORAGE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

typedef struct Storage Storage;

/* The driver's half. Ranges have been checked: inside [0, size) for reading, no wrap-around for
 * writing; length > 0. Every callback may be called from many threads at once. */
typedef struct {
	/* All of `length` bytes or an error; a short read is an error that names the offset. */
	bool (*read_at)(Storage *storage, void *buf, size_t length, uint64_t offset,
			GError **error);
	/* The rest is NULL for read-only storage. Writing past the end grows the storage. */
	bool (*write_at)(Storage *storage, const void *buf, size_t length, uint64_t offset,
			 GError **error);
	/* The range reads as zeroes afterwards; takes no space where the system can do that. */
	bool (*write_zeroes)(Storage *storage, uint64_t length, uint64_t offset, GError **error);
	bool (*set_size)(Storage *storage, uint64_t size, GError **error);
	/* What was written is on stable media. */
	bool (*flush)(Storage *storage, GError **error);
	/* Where the next byte that may be other than zero is, from `offset` on: the end of the hole
	 * that `offset` lies in, or `offset` itself. And the reverse. NULL: all is data. */
	bool (*find_data)(Storage *storage, uint64_t offset, uint64_t *out, GError **error);
	bool (*find_hole)(Storage *storage, uint64_t offset, uint64_t *out, GError **error);
	/* IO when the files below are not what they were when they were opened (size, time of the
	 * last change). NULL: they cannot change, or we change them ourselves. */
	bool (*check_unchanged)(Storage *storage, GError **error);
	/* Some of the bytes stand in the file that has this identity. NULL: in no file. */
	bool (*is_stored_in)(Storage *storage, const struct stat *file);
	/* Frees what the driver owns; `storage` itself too. */
	void (*close)(Storage *storage);
} StorageOps;

struct Storage { /* a driver embeds this as its first member `base` */
	const StorageOps *ops;
	char *name;    /* owned; for messages: "web.ova(disk1.vmdk)" */
	uint64_t size; /* bytes; of read-only storage it never changes */
	int fd;        /* borrowed: the file whose bytes at fd_offset + n are ours at n, or -1 */
	uint64_t fd_offset;
	int references; /* atomic */
};

/* For drivers: fills `base`, one reference, fd = -1. `name` is copied. */
void storage_init(Storage *storage, const StorageOps *ops, const char *name, uint64_t size);

Storage *storage_ref(Storage *storage);
void storage_unref(Storage *storage); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Storage, storage_unref)

/* The one place that checks ranges; errors name storage, length and offset. */
bool storage_read_at(Storage *storage, void *buf, size_t length, uint64_t offset, GError **error);
bool storage_write_at(Storage *storage, const void *buf, size_t length, uint64_t offset,
		      GError **error);
bool storage_write_zeroes(Storage *storage, uint64_t length, uint64_t offset, GError **error);
bool storage_set_size(Storage *storage, uint64_t size, GError **error);
bool storage_flush(Storage *storage, GError **error);
bool storage_find_data(Storage *storage, uint64_t offset, uint64_t *out, GError **error);
bool storage_find_hole(Storage *storage, uint64_t offset, uint64_t *out, GError **error);
bool storage_check_unchanged(Storage *storage, GError **error);
bool storage_is_stored_in(Storage *storage, const struct stat *file);

/* A regular file (or block device), opened O_RDONLY. FIFOs, folders, sockets, character devices are
 * refused before they are opened. */
Storage *storage_open_file(const char *path, GError **error);
/* Takes `fd` (closed with the storage, also on failure). For files that somebody opened safely. */
Storage *storage_from_fd(int fd, const char *name, bool writable, GError **error);
/* `length` bytes of `parent` from `offset` on, which must lie inside it; holds a reference. */
Storage *storage_new_slice(Storage *parent, const char *name, uint64_t length, uint64_t offset,
			   GError **error);
/* Several storages end to end: split images, chunked OVF files. Holds a reference to each. */
Storage *storage_new_concat(const char *name, Storage *const *parts, size_t part_count,
			    GError **error);
/* A copy of `length` bytes in memory; writable, grows. `bytes` may be NULL when length is 0. */
Storage *storage_new_memory(const char *name, const void *bytes, size_t length);
/* An unlinked, writable file in `folder` (NULL: $TMPDIR or /var/tmp): gone when the process is. */
Storage *storage_new_spool(const char *name, const char *folder, GError **error);

#endif
