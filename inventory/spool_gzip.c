/* SPDX-License-Identifier: Apache-2.0 */
/* spool_gzip.c: a gzip file, unpacked. By GLib's converter (zlib), which verifies checksum and
 * length of each member; libarchive 3.6 does not. */
#include "inventory/spool.h"

#include "base/bytes.h"
#include "base/checked.h"

#include <gio/gio.h>
#include <string.h>

#define INPUT_LENGTH  ((size_t)(256 * KIB))
#define OUTPUT_LENGTH ((size_t)MIB)

typedef struct {
	Storage *file;
	GConverter *converter;
	Spool *spool;
	uint64_t offset; /* of the first byte of the file that is not consumed */
	uint8_t *input, *output;
	bool finished; /* the last member has ended */
} Gunzip;

/* Another member behind the one that ended, zero padding, or junk. */
static bool gunzip_next_member(Gunzip *gunzip, const uint8_t *rest, size_t length, GError **error)
{
	if (length >= 2 && rest[0] == 0x1f && rest[1] == 0x8b) {
		g_converter_reset(gunzip->converter);
		return true;
	}
	gunzip->finished = true;
	if (bytes_are_zero(rest, length))
		return true;
	return fail(error, CORRUPT, "offset 0x%" PRIx64 ": neither gzip nor padding",
		    gunzip->offset);
}

static bool gunzip_step(Gunzip *gunzip, GError **error)
{
	const uint64_t left = gunzip->file->size - gunzip->offset;
	const size_t length = (size_t)min_u64(INPUT_LENGTH, left);
	GConverterFlags flags = length == left ? G_CONVERTER_INPUT_AT_END : G_CONVERTER_NO_FLAGS;
	gsize consumed = 0, produced = 0;
	g_autoptr(GError) problem = NULL;

	if (!storage_read_at(gunzip->file, gunzip->input, length, gunzip->offset, error))
		return false;
	const GConverterResult result =
		g_converter_convert(gunzip->converter, gunzip->input, length, gunzip->output,
				    OUTPUT_LENGTH, flags, &consumed, &produced, &problem);
	if (result == G_CONVERTER_ERROR)
		return fail(error, CORRUPT, "offset 0x%" PRIx64 ": gzip: %s", gunzip->offset,
			    problem->message);
	gunzip->offset += consumed;
	if (!spool_append(gunzip->spool, gunzip->output, produced, error))
		return false;
	return result != G_CONVERTER_FINISHED ||
	       gunzip_next_member(gunzip, gunzip->input + consumed, length - consumed, error);
}

static bool gunzip_all(Gunzip *gunzip, GError **error)
{
	while (!gunzip->finished) {
		if (!gunzip_step(gunzip, error))
			return false;
		if (!gunzip->finished && gunzip->offset == gunzip->file->size)
			return fail(error, CORRUPT,
				    "offset 0x%" PRIx64
				    ": gzip: end of file inside a member: the file is cut",
				    gunzip->offset);
	}
	return true;
}

Storage *archive_spool_gzip(Storage *file, const SpoolOptions *options, GError **error)
{
	g_autoptr(GZlibDecompressor) zlib = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
	g_autofree uint8_t *input = g_malloc(INPUT_LENGTH);
	g_autofree uint8_t *output = g_malloc(OUTPUT_LENGTH);
	g_auto(Spool) spool = {0};
	Gunzip gunzip = {file, G_CONVERTER(zlib), &spool, 0, input, output, false};

	if (!spool_open(&spool, file->name, options, error) || !gunzip_all(&gunzip, error))
		return NULL;
	return spool_finish(&spool, error);
}
