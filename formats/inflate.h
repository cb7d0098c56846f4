/* SPDX-License-Identifier: Apache-2.0 */
/* inflate.h: DEFLATE streams of images, decoded into the caller's memory; safe from many threads at
 * once: each thread keeps one decompressor. */
#ifndef V2V_FORMATS_INFLATE_H
#define V2V_FORMATS_INFLATE_H

#include "base/error.h"

#include <stddef.h>

/*
 * A whole zlib stream (RFC 1950, Adler-32 checked) that fills from_length exactly and yields
 * *produced bytes, at most `length`. CORRUPT when it is damaged, longer than `length` or followed
 * by other bytes; the text says which, the caller says where.
 */
bool inflate_zlib(void *buf, size_t length, const void *from, size_t from_length, size_t *produced,
		  GError **error);

/*
 * The first `length` bytes of a raw DEFLATE stream (RFC 1951): what follows them, in the stream or
 * after it, is not looked at. CORRUPT when the stream is damaged or yields fewer.
 */
bool inflate_raw(void *buf, size_t length, const void *from, size_t from_length, GError **error);

#endif
