/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_codec.c: raw DEFLATE by libdeflate, zstd by libzstd. */
#include "formats/qcow2_codec.h"

#include "formats/inflate.h"

#include <libdeflate.h>
#include <zstd.h>

/* Level 1 of libdeflate makes files as small as QEMU's zlib does, four times faster. */
#define ZLIB_DEFAULT_LEVEL 1
#define ZLIB_MAX_LEVEL     12

static void decoder_free(void *pointer)
{
	ZSTD_freeDCtx(pointer);
}

static ZSTD_DCtx *decoder_of_thread(void)
{
	static GPrivate of_thread = G_PRIVATE_INIT(decoder_free);
	ZSTD_DCtx *decoder = g_private_get(&of_thread);

	if (decoder == NULL) {
		decoder = ZSTD_createDCtx();
		g_private_set(&of_thread, decoder);
	}
	return decoder;
}

/* Frame by frame straight into `buf`: whatever window a frame asks for, no memory is taken. */
static bool decompress_zstd(uint8_t *buf, size_t length, const uint8_t *from, size_t from_length,
			    GError **error)
{
	ZSTD_DCtx *decoder = decoder_of_thread();
	size_t done = 0, used = 0;

	if (decoder == NULL)
		return fail(error, IO, "no memory for a zstd decoder");
	while (done < length) {
		const size_t frame = ZSTD_findFrameCompressedSize(from + used, from_length - used);
		const size_t produced =
			ZSTD_isError(frame)
				? frame
				: ZSTD_decompressDCtx(decoder, buf + done, length - done,
						      from + used, frame);
		if (ZSTD_isError(produced) && done > 0)
			return fail(error, CORRUPT, "zstd stream yields %zu of %zu bytes", done,
				    length);
		if (ZSTD_isError(produced))
			return fail(error, CORRUPT, "damaged zstd stream: %s",
				    ZSTD_getErrorName(produced));
		done += produced;
		used += frame;
	}
	return true;
}

bool qcow2_decompress(Qcow2Compression compression, void *buf, size_t length, const void *from,
		      size_t from_length, GError **error)
{
	return compression == QCOW2_ZSTD ? decompress_zstd(buf, length, from, from_length, error)
					 : inflate_raw(buf, length, from, from_length, error);
}

struct Qcow2Compressor {
	struct libdeflate_compressor *zlib; /* owned, or NULL */
	ZSTD_CCtx *zstd;                    /* owned, or NULL */
	int level;
};

struct Qcow2Compressors {
	Qcow2Compression compression;
	int level;
	GMutex lock;
	GPtrArray *idle; /* of Qcow2Compressor, owned */
};

static void compressor_free(void *pointer)
{
	Qcow2Compressor *compressor = pointer;

	libdeflate_free_compressor(compressor->zlib);
	ZSTD_freeCCtx(compressor->zstd);
	g_free(compressor);
}

bool qcow2_compression_level(Qcow2Compression compression, int wanted, int *out, GError **error)
{
	const int max = compression == QCOW2_ZSTD ? ZSTD_maxCLevel() : ZLIB_MAX_LEVEL;

	if (wanted < 0 || wanted > max)
		return fail(error, USAGE, "compression level %d: not within 1 to %d", wanted, max);
	*out = wanted;
	if (wanted == 0)
		*out = compression == QCOW2_ZSTD ? ZSTD_CLEVEL_DEFAULT : ZLIB_DEFAULT_LEVEL;
	return true;
}

Qcow2Compressors *qcow2_compressors_new(Qcow2Compression compression, int level)
{
	Qcow2Compressors *compressors = g_new0(Qcow2Compressors, 1);

	compressors->compression = compression;
	compressors->level = level;
	g_mutex_init(&compressors->lock);
	compressors->idle = g_ptr_array_new_with_free_func(compressor_free);
	return compressors;
}

void qcow2_compressors_free(Qcow2Compressors *compressors)
{
	if (compressors == NULL)
		return;
	g_ptr_array_unref(compressors->idle);
	g_mutex_clear(&compressors->lock);
	g_free(compressors);
}

static Qcow2Compressor *compressor_new(Qcow2Compression compression, int level, GError **error)
{
	Qcow2Compressor *compressor = g_new0(Qcow2Compressor, 1);

	compressor->level = level;
	if (compression == QCOW2_ZSTD)
		compressor->zstd = ZSTD_createCCtx();
	else
		compressor->zlib = libdeflate_alloc_compressor(level);
	if (compressor->zstd != NULL || compressor->zlib != NULL)
		return compressor;
	compressor_free(compressor);
	return fail_null(error, IO, "no memory for a compressor");
}

Qcow2Compressor *qcow2_compressor_take(Qcow2Compressors *compressors, GError **error)
{
	Qcow2Compressor *compressor = NULL;

	g_mutex_lock(&compressors->lock);
	if (compressors->idle->len > 0)
		compressor =
			g_ptr_array_steal_index_fast(compressors->idle, compressors->idle->len - 1);
	g_mutex_unlock(&compressors->lock);
	return compressor != NULL
		       ? compressor
		       : compressor_new(compressors->compression, compressors->level, error);
}

void qcow2_compressor_give(Qcow2Compressors *compressors, Qcow2Compressor *compressor)
{
	g_mutex_lock(&compressors->lock);
	g_ptr_array_add(compressors->idle, compressor);
	g_mutex_unlock(&compressors->lock);
}

size_t qcow2_compress(Qcow2Compressor *compressor, void *buf, size_t capacity, const void *from,
		      size_t from_length)
{
	if (compressor->zlib != NULL)
		return libdeflate_deflate_compress(compressor->zlib, from, from_length, buf,
						   capacity);
	const size_t length = ZSTD_compressCCtx(compressor->zstd, buf, capacity, from, from_length,
						compressor->level);
	return ZSTD_isError(length) ? 0 : length;
}
