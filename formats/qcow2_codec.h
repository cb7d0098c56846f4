/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2_codec.h: clusters of guest bytes, compressed and back; safe from many threads at once. */
#ifndef V2V_FORMATS_QCOW2_CODEC_H
#define V2V_FORMATS_QCOW2_CODEC_H

#include "formats/qcow2_header.h"

/* One cluster of `length` bytes from a stream that begins at `from`; what stands behind the stream
 * is not looked at. CORRUPT when it is damaged or yields fewer bytes (zstd: or more, as QEMU has
 * it). */
bool qcow2_decompress(Qcow2Compression compression, void *buf, size_t length, const void *from,
		      size_t from_length, GError **error);

typedef struct Qcow2Compressors Qcow2Compressors; /* as many as threads need at once */

/* `level` has been checked with qcow2_compression_level(). */
Qcow2Compressors *qcow2_compressors_new(Qcow2Compression compression, int level);
void qcow2_compressors_free(Qcow2Compressors *compressors); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Qcow2Compressors, qcow2_compressors_free)

/* The default for 0; USAGE when the codec has no such level. */
bool qcow2_compression_level(Qcow2Compression compression, int wanted, int *out, GError **error);

typedef struct Qcow2Compressor Qcow2Compressor; /* one thread's, between take and give */

Qcow2Compressor *qcow2_compressor_take(Qcow2Compressors *compressors, GError **error);
void qcow2_compressor_give(Qcow2Compressors *compressors, Qcow2Compressor *compressor);

/* How many bytes of `buf` were filled; 0 when `capacity` is too small. */
size_t qcow2_compress(Qcow2Compressor *compressor, void *buf, size_t capacity, const void *from,
		      size_t from_length);

#endif
