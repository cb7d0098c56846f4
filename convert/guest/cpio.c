/* SPDX-License-Identifier: Apache-2.0 */
/* cpio.c: the newc format of Linux' Documentation/driver-api/early-userspace/buffer-format.rst. */
#include "convert/guest/cpio.h"

#include "base/error.h"

#include <string.h>

enum {
	MAX_PATH = 4096,
	FIELD_MODE = 1,
	FIELD_FILE_SIZE = 6,
	FIELD_NAME_SIZE = 11,
};
#define TRAILER "TRAILER!!!"

typedef enum { AT_HEADER, AT_NAME, AT_CONTENT, AT_BETWEEN } CpioState;

struct CpioReader {
	CpioVisitor visitor;
	CpioState state;
	GByteArray *part;  /* owned; the header, name or wanted content that is being collected */
	uint64_t need;     /* bytes of `part` until it is whole */
	uint64_t skip;     /* bytes to pass over before the next part: padding, unwanted content */
	uint64_t offset;   /* bytes fed so far */
	CpioMember member; /* path: owned here */
	char *path;
};

CpioReader *cpio_reader_new(const CpioVisitor *visitor)
{
	CpioReader *reader = g_new0(CpioReader, 1);

	reader->visitor = *visitor;
	reader->part = g_byte_array_new();
	reader->state = AT_BETWEEN;
	return reader;
}

void cpio_reader_free(CpioReader *reader)
{
	if (reader == NULL)
		return;
	g_byte_array_unref(reader->part);
	g_free(reader->path);
	g_free(reader);
}

bool cpio_reader_is_between(const CpioReader *reader)
{
	return reader->state == AT_BETWEEN && reader->skip == 0;
}

uint64_t cpio_reader_offset(const CpioReader *reader)
{
	return reader->offset;
}

static uint64_t padding(uint64_t length)
{
	return (4 - length % 4) % 4;
}

static void expect(CpioReader *reader, CpioState state, uint64_t need)
{
	g_byte_array_set_size(reader->part, 0);
	reader->state = state;
	reader->need = need;
}

static bool hex_field(const uint8_t *header, unsigned field, uint32_t *out)
{
	*out = 0;
	for (unsigned i = 0; i < 8; i++) {
		const int digit = g_ascii_xdigit_value((char)header[6 + field * 8 + i]);

		if (digit < 0)
			return false;
		*out = *out << 4 | (uint32_t)digit;
	}
	return true;
}

bool cpio_is_header(const uint8_t *bytes)
{
	uint32_t value;

	for (unsigned field = 0; field < CPIO_FIELDS; field++)
		if (!hex_field(bytes, field, &value))
			return false;
	return memcmp(bytes, "07070", 5) == 0 && (bytes[5] == '1' || bytes[5] == '2');
}

static bool take_header(CpioReader *reader, GError **error)
{
	const uint8_t *header = reader->part->data;
	const uint64_t start = reader->offset - CPIO_HEADER_SIZE;
	uint32_t mode, size, name_size;

	if (memcmp(header, "07070", 5) != 0 || (header[5] != '1' && header[5] != '2'))
		return fail(error, CORRUPT, "offset 0x%" PRIx64 ": no cpio header (newc) here",
			    start);
	if (!hex_field(header, FIELD_MODE, &mode) || !hex_field(header, FIELD_FILE_SIZE, &size) ||
	    !hex_field(header, FIELD_NAME_SIZE, &name_size))
		return fail(error, CORRUPT, "offset 0x%" PRIx64 ": cpio header: not hexadecimal",
			    start);
	if (name_size == 0 || name_size > MAX_PATH)
		return fail(error, CORRUPT,
			    "offset 0x%" PRIx64 ": cpio header: name size=%u: not 1 to %d", start,
			    name_size, MAX_PATH);
	reader->member = (CpioMember){.mode = mode, .size = size};
	expect(reader, AT_NAME, name_size);
	return true;
}

static const char *plain_path(const char *path)
{
	for (;;) {
		if (path[0] == '/')
			path++;
		else if (path[0] == '.' && path[1] == '/')
			path += 2;
		else
			return path;
	}
}

static void finish_member(CpioReader *reader, bool with_content)
{
	reader->member.path = plain_path(reader->path);
	reader->member.content = with_content ? reader->part->data : NULL;
	reader->visitor.member(reader->visitor.user, &reader->member);
	reader->skip = padding(reader->member.size) + (with_content ? 0 : reader->member.size);
	expect(reader, AT_HEADER, CPIO_HEADER_SIZE);
}

static void take_name(CpioReader *reader)
{
	const uint64_t after = padding(CPIO_HEADER_SIZE + reader->part->len);

	g_free(reader->path);
	reader->path = g_strndup((const char *)reader->part->data, reader->part->len);
	if (g_str_equal(reader->path, TRAILER)) {
		reader->skip = after + reader->member.size + padding(reader->member.size);
		expect(reader, AT_BETWEEN, 0);
		return;
	}
	reader->member.path = plain_path(reader->path);
	const bool wanted = reader->member.size > 0 && reader->member.size <= CPIO_MAX_CONTENT &&
			    reader->visitor.wants(reader->visitor.user, &reader->member);

	if (wanted) {
		expect(reader, AT_CONTENT, reader->member.size);
		reader->skip = after;
		return;
	}
	finish_member(reader, false);
	reader->skip += after;
}

static bool take_part(CpioReader *reader, GError **error)
{
	switch (reader->state) {
	case AT_HEADER:
		return take_header(reader, error);
	case AT_NAME:
		take_name(reader);
		return true;
	case AT_CONTENT:
		finish_member(reader, true);
		return true;
	case AT_BETWEEN:
		break;
	}
	g_assert_not_reached();
}

/* How many of these bytes are passed over; between archives any zeroes are. */
static size_t skip_bytes(CpioReader *reader, const uint8_t *bytes, size_t length)
{
	size_t passed = (size_t)MIN(reader->skip, length);

	reader->skip -= passed;
	while (reader->state == AT_BETWEEN && reader->skip == 0 && passed < length &&
	       bytes[passed] == 0)
		passed++;
	if (reader->state == AT_BETWEEN && reader->skip == 0 && passed < length)
		expect(reader, AT_HEADER, CPIO_HEADER_SIZE);
	return passed;
}

bool cpio_reader_feed(CpioReader *reader, const uint8_t *bytes, size_t length, GError **error)
{
	while (length > 0) {
		const size_t passed = skip_bytes(reader, bytes, length);

		bytes += passed;
		length -= passed;
		reader->offset += passed;
		if (length == 0 || reader->state == AT_BETWEEN)
			continue;
		const size_t taken = (size_t)MIN(reader->need - reader->part->len, length);

		g_byte_array_append(reader->part, bytes, (guint)taken);
		bytes += taken;
		length -= taken;
		reader->offset += taken;
		if (reader->part->len == reader->need && !take_part(reader, error))
			return false;
	}
	return true;
}

static void append_padding(GByteArray *out)
{
	static const uint8_t zeroes[4] = {0};

	g_byte_array_append(out, zeroes, (guint)padding(out->len));
}

void cpio_append(GByteArray *out, const char *path, uint32_t mode, const void *bytes, size_t length)
{
	const char *name = path != NULL ? path : TRAILER;
	/* ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor,
	 * namesize, check */
	g_autofree char *header =
		g_strdup_printf("070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", 0u,
				mode, 0u, 0u, 1u, 0u, length, 0u, 0u, 0u, 0u, strlen(name) + 1, 0u);

	g_assert(out->len % 4 == 0 && length <= UINT32_MAX);
	g_byte_array_append(out, (const guint8 *)header, CPIO_HEADER_SIZE);
	g_byte_array_append(out, (const guint8 *)name, (guint)strlen(name) + 1);
	append_padding(out);
	if (length > 0)
		g_byte_array_append(out, bytes, (guint)length);
	append_padding(out);
}
