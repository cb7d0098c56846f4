/* SPDX-License-Identifier: Apache-2.0 */
/* progress_display.c: draws lanes of progress. */
#include "v2v/progress_display.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TERMINAL_INTERVAL_US (250 * 1000)
#define JSON_INTERVAL_US     (1000 * 1000)
#define BAR_WIDTH            24

typedef struct {
	Progress base;
	ProgressDisplay *display; /* borrowed */
	char *phase;              /* owned; NULL between phases; under the display's lock */
	uint64_t total;
	int64_t start_us;
	atomic_uint_fast64_t done; /* bytes; without the lock: advance must be quick */
} Lane;

struct ProgressDisplay {
	ProgressMode mode;
	int64_t start_us;
	GMutex lock;
	GCond stop_asked;
	bool stop, drawn;
	GThread *thread;           /* NULL when nothing is shown */
	GPtrArray *lanes, *phases; /* owned */
};

static double seconds_since(const ProgressDisplay *display, int64_t at_us)
{
	return (double)(at_us - display->start_us) / G_USEC_PER_SEC;
}

static double lane_rate(const Lane *lane, uint64_t done)
{
	const double seconds = (double)(g_get_monotonic_time() - lane->start_us) / G_USEC_PER_SEC;

	return seconds > 0 ? (double)done / seconds : 0;
}

static void draw_bar(GString *out, const Lane *lane, uint64_t done)
{
	const double part = MIN(1.0, (double)done / (double)lane->total);
	const int filled = (int)(part * BAR_WIDTH);
	const double rate = lane_rate(lane, done);
	g_autofree char *speed = g_format_size_full((guint64)rate, G_FORMAT_SIZE_IEC_UNITS);

	g_string_append_printf(out, " [%.*s%*s] %3.0f%% %s/s", filled, "########################",
			       BAR_WIDTH - filled, "", part * 100, speed);
	if (rate > 0 && done < lane->total) {
		const uint64_t eta = (uint64_t)((double)(lane->total - done) / rate + 0.5);

		g_string_append_printf(out, " ETA %" PRIu64 ":%02" PRIu64, eta / 60, eta % 60);
	}
}

/* The lock is held. */
static void draw_terminal(ProgressDisplay *display)
{
	/* Without the terminal's wrapping: a line that is too long is cut, not continued. */
	g_autoptr(GString) line = g_string_new("\x1b[?7l\r\x1b[K");
	const gsize empty = line->len;

	for (guint i = 0; i < display->lanes->len; i++) {
		const Lane *lane = g_ptr_array_index(display->lanes, i);

		if (lane->phase == NULL)
			continue;
		g_string_append_printf(line, "%s%s", line->len > empty ? " | " : "", lane->phase);
		if (lane->total > 0)
			draw_bar(line, lane, atomic_load(&lane->done));
	}
	display->drawn = line->len > empty;
	g_string_append(line, "\x1b[?7h");
	fwrite(line->str, 1, line->len, stderr);
	fflush(stderr);
}

static void append_json_string(GString *out, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	g_string_append_c(out, '"');
	for (const char *at = valid; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			g_string_append_printf(out, "\\u%04x", (unsigned)(unsigned char)*at);
		else if (*at == '"' || *at == '\\')
			g_string_append_printf(out, "\\%c", *at);
		else
			g_string_append_c(out, *at);
	g_string_append_c(out, '"');
}

static void print_json(const Lane *lane)
{
	const uint64_t done = atomic_load(&lane->done);
	const double rate = lane_rate(lane, done);
	g_autoptr(GString) line = g_string_new("{\"phase\":");

	append_json_string(line, lane->phase);
	g_string_append_printf(line, ",\"done\":%" PRIu64 ",\"total\":%" PRIu64, done, lane->total);
	g_string_append_printf(line, ",\"bytes_per_second\":%.0f", rate);
	if (rate > 0 && lane->total >= done)
		g_string_append_printf(line, ",\"eta_seconds\":%.0f",
				       (double)(lane->total - done) / rate);
	g_string_append(line, "}\n");
	/* In one go: errors and other programs write there too. */
	fwrite(line->str, 1, line->len, stderr);
}

/* The lock is held. */
static void draw(ProgressDisplay *display)
{
	if (display->mode == PROGRESS_TERMINAL) {
		draw_terminal(display);
		return;
	}
	for (guint i = 0; i < display->lanes->len; i++) {
		const Lane *lane = g_ptr_array_index(display->lanes, i);

		if (lane->phase != NULL)
			print_json(lane);
	}
}

static void *display_thread(void *pointer)
{
	ProgressDisplay *display = pointer;
	const int64_t interval =
		display->mode == PROGRESS_TERMINAL ? TERMINAL_INTERVAL_US : JSON_INTERVAL_US;

	g_mutex_lock(&display->lock);
	int64_t next = g_get_monotonic_time() + interval;
	while (!display->stop) {
		if (g_cond_wait_until(&display->stop_asked, &display->lock, next))
			continue;
		draw(display);
		next += interval;
	}
	if (display->drawn)
		fputs("\r\x1b[K", stderr);
	g_mutex_unlock(&display->lock);
	return NULL;
}

static void lane_begin(Progress *progress, const char *phase, uint64_t total)
{
	Lane *lane = (Lane *)progress;

	g_mutex_lock(&lane->display->lock);
	g_assert(lane->phase == NULL);
	lane->phase = g_strdup(phase);
	lane->total = total;
	lane->start_us = g_get_monotonic_time();
	atomic_store(&lane->done, 0);
	g_mutex_unlock(&lane->display->lock);
}

static void lane_advance(Progress *progress, uint64_t bytes)
{
	atomic_fetch_add_explicit(&((Lane *)progress)->done, bytes, memory_order_relaxed);
}

static void lane_end(Progress *progress)
{
	Lane *lane = (Lane *)progress;
	ProgressDisplay *display = lane->display;
	PhaseTime *time = g_new0(PhaseTime, 1);

	g_mutex_lock(&display->lock);
	if (display->mode == PROGRESS_JSON)
		print_json(lane);
	time->name = g_steal_pointer(&lane->phase);
	time->start = seconds_since(display, lane->start_us);
	time->end = seconds_since(display, g_get_monotonic_time());
	g_ptr_array_add(display->phases, time);
	g_mutex_unlock(&display->lock);
}

static void lane_free(void *pointer)
{
	Lane *lane = pointer;

	g_free(lane->phase);
	g_free(lane);
}

static void phase_time_free(void *pointer)
{
	PhaseTime *time = pointer;

	g_free(time->name);
	g_free(time);
}

ProgressDisplay *progress_display_new(ProgressMode mode)
{
	ProgressDisplay *display = g_new0(ProgressDisplay, 1);

	if (mode == PROGRESS_AUTO)
		mode = isatty(STDERR_FILENO) ? PROGRESS_TERMINAL : PROGRESS_JSON;
	display->mode = mode;
	display->start_us = g_get_monotonic_time();
	g_mutex_init(&display->lock);
	g_cond_init(&display->stop_asked);
	display->lanes = g_ptr_array_new_with_free_func(lane_free);
	display->phases = g_ptr_array_new_with_free_func(phase_time_free);
	if (mode != PROGRESS_NONE)
		display->thread = g_thread_try_new("progress", display_thread, display, NULL);
	return display;
}

void progress_display_stop(ProgressDisplay *display)
{
	g_mutex_lock(&display->lock);
	display->stop = true;
	g_cond_signal(&display->stop_asked);
	g_mutex_unlock(&display->lock);
	if (display->thread != NULL)
		g_thread_join(g_steal_pointer(&display->thread));
}

void progress_display_free(ProgressDisplay *display)
{
	if (display == NULL)
		return;
	progress_display_stop(display);
	g_ptr_array_unref(display->lanes);
	g_ptr_array_unref(display->phases);
	g_cond_clear(&display->stop_asked);
	g_mutex_clear(&display->lock);
	g_free(display);
}

Progress *progress_display_lane(ProgressDisplay *display)
{
	Lane *lane = g_new0(Lane, 1);

	lane->base = (Progress){lane_begin, lane_advance, lane_end};
	lane->display = display;
	g_mutex_lock(&display->lock);
	g_ptr_array_add(display->lanes, lane);
	g_mutex_unlock(&display->lock);
	return &lane->base;
}

const PhaseTime *progress_display_phase(ProgressDisplay *display, guint index)
{
	const PhaseTime *time = NULL;

	g_mutex_lock(&display->lock);
	if (index < display->phases->len)
		time = g_ptr_array_index(display->phases, index);
	g_mutex_unlock(&display->lock);
	return time;
}
