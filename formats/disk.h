/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h: an open image as the guest sees it. */
#ifndef V2V_FORMATS_DISK_H
#define V2V_FORMATS_DISK_H

#include "formats/storage.h"

typedef struct Disk Disk;

typedef enum {
	EXTENT_DATA,        /* stored in this image */
	EXTENT_ZERO,        /* this image says: reads as zeroes */
	EXTENT_UNALLOCATED, /* this image says nothing: ask the backing disk, zeroes if none */
} ExtentState;

typedef struct {                 /* a run of guest bytes in one state */
	uint64_t offset, length; /* bytes; length > 0 */
	ExtentState state;
	bool compressed; /* DATA that must be decoded */
	/* Not NULL: the bytes stand plain and contiguous in this storage from file_offset on;
	 * borrowed, lives as long as the disk. */
	Storage *storage;
	uint64_t file_offset;
} Extent;

/* The driver's half: this layer only; the generic half asks the backing disk. Called from many
 * threads at once, so tables are immutable after open (or a TableCache), scratch is per call. */
typedef struct {
	/* The range lies inside the disk and inside one run of DATA extents of this layer. */
	bool (*read_at)(Disk *disk, void *buf, size_t length, uint64_t offset, GError **error);
	/* The run that `offset` (inside the disk) lies in, starting at `offset` exactly, as long as
	 * one look-up tells cheaply: neighbours in one state make one extent (at least across one
	 * table); never past the end of the disk. An IO or CORRUPT error for a bad table. */
	bool (*extent_at)(Disk *disk, uint64_t offset, Extent *out, GError **error);
	/* Facts of this format, an a{sv} (floating) in the order to show. NULL: none. */
	GVariant *(*describe)(Disk *disk);
	/* Called once disk->backing is open: CORRUPT when it is not the image that this one was
	 * made on, or has changed since. NULL: the format does not record that. */
	bool (*check_backing)(Disk *disk, GError **error);
	/* Frees what the driver owns and `disk` itself (not disk->name, not disk->backing). */
	void (*close)(Disk *disk);
} DiskOps;

struct Disk { /* a driver embeds this as its first member `base` */
	const DiskOps *ops;
	const char *format; /* borrowed: the driver's name, "qcow2" */
	char *name;         /* owned; of the image, for messages */
	uint64_t size;      /* bytes, as the guest sees it; any number, also not of whole sectors */
	uint32_t cluster_size; /* bytes; what one read should be a multiple of; >= 512 */
	Disk *backing;         /* owned; the layer below, NULL for a base */
	char *backing_name;    /* owned; as written in the image, NULL if none */
	GPtrArray *storages;   /* owned, of references; of the top layer: everything that the chain
				* reads from, set by image_open(); may be NULL */
};

/* Nobody has larger disks; what exceeds this is hostile, or a mistake. */
#define DISK_MAX_SIZE (64ull << 40)

/* For drivers: fills `base`; `name` is copied. */
void disk_init(Disk *disk, const DiskOps *ops, const char *format, const char *name, uint64_t size,
	       uint32_t cluster_size);
void disk_close(Disk *disk); /* the whole chain; NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Disk, disk_close)

/* Guest bytes, through the whole chain: holes read as zeroes. Safe from many threads at once.
 * USAGE when the range is not inside the disk; errors are prefixed with the image's name. */
bool disk_read_at(Disk *disk, void *buf, size_t length, uint64_t offset, GError **error);

/* The extent at `offset` as the guest sees it, from whichever layer says so; neighbours in one
 * state and (when plain) one place are merged. `storage` is set only for plain DATA. UNALLOCATED
 * means: in no layer at all, reads as zeroes. */
bool disk_extent_at(Disk *disk, uint64_t offset, Extent *out, GError **error);

/* The same for this layer alone: UNALLOCATED where the backing disk would be asked. */
bool disk_layer_extent_at(Disk *disk, uint64_t offset, Extent *out, GError **error);

/* IO when a file that the chain reads from was written to since it was opened: what was read may be
 * neither the old nor the new contents. */
bool disk_check_unchanged(Disk *disk, GError **error);
/* The chain reads from the file that has this identity: it must not be replaced. */
bool disk_is_stored_in(Disk *disk, const struct stat *file);

#endif
