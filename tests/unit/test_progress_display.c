/* SPDX-License-Identifier: Apache-2.0 */
/* test_progress_display.c: JSON lines, the terminal's line, lanes, phases and their times. */
#include "v2v/progress_display.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *written_to;

static void catch_stderr(void)
{
	int fd = g_file_open_tmp("progress-XXXXXX", &written_to, NULL);

	cr_assert_geq(fd, 0);
	fflush(stderr);
	cr_assert_geq(dup2(fd, STDERR_FILENO), 0);
	close(fd);
}

static char *what_was_written(void)
{
	char *text = NULL;

	fflush(stderr);
	cr_assert(g_file_get_contents(written_to, &text, NULL, NULL));
	return text;
}

TestSuite(progress_display, .init = catch_stderr);

Test(progress_display, each_phase_ends_with_a_line_of_json)
{
	ProgressDisplay *display = progress_display_new(PROGRESS_JSON);
	Progress *lane = progress_display_lane(display);

	progress_begin(lane, "copy \"a\\b\"\n\x01 \xc3\xa9 \xff", 1000);
	progress_advance(lane, 400);
	progress_advance(lane, 600);
	g_usleep(1000); /* in no time at all there is no rate */
	progress_end(lane);
	progress_begin(lane, "finish", 0);
	progress_end(lane);
	progress_display_free(display);
	g_autofree char *text = what_was_written();
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	cr_assert_eq(g_strv_length(lines), 3, "%s", text);
	cr_expect(g_str_has_prefix(lines[0],
				   "{\"phase\":\"copy \\\"a\\\\b\\\"\\u000a\\u0001 \xc3\xa9 "
				   "\xef\xbf\xbd\",\"done\":1000,\"total\":1000,"
				   "\"bytes_per_second\":"),
		  "%s", lines[0]);
	cr_expect(g_str_has_suffix(lines[0], ",\"eta_seconds\":0}"), "%s", lines[0]);
	cr_expect(g_str_has_prefix(lines[1], "{\"phase\":\"finish\",\"done\":0,\"total\":0,"), "%s",
		  lines[1]);
}

Test(progress_display, a_terminal_gets_one_line_that_is_wiped_at_the_end)
{
	ProgressDisplay *display = progress_display_new(PROGRESS_TERMINAL);
	Progress *lane = progress_display_lane(display);
	Progress *other = progress_display_lane(display);

	progress_begin(lane, "copy", 1000);
	progress_begin(other, "check", 0);
	progress_advance(lane, 500);
	g_usleep(700 * 1000);
	progress_end(lane);
	progress_end(other);
	progress_display_free(display);
	g_autofree char *text = what_was_written();
	cr_expect(strstr(text, "copy [############            ]  50% ") != NULL, "%s", text);
	cr_expect(strstr(text, " | check") != NULL, "%s", text);
	cr_expect(strstr(text, "ETA 0:0") != NULL, "%s", text);
	cr_expect(g_str_has_suffix(text, "\r\x1b[K"), "%s", text);
	cr_expect_null(strchr(text, '\n'));
}

Test(progress_display, none_is_silent_and_still_keeps_times)
{
	ProgressDisplay *display = progress_display_new(PROGRESS_NONE);
	Progress *first = progress_display_lane(display);
	Progress *second = progress_display_lane(display);

	progress_begin(first, "long", 10);
	progress_begin(second, "short", 10);
	g_usleep(2000);
	progress_end(second);
	g_usleep(2000);
	progress_end(first);
	cr_expect_str_eq(progress_display_phase(display, 0)->name, "short");
	const PhaseTime *time = progress_display_phase(display, 1);
	cr_expect_str_eq(time->name, "long");
	cr_expect_geq(time->end - time->start, 0.004);
	cr_expect_null(progress_display_phase(display, 2));
	progress_display_free(display);
	g_autofree char *text = what_was_written();
	cr_expect_str_eq(text, "");
}

static void *advance_much(void *lane)
{
	for (unsigned i = 0; i < 100000; i++)
		progress_advance(lane, 1);
	return NULL;
}

Test(progress_display, no_byte_is_lost_between_threads)
{
	ProgressDisplay *display = progress_display_new(PROGRESS_JSON);
	Progress *lane = progress_display_lane(display);
	GThread *threads[4];

	progress_begin(lane, "copy", 400000);
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("advance", advance_much, lane);
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	progress_end(lane);
	progress_display_free(display);
	g_autofree char *text = what_was_written();
	cr_expect(strstr(text, "\"done\":400000,") != NULL, "%s", text);
}
