/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_files.c: reads descriptors, and opens the extent files that they name. */
#include "formats/vmdk_files.h"

#include "base/checked.h"

#include <string.h>
#include <sys/stat.h>

struct VmdkFiles {
	Folder *folder;       /* borrowed */
	Storage *descriptor;  /* borrowed */
	const char *encoding; /* borrowed */
	GHashTable *by_name;  /* owned: name -> Storage, a reference */
};

VmdkKind vmdk_kind_of(const uint8_t *head, size_t length)
{
	static const struct {
		char magic[16];
		size_t length;
		VmdkKind kind;
	} kinds[] = {
		{VMDK_MAGIC, 4, VMDK_KIND_SPARSE},
		{COWD_MAGIC, 4, VMDK_KIND_COWD},
		{SESPARSE_MAGIC, 8, VMDK_KIND_SESPARSE},
		{"\xff\xfe#\0 \0D\0i\0s\0k", 13, VMDK_KIND_UTF16},
		{"\xfe\xff\0#\0 \0D\0i\0s\0k", 14, VMDK_KIND_UTF16},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (length >= kinds[i].length && memcmp(head, kinds[i].magic, kinds[i].length) == 0)
			return kinds[i].kind;
	return VMDK_KIND_NONE;
}

static char *read_text(Storage *storage, size_t length, uint64_t offset, GError **error)
{
	g_autofree char *text = g_try_malloc(length + 1);

	if (text == NULL)
		return fail_null(error, IO, "no memory for a descriptor of %zu bytes", length);
	text[length] = '\0';
	return storage_read_at(storage, text, length, offset, error) ? g_steal_pointer(&text)
								     : NULL;
}

VmdkDescriptor *vmdk_read_descriptor(Storage *storage, GError **error)
{
	if (storage->size == 0 || storage->size > VMDK_DESCRIPTOR_MAX_SIZE)
		return fail_null(error, CORRUPT,
				 "descriptor size=%" PRIu64 ": the limit is %u bytes",
				 storage->size, VMDK_DESCRIPTOR_MAX_SIZE);
	const size_t length = (size_t)storage->size;
	g_autofree char *text = read_text(storage, length, 0, error);
	if (text == NULL)
		return NULL;
	if (vmdk_kind_of((const uint8_t *)text, length) != VMDK_KIND_UTF16)
		return vmdk_descriptor_parse(text, length, error);
	gsize utf8_length;
	g_autofree char *utf8 =
		g_convert(text, (gssize)length, "UTF-8", "UTF-16", NULL, &utf8_length, NULL);
	if (utf8 == NULL)
		return fail_null(error, CORRUPT,
				 "descriptor: not valid UTF-16, which its first "
				 "two bytes announce");
	return vmdk_descriptor_parse(utf8, utf8_length, error);
}

VmdkDescriptor *vmdk_read_embedded_descriptor(Storage *storage, const VmdkHeader *header,
					      GError **error)
{
	const size_t length = (size_t)header->descriptor_size;

	if (length == 0)
		return fail_null(error, UNSUPPORTED,
				 "offset 0x%zx: descriptor offset=0: this is one extent of a "
				 "split image; open the image's descriptor, the small .vmdk "
				 "beside it",
				 offsetof(VmdkHeaderBytes, descriptor_offset));
	g_autofree char *text = read_text(storage, length, header->descriptor_offset, error);
	if (text == NULL)
		return NULL;
	g_autoptr(VmdkDescriptor) descriptor = vmdk_descriptor_parse(text, length, error);
	if (descriptor == NULL)
		return fail_in_null(error, "descriptor at 0x%" PRIx64 ": ",
				    header->descriptor_offset);
	if (descriptor->extents->len != 1 ||
	    vmdk_descriptor_extent(descriptor, 0)->type != VMDK_EXTENT_SPARSE)
		return fail_null(error, REFUSED,
				 "descriptor at 0x%" PRIx64
				 ": extents=%u: a descriptor inside a sparse file may name that "
				 "file only, as one SPARSE extent",
				 header->descriptor_offset, descriptor->extents->len);
	return g_steal_pointer(&descriptor);
}

VmdkFiles *vmdk_files_new(Folder *folder, Storage *descriptor, const char *encoding)
{
	VmdkFiles *files = g_new(VmdkFiles, 1);

	*files = (VmdkFiles){.folder = folder, .descriptor = descriptor, .encoding = encoding};
	files->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					       (GDestroyNotify)storage_unref);
	return files;
}

void vmdk_files_free(VmdkFiles *files)
{
	if (files == NULL)
		return;
	g_hash_table_unref(files->by_name);
	g_free(files);
}

/* The name as people and most programs write it to this system's disks; NULL when it is already so,
 * or cannot be. Code pages are "windows-949" there and "CP949" here. */
static char *name_in_utf8(const char *name, const char *encoding)
{
	if (encoding == NULL || g_utf8_validate(name, -1, NULL))
		return NULL;
	const bool code_page = g_ascii_strncasecmp(encoding, "windows-", 8) == 0;
	g_autofree char *from =
		code_page ? g_strconcat("CP", encoding + 8, NULL) : g_strdup(encoding);
	return g_convert(name, -1, "UTF-8", from, NULL, NULL, NULL);
}

/* A name that is not UTF-8 may stand on disk as it is written, or translated. */
static Storage *open_named(const VmdkFiles *files, const char *name, GError **error)
{
	g_autofree char *translated = name_in_utf8(name, files->encoding);

	if (translated != NULL) {
		Storage *storage = folder_open(files->folder, translated, NULL);
		if (storage != NULL)
			return storage;
	}
	return folder_open(files->folder, name, error);
}

/* Also by another name, or as a piece of the same archive. */
static bool same_bytes(const Storage *a, const Storage *b)
{
	struct stat status_a, status_b;

	if (a == b)
		return true;
	if (a->fd < 0 || b->fd < 0 || fstat(a->fd, &status_a) != 0 || fstat(b->fd, &status_b) != 0)
		return false;
	return status_a.st_dev == status_b.st_dev && status_a.st_ino == status_b.st_ino &&
	       ranges_overlap(a->size, a->fd_offset, b->size, b->fd_offset);
}

Storage *vmdk_files_open(VmdkFiles *files, const VmdkExtentLine *line, GError **error)
{
	Storage *known = g_hash_table_lookup(files->by_name, line->name);

	if (known != NULL && line->type == VMDK_EXTENT_FLAT)
		return storage_ref(known);
	if (known != NULL)
		return fail_null(error, CORRUPT,
				 "line %u: extent name: another extent is in this file already",
				 line->line);
	if (files->folder == NULL)
		return fail_null(error, REFUSED, "line %u: extent: no folder to open it from",
				 line->line);
	g_autoptr(Storage) storage = open_named(files, line->name, error);
	if (storage == NULL)
		return fail_in_null(error, "line %u: extent: ", line->line);
	if (same_bytes(storage, files->descriptor))
		return fail_null(error, CORRUPT,
				 "line %u: extent name: it is the file of the descriptor itself",
				 line->line);
	g_hash_table_insert(files->by_name, g_strdup(line->name), storage_ref(storage));
	return g_steal_pointer(&storage);
}
