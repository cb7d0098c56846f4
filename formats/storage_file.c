/* SPDX-License-Identifier: Apache-2.0 */
/* storage_file.c: a regular file or block device of Linux. */
#include "base/checked.h"
#include "formats/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Below this a hole costs more (a journalled extent) than the zeroes. */
#define HOLE_MIN_LENGTH (64u * 1024u)
/* So much may be written before the disk begins to work on it: fsync(2) at the end is then short.
 */
#define WRITEBACK_STEP (32u * 1024u * 1024u)

typedef struct {
	Storage base;
	int fd; /* owned */
	GMutex size_lock;
	struct stat at_open;
	atomic_uint_fast64_t written; /* bytes */
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

/* Before the bytes are written: whoever makes the file longer meanwhile, by a hole, must not take
 * them for what lies past the end and cut them off. */
static void file_will_reach(FileStorage *file, uint64_t end)
{
	g_mutex_lock(&file->size_lock);
	if (end > file->base.size)
		file->base.size = end;
	g_mutex_unlock(&file->size_lock);
}

/* A hint: what fails here fails again, and is told, when it matters. */
static void file_start_writeback(FileStorage *file, size_t length)
{
	const uint64_t before = atomic_fetch_add(&file->written, length);

	if (before / WRITEBACK_STEP != (before + length) / WRITEBACK_STEP)
		sync_file_range(file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static bool file_write_at(Storage *storage, const void *buf, size_t length, uint64_t offset,
			  GError **error)
{
	const uint8_t *at = buf;

	file_will_reach(file_from(storage), offset + length);
	file_start_writeback(file_from(storage), length);
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

/* The lock is held: nobody may cut off what another thread has just appended. */
static bool file_set_size_locked(Storage *storage, uint64_t size, GError **error)
{
	if (TEMP_FAILURE_RETRY(ftruncate(file_from(storage)->fd, (off_t)size)) != 0)
		return fail_errno(error, errno, "%s: set size to %" PRIu64, storage->name, size);
	storage->size = size;
	return true;
}

static bool file_set_size(Storage *storage, uint64_t size, GError **error)
{
	g_mutex_lock(&file_from(storage)->size_lock);
	const bool ok = file_set_size_locked(storage, size, error);
	g_mutex_unlock(&file_from(storage)->size_lock);
	return ok;
}

static bool file_grow_to(Storage *storage, uint64_t end, GError **error)
{
	g_mutex_lock(&file_from(storage)->size_lock);
	const bool ok = end <= storage->size || file_set_size_locked(storage, end, error);
	g_mutex_unlock(&file_from(storage)->size_lock);
	return ok;
}

static bool file_write_zeroes(Storage *storage, uint64_t length, uint64_t offset, GError **error)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	if (length < HOLE_MIN_LENGTH)
		return file_write_zero_bytes(storage, length, offset, error);
	if (!file_grow_to(storage, offset + length, error))
		return false;
	if (TEMP_FAILURE_RETRY(
		    fallocate(file_from(storage)->fd, mode, (off_t)offset, (off_t)length)) == 0)
		return true;
	if (errno != EOPNOTSUPP && errno != ENODEV && errno != ENOSYS)
		return fail_errno(error, errno, "%s: hole at %" PRIu64 "+%" PRIu64, storage->name,
				  offset, length);
	return file_write_zero_bytes(storage, length, offset, error);
}

static bool file_flush(Storage *storage, GError **error)
{
	/* A failed fsync may have dropped the pages: no second try can mend that. */
	if (TEMP_FAILURE_RETRY(fsync(file_from(storage)->fd)) != 0)
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

static bool file_check_unchanged(Storage *storage, GError **error)
{
	const struct stat *then = &file_from(storage)->at_open;
	struct stat now;

	if (fstat(file_from(storage)->fd, &now) != 0)
		return fail_errno(error, errno, "%s", storage->name);
	if (!S_ISREG(now.st_mode)) /* a block device has no time of its last change */
		return true;
	if (now.st_size != then->st_size)
		return fail(error, IO,
			    "%s: changed while it was read: was %" PRIu64
			    " bytes long, is %" PRIu64,
			    storage->name, (uint64_t)then->st_size, (uint64_t)now.st_size);
	if (now.st_mtim.tv_sec != then->st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != then->st_mtim.tv_nsec)
		return fail(error, IO, "%s: was written to while it was read", storage->name);
	return true;
}

static bool file_is_stored_in(Storage *storage, const struct stat *file)
{
	const struct stat *own = &file_from(storage)->at_open;

	return own->st_dev == file->st_dev && own->st_ino == file->st_ino;
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
	.check_unchanged = file_check_unchanged,
	.is_stored_in = file_is_stored_in,
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
	.is_stored_in = file_is_stored_in,
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

static bool check_file_type(const struct stat *status, const char *name, GError **error)
{
	if (S_ISREG(status->st_mode) || S_ISBLK(status->st_mode))
		return true;
	return fail(error, REFUSED, "%s: is %s", name, file_type_name(status->st_mode));
}

static bool file_size_of(int fd, const struct stat *status, uint64_t *size)
{
	*size = (uint64_t)status->st_size;
	return S_ISREG(status->st_mode) || ioctl(fd, BLKGETSIZE64, size) == 0;
}

Storage *storage_from_fd(int fd, const char *name, bool writable, GError **error)
{
	struct stat status;
	uint64_t size = 0;
	bool ok = fstat(fd, &status) == 0 || fail_errno(error, errno, "%s", name);

	ok = ok && check_file_type(&status, name, error);
	if (ok && !file_size_of(fd, &status, &size))
		ok = fail_errno(error, errno, "%s: size of the block device", name);
	if (!ok) {
		close(fd);
		return NULL;
	}
	FileStorage *file = g_new0(FileStorage, 1);
	storage_init(&file->base, writable ? &file_write_ops : &file_read_ops, name, size);
	file->base.fd = fd;
	file->fd = fd;
	file->at_open = status;
	g_mutex_init(&file->size_lock);
	return &file->base;
}

Storage *storage_open_file(const char *path, GError **error)
{
	struct stat status;

	/* Opening a device can do something, opening a FIFO wakes its writer: look first. And again
	 * at what was opened; O_NONBLOCK: should it have become a FIFO, do not wait. */
	if (stat(path, &status) != 0)
		return fail_errno(error, errno, "%s", path), NULL;
	if (!check_file_type(&status, path, error))
		return NULL;
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
