/* SPDX-License-Identifier: Apache-2.0 */
/* folder.c: confinement of the names that images and definitions contain. */
#include "formats/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FOLDER_NAME_MAX 1023u /* bytes; as long as qcow2 allows */

typedef struct {
	Folder base;
	int fd;       /* owned */
	char *path;   /* owned; for messages */
	char **roots; /* owned; absolute, canonical in text; may be NULL */
} PathFolder;

void folder_init(Folder *folder, const FolderOps *ops)
{
	folder->ops = ops;
	g_atomic_int_set(&folder->references, 1);
}

Folder *folder_ref(Folder *folder)
{
	g_atomic_int_inc(&folder->references);
	return folder;
}

void folder_unref(Folder *folder)
{
	if (folder != NULL && g_atomic_int_dec_and_test(&folder->references))
		folder->ops->close(folder);
}

static bool refuse_name(const char *name, const char *reason, GError **error)
{
	g_autofree char *shown = text_for_display(name, strlen(name), 200);

	return fail(error, REFUSED, "file name \"%s\": %s", shown, reason);
}

static bool has_dot_dot(const char *name)
{
	g_auto(GStrv) parts = g_strsplit(name, "/", -1);

	return g_strv_contains((const char *const *)parts, "..");
}

static bool name_is_safe(const char *name, GError **error)
{
	const char *colon = strchr(name, ':');
	const char *slash = strchr(name, '/');

	if (name[0] == '\0')
		return refuse_name(name, "is empty", error);
	if (strlen(name) > FOLDER_NAME_MAX)
		return refuse_name(name, "is longer than 1023 bytes", error);
	for (const char *at = name; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f || *at == '\\')
			return refuse_name(name, "has a control byte or a backslash", error);
	if (colon != NULL && (slash == NULL || colon < slash))
		return refuse_name(name, "is a URI or names a protocol, not a plain file", error);
	if (has_dot_dot(name))
		return refuse_name(name, "has a \"..\"", error);
	return true;
}

Storage *folder_open(Folder *folder, const char *name, GError **error)
{
	if (!name_is_safe(name, error))
		return NULL;
	return folder->ops->open(folder, name, error);
}

typedef struct {
	Folder base;
	Folder *parent;    /* a reference */
	char *prefix;      /* owned; "" for the folder itself */
	GPtrArray *opened; /* borrowed */
} BeneathFolder;

static Storage *beneath_folder_open(Folder *base, const char *name, GError **error)
{
	const BeneathFolder *folder = (const BeneathFolder *)base;
	g_autofree char *inside = name[0] == '/' || folder->prefix[0] == '\0'
					  ? g_strdup(name)
					  : g_build_filename(folder->prefix, name, NULL);
	Storage *storage = folder_open(folder->parent, inside, error);

	if (storage != NULL)
		g_ptr_array_add(folder->opened, storage_ref(storage));
	return storage;
}

static void beneath_folder_close(Folder *base)
{
	BeneathFolder *folder = (BeneathFolder *)base;

	folder_unref(folder->parent);
	g_free(folder->prefix);
	g_free(folder);
}

static const FolderOps beneath_folder_ops = {
	.open = beneath_folder_open,
	.close = beneath_folder_close,
};

Folder *folder_new_beneath(Folder *parent, const char *prefix, GPtrArray *opened)
{
	BeneathFolder *folder = g_new0(BeneathFolder, 1);

	folder_init(&folder->base, &beneath_folder_ops);
	folder->parent = folder_ref(parent);
	folder->prefix = g_strdup(prefix);
	folder->opened = opened;
	return &folder->base;
}

static int open_beneath(int folder_fd, const char *name, int flags)
{
	const struct open_how how = {
		.flags = (__u64)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, folder_fd, name, &how, sizeof(how));
}

static bool is_regular(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

static bool fail_open(const char *shown, GError **error)
{
	if (errno == ELOOP || errno == EXDEV)
		return refuse_name(shown, "leads outside the folder or through a symbolic link",
				   error);
	return fail_errno(error, errno, "%s", shown);
}

static Storage *path_folder_open_at(int folder_fd, const char *name, const char *shown,
				    GError **error)
{
	/* Looked at before it is opened: opening a device or a FIFO can have effects. And once more
	 * afterwards: it may be another one than a moment ago. */
	const int path_fd = open_beneath(folder_fd, name, O_PATH);
	if (path_fd < 0)
		return fail_open(shown, error), NULL;
	const bool regular = is_regular(path_fd);
	close(path_fd);
	if (!regular)
		return refuse_name(shown, "is not a regular file", error), NULL;
	const int fd = open_beneath(folder_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fail_open(shown, error), NULL;
	if (!is_regular(fd)) {
		close(fd);
		return refuse_name(shown, "is not a regular file", error), NULL;
	}
	return storage_from_fd(fd, shown, false, error);
}

/* The root that `name` lies beneath, and what of the name is left; NULL when there is none. */
static const char *root_of(const PathFolder *folder, const char *name, const char **rest)
{
	for (char **root = folder->roots; root != NULL && *root != NULL; root++) {
		/* The canonical text ends in no slash, unless it is the root of all. */
		const size_t length = strcmp(*root, "/") == 0 ? 0 : strlen(*root);

		if (strncmp(name, *root, length) == 0 && name[length] == '/') {
			*rest = name + length + 1;
			return *root;
		}
	}
	return NULL;
}

static Storage *path_folder_open_absolute(const PathFolder *folder, const char *name,
					  GError **error)
{
	const char *rest = NULL;
	const char *root = root_of(folder, name, &rest);

	if (root == NULL)
		return refuse_name(name,
				   "is outside the image's folder (say --allow-root FOLDER to "
				   "permit it)",
				   error),
		       NULL;
	const int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(error, errno, "%s", root), NULL;
	Storage *storage = path_folder_open_at(fd, rest, name, error);
	close(fd);
	return storage;
}

static Storage *path_folder_open(Folder *base, const char *name, GError **error)
{
	const PathFolder *folder = (const PathFolder *)base;

	if (name[0] == '/')
		return path_folder_open_absolute(folder, name, error);
	g_autofree char *shown = g_build_filename(folder->path, name, NULL);
	return path_folder_open_at(folder->fd, name, shown, error);
}

static void path_folder_close(Folder *base)
{
	PathFolder *folder = (PathFolder *)base;

	close(folder->fd);
	g_free(folder->path);
	g_strfreev(folder->roots);
	g_free(folder);
}

static const FolderOps path_folder_ops = {
	.open = path_folder_open,
	.close = path_folder_close,
};

static char **roots_canonical(const char *const *roots)
{
	GPtrArray *out = g_ptr_array_new();

	for (; roots != NULL && *roots != NULL; roots++)
		g_ptr_array_add(out, g_canonicalize_filename(*roots, NULL));
	g_ptr_array_add(out, NULL);
	return (char **)g_ptr_array_free(out, FALSE);
}

Folder *folder_open_path(const char *path, const char *const *allowed_roots, GError **error)
{
	const int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail_errno(error, errno, "%s", path), NULL;
	PathFolder *folder = g_new0(PathFolder, 1);
	folder_init(&folder->base, &path_folder_ops);
	folder->fd = fd;
	folder->path = g_strdup(path);
	folder->roots = roots_canonical(allowed_roots);
	return &folder->base;
}

Folder *folder_of_file(const char *path, const char *const *allowed_roots, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(path);

	return folder_open_path(parent, allowed_roots, error);
}
