/* SPDX-License-Identifier: Apache-2.0 */
/* test_inflate.c: streams that are exact, too long, too short, damaged, followed by rubbish. */
#include "formats/inflate.h"

#include <criterion/criterion.h>
#include <gio/gio.h>
#include <string.h>

#define PLAIN_LENGTH 200000u

static uint8_t plain[PLAIN_LENGTH];

/* Text-like bytes: matches of every length, and a run that is one long match. */
static void fill_plain(void)
{
	uint32_t state = 1;

	for (size_t i = 0; i < PLAIN_LENGTH; i++) {
		state = state * 1103515245u + 12345u;
		plain[i] = i > 60000 && i < 90000 ? 'x' : (uint8_t)('a' + (state >> 16) % 7);
	}
}

/* By zlib, which is not what decodes it. */
static GByteArray *deflated(GZlibCompressorFormat format, size_t length)
{
	g_autoptr(GZlibCompressor) zlib = g_zlib_compressor_new(format, 6);
	GByteArray *out = g_byte_array_new();
	gsize consumed, produced;

	fill_plain();
	g_byte_array_set_size(out, PLAIN_LENGTH + 1024);
	cr_assert_eq(g_converter_convert(G_CONVERTER(zlib), plain, length, out->data, out->len,
					 G_CONVERTER_INPUT_AT_END, &consumed, &produced, NULL),
		     G_CONVERTER_FINISHED);
	g_byte_array_set_size(out, (guint)produced);
	return out;
}

Test(inflate, zlib_streams_are_exact_or_refused)
{
	g_autoptr(GByteArray) stream = deflated(G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 65536);
	g_autofree uint8_t *buf = g_malloc(65536);
	g_autoptr(GError) longer = NULL, trailing = NULL, damaged = NULL, cut = NULL;
	size_t produced = 0;

	cr_assert(inflate_zlib(buf, 65536, stream->data, stream->len, &produced, NULL));
	cr_assert_eq(produced, 65536);
	cr_assert_arr_eq(buf, plain, 65536);

	cr_assert_not(inflate_zlib(buf, 65535, stream->data, stream->len, &produced, &longer));
	cr_assert_str_eq(longer->message, "zlib stream yields more than 65535 bytes");
	cr_assert_not(inflate_zlib(buf, 65536, stream->data, stream->len - 1, &produced, &cut));
	cr_assert(g_error_matches(cut, V2V_ERROR, V2V_ERROR_CORRUPT));

	g_byte_array_append(stream, (const uint8_t *)"!", 1);
	cr_assert_not(inflate_zlib(buf, 65536, stream->data, stream->len, &produced, &trailing));
	cr_assert(strstr(trailing->message, "1 bytes follow the zlib stream") != NULL);

	stream->data[stream->len - 2] ^= 1; /* the Adler-32 */
	cr_assert_not(inflate_zlib(buf, 65536, stream->data, stream->len - 1, &produced, &damaged));
	cr_assert_str_eq(damaged->message, "damaged zlib stream");
}

Test(inflate, raw_streams_may_go_on_but_not_end_early)
{
	g_autoptr(GByteArray) stream = deflated(G_ZLIB_COMPRESSOR_FORMAT_RAW, PLAIN_LENGTH);
	g_autofree uint8_t *buf = g_malloc(PLAIN_LENGTH + 1);
	static const size_t lengths[] = {1, 511, 65536, 70001, 89999, PLAIN_LENGTH};

	g_byte_array_append(stream, (const uint8_t *)"rubbish", 7);
	for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
		memset(buf, 0, PLAIN_LENGTH);
		cr_assert(inflate_raw(buf, lengths[i], stream->data, stream->len, NULL), "%zu",
			  lengths[i]);
		cr_assert_arr_eq(buf, plain, lengths[i], "%zu", lengths[i]);
	}
	g_autoptr(GError) early = NULL, cut = NULL;
	cr_assert_not(inflate_raw(buf, PLAIN_LENGTH + 1, stream->data, stream->len, &early));
	cr_assert_str_eq(early->message, "deflate stream yields 200000 of 200001 bytes");
	cr_assert_not(inflate_raw(buf, PLAIN_LENGTH, stream->data, stream->len / 2, &cut));
	cr_assert(g_error_matches(cut, V2V_ERROR, V2V_ERROR_CORRUPT));
}
