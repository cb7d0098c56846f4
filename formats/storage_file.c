/* SPDX-License-Identifier: Apache-2.0 */
/* storage_file.c: a regular file or block device of Linux. */
#include "base/checked.h"
#include "formats/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Below this a hole costs more (a journalled extent) than the zeroes. */
#define HOLE_MIN_LENGTH (64u * 1024u)

typedef struct {
	Storage base;
	int fd; /* owned */
	GMutex size_lock;
} FileStorage;

static FileStorage *file_from(Storage *storage)
{
	return (FileStorage *)storage;
}

static bool file_read_at(Storage *storage, void *buf, size_t length, uint64_t offset,
			 GError **error)
{
	uint8_t *at = buf;

	while (length > 0) {
		const ssize_t n = pread(file_from(storage)->fd, at, length, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(error, errno, "%s: read of %zu bytes at offset %" PRIu64,
					  storage->name, length, offset);
		if (n == 0)
			return fail(error, CORRUPT,
				    "%s: read of %zu bytes at offset %" PRIu64
				    ": end of file; it was %" PRIu64 " bytes long when opened",
				    storage->name, length, offset, storage->size);
		at += n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	return true;
}

static void file_grew_to(FileStorage *file, uint64_t end)
{
	g_mutex_lock(&file->size_lock);
	if (end > file->base.size)
		file->base.size = end;
	g_mutex_unlock(&file->size_lock);
}

static bool file_write_at(Storage *storage, const void *buf, size_t length, uint64_t offset,
			  GError **error)
{
	const uint8_t *at = buf;
	const uint64_t end = offset + length;

	while (length > 0) {
		const ssize_t n = pwrite(file_from(storage)->fd, at, length, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail_errno(error, n < 0 ? errno : EIO,
					  "%s: write of %zu bytes at offset %" PRIu64,
					  storage->name, length, offset);
		at += n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	file_grew_to(file_from(storage), end);
	return true;
}

static bool file_write_zero_bytes(Storage *storage, uint64_t length, uint64_t offset,
				  GError **error)
{
	static const uint8_t zeroes[64 * 1024];

	while (length > 0) {
		const size_t part = (size_t)min_u64(length, sizeof(zeroes));

		if (!file_write_at(storage, zeroes, part, offset, error))
			return false;
		offset += part;
		length -= part;
	}
	return true;
}

static bool file_set_size(Storage *storage, uint64_t size, GError **error)
{
	if (ftruncate(file_from(storage)->fd, (off_t)size) != 0)
		return fail_errno(error, errno, "%s: set size to %" PRIu64, storage->name, size);
	g_mutex_lock(&file_from(storage)->size_lock);
	storage->size = size;
	g_mutex_unlock(&file_from(storage)->size_lock);
	return true;
}

static bool file_write_zeroes(Storage *storage, uint64_t length, uint64_t offset, GError **error)
{
	const uint64_t end = offset + length;

	if (length < HOLE_MIN_LENGTH)
		return file_write_zero_bytes(storage, length, offset, error);
	if (end > storage->size && !file_set_size(storage, end, error))
		return false;
	if (fallocate(file_from(storage)->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)offset, (off_t)length) == 0)
		return true;
	if (errno != EOPNOTSUPP && errno != ENODEV && errno != ENOSYS)
		return fail_errno(error, errno, "%s: hole at %" PRIu64 "+%" PRIu64, storage->name,
				  offset, length);
	return file_write_zero_bytes(storage, length, offset, error);
}

static bool file_flush(Storage *storage, GError **error)
{
	/* A failed fsync may have dropped the pages: no second try can mend that. */
	if (fsync(file_from(storage)->fd) != 0)
		return fail_errno(error, errno, "%s: fsync", storage->name);
	return true;
}

/* Where lseek() cannot tell, all is data. */
static bool file_seek(Storage *storage, int whence, uint64_t offset, uint64_t *out, GError **error)
{
	const off_t at = lseek(file_from(storage)->fd, (off_t)offset, whence);

	if (at >= 0)
		*out = min_u64((uint64_t)at, storage->size);
	else if (errno == ENXIO) /* no data up to the end */
		*out = storage->size;
	else if (errno == EINVAL || errno == EOPNOTSUPP || errno == ESPIPE)
		*out = whence == SEEK_DATA ? offset : storage->size;
	else
		return fail_errno(error, errno, "%s: look for holes at %" PRIu64, storage->name,
				  offset);
	return true;
}

static bool file_find_data(Storage *storage, uint64_t offset, uint64_t *out, GError **error)
{
	return file_seek(storage, SEEK_DATA, offset, out, error);
}

static bool file_find_hole(Storage *storage, uint64_t offset, uint64_t *out, GError **error)
{
	return file_seek(storage, SEEK_HOLE, offset, out, error);
}

static void file_close(Storage *storage)
{
	FileStorage *file = file_from(storage);

	close(file->fd);
	g_mutex_clear(&file->size_lock);
	g_free(file);
}

static const StorageOps file_read_ops = {
	.read_at = file_read_at,
	.find_data = file_find_data,
	.find_hole = file_find_hole,
	.close = file_close,
};

static const StorageOps file_write_ops = {
	.read_at = file_read_at,
	.write_at = file_write_at,
	.write_zeroes = file_write_zeroes,
	.set_size = file_set_size,
	.flush = file_flush,
	.find_data = file_find_data,
	.find_hole = file_find_hole,
	.close = file_close,
};

static const char *file_type_name(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a folder";
	if (S_ISFIFO(mode))
		return "a FIFO";
	if (S_ISSOCK(mode))
		return "a socket";
	if (S_ISCHR(mode))
		return "a character device";
	return "neither a regular file nor a block device";
}

static bool file_size_of(int fd, const char *name, uint64_t *size, GError **error)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return fail_errno(error, errno, "%s", name);
	if (S_ISREG(status.st_mode)) {
		*size = (uint64_t)status.st_size;
		return true;
	}
	if (!S_ISBLK(status.st_mode))
		return fail(error, REFUSED, "%s: is %s", name, file_type_name(status.st_mode));
	if (ioctl(fd, BLKGETSIZE64, size) != 0)
		return fail_errno(error, errno, "%s: size of the block device", name);
	return true;
}

Storage *storage_from_fd(int fd, const char *name, bool writable, GError **error)
{
	uint64_t size;

	if (!file_size_of(fd, name, &size, error)) {
		close(fd);
		return NULL;
	}
	FileStorage *file = g_new0(FileStorage, 1);
	storage_init(&file->base, writable ? &file_write_ops : &file_read_ops, name, size);
	file->base.fd = fd;
	file->fd = fd;
	g_mutex_init(&file->size_lock);
	return &file->base;
}

Storage *storage_open_file(const char *path, GError **error)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer; the type is looked at afterwards.
	 */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return fail_errno(error, errno, "%s", path), NULL;
	return storage_from_fd(fd, path, false, error);
}

Storage *storage_new_spool(const char *name, const char *folder, GError **error)
{
	const char *environment = g_getenv("TMPDIR");
	const char *where = folder != NULL        ? folder
			    : environment != NULL ? environment
						  : "/var/tmp";
	int fd = open(where, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		g_autofree char *path = g_build_filename(where, ".v2v-spool-XXXXXX", NULL);

		fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
		if (fd >= 0)
			unlink(path);
	}
	if (fd < 0)
		return fail_errno(error, errno, "%s: temporary file", where), NULL;
	return storage_from_fd(fd, name, true, error);
}
