/* SPDX-License-Identifier: Apache-2.0 */
/* initramfs_image.h: reads an initramfs as the kernel unpacks it, and writes a piece to append. */
#ifndef V2V_CONVERT_GUEST_INITRAMFS_IMAGE_H
#define V2V_CONVERT_GUEST_INITRAMFS_IMAGE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {       /* what the kernel finds at a path in the end */
	uint32_t mode; /* as stat(2) */
	uint64_t size;
	char *content; /* owned; of small configuration files and links, NULL otherwise */
} InitramfsFile;

typedef struct {
	GHashTable *files; /* owned; path without a leading "/" or "./" -> InitramfsFile */
	bool lz4;          /* the kernel reads whatever follows as LZ4 blocks, too */
	uint64_t unpacked; /* bytes of all cpio archives */
} InitramfsImage;

/* Reads concatenated cpio archives (newc), plain or compressed by gzip, xz, lzma, bzip2, zstd or
 * lz4. CORRUPT names the offset in the file. */
InitramfsImage *initramfs_image_read(const uint8_t *bytes, size_t length, GError **error);
void initramfs_image_free(InitramfsImage *image); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InitramfsImage, initramfs_image_free)

/* The file at `path`, links to folders ("lib" -> "usr/lib") followed; NULL: none. Borrowed. */
const InitramfsFile *initramfs_image_find(const InitramfsImage *image, const char *path);
/* Where `path` is after its folders' links; owned. */
char *initramfs_image_real_path(const InitramfsImage *image, const char *path);

typedef struct InitramfsPiece InitramfsPiece; /* files that come on top of an image */

InitramfsPiece *initramfs_piece_new(const InitramfsImage *below);
void initramfs_piece_free(InitramfsPiece *piece); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InitramfsPiece, initramfs_piece_free)
/* Folders that `below` does not have come with it. The last file at a path counts. */
void initramfs_piece_add(InitramfsPiece *piece, const char *path, uint32_t mode, const void *bytes,
			 size_t length);
/* The bytes to append to an image of `length` bytes. */
GByteArray *initramfs_piece_format(const InitramfsPiece *piece, uint64_t length);

#endif
