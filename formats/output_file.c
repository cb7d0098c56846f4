/* SPDX-License-Identifier: Apache-2.0 */
/* output_file.c: partial file, lock, fsync, rename, fsync of the folder. */
#include "formats/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct OutputFile {
	char *path, *name, *partial_name, *partial_path; /* owned */
	int folder_fd;                                   /* owned */
	int fd;                                          /* borrowed from storage */
	Storage *storage;                                /* a reference */
	bool force;
	bool exists; /* the partial file does, and it is ours */
};

/* Open-file-description lock on the whole file; false when another holder has it. */
static bool lock_whole_file(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* A partial file without a lock was left by a run that died: out of the way with it. */
static bool remove_stale_partial(const OutputFile *file, GError **error)
{
	const int fd = openat(file->folder_fd, file->partial_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || fail_errno(error, errno, "%s", file->partial_path);
	const bool ours = lock_whole_file(fd);
	if (ours)
		unlinkat(file->folder_fd, file->partial_name, 0);
	close(fd);
	if (!ours)
		return fail(error, REFUSED, "%s: another run is writing this target", file->path);
	return true;
}

static bool create_partial(OutputFile *file, GError **error)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	if (!remove_stale_partial(file, error))
		return false;
	const int fd = openat(file->folder_fd, file->partial_name, flags, 0600);
	if (fd < 0)
		return fail_errno(error, errno, "%s", file->partial_path);
	file->exists = true;
	if (!lock_whole_file(fd)) {
		close(fd);
		file->exists = false;
		return fail(error, REFUSED, "%s: another run is writing this target", file->path);
	}
	file->fd = fd;
	file->storage = storage_from_fd(fd, file->partial_path, true, error);
	return file->storage != NULL;
}

static bool check_target(const OutputFile *file, GError **error)
{
	struct stat status;

	if (fstatat(file->folder_fd, file->name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || fail_errno(error, errno, "%s", file->path);
	if (!S_ISREG(status.st_mode))
		return fail(error, REFUSED, "%s: exists and is not a regular file", file->path);
	if (!file->force)
		return fail(error, REFUSED, "%s: exists; say --force to replace it", file->path);
	return true;
}

OutputFile *output_file_new(const char *path, bool force, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autoptr(OutputFile) file = g_new0(OutputFile, 1);

	file->path = g_strdup(path);
	file->name = g_path_get_basename(path);
	file->partial_name = g_strdup_printf(".%s.v2v-partial", file->name);
	file->partial_path = g_build_filename(folder, file->partial_name, NULL);
	file->force = force;
	file->fd = -1;
	file->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->folder_fd < 0)
		return fail_errno(error, errno, "%s", folder), NULL;
	if (!check_target(file, error) || !create_partial(file, error))
		return NULL;
	return g_steal_pointer(&file);
}

Storage *output_file_storage(OutputFile *file)
{
	return file->storage;
}

const char *output_file_partial_path(const OutputFile *file)
{
	return file->partial_path;
}

static bool open_to_the_world(const OutputFile *file, GError **error)
{
	const mode_t mask = umask(0);

	umask(mask);
	if (fchmod(file->fd, 0666 & ~mask) != 0)
		return fail_errno(error, errno, "%s: mode", file->partial_path);
	return true;
}

bool output_file_commit(OutputFile *file, GError **error)
{
	const unsigned flags = file->force ? 0 : RENAME_NOREPLACE;

	g_assert(file->exists);
	if (!open_to_the_world(file, error) || !storage_flush(file->storage, error))
		return false;
	int result =
		renameat2(file->folder_fd, file->partial_name, file->folder_fd, file->name, flags);
	if (result != 0 && errno == EINVAL && !file->force) {
		/* No RENAME_NOREPLACE on this file system: a hard link does not replace either. */
		result =
			linkat(file->folder_fd, file->partial_name, file->folder_fd, file->name, 0);
		if (result == 0)
			unlinkat(file->folder_fd, file->partial_name, 0);
	}
	if (result != 0)
		return fail_errno(error, errno, "%s: rename to %s", file->partial_path, file->name);
	file->exists = false;
	if (fsync(file->folder_fd) != 0)
		return fail_errno(error, errno, "%s: fsync of the folder", file->path);
	return true;
}

void output_file_free(OutputFile *file)
{
	if (file == NULL)
		return;
	if (file->exists)
		unlinkat(file->folder_fd, file->partial_name, 0);
	storage_unref(file->storage);
	if (file->folder_fd >= 0)
		close(file->folder_fd);
	g_free(file->path);
	g_free(file->name);
	g_free(file->partial_name);
	g_free(file->partial_path);
	g_free(file);
}
