/* SPDX-License-Identifier: Apache-2.0 */
/* test_many_conversions.c: a process that converts again and again keeps its size. */
#include "v2v/commands.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static unsigned count_descriptors(void)
{
	g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
	unsigned count = 0;

	while (g_dir_read_name(dir) != NULL)
		count++;
	return count;
}

static unsigned count_threads(void)
{
	g_autoptr(GDir) dir = g_dir_open("/proc/self/task", 0, NULL);
	unsigned count = 0;

	while (g_dir_read_name(dir) != NULL)
		count++;
	return count;
}

/* KiB */
static long resident(void)
{
	g_autofree char *text = NULL;
	long pages = 0;

	cr_assert(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
	cr_assert_eq(sscanf(text, "%*d %ld", &pages), 1);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static ExitStatus convert(const char *to, const char *option)
{
	char *argv[] = {g_strdup("convert"), g_strdup("-q"),      g_strdup("-f"),
			g_strdup("raw"),     g_strdup("--force"), g_strdup(option),
			g_strdup("a.raw"),   g_strdup(to),        NULL};
	const ExitStatus status = command_convert(G_N_ELEMENTS(argv) - 1, argv);

	for (char **arg = argv; *arg != NULL; arg++)
		g_free(*arg);
	return status;
}

Test(many_conversions, neither_descriptors_nor_threads_nor_memory_grow, .timeout = 120)
{
	g_autofree char *folder = g_dir_make_tmp("many-XXXXXX", NULL);
	g_autofree char *bytes = g_strnfill(3000000, 'x');
	unsigned descriptors = 0, threads = 0;
	long kib = 0;

	cr_assert_eq(chdir(folder), 0);
	cr_assert(g_file_set_contents("a.raw", bytes, 3000000, NULL));
	fclose(stderr); /* the refusals print */
	for (unsigned i = 0; i < 100; i++) {
		cr_assert_eq(convert("b.raw", "--verify"), EXIT_DONE);
		cr_assert_eq(convert("b.qcow2", "--compress=zstd"), EXIT_DONE);
		cr_assert_eq(convert("a.raw", "--verify"), EXIT_REFUSED);
		cr_assert_eq(convert("absent/b.raw", "--verify"), EXIT_FAILED);
		cr_assert_eq(convert("b.raw", "--compress=zlib"), EXIT_USAGE);
		if (i != 10) /* what is made once has been made */
			continue;
		descriptors = count_descriptors();
		threads = count_threads();
		kib = resident();
	}
	cr_expect_eq(count_descriptors(), descriptors);
	cr_expect_eq(count_threads(), threads);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed; it finds leaks itself */
	cr_expect_lt(resident() - kib, 4096, "%ld KiB more", resident() - kib);
#else
	(void)kib;
#endif
}
