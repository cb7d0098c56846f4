/* SPDX-License-Identifier: Apache-2.0 */
/* progress_display.h: progress for people (a line on a terminal) and for programs (JSON lines). */
#ifndef V2V_PROGRESS_DISPLAY_H
#define V2V_PROGRESS_DISPLAY_H

#include "base/progress.h"

#include <glib.h>

typedef enum {
	PROGRESS_AUTO, /* TERMINAL when standard error is one, else JSON */
	PROGRESS_TERMINAL,
	PROGRESS_JSON, /* one object a line: phase, done, total, bytes_per_second, eta_seconds */
	PROGRESS_NONE,
} ProgressMode;

typedef struct ProgressDisplay ProgressDisplay;

/* Writes to standard error, from a thread of its own, at most four times a second. */
ProgressDisplay *progress_display_new(ProgressMode mode);
/* Nothing is drawn any more; what it knows stays. */
void progress_display_stop(ProgressDisplay *display);
void progress_display_free(ProgressDisplay *display); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProgressDisplay, progress_display_free)

/* A new lane for work that runs beside other work; borrowed, lives as long as the display. */
Progress *progress_display_lane(ProgressDisplay *display);

typedef struct {
	char *name;        /* owned by the display */
	double start, end; /* seconds since the display was made */
} PhaseTime;

/* Ended phases in the order in which they ended. NULL past the last. Borrowed. */
const PhaseTime *progress_display_phase(ProgressDisplay *display, guint index);

#endif
