/* SPDX-License-Identifier: Apache-2.0 */
/* watchdog.h: ends the appliance's process when a call takes too long or the user cancels. */
#ifndef V2V_CONVERT_GUEST_WATCHDOG_H
#define V2V_CONVERT_GUEST_WATCHDOG_H

#include "base/cancel.h"

typedef struct Watchdog Watchdog;

/* `marker`: text in the command line of the process to end, a child of ours. */
Watchdog *watchdog_new(const Cancel *cancel, const char *marker);
void watchdog_free(Watchdog *watchdog); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watchdog, watchdog_free)

/* From now on the process is ended after so many seconds, until the next call or disarm. */
void watchdog_arm(Watchdog *watchdog, unsigned seconds);
void watchdog_disarm(Watchdog *watchdog);

typedef enum { WATCHDOG_QUIET, WATCHDOG_TIMED_OUT, WATCHDOG_CANCELLED } WatchdogVerdict;
WatchdogVerdict watchdog_verdict(Watchdog *watchdog); /* why the process was ended, if it was */

#endif
