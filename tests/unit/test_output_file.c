/* SPDX-License-Identifier: Apache-2.0 */
/* test_output_file.c: complete or not at all, one run at a time, whoever else runs. */
#include "formats/output_file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void enter_folder(void)
{
	g_autofree char *folder = g_dir_make_tmp("output-XXXXXX", NULL);

	cr_assert_eq(chdir(folder), 0);
}

TestSuite(output_file, .init = enter_folder);

static unsigned count_files(void)
{
	g_autoptr(GDir) dir = g_dir_open(".", 0, NULL);
	unsigned count = 0;

	while (g_dir_read_name(dir) != NULL)
		count++;
	return count;
}

static void expect_contents(const char *path, const char *expected)
{
	g_autofree char *contents = NULL;

	cr_assert(g_file_get_contents(path, &contents, NULL, NULL), "%s", path);
	cr_expect_str_eq(contents, expected);
}

static void expect_refused(const char *path, bool force, int code)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(OutputFile) file = output_file_new(path, force, &error);

	cr_expect_null(file, "%s", path);
	cr_expect(error != NULL && error->code == code, "%s: %s", path,
		  error != NULL ? error->message : "was not refused");
}

Test(output_file, appears_on_commit_with_the_mode_that_the_umask_leaves)
{
	struct stat status;

	umask(027);
	OutputFile *file = output_file_new("target", false, NULL);
	cr_assert_not_null(file);
	cr_assert(storage_write_at(output_file_storage(file), "abc", 3, 0, NULL));
	cr_assert_neq(access("target", F_OK), 0);
	cr_assert_eq(stat(output_file_partial_path(file), &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600, "nobody else reads half an image");
	cr_assert(output_file_commit(file, NULL));
	output_file_free(file);
	expect_contents("target", "abc");
	cr_assert_eq(stat("target", &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0640);
	cr_expect_eq(count_files(), 1);
}

Test(output_file, is_gone_without_commit)
{
	output_file_free(output_file_new("target", false, NULL));
	cr_expect_eq(count_files(), 0);
}

Test(output_file, replaces_only_by_force_and_only_regular_files)
{
	cr_assert(g_file_set_contents("target", "old", -1, NULL));
	expect_refused("target", false, V2V_ERROR_REFUSED);
	g_autoptr(OutputFile) file = output_file_new("target", true, NULL);
	cr_assert_not_null(file);
	expect_contents("target", "old");
	cr_assert(storage_write_at(output_file_storage(file), "new", 3, 0, NULL));
	cr_assert(output_file_commit(file, NULL));
	expect_contents("target", "new");
	expect_contents(".target.v2v-replaced", "old");
	g_clear_pointer(&file, output_file_free);
	cr_assert_eq(symlink("target", "link"), 0);
	cr_assert_eq(symlink("nowhere", "dangling"), 0);
	cr_assert_eq(mkdir("folder", 0700), 0);
	cr_assert_eq(mkfifo("fifo", 0600), 0);
	for (int force = 0; force < 2; force++) {
		expect_refused("link", force, V2V_ERROR_REFUSED);
		expect_refused("dangling", force, V2V_ERROR_REFUSED);
		expect_refused("folder", force, V2V_ERROR_REFUSED);
		expect_refused("fifo", force, V2V_ERROR_REFUSED);
		expect_refused("/dev/null", force, V2V_ERROR_REFUSED);
		expect_refused("folder/", force, V2V_ERROR_USAGE);
		expect_refused("", force, V2V_ERROR_USAGE);
		expect_refused("absent/target", force, V2V_ERROR_IO);
	}
	cr_expect_eq(count_files(), 5);
}

Test(output_file, takes_back_what_it_replaced)
{
	for (int stale = 0; stale < 2; stale++) {
		cr_assert(g_file_set_contents("target", "old", -1, NULL));
		cr_assert(!stale || g_file_set_contents(".target.v2v-replaced", "older", -1, NULL));
		g_autoptr(OutputFile) file = output_file_new("target", true, NULL);
		cr_assert(storage_write_at(output_file_storage(file), "new", 3, 0, NULL));
		cr_assert(output_file_commit(file, NULL));
		expect_contents("target", "new");
		output_file_take_back(file);
		expect_contents("target", "old");
		g_clear_pointer(&file, output_file_free);
		expect_contents("target", "old");
		cr_expect_eq(count_files(), 1);
	}
}

Test(output_file, takes_back_what_replaced_nothing)
{
	g_autoptr(OutputFile) file = output_file_new("target", true, NULL);

	cr_assert(output_file_commit(file, NULL));
	cr_assert_eq(access("target", F_OK), 0);
	output_file_take_back(file);
	g_clear_pointer(&file, output_file_free);
	cr_expect_eq(count_files(), 0);
}

Test(output_file, what_appears_meanwhile_is_not_replaced)
{
	g_autoptr(OutputFile) file = output_file_new("target", false, NULL);
	g_autoptr(GError) error = NULL;

	cr_assert(g_file_set_contents("target", "other", -1, NULL));
	cr_expect_not(output_file_commit(file, &error));
	cr_expect_eq(error->code, V2V_ERROR_IO);
	g_clear_pointer(&file, output_file_free);
	expect_contents("target", "other");
	cr_expect_eq(count_files(), 1);
}

Test(output_file, one_run_at_a_time)
{
	g_autoptr(OutputFile) file = output_file_new("target", false, NULL);

	cr_assert_not_null(file);
	expect_refused("target", false, V2V_ERROR_REFUSED);
	expect_refused("./target", true, V2V_ERROR_REFUSED);
	cr_assert_eq(access(output_file_partial_path(file), F_OK), 0);
	cr_assert(output_file_commit(file, NULL));
	expect_refused("target", false, V2V_ERROR_REFUSED);
}

Test(output_file, what_a_killed_run_left_is_replaced)
{
	const pid_t child = fork();
	int status;

	if (child == 0) {
		OutputFile *file = output_file_new("target", false, NULL);

		storage_write_at(output_file_storage(file), "half an image", 13, 0, NULL);
		_exit(0); /* as a kill -9 would: no cleanup */
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(count_files(), 1);
	cr_assert_neq(access("target", F_OK), 0);
	g_autoptr(OutputFile) file = output_file_new("target", false, NULL);
	cr_assert_not_null(file);
	cr_expect_eq(output_file_storage(file)->size, 0);
	cr_assert(output_file_commit(file, NULL));
	cr_expect_eq(count_files(), 1);
}

/* QEMU locks the images that it starts from; the run that wrote them may still be there. */
Test(output_file, a_committed_file_is_not_locked)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	g_autoptr(OutputFile) file = output_file_new("target", false, NULL);
	cr_assert(output_file_commit(file, NULL));
	const int fd = open("target", O_RDWR | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_expect_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
	close(fd);
}

#define RACERS 6
#define ROUNDS 150

/* Starts, writes its own number twice, commits or gives up; and now and then dies half way. */
static void race(char number)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		g_autoptr(OutputFile) file = output_file_new("target", true, NULL);
		const char text[] = {number, number, '\0'};

		if (file == NULL)
			continue;
		storage_write_at(output_file_storage(file), text, 1, 0, NULL);
		if (round % 7 == 3)
			continue;
		sched_yield();
		if (!storage_write_at(output_file_storage(file), text + 1, 1, 1, NULL) ||
		    (round % 5 != 0 && !output_file_commit(file, NULL)))
			_exit(1);
	}
	_exit(0);
}

/* Whoever commits commits its own file, whole: "22" is fine, "2", "23" and a vanished partial file
 * under a live run are not. */
Test(output_file, runs_that_start_together_do_not_mix)
{
	pid_t children[RACERS];
	int status;

	for (int i = 0; i < RACERS; i++) {
		children[i] = fork();
		if (children[i] == 0)
			race((char)('0' + i));
	}
	for (unsigned looks = 0; looks < 2000; looks++) {
		g_autofree char *contents = NULL;

		if (g_file_get_contents("target", &contents, NULL, NULL))
			cr_assert(strlen(contents) == 2 && contents[0] == contents[1], "\"%s\"",
				  contents);
		g_usleep(100);
	}
	for (int i = 0; i < RACERS; i++) {
		cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
		cr_expect_eq(status, 0, "racer %d lost its file", i);
	}
	cr_expect_eq(count_files(), 1);
}
