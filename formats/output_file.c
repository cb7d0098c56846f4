/* SPDX-License-Identifier: Apache-2.0 */
/* output_file.c: partial file, lock, fsync, rename, fsync of the folder. */
#include "formats/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct OutputFile {
	char *path, *name, *partial_name, *partial_path, *replaced_name; /* owned */
	int folder_fd;                                                   /* owned */
	int fd;                                                          /* borrowed from storage */
	Storage *storage;                                                /* a reference */
	bool force;
	bool exists;   /* the partial file does, and it is ours */
	bool replaced; /* what stood under the final name stands under replaced_name */
};

/* Open-file-description lock on the whole file; false and errno EAGAIN when another holder has it.
 */
static bool lock_whole_file(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* The partial name is given up, and with it what the lock protects: QEMU wants to lock the image.
 */
static void unlock_file(int fd)
{
	struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	fcntl(fd, F_OFD_SETLK, &lock);
}

static bool fail_lock(const OutputFile *file, GError **error)
{
	if (errno == EAGAIN || errno == EACCES)
		return fail(error, REFUSED, "%s: another run is writing this target", file->path);
	return fail_errno(error, errno, "%s: lock", file->partial_path);
}

/* The file open at `fd` is the one that stands under the partial name. */
static bool is_under_partial_name(const OutputFile *file, int fd)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && S_ISREG(opened.st_mode) &&
	       fstatat(file->folder_fd, file->partial_name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/*
 * The rule that makes races harmless: only who holds the lock on the file that stands under the
 * partial name may remove or rename that name. So the lock comes first, and then the look whether
 * the locked file still stands there.
 */
static bool remove_stale_partial(const OutputFile *file, GError **error)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	const int fd = openat(file->folder_fd, file->partial_name, flags);
	bool ok;

	if (fd < 0)
		return errno == ENOENT || fail_errno(error, errno, "%s", file->partial_path);
	ok = lock_whole_file(fd) || fail_lock(file, error);
	if (ok && is_under_partial_name(file, fd))
		ok = unlinkat(file->folder_fd, file->partial_name, 0) == 0 ||
		     fail_errno(error, errno, "%s: remove", file->partial_path);
	close(fd);
	return ok;
}

/* A new file under the partial name, locked; -1 and errno EEXIST when there is one already. */
static int create_locked(const OutputFile *file, GError **error)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	const int fd = openat(file->folder_fd, file->partial_name, flags, 0600);

	if (fd < 0 && errno != EEXIST)
		fail_errno(error, errno, "%s", file->partial_path);
	if (fd < 0)
		return -1;
	if (lock_whole_file(fd))
		return fd;
	/* Another run took it for stale, before we had the lock: it goes on and we do not. */
	const bool taken = errno == EAGAIN || errno == EACCES;
	fail_lock(file, error);
	if (!taken)
		unlinkat(file->folder_fd, file->partial_name, 0);
	close(fd);
	return -1;
}

static bool create_partial(OutputFile *file, GError **error)
{
	const unsigned max_attempts = 16; /* each lost to another run that started just then */
	g_autoptr(GError) local = NULL;

	for (unsigned i = 0; i < max_attempts && file->fd < 0; i++) {
		if (!remove_stale_partial(file, error))
			return false;
		file->fd = create_locked(file, &local);
		if (local != NULL)
			return g_propagate_error(error, g_steal_pointer(&local)), false;
		if (file->fd >= 0 && !is_under_partial_name(file, file->fd)) {
			close(file->fd);
			file->fd = -1;
		}
	}
	if (file->fd < 0)
		return fail(error, REFUSED, "%s: another run is writing this target", file->path);
	file->exists = true;
	file->storage = storage_from_fd(file->fd, file->partial_path, true, error);
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
	if (path[0] == '\0' || g_str_has_suffix(path, "/"))
		return fail_null(error, USAGE, "\"%s\": is not the name of a file", path);
	g_autoptr(OutputFile) file = g_new0(OutputFile, 1);

	file->path = g_strdup(path);
	file->name = g_path_get_basename(path);
	file->partial_name = g_strdup_printf(".%s.v2v-partial", file->name);
	file->replaced_name = g_strdup_printf(".%s.v2v-replaced", file->name);
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

/* umask(2) tells the mask only by changing it, for all threads: ask /proc. All set when it does not
 * say: then the file stays its owner's. */
static mode_t current_umask(void)
{
	g_autofree char *status = NULL;
	const char *line = NULL;

	if (g_file_get_contents("/proc/self/status", &status, NULL, NULL))
		line = strstr(status, "\nUmask:");
	return line != NULL ? (mode_t)strtoul(line + strlen("\nUmask:"), NULL, 8) & 0777 : 0777;
}

static bool open_to_the_world(const OutputFile *file, GError **error)
{
	if (fchmod(file->fd, 0600 | (0666 & ~current_umask())) != 0)
		return fail_errno(error, errno, "%s: mode", file->partial_path);
	return true;
}

static bool rename_partial(const OutputFile *file)
{
	const int folder = file->folder_fd;

	if (renameat2(folder, file->partial_name, folder, file->name,
		      file->force ? 0 : RENAME_NOREPLACE) == 0)
		return true;
	if (file->force || (errno != EINVAL && errno != ENOSYS))
		return false;
	/* No RENAME_NOREPLACE on this file system: a hard link does not replace either. */
	if (linkat(folder, file->partial_name, folder, file->name, 0) != 0)
		return false;
	unlinkat(folder, file->partial_name, 0);
	return true;
}

/* A second name for what is about to be replaced. One that a killed run left behind goes. */
static void keep_replaced(OutputFile *file)
{
	const int folder = file->folder_fd;

	unlinkat(folder, file->replaced_name, 0);
	file->replaced = linkat(folder, file->name, folder, file->replaced_name, 0) == 0;
}

bool output_file_commit(OutputFile *file, GError **error)
{
	g_assert(file->exists);
	if (!open_to_the_world(file, error) || !storage_flush(file->storage, error))
		return false;
	if (file->force)
		keep_replaced(file);
	if (!rename_partial(file))
		return fail_errno(error, errno, "%s: rename to %s", file->partial_path, file->name);
	file->exists = false;
	unlock_file(file->fd);
	if (TEMP_FAILURE_RETRY(fsync(file->folder_fd)) == 0)
		return true;
	const int reason = errno;
	if (file->force && !file->replaced) /* what it replaced is gone: better this than nothing */
		return fail_errno(error, reason,
				  "%s: is complete, but may not outlast a power cut: fsync of the "
				  "folder",
				  file->path);
	output_file_take_back(file);
	return fail_errno(error, reason, "%s: fsync of the folder", file->path);
}

void output_file_take_back(OutputFile *file)
{
	const int folder = file->folder_fd;

	if (file->replaced && renameat(folder, file->replaced_name, folder, file->name) == 0)
		file->replaced = false;
	else
		unlinkat(folder, file->name, 0);
}

void output_file_free(OutputFile *file)
{
	if (file == NULL)
		return;
	if (file->exists)
		unlinkat(file->folder_fd, file->partial_name, 0);
	if (file->replaced)
		unlinkat(file->folder_fd, file->replaced_name, 0);
	storage_unref(file->storage);
	if (file->folder_fd >= 0)
		close(file->folder_fd);
	g_free(file->path);
	g_free(file->name);
	g_free(file->partial_name);
	g_free(file->partial_path);
	g_free(file->replaced_name);
	g_free(file);
}
