/* SPDX-License-Identifier: Apache-2.0 */
/* appliance.h: the one libguestfs appliance of a conversion; every call has a time limit. */
#ifndef V2V_CONVERT_GUEST_APPLIANCE_H
#define V2V_CONVERT_GUEST_APPLIANCE_H

#include "convert/guest/guest.h"

#include <guestfs.h>

typedef struct Appliance Appliance;

/* Starts it with the job's drives, no network. Read-only drives in a dry run. IO, INTERRUPTED. */
Appliance *appliance_start(const GuestJob *job, GError **error);
/* Ends it and says whether everything reached the drives. Frees it in any case. */
bool appliance_shutdown(Appliance *appliance, GError **error);
void appliance_free(Appliance *appliance); /* without a word: after a failure; NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Appliance, appliance_free)

/*
 * For calls of libguestfs itself: guestfs_X(appliance_for(appliance, seconds), …); the process is
 * ended when the next such call does not come within the time. A failed call is told by
 * appliance_fail(), which is always false; a cancelled one becomes INTERRUPTED.
 */
guestfs_h *appliance_for(Appliance *appliance, unsigned seconds);
enum { APPLIANCE_QUICK = 120 }; /* seconds; for calls that do a file's worth of work */
bool appliance_fail(Appliance *appliance, GError **error, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/* False when the appliance was ended: for callers of whom a failed call is an answer. */
bool appliance_check(Appliance *appliance, GError **error);

/* Runs a program of the guest in the guest (chroot), at most `seconds`. `output`, which may be
 * NULL, gets what it printed (owned). A status that is not 0 is an error that ends in its text. */
bool appliance_run(Appliance *appliance, unsigned seconds, const char *const *arguments,
		   char **output, GError **error);

#endif
