/* SPDX-License-Identifier: Apache-2.0 */
/* cpio.h: a stream of newc archives, fed in pieces of any length; and the same, written. */
#ifndef V2V_CONVERT_GUEST_CPIO_H
#define V2V_CONVERT_GUEST_CPIO_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
	uint32_t mode;
	uint64_t size;
	const char *path;       /* borrowed for the call */
	const uint8_t *content; /* borrowed for the call; NULL when it was not wanted */
} CpioMember;

typedef struct {
	/* Called per member before its content: is it wanted (at most CPIO_MAX_CONTENT)? */
	bool (*wants)(void *user, const CpioMember *member);
	void (*member)(void *user, const CpioMember *member);
	void *user;
} CpioVisitor;

enum {
	CPIO_MAX_CONTENT = 1 << 20,
	CPIO_FIELDS = 13,
	CPIO_HEADER_SIZE = 6 + CPIO_FIELDS * 8, /* "070701" and fields of 8 hex digits */
};

bool cpio_is_header(const uint8_t *bytes); /* CPIO_HEADER_SIZE of them */

typedef struct CpioReader CpioReader;

CpioReader *cpio_reader_new(const CpioVisitor *visitor);
void cpio_reader_free(CpioReader *reader); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CpioReader, cpio_reader_free)
/* False (CORRUPT) on what is no newc archive; offsets count from the first byte fed. */
bool cpio_reader_feed(CpioReader *reader, const uint8_t *bytes, size_t length, GError **error);
/* True between archives: after a trailer and any zeroes. */
bool cpio_reader_is_between(const CpioReader *reader);
uint64_t cpio_reader_offset(const CpioReader *reader);

/* Appends a member, or the trailer (path NULL). */
void cpio_append(GByteArray *out, const char *path, uint32_t mode, const void *bytes,
		 size_t length);

#endif
