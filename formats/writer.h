/* SPDX-License-Identifier: Apache-2.0 */
/* writer.h: an image being written. The bytes of the file do not depend on the number of threads.
 */
#ifndef V2V_FORMATS_WRITER_H
#define V2V_FORMATS_WRITER_H

#include "formats/storage.h"

typedef struct DiskWriter DiskWriter;

/* A run of guest bytes on its way into the image; what else it holds is the writer's own. */
typedef struct WriteUnit WriteUnit;

/*
 * Writing goes in units of writer->unit_size guest bytes (the last may be shorter), each in three
 * steps, so that the expensive ones run in parallel and the place in the file depends on nothing
 * but the guest's order: encode  any thread, many at once: find zeroes, compress place   one unit
 * at a time, in guest order: say where in the file; no I/O unless sequential_only write   any
 * thread, many at once
 */
typedef struct {
	/* `buf` stays valid and unchanged until unit_free. NULL buf: the unit is all zeroes. */
	WriteUnit *(*unit_encode)(DiskWriter *writer, const void *buf, size_t length,
				  uint64_t offset, GError **error);
	/* NULL: a unit's place follows from its guest offset, nobody waits for a turn. */
	bool (*unit_place)(DiskWriter *writer, WriteUnit *unit, GError **error);
	bool (*unit_write)(DiskWriter *writer, WriteUnit *unit, GError **error);
	void (*unit_free)(WriteUnit *unit);
	/* Everything has been written: tables, then flush, then header, then flush. */
	bool (*finish)(DiskWriter *writer, GError **error);
	void (*close)(
		DiskWriter *writer); /* frees `writer` too; without finish() the file is junk */
} DiskWriterOps;

struct DiskWriter { /* a driver embeds this as its first member `base` */
	const DiskWriterOps *ops;
	const char *format;   /* borrowed */
	Storage *storage;     /* a reference */
	uint64_t size;        /* bytes, as the guest sees it */
	size_t unit_size;     /* bytes; guest offsets of units are multiples; 64 KiB to 2 MiB */
	bool sequential_only; /* unit_place itself writes; a unit can be written once */
	bool rewriting;       /* a delta over what was written: zeroes must be written out too */
};

/* What a format is asked to create; a driver refuses what it does not know with USAGE. */
typedef struct {
	uint64_t size;                             /* bytes; set by the caller */
	uint32_t cluster_size;                     /* bytes; 0: the format's default */
	const char *compression;                   /* NULL: none; "zlib", "zstd" */
	int compression_level;                     /* 0: default */
	const char *backing_name, *backing_format; /* qcow2 overlay; NULL: none */
} CreateOptions;

/* For drivers: fills `base`; takes a reference to storage. */
void disk_writer_init(DiskWriter *writer, const DiskWriterOps *ops, const char *format,
		      Storage *storage, uint64_t size, size_t unit_size);
/* Gives the reference to the storage back, then ops->close. NULL is fine. */
void disk_writer_close(DiskWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DiskWriter, disk_writer_close)

#endif
