/* SPDX-License-Identifier: Apache-2.0 */
/* archive_spool.c: xz and zip through libarchive; the only file that knows it. */
#include "inventory/archive_spool.h"

#include "base/checked.h"
#include "inventory/spool.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define INPUT_LENGTH  ((size_t)(256 * KIB))
#define OUTPUT_LENGTH ((size_t)MIB)

typedef struct archive Archive;

static void archive_release(Archive *archive)
{
	archive_read_free(archive);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Archive, archive_release)

typedef struct {
	Storage *file;
	uint64_t offset;
	uint8_t *input;
	GError *problem; /* of the storage: libarchive's text would hide it */
} ArchiveInput;

/* The three signatures are libarchive's. */
static la_ssize_t input_read(Archive *archive, void *context, const void **buf)
{
	ArchiveInput *input = context;
	const size_t length = (size_t)min_u64(INPUT_LENGTH, input->file->size - input->offset);

	(void)archive;
	if (input->problem != NULL ||
	    !storage_read_at(input->file, input->input, length, input->offset, &input->problem))
		return ARCHIVE_FATAL;
	*buf = input->input;
	input->offset += length;
	return (la_ssize_t)length;
}

static la_int64_t input_skip(Archive *archive, void *context, la_int64_t request)
{
	ArchiveInput *input = context;
	const uint64_t length =
		min_u64(request > 0 ? (uint64_t)request : 0, input->file->size - input->offset);

	(void)archive;
	input->offset += length;
	return (la_int64_t)length;
}

static la_int64_t input_seek(Archive *archive, void *context, la_int64_t offset, int whence)
{
	ArchiveInput *input = context;
	const uint64_t from = whence == SEEK_CUR   ? input->offset
			      : whence == SEEK_END ? input->file->size
						   : 0;
	int64_t to = 0;

	(void)archive;
	if (__builtin_add_overflow((int64_t)from, offset, &to) || to < 0 ||
	    (uint64_t)to > input->file->size)
		return ARCHIVE_FATAL;
	input->offset = (uint64_t)to;
	return to;
}

static bool fail_archive(Archive *archive, ArchiveInput *input, GError **error)
{
	const char *text = archive_error_string(archive);

	if (input->problem != NULL) {
		g_propagate_error(error, g_steal_pointer(&input->problem));
		return false;
	}
	g_autofree char *shown = text_for_display(text != NULL ? text : "unknown error",
						  text != NULL ? strlen(text) : 13, 200);
	return fail(error, CORRUPT, "near offset 0x%" PRIx64 ": %s", input->offset, shown);
}

static bool open_input(Archive *archive, ArchiveInput *input, GError **error)
{
	archive_read_set_read_callback(archive, input_read);
	archive_read_set_skip_callback(archive, input_skip);
	archive_read_set_seek_callback(archive, input_seek);
	archive_read_set_callback_data(archive, input);
	return archive_read_open1(archive) == ARCHIVE_OK || fail_archive(archive, input, error);
}

/* All of the entry at hand. A warning is a failure: a wrong checksum is one to libarchive. */
static bool append_entry(Archive *archive, ArchiveInput *input, Spool *spool, GError **error)
{
	g_autofree uint8_t *output = g_malloc(OUTPUT_LENGTH);

	for (;;) {
		const la_ssize_t length = archive_read_data(archive, output, OUTPUT_LENGTH);

		if (length < 0)
			return fail_archive(archive, input, error);
		if (length == 0)
			return true;
		if (!spool_append(spool, output, (size_t)length, error))
			return false;
	}
}

static bool unpack_xz(Archive *archive, ArchiveInput *input, Spool *spool, GError **error)
{
	struct archive_entry *entry = NULL;

	archive_read_support_filter_xz(archive);
	archive_read_support_format_raw(archive);
	if (!open_input(archive, input, error))
		return false;
	if (archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		return fail_archive(archive, input, error);
	return append_entry(archive, input, spool, error);
}

static bool check_zip_entry(struct archive_entry *entry, const char *name, GError **error)
{
	if (name == NULL)
		return fail(error, REFUSED, "a name is not UTF-8 text");
	g_autofree char *shown = text_for_display(name, strlen(name), 80);
	if (archive_entry_is_encrypted(entry))
		return fail(error, UNSUPPORTED, "member \"%s\" is encrypted", shown);
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != NULL ||
	    archive_entry_symlink(entry) != NULL)
		return fail(error, REFUSED, "member \"%s\" is not a regular file", shown);
	return true;
}

static bool unpack_zip_entry(Archive *archive, struct archive_entry *entry, ArchiveInput *input,
			     Spool *spool, MemberList *members, GError **error)
{
	const char *name = archive_entry_pathname_utf8(entry);
	const uint64_t offset = spool->length;

	if (archive_entry_filetype(entry) == AE_IFDIR)
		return true;
	if (!check_zip_entry(entry, name, error) || !append_entry(archive, input, spool, error))
		return false;
	const uint64_t size = spool->length - offset;
	if (archive_entry_size_is_set(entry) && (uint64_t)archive_entry_size(entry) != size)
		return fail(error, CORRUPT, "a member of %" PRIu64 " bytes unpacks to %" PRIu64,
			    (uint64_t)archive_entry_size(entry), size);
	return member_list_add(members, name, strlen(name), size, offset, error);
}

static bool unpack_zip(Archive *archive, ArchiveInput *input, Spool *spool, MemberList *members,
		       GError **error)
{
	struct archive_entry *entry = NULL;
	int result;

	/* By its central directory alone: a cut zip has none. */
	archive_read_support_format_zip_seekable(archive);
	if (!open_input(archive, input, error))
		return false;
	while ((result = archive_read_next_header(archive, &entry)) == ARCHIVE_OK)
		if (!unpack_zip_entry(archive, entry, input, spool, members, error))
			return false;
	return result == ARCHIVE_EOF || fail_archive(archive, input, error);
}

Storage *archive_spool_xz(Storage *file, const SpoolOptions *options, GError **error)
{
	g_autoptr(Archive) archive = archive_read_new();
	g_autofree uint8_t *buf = g_malloc(INPUT_LENGTH);
	g_auto(Spool) spool = {0};
	ArchiveInput input = {file, 0, buf, NULL};

	if (!spool_open(&spool, file->name, options, error) ||
	    !unpack_xz(archive, &input, &spool, error))
		return NULL;
	return spool_finish(&spool, error);
}

Storage *archive_spool_zip(Storage *file, const SpoolOptions *options, MemberList **members,
			   GError **error)
{
	g_autoptr(Archive) archive = archive_read_new();
	g_autoptr(MemberList) list = member_list_new();
	g_autofree uint8_t *buf = g_malloc(INPUT_LENGTH);
	g_auto(Spool) spool = {0};
	ArchiveInput input = {file, 0, buf, NULL};

	if (!spool_open(&spool, file->name, options, error) ||
	    !unpack_zip(archive, &input, &spool, list, error))
		return NULL;
	Storage *storage = spool_finish(&spool, error);
	if (storage != NULL)
		*members = g_steal_pointer(&list);
	return storage;
}
