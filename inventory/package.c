/* SPDX-License-Identifier: Apache-2.0 */
/* package.c: the files of an OVF package, wherever they stand. */
#include "inventory/package.h"

#include "base/bytes.h"
#include "inventory/archive_spool.h"
#include "inventory/tar_header.h"
#include "inventory/tar_index.h"

#include <string.h>
#include <sys/stat.h>

struct Package {
	char *path;          /* owned; for messages */
	MemberList *members; /* owned */
	char *ovf_name;      /* owned; may be NULL */
	Folder *folder;      /* owned; files beside each other; NULL: an archive */
	Storage *archive;    /* owned; what the members are slices of; NULL: a folder */
};

static PackageKind kind_of_bytes(const uint8_t *head, size_t length, const char *path)
{
	TarHeaderBytes raw;
	TarHeader header;

	if (length >= sizeof(raw)) {
		memcpy(&raw, head, sizeof(raw));
		if (memcmp(raw.magic, "ustar", 5) == 0 || tar_header_parse(&raw, &header, NULL))
			return PACKAGE_TAR;
	}
	if (length >= 2 && memcmp(head, "\x1f\x8b", 2) == 0)
		return PACKAGE_TAR_GZIP;
	if (length >= 6 && memcmp(head,
				  "\xfd"
				  "7zXZ\0",
				  6) == 0)
		return PACKAGE_TAR_XZ;
	if (length >= 4 && memcmp(head, "PK\3\4", 4) == 0)
		return PACKAGE_ZIP;
	return member_name_has_suffix(path, ".ovf") ? PACKAGE_OVF : PACKAGE_UNKNOWN;
}

PackageKind package_probe(const char *path)
{
	uint8_t head[TAR_BLOCK_SIZE];
	struct stat status;

	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return PACKAGE_FOLDER;
	g_autoptr(Storage) file = storage_open_file(path, NULL);
	if (file == NULL)
		return PACKAGE_UNKNOWN;
	const size_t length = file->size < sizeof(head) ? (size_t)file->size : sizeof(head);
	if (length == 0 || !storage_read_at(file, head, length, 0, NULL))
		return PACKAGE_UNKNOWN;
	return kind_of_bytes(head, length, path);
}

static bool is_small_file(const char *name)
{
	return member_name_has_suffix(name, ".ovf") || member_name_has_suffix(name, ".mf") ||
	       member_name_has_suffix(name, ".cert");
}

/* The .ovf of a folder must be its only one; the names of disks are not looked for, but opened. */
static bool list_folder(Package *package, GError **error)
{
	g_autoptr(GDir) folder = g_dir_open(package->path, 0, error);
	const char *name;

	if (folder == NULL)
		return false;
	while ((name = g_dir_read_name(folder)) != NULL)
		if (is_small_file(name) && !member_name_is_apple_double(name) &&
		    !member_list_add(package->members, name, strlen(name), 0, 0, error))
			return false;
	return true;
}

/* "vm.ovf" goes with "vm.mf" and "vm.cert". */
static bool list_beside(Package *package, GError **error)
{
	static const char *const suffixes[] = {".mf", ".cert"};
	g_autofree char *base = g_path_get_basename(package->path);
	g_autofree char *stem = g_strndup(base, strlen(base) - strlen(".ovf"));

	if (!member_list_add(package->members, base, strlen(base), 0, 0, error))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *name = g_strconcat(stem, suffixes[i], NULL);
		g_autofree char *folder = g_path_get_dirname(package->path);
		g_autofree char *path = g_build_filename(folder, name, NULL);

		if (g_file_test(path, G_FILE_TEST_EXISTS) &&
		    !member_list_add(package->members, name, strlen(name), 0, 0, error))
			return false;
	}
	package->ovf_name = g_steal_pointer(&base);
	return true;
}

static bool open_archive(Package *package, PackageKind kind, const SourceOptions *options,
			 GError **error)
{
	const SpoolOptions spool = {options != NULL ? options->spool_folder : NULL,
				    options != NULL ? options->cancel : NULL, 0};
	g_autoptr(Storage) file = storage_open_file(package->path, error);

	if (file == NULL)
		return false;
	g_clear_pointer(&package->members, member_list_free);
	if (kind == PACKAGE_ZIP) {
		package->archive = archive_spool_zip(file, &spool, &package->members, error);
		return package->archive != NULL;
	}
	if (kind == PACKAGE_TAR)
		package->archive = storage_ref(file);
	else if (kind == PACKAGE_TAR_GZIP)
		package->archive = archive_spool_gzip(file, &spool, error);
	else
		package->archive = archive_spool_xz(file, &spool, error);
	if (package->archive == NULL)
		return false;
	package->members = tar_index_parse(package->archive, error);
	return package->members != NULL;
}

static bool open_kind(Package *package, PackageKind kind, const SourceOptions *options,
		      GError **error)
{
	switch (kind) {
	case PACKAGE_FOLDER:
		package->folder = folder_open_path(package->path, NULL, error);
		return package->folder != NULL && list_folder(package, error);
	case PACKAGE_OVF:
		package->folder = folder_of_file(package->path, NULL, error);
		return package->folder != NULL && list_beside(package, error);
	case PACKAGE_TAR:
	case PACKAGE_TAR_GZIP:
	case PACKAGE_TAR_XZ:
	case PACKAGE_ZIP:
		return open_archive(package, kind, options, error);
	case PACKAGE_UNKNOWN:
		break;
	}
	return fail(error, UNSUPPORTED,
		    "neither an OVA (tar, tar.gz, tar.xz, zip) nor an .ovf nor a folder with one");
}

Package *package_open(const char *path, const SourceOptions *options, GError **error)
{
	g_autoptr(Package) package = g_new0(Package, 1);

	package->path = g_strdup(path);
	package->members = member_list_new();
	if (!open_kind(package, package_probe(path), options, error))
		return NULL;
	return g_steal_pointer(&package);
}

void package_free(Package *package)
{
	if (package == NULL)
		return;
	member_list_free(package->members);
	folder_unref(package->folder);
	storage_unref(package->archive);
	g_free(package->ovf_name);
	g_free(package->path);
	g_free(package);
}

const MemberList *package_members(const Package *package)
{
	return package->members;
}

const char *package_ovf_name(const Package *package)
{
	return package->ovf_name;
}

Storage *package_open_member(Package *package, const char *name, GError **error)
{
	if (!member_name_check(name, strlen(name), error))
		return NULL;
	if (package->folder != NULL)
		return folder_open(package->folder, name, error);
	const Member *member = member_list_find(package->members, name);
	if (member == NULL)
		return fail_null(error, IO, "there is no member \"%s\"", name);
	g_autofree char *base = g_path_get_basename(package->path);
	g_autofree char *shown = g_strdup_printf("%s(%s)", base, name);
	return storage_new_slice(package->archive, shown, member->size, member->offset, error);
}

char *package_read_member(Package *package, const char *name, size_t max_length, size_t *length,
			  GError **error)
{
	g_autoptr(Storage) file = package_open_member(package, name, error);

	if (file == NULL)
		return NULL;
	if (file->size > max_length)
		return fail_null(error, CORRUPT, "%" PRIu64 " bytes: the limit is %zu", file->size,
				 max_length);
	g_autofree char *bytes = g_malloc((size_t)file->size + 1);
	if (file->size > 0 && !storage_read_at(file, bytes, (size_t)file->size, 0, error))
		return NULL;
	bytes[file->size] = '\0';
	*length = (size_t)file->size;
	return g_steal_pointer(&bytes);
}
