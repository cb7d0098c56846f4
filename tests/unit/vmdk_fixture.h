/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_fixture.h: VMDK images made in memory. */
#ifndef V2V_TESTS_VMDK_FIXTURE_H
#define V2V_TESTS_VMDK_FIXTURE_H

#include "base/checked.h"
#include "formats/format.h"
#include "formats/vmdk_header.h"

/* Grains of 128 sectors; a descriptor of 20 sectors after the header; no directories yet. */
void vmdk_fixture_header(VmdkHeaderBytes *out, uint64_t capacity_sectors, uint32_t flags);

/* A sparse image of `tables` grain tables, all there and all empty, of 1 MiB grains. */
GByteArray *vmdk_fixture_empty(unsigned tables);

/* A streamOptimized image of `grain_count` grains of which every third is missing; the guest's
 * bytes into `guest`, of grain_count * 64 KiB. */
GByteArray *vmdk_fixture_stream(unsigned grain_count, uint8_t *guest);

/* A storage that counts what is read of it. */
typedef struct {
	Storage base;
	const GByteArray *bytes; /* borrowed */
	gint reads;              /* atomic */
	gint bytes_read;         /* atomic */
} CountedStorage;

Storage *vmdk_fixture_storage(const GByteArray *bytes, const char *name);

/* A folder that holds one file under any name, and remembers the names. */
typedef struct {
	Folder base;
	GByteArray *bytes; /* owned */
	GPtrArray *names;  /* owned */
} RecordingFolder;

RecordingFolder *vmdk_fixture_folder(size_t file_length);

#endif
