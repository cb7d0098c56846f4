/* SPDX-License-Identifier: Apache-2.0 */
/* nbd_fixture.h: a server of a disk whose bytes are known, which can be slow and damaged. */
#ifndef V2V_TESTS_UNIT_NBD_FIXTURE_H
#define V2V_TESTS_UNIT_NBD_FIXTURE_H

#include "convert/nbd_export.h"

typedef struct {
	uint64_t size;
	uint64_t bad_offset; /* reading this byte is an error; 0: none is */
	unsigned pause_ms;   /* per read */
} PatternOptions;

typedef struct {
	Disk *disk;        /* owned */
	NbdExport *server; /* owned */
	char *folder;      /* owned; removed with everything in it */
	char *uri;         /* owned */
} NbdFixture;

uint8_t pattern_byte(uint64_t offset);
NbdFixture nbd_fixture_new(const PatternOptions *options);
unsigned nbd_fixture_reads(const NbdFixture *fixture); /* how many the disk has answered */
void nbd_fixture_clear(NbdFixture *fixture);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NbdFixture, nbd_fixture_clear)

#endif
