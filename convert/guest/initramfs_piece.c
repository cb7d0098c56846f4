/* SPDX-License-Identifier: Apache-2.0 */
/* initramfs_piece.c: files to put on top of an initramfs, as an archive appended to it. */
#include "convert/guest/cpio.h"
#include "convert/guest/initramfs_image.h"

#include <sys/stat.h>

enum { LZ4_BLOCK = 4 << 20, PIECE_ALIGNMENT = 512 };

struct InitramfsPiece {
	const InitramfsImage *below; /* borrowed */
	GByteArray *archive;         /* owned; without the trailer */
	GHashTable *folders;         /* owned; set of folders written here */
};

InitramfsPiece *initramfs_piece_new(const InitramfsImage *below)
{
	InitramfsPiece *piece = g_new0(InitramfsPiece, 1);

	piece->below = below;
	piece->archive = g_byte_array_new();
	piece->folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return piece;
}

void initramfs_piece_free(InitramfsPiece *piece)
{
	if (piece == NULL)
		return;
	g_byte_array_unref(piece->archive);
	g_hash_table_unref(piece->folders);
	g_free(piece);
}

/* A folder that is already there must not come again: where it is a link ("lib"), the kernel would
 * put an empty folder in its place. */
static void add_folders(InitramfsPiece *piece, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		g_autofree char *folder = g_strndup(path, (gsize)(slash - path));

		if (g_hash_table_contains(piece->below->files, folder) ||
		    g_hash_table_contains(piece->folders, folder))
			continue;
		cpio_append(piece->archive, folder, S_IFDIR | 0755, NULL, 0);
		g_hash_table_add(piece->folders, g_steal_pointer(&folder));
	}
}

void initramfs_piece_add(InitramfsPiece *piece, const char *path, uint32_t mode, const void *bytes,
			 size_t length)
{
	g_autofree char *real = initramfs_image_real_path(piece->below, path);

	add_folders(piece, real);
	cpio_append(piece->archive, real, mode, bytes, length);
}

static void append_le32(GByteArray *out, uint32_t value)
{
	const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
				  (uint8_t)(value >> 24)};

	g_byte_array_append(out, bytes, sizeof(bytes));
}

/* An LZ4 block of literals only: a token, the count in bytes of 255 and a rest, the bytes. */
static void append_lz4_block(GByteArray *out, const uint8_t *bytes, uint32_t length)
{
	static const uint8_t token_long = 0xf0, more = 0xff;
	const uint32_t extra = length >= 15 ? (length - 15) / 255 + 1 : 0;

	append_le32(out, 1 + extra + length);
	if (extra == 0) {
		const uint8_t token = (uint8_t)(length << 4);

		g_byte_array_append(out, &token, 1);
	} else {
		const uint8_t rest = (uint8_t)((length - 15) % 255);

		g_byte_array_append(out, &token_long, 1);
		for (uint32_t i = 1; i < extra; i++)
			g_byte_array_append(out, &more, 1);
		g_byte_array_append(out, &rest, 1);
	}
	g_byte_array_append(out, bytes, length);
}

/* The kernel's LZ4 reader goes on to the end of the image, so a piece after LZ4 must be LZ4 too. */
static void append_lz4(GByteArray *out, const GByteArray *archive)
{
	append_le32(out, 0x184c2102);
	for (guint at = 0; at < archive->len; at += LZ4_BLOCK)
		append_lz4_block(out, archive->data + at, MIN((guint)LZ4_BLOCK, archive->len - at));
}

GByteArray *initramfs_piece_format(const InitramfsPiece *piece, uint64_t length)
{
	static const uint8_t zeroes[PIECE_ALIGNMENT] = {0};
	GByteArray *out = g_byte_array_new();
	g_autoptr(GByteArray) archive = g_byte_array_new();

	g_byte_array_append(archive, piece->archive->data, piece->archive->len);
	cpio_append(archive, NULL, 0, NULL, 0);
	if (piece->below->lz4) {
		append_lz4(out, archive);
		return out;
	}
	g_byte_array_append(
		out, zeroes,
		(guint)((PIECE_ALIGNMENT - length % PIECE_ALIGNMENT) % PIECE_ALIGNMENT));
	g_byte_array_append(out, archive->data, archive->len);
	return out;
}
