/* SPDX-License-Identifier: Apache-2.0 */
/* watchdog.c: libguestfs' calls cannot be interrupted; a process that is gone ends them. */
#include "convert/guest/watchdog.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POLL_MS = 200 };

struct Watchdog {
	const Cancel *cancel; /* borrowed, may be NULL */
	char *marker;         /* owned */
	GThread *thread;      /* owned */
	GMutex lock;
	GCond changed;
	/* under the lock: */
	bool ending;
	gint64 deadline; /* monotonic microseconds; 0: none */
	WatchdogVerdict verdict;
};

static bool is_our_child(const char *pid, const char *marker)
{
	g_autofree char *status_path = g_build_filename("/proc", pid, "status", NULL);
	g_autofree char *line_path = g_build_filename("/proc", pid, "cmdline", NULL);
	g_autofree char *status = NULL, *line = NULL;
	gsize length = 0;

	if (!g_file_get_contents(status_path, &status, NULL, NULL) ||
	    !g_file_get_contents(line_path, &line, &length, NULL))
		return false;
	const char *parent = strstr(status, "\nPPid:");

	if (parent == NULL || strtol(parent + strlen("\nPPid:"), NULL, 10) != getpid())
		return false;
	return memmem(line, length, marker, strlen(marker)) != NULL;
}

static void end_process(const Watchdog *watchdog)
{
	g_autoptr(GDir) processes = g_dir_open("/proc", 0, NULL);
	const char *name;

	while (processes != NULL && (name = g_dir_read_name(processes)) != NULL)
		if (g_ascii_isdigit(name[0]) && is_our_child(name, watchdog->marker))
			kill((pid_t)strtol(name, NULL, 10), SIGKILL);
}

static bool is_cancelled(const Watchdog *watchdog)
{
	return !cancel_check(watchdog->cancel, NULL);
}

static gpointer watch(gpointer user)
{
	Watchdog *watchdog = user;

	g_mutex_lock(&watchdog->lock);
	while (!watchdog->ending) {
		const bool late =
			watchdog->deadline != 0 && g_get_monotonic_time() > watchdog->deadline;

		if (late && watchdog->verdict == WATCHDOG_QUIET)
			watchdog->verdict = WATCHDOG_TIMED_OUT;
		if (is_cancelled(watchdog))
			watchdog->verdict = WATCHDOG_CANCELLED;
		/* Again and again: the process may only now be starting. */
		if (watchdog->verdict != WATCHDOG_QUIET)
			end_process(watchdog);
		g_cond_wait_until(&watchdog->changed, &watchdog->lock,
				  g_get_monotonic_time() + POLL_MS * 1000);
	}
	g_mutex_unlock(&watchdog->lock);
	return NULL;
}

Watchdog *watchdog_new(const Cancel *cancel, const char *marker)
{
	Watchdog *watchdog = g_new0(Watchdog, 1);

	watchdog->cancel = cancel;
	watchdog->marker = g_strdup(marker);
	g_mutex_init(&watchdog->lock);
	g_cond_init(&watchdog->changed);
	watchdog->thread = g_thread_new("watchdog", watch, watchdog);
	return watchdog;
}

void watchdog_free(Watchdog *watchdog)
{
	if (watchdog == NULL)
		return;
	g_mutex_lock(&watchdog->lock);
	watchdog->ending = true;
	g_cond_signal(&watchdog->changed);
	g_mutex_unlock(&watchdog->lock);
	g_thread_join(watchdog->thread);
	g_mutex_clear(&watchdog->lock);
	g_cond_clear(&watchdog->changed);
	g_free(watchdog->marker);
	g_free(watchdog);
}

static void set_deadline(Watchdog *watchdog, gint64 deadline)
{
	g_mutex_lock(&watchdog->lock);
	watchdog->deadline = deadline;
	g_mutex_unlock(&watchdog->lock);
}

void watchdog_arm(Watchdog *watchdog, unsigned seconds)
{
	set_deadline(watchdog, g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC);
}

void watchdog_disarm(Watchdog *watchdog)
{
	set_deadline(watchdog, 0);
}

WatchdogVerdict watchdog_verdict(Watchdog *watchdog)
{
	g_mutex_lock(&watchdog->lock);
	/* Asked here as well: who asks may be quicker than the thread's next turn. */
	const WatchdogVerdict verdict =
		is_cancelled(watchdog) ? WATCHDOG_CANCELLED : watchdog->verdict;

	g_mutex_unlock(&watchdog->lock);
	return verdict;
}
