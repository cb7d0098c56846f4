/* SPDX-License-Identifier: Apache-2.0 */
/* initramfs_image.c: concatenated archives, in the order and by the rules of init/initramfs.c. */
#include "convert/guest/initramfs_image.h"

#include "base/error.h"
#include "convert/guest/cpio.h"

#include <archive.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_UNPACKED (4ull << 30)
enum { MAX_FILES = 1 << 20, MAX_LINKS = 16, MAX_CUTS = 4, MAX_OWN_ZEROES = 4 };

static void file_free(gpointer pointer)
{
	InitramfsFile *file = pointer;

	g_free(file->content);
	g_free(file);
}

void initramfs_image_free(InitramfsImage *image)
{
	if (image == NULL)
		return;
	g_hash_table_unref(image->files);
	g_free(image);
}

/* Settings that may name a device, and links: all else is only counted. */
static bool wants_content(void *user, const CpioMember *member)
{
	static const char *const folders[] = {"etc/", "conf/", "cryptroot/"};

	(void)user;
	if (S_ISLNK(member->mode))
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
		if (S_ISREG(member->mode) && g_str_has_prefix(member->path, folders[i]))
			return true;
	return S_ISREG(member->mode) && (g_str_equal(member->path, "init") ||
					 strstr(member->path, "systemd/network/") != NULL);
}

static void keep_member(void *user, const CpioMember *member)
{
	InitramfsImage *image = user;
	InitramfsFile *file = g_new0(InitramfsFile, 1);

	if (g_hash_table_size(image->files) >= MAX_FILES) {
		g_free(file);
		return;
	}
	file->mode = member->mode;
	file->size = member->size;
	if (member->content != NULL)
		file->content = g_strndup((const char *)member->content, member->size);
	g_hash_table_insert(image->files, g_strdup(member->path), file);
}

typedef struct { /* state of a reader over one compressed stretch */
	const uint8_t *bytes;
	size_t length;
	bool given;
} Stretch;

static la_ssize_t read_stretch(struct archive *archive, void *user, const void **out)
{
	Stretch *stretch = user;

	(void)archive;
	*out = stretch->bytes;
	if (stretch->given)
		return 0;
	stretch->given = true;
	return (la_ssize_t)stretch->length;
}

static bool feed_unpacked(struct archive *archive, CpioReader *reader, GError **error)
{
	g_autofree uint8_t *buffer = g_malloc(1 << 20);

	for (;;) {
		const la_ssize_t got = archive_read_data(archive, buffer, 1 << 20);

		if (got == 0)
			return true;
		if (got < 0) {
			/* After its end the stream may be followed by a piece that is not
			 * compressed: what has been unpacked by then is a whole archive. */
			if (cpio_reader_is_between(reader) && cpio_reader_offset(reader) > 0)
				return true;
			return fail(error, CORRUPT, "unpacking: %s", archive_error_string(archive));
		}
		if (!cpio_reader_feed(reader, buffer, (size_t)got, error))
			return fail_in(error, "unpacked ");
		if (cpio_reader_offset(reader) > MAX_UNPACKED)
			return fail(error, CORRUPT, "unpacks to more than %llu bytes",
				    MAX_UNPACKED);
	}
}

/* One compressed stretch; `used` gets the bytes of it that were read. */
static bool unpack_stretch(InitramfsImage *image, const uint8_t *bytes, size_t length, size_t *used,
			   GError **error)
{
	const CpioVisitor visitor = {wants_content, keep_member, image};
	g_autoptr(CpioReader) reader = cpio_reader_new(&visitor);
	Stretch stretch = {bytes, length, false};
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	bool ok = false;

	archive_read_support_filter_all(archive);
	archive_read_support_format_raw(archive);
	if (archive_read_open(archive, &stretch, NULL, read_stretch, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		ok = fail(error, CORRUPT, "unpacking: %s", archive_error_string(archive));
	else
		ok = feed_unpacked(archive, reader, error);
	if (ok && !cpio_reader_is_between(reader))
		ok = fail(error, CORRUPT, "ends inside a cpio archive");
	*used = (size_t)archive_filter_bytes(archive, -1);
	image->unpacked += cpio_reader_offset(reader);
	archive_read_free(archive);
	return ok;
}

/* Where the next plain archive may begin, as the kernel looks for it: a header on a multiple of 4.
 */
static size_t next_header(const uint8_t *bytes, size_t length, size_t from)
{
	for (size_t at = from + (4 - from % 4) % 4; at + CPIO_HEADER_SIZE <= length; at += 4)
		if (bytes[at] == '0' && cpio_is_header(bytes + at))
			return at;
	return length;
}

/* The stretch [at, end) with the zeroes at its end left out, which are padding, but for those that
 * may be its own: the last field of gzip is a length, of zstd a checksum. */
static bool unpack_padded(InitramfsImage *image, const uint8_t *bytes, size_t at, size_t end)
{
	size_t packed = end, used;

	while (packed > at && bytes[packed - 1] == 0)
		packed--;
	for (size_t zeroes = 0; zeroes <= MAX_OWN_ZEROES && packed + zeroes <= end; zeroes++)
		if (unpack_stretch(image, bytes + at, packed + zeroes - at, &used, NULL))
			return true;
	return false;
}

/*
 * The image from `at` up to its end or up to a plain archive. Not every decoder stops by itself
 * before what is not its own, so the stretch is cut where an archive seems to begin; a cut that was
 * none makes a stretch that does not unpack, and the next is tried.
 */
static bool read_compressed(InitramfsImage *image, const uint8_t *bytes, size_t length, size_t at,
			    size_t *used, GError **error)
{
	size_t end = next_header(bytes, length, at + 1);

	for (unsigned tries = 0; end < length && tries < MAX_CUTS; tries++) {
		if (unpack_padded(image, bytes, at, end)) {
			*used = end - at;
			return true;
		}
		end = next_header(bytes, length, end + 1);
	}
	if (unpack_padded(image, bytes, at, length)) {
		*used = length - at;
		return true;
	}
	return unpack_stretch(image, bytes + at, length - at, used, error);
}

/* One plain archive; `used` gets its length with the padding after its trailer. */
static bool read_plain(InitramfsImage *image, const uint8_t *bytes, size_t length, size_t *used,
		       GError **error)
{
	const CpioVisitor visitor = {wants_content, keep_member, image};
	g_autoptr(CpioReader) reader = cpio_reader_new(&visitor);
	size_t at = 0;

	/* In steps: what follows the trailer may be compressed, and is none of this reader's. */
	while (at < length && (at == 0 || !cpio_reader_is_between(reader))) {
		const size_t step = MIN((size_t)4, length - at);

		if (!cpio_reader_feed(reader, bytes + at, step, error))
			return false;
		at += step;
	}
	*used = at;
	image->unpacked += at;
	return cpio_reader_is_between(reader) || fail(error, CORRUPT, "ends inside a cpio archive");
}

static bool is_lz4(const uint8_t *bytes, size_t length)
{
	static const uint8_t legacy[4] = {0x02, 0x21, 0x4c, 0x18};

	return length >= 4 && memcmp(bytes, legacy, 4) == 0;
}

InitramfsImage *initramfs_image_read(const uint8_t *bytes, size_t length, GError **error)
{
	g_autoptr(InitramfsImage) image = g_new0(InitramfsImage, 1);
	size_t at = 0, used = 0;

	image->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, file_free);
	while (at < length) {
		if (bytes[at] == 0) {
			at++;
			continue;
		}
		const bool plain = bytes[at] == '0' && at % 4 == 0;
		const bool ok = plain ? read_plain(image, bytes + at, length - at, &used, error)
				      : read_compressed(image, bytes, length, at, &used, error);

		if (!ok)
			return fail_in_null(error, "offset 0x%zx: ", at);
		image->lz4 = !plain && is_lz4(bytes + at, length - at);
		if (used == 0 || used > length - at)
			break;
		at += used;
	}
	return g_steal_pointer(&image);
}

char *initramfs_image_real_path(const InitramfsImage *image, const char *path)
{
	char *real = g_strdup(path);

	for (unsigned links = 0; links < MAX_LINKS; links++) {
		bool followed = false;

		for (char *slash = strchr(real, '/'); slash != NULL;
		     slash = strchr(slash + 1, '/')) {
			g_autofree char *folder = g_strndup(real, (gsize)(slash - real));
			const InitramfsFile *file = g_hash_table_lookup(image->files, folder);

			if (file == NULL || !S_ISLNK(file->mode) || file->content == NULL)
				continue;
			g_autofree char *parent = g_path_get_dirname(folder);
			const bool top = file->content[0] == '/' || g_str_equal(parent, ".");
			char *next =
				g_strconcat(top ? "" : parent, top ? "" : "/",
					    file->content + (file->content[0] == '/'), slash, NULL);

			g_free(real);
			real = next;
			followed = true;
			break;
		}
		if (!followed)
			break;
	}
	return real;
}

const InitramfsFile *initramfs_image_find(const InitramfsImage *image, const char *path)
{
	g_autofree char *real = initramfs_image_real_path(image, path);

	return g_hash_table_lookup(image->files, real);
}
