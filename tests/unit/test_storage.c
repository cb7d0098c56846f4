/* SPDX-License-Identifier: Apache-2.0 */
/* test_storage.c: files, slices, concatenations, memory: ranges, holes, threads, changed files. */
#include "base/checked.h"
#include "formats/storage.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char *folder;

static void make_folder(void)
{
	folder = g_dir_make_tmp("storage-XXXXXX", NULL);
	cr_assert_not_null(folder);
}

static char *path_of(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

static char *file_with(const char *name, const void *bytes, size_t length)
{
	char *path = path_of(name);

	cr_assert(g_file_set_contents(path, bytes, (gssize)length, NULL));
	return path;
}

static Storage *writable(const char *name)
{
	g_autofree char *path = path_of(name);
	Storage *storage =
		storage_from_fd(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), name, true, NULL);

	cr_assert_not_null(storage);
	return storage;
}

static void expect_error(const GError *error, int code, const char *part)
{
	cr_assert_not_null(error);
	cr_expect_eq(error->domain, V2V_ERROR);
	cr_expect_eq(error->code, code, "%s", error->message);
	cr_expect(strstr(error->message, part) != NULL, "\"%s\" is not in: %s", part,
		  error->message);
}

TestSuite(storage, .init = make_folder);

Test(storage, reads_inside_and_refuses_outside)
{
	g_autofree char *path = file_with("a", "0123456789", 10);
	g_autoptr(Storage) file = storage_open_file(path, NULL);
	g_autoptr(GError) error = NULL;
	char buf[10];

	cr_assert_not_null(file);
	cr_expect_eq(file->size, 10);
	cr_assert(storage_read_at(file, buf, 10, 0, NULL));
	cr_expect_arr_eq(buf, "0123456789", 10);
	cr_assert(storage_read_at(file, buf, 3, 7, NULL));
	cr_expect_arr_eq(buf, "789", 3);
	cr_expect(storage_read_at(file, buf, 0, 10, NULL));
	cr_expect_not(storage_read_at(file, buf, 4, 7, &error));
	expect_error(error, V2V_ERROR_CORRUPT, "read of 4 bytes at offset 7: past the end at 10");
	cr_expect_not(storage_read_at(file, buf, 2, UINT64_MAX, NULL));
}

Test(storage, a_file_cut_while_open_is_an_error_not_zeroes)
{
	g_autofree char *path = file_with("a", "0123456789", 10);
	g_autoptr(Storage) file = storage_open_file(path, NULL);
	g_autoptr(GError) error = NULL;
	char buf[10];

	cr_assert_eq(truncate(path, 4), 0);
	cr_expect_not(storage_read_at(file, buf, 10, 0, &error));
	expect_error(error, V2V_ERROR_CORRUPT, "it was 10 bytes long when opened");
}

Test(storage, tells_that_a_file_changed)
{
	g_autofree char *path = file_with("a", "0123456789", 10);
	g_autoptr(Storage) file = storage_open_file(path, NULL);
	g_autoptr(Storage) slice = storage_new_slice(file, "slice", 4, 2, NULL);
	g_autoptr(Storage) both = storage_new_concat("both", (Storage *[]){slice, slice}, 2, NULL);
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
	g_autoptr(GError) by_time = NULL;
	g_autoptr(GError) by_size = NULL;
	struct stat status;

	cr_expect(storage_check_unchanged(both, NULL));
	cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	cr_expect_not(storage_check_unchanged(both, &by_time));
	expect_error(by_time, V2V_ERROR_IO, "was written to while it was read");
	cr_assert_eq(truncate(path, 11), 0);
	cr_expect_not(storage_check_unchanged(both, &by_size));
	expect_error(by_size, V2V_ERROR_IO, "was 10 bytes long, is 11");
	cr_assert_eq(stat(path, &status), 0);
	cr_expect(storage_is_stored_in(both, &status));
	status.st_ino++;
	cr_expect_not(storage_is_stored_in(both, &status));
}

Test(storage, what_is_no_file_is_refused_without_waiting)
{
	g_autofree char *fifo = path_of("fifo");
	g_autofree char *socket_path = path_of("socket");
	g_autoptr(GError) error = NULL;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	const char *const names[] = {fifo, socket_path, folder, "/dev/zero"};
	const char *const texts[] = {"a FIFO", "a socket", "a folder", "a character device"};

	cr_assert_eq(mkfifo(fifo, 0600), 0);
	g_strlcpy(address.sun_path, socket_path, sizeof(address.sun_path));
	cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		cr_expect_null(storage_open_file(names[i], &error));
		expect_error(error, V2V_ERROR_REFUSED, texts[i]);
		g_clear_error(&error);
	}
	cr_expect_null(storage_open_file("/no/such/file", &error));
	expect_error(error, V2V_ERROR_IO, "No such file");
	close(fd);
}

Test(storage, holes_are_found_and_made)
{
	g_autoptr(Storage) file = writable("a");
	g_autofree uint8_t *ones = g_malloc(MIB);
	uint64_t at;
	uint8_t byte;

	memset(ones, 1, MIB);
	cr_assert(storage_set_size(file, 4 * MIB, NULL));
	cr_assert(storage_find_data(file, 0, &at, NULL));
	cr_expect_eq(at, 4 * MIB);
	cr_assert(storage_write_at(file, ones, MIB, MIB, NULL));
	cr_assert(storage_find_data(file, 0, &at, NULL));
	cr_expect_eq(at, MIB);
	cr_assert(storage_find_hole(file, MIB, &at, NULL));
	cr_expect_eq(at, 2 * MIB);
	cr_assert(storage_write_zeroes(file, MIB / 2, MIB, NULL));
	cr_assert(storage_find_data(file, MIB, &at, NULL));
	cr_expect_eq(at, MIB + MIB / 2);
	cr_assert(storage_write_zeroes(file, 100, 2 * MIB - 100, NULL));
	cr_assert(storage_read_at(file, &byte, 1, 2 * MIB - 101, NULL));
	cr_expect_eq(byte, 1);
	cr_assert(storage_read_at(file, &byte, 1, 2 * MIB - 100, NULL));
	cr_expect_eq(byte, 0);
	cr_assert(storage_write_zeroes(file, MIB, 4 * MIB - 10, NULL));
	cr_expect_eq(file->size, 5 * MIB - 10, "zeroes past the end grow the file");
	cr_expect(storage_find_data(file, 5 * MIB, &at, NULL));
}

#define GROW_STEP  (128 * KIB)
#define GROW_COUNT 400u

/* Even steps are holes, odd ones data: growing by a hole must not cut off a neighbour's data. */
static void *grow_some(void *pointer)
{
	Storage *file = ((void **)pointer)[0];
	gint *next = ((void **)pointer)[1];
	g_autofree uint8_t *ones = g_malloc(GROW_STEP);

	memset(ones, 1, GROW_STEP);
	for (;;) {
		const unsigned step = (unsigned)g_atomic_int_add(next, 1);

		if (step >= GROW_COUNT)
			return NULL;
		if (step % 2 == 0)
			cr_assert(storage_write_zeroes(file, GROW_STEP, step * GROW_STEP, NULL));
		else
			cr_assert(storage_write_at(file, ones, GROW_STEP, step * GROW_STEP, NULL));
	}
}

Test(storage, threads_that_grow_a_file_lose_nothing)
{
	g_autoptr(Storage) file = writable("grow");
	gint next = 0;
	void *shared[] = {file, &next};
	GThread *threads[8];
	uint8_t byte;

	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("grow", grow_some, shared);
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	cr_expect_eq(file->size, GROW_COUNT * GROW_STEP);
	for (unsigned step = 0; step < GROW_COUNT; step++) {
		cr_assert(storage_read_at(file, &byte, 1, step * GROW_STEP + 5, NULL));
		cr_assert_eq(byte, step % 2, "step %u", step);
	}
}

Test(storage, a_slice_stays_inside)
{
	g_autoptr(Storage) memory = storage_new_memory("m", "0123456789", 10);
	g_autoptr(Storage) slice = storage_new_slice(memory, "slice", 4, 3, NULL);
	g_autoptr(GError) error = NULL;
	char buf[4];

	cr_assert(storage_read_at(slice, buf, 4, 0, NULL));
	cr_expect_arr_eq(buf, "3456", 4);
	cr_expect_not(storage_read_at(slice, buf, 2, 3, NULL));
	cr_expect_null(storage_new_slice(memory, "long", 8, 3, &error));
	expect_error(error, V2V_ERROR_CORRUPT, "past the end of m at 10");
	cr_expect_null(storage_new_slice(memory, "wrap", UINT64_MAX, 3, NULL));
	g_autoptr(Storage) empty = storage_new_slice(memory, "empty", 0, 10, NULL);
	cr_expect_not_null(empty);
}

Test(storage, a_slice_of_a_file_knows_holes_and_its_place)
{
	g_autoptr(Storage) file = writable("holes");
	uint64_t at;

	cr_assert(storage_set_size(file, 4 * MIB, NULL));
	cr_assert(storage_write_at(file, "x", 1, 2 * MIB, NULL));
	g_autoptr(Storage) slice = storage_new_slice(file, "slice", 2 * MIB, MIB, NULL);
	g_autoptr(Storage) inner = storage_new_slice(slice, "inner", MIB, MIB / 2, NULL);
	cr_assert(storage_find_data(slice, 0, &at, NULL));
	cr_expect_eq(at, MIB);
	cr_assert(storage_find_data(inner, 0, &at, NULL));
	cr_expect_eq(at, MIB / 2);
	cr_assert(storage_find_hole(inner, MIB / 2, &at, NULL));
	cr_expect_leq(at, inner->size);
	cr_expect_eq(inner->fd, file->fd);
	cr_expect_eq(inner->fd_offset, MIB + MIB / 2);
}

Test(storage, a_concatenation_reads_across_its_seams)
{
	g_autoptr(Storage) a = storage_new_memory("a", "abc", 3);
	g_autoptr(Storage) none = storage_new_memory("none", NULL, 0);
	g_autoptr(Storage) b = storage_new_memory("b", "defg", 4);
	g_autoptr(Storage) all =
		storage_new_concat("all", (Storage *[]){none, a, none, b, none}, 5, NULL);
	char buf[8] = "";

	cr_assert_eq(all->size, 7);
	for (uint64_t from = 0; from < 7; from++)
		for (size_t length = 1; length <= 7 - from; length++) {
			cr_assert(storage_read_at(all, buf, length, from, NULL));
			cr_expect_arr_eq(buf, &"abcdefg"[from], length);
		}
	cr_expect_not(storage_read_at(all, buf, 8, 0, NULL));
}

Test(storage, memory_grows_to_a_bound)
{
	g_autoptr(Storage) memory = storage_new_memory("m", "ab", 2);
	g_autoptr(GError) error = NULL;
	char buf[4];

	cr_assert(storage_write_at(memory, "z", 1, 3, NULL));
	cr_assert(storage_read_at(memory, buf, 4, 0, NULL));
	cr_expect_arr_eq(buf, "ab\0z", 4);
	cr_expect_not(storage_write_at(memory, "z", 1, UINT32_MAX, &error));
	expect_error(error, V2V_ERROR_IO, "in memory");
	cr_expect_not(storage_write_at(memory, "zz", 2, UINT64_MAX - 1, NULL));
}

Test(storage, a_spool_has_no_name)
{
	g_autoptr(Storage) spool = storage_new_spool("spool", folder, NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	char buf[3];

	cr_assert_not_null(spool);
	cr_expect_null(g_dir_read_name(dir));
	cr_assert(storage_write_at(spool, "abc", 3, 5, NULL));
	cr_assert(storage_read_at(spool, buf, 3, 5, NULL));
	cr_expect_arr_eq(buf, "abc", 3);
}
