/* SPDX-License-Identifier: Apache-2.0 */
/* inflate.c: DEFLATE by libdeflate; zlib (through GIO) only for streams longer than wanted. */
#include "formats/inflate.h"

#include <gio/gio.h>
#include <libdeflate.h>

static void decompressor_free(void *pointer)
{
	libdeflate_free_decompressor(pointer);
}

/* One per thread, made when first needed and freed when the thread ends: no lock, no pool. */
static struct libdeflate_decompressor *decompressor_of_thread(void)
{
	static GPrivate of_thread = G_PRIVATE_INIT(decompressor_free);
	struct libdeflate_decompressor *decompressor = g_private_get(&of_thread);

	if (decompressor == NULL) {
		decompressor = libdeflate_alloc_decompressor();
		g_private_set(&of_thread, decompressor);
	}
	return decompressor;
}

bool inflate_zlib(void *buf, size_t length, const void *from, size_t from_length, size_t *produced,
		  GError **error)
{
	struct libdeflate_decompressor *decompressor = decompressor_of_thread();
	size_t consumed;

	if (decompressor == NULL)
		return fail(error, IO, "no memory for a decompressor");
	switch (libdeflate_zlib_decompress_ex(decompressor, from, from_length, buf, length,
					      &consumed, produced)) {
	case LIBDEFLATE_SUCCESS:
		if (consumed == from_length)
			return true;
		return fail(error, CORRUPT, "%zu bytes follow the zlib stream of %zu bytes",
			    from_length - consumed, consumed);
	case LIBDEFLATE_INSUFFICIENT_SPACE:
		return fail(error, CORRUPT, "zlib stream yields more than %zu bytes", length);
	case LIBDEFLATE_SHORT_OUTPUT: /* not with `produced` */
	case LIBDEFLATE_BAD_DATA:
		break;
	}
	return fail(error, CORRUPT, "damaged zlib stream");
}

/* libdeflate decodes whole streams only: when one goes on beyond what is wanted it leaves the end
 * of the buffer unfilled. zlib stops anywhere. */
static bool inflate_raw_prefix(uint8_t *buf, size_t length, const uint8_t *from, size_t from_length,
			       GError **error)
{
	g_autoptr(GZlibDecompressor) zlib = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_RAW);
	size_t done = 0, used = 0;

	while (done < length) {
		gsize consumed = 0, produced = 0;
		const GConverterResult result = g_converter_convert(
			G_CONVERTER(zlib), from + used, from_length - used, buf + done,
			length - done, G_CONVERTER_INPUT_AT_END, &consumed, &produced, NULL);

		if (result == G_CONVERTER_ERROR)
			return fail(error, CORRUPT, "damaged deflate stream");
		done += produced;
		used += consumed;
		if (result == G_CONVERTER_FINISHED && done < length)
			return fail(error, CORRUPT, "deflate stream yields %zu of %zu bytes", done,
				    length);
	}
	return true;
}

bool inflate_raw(void *buf, size_t length, const void *from, size_t from_length, GError **error)
{
	struct libdeflate_decompressor *decompressor = decompressor_of_thread();
	size_t produced;

	if (decompressor == NULL)
		return fail(error, IO, "no memory for a decompressor");
	const enum libdeflate_result result = libdeflate_deflate_decompress(
		decompressor, from, from_length, buf, length, &produced);
	if (result == LIBDEFLATE_SUCCESS && produced == length)
		return true;
	if (result == LIBDEFLATE_SUCCESS)
		return fail(error, CORRUPT, "deflate stream yields %zu of %zu bytes", produced,
			    length);
	return inflate_raw_prefix(buf, length, from, from_length, error);
}
