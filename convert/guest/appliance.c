/* SPDX-License-Identifier: Apache-2.0 */
/* appliance.c: the handle of libguestfs, started once per conversion. */
#include "convert/guest/appliance.h"

#include "convert/guest/watchdog.h"

#include <stdlib.h>
#include <string.h>

enum {
	START_SECONDS = 600, /* under emulation on a busy machine it took 60 */
	MEMORY_MB = 1280,    /* dracut and xz need more than libguestfs' own minimum */
	MAX_PROCESSORS = 4,
	MAX_MESSAGE = 600,
};

struct Appliance {
	guestfs_h *g;       /* owned */
	Watchdog *watchdog; /* owned */
};

void appliance_free(Appliance *appliance)
{
	if (appliance == NULL)
		return;
	if (appliance->g != NULL)
		guestfs_close(appliance->g);
	watchdog_free(appliance->watchdog);
	g_free(appliance);
}

bool appliance_fail(Appliance *appliance, GError **error, const char *format, ...)
{
	const char *last = guestfs_last_error(appliance->g);
	const WatchdogVerdict verdict = watchdog_verdict(appliance->watchdog);
	va_list args;

	va_start(args, format);
	g_autofree char *where = g_strdup_vprintf(format, args);
	va_end(args);
	if (verdict == WATCHDOG_CANCELLED)
		return fail(error, INTERRUPTED, "interrupted");
	if (verdict == WATCHDOG_TIMED_OUT)
		return fail(error, IO, "%s: the appliance was ended: it took too long", where);
	g_autofree char *text = g_strdup(last != NULL ? last : "unknown error");
	char *general = strstr(text, "To see full error messages"); /* how to debug libguestfs */

	if (general != NULL)
		*general = '\0';
	g_strstrip(text);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *line = g_strjoinv("; ", lines); /* what a program printed, in one line */
	g_autofree char *shown = text_for_display(line, strlen(line), MAX_MESSAGE);

	return fail(error, IO, "%s: %s", where, shown);
}

bool appliance_check(Appliance *appliance, GError **error)
{
	return watchdog_verdict(appliance->watchdog) == WATCHDOG_QUIET ||
	       appliance_fail(appliance, error, "appliance");
}

guestfs_h *appliance_for(Appliance *appliance, unsigned seconds)
{
	watchdog_arm(appliance->watchdog, seconds);
	return appliance->g;
}

static bool add_drives(Appliance *appliance, const GuestJob *job, GError **error)
{
	for (size_t i = 0; i < job->drive_count; i++) {
		const GuestDrive *drive = &job->drives[i];
		/* The overlay is thrown away after a failure, so waiting for the disk gains
		 * nothing before the end; discard keeps what the guest frees out of the copy. */
		const struct guestfs_add_drive_opts_argv options = {
			.bitmask = GUESTFS_ADD_DRIVE_OPTS_READONLY_BITMASK |
				   GUESTFS_ADD_DRIVE_OPTS_FORMAT_BITMASK |
				   GUESTFS_ADD_DRIVE_OPTS_CACHEMODE_BITMASK |
				   GUESTFS_ADD_DRIVE_OPTS_DISCARD_BITMASK,
			.readonly = job->dry_run,
			.format = drive->format,
			.cachemode = "unsafe",
			.discard = job->dry_run ? "disable" : "besteffort",
		};

		if (guestfs_add_drive_opts_argv(appliance->g, drive->path, &options) != 0)
			return appliance_fail(appliance, error, "%s", drive->path);
	}
	return true;
}

static bool configure(Appliance *appliance, const GuestJob *job, GError **error)
{
	guestfs_h *g = appliance->g;
	const int processors = (int)CLAMP(g_get_num_processors(), 1, MAX_PROCESSORS);

	/* Started directly, the process is our child: it can be ended, and it may open what our own
	 * process serves. Who wants another backend says so in the environment. */
	if (getenv("LIBGUESTFS_BACKEND") == NULL && guestfs_set_backend(g, "direct") != 0)
		return appliance_fail(appliance, error, "appliance");
	if (getenv("LIBGUESTFS_MEMSIZE") == NULL && guestfs_set_memsize(g, MEMORY_MB) != 0)
		return appliance_fail(appliance, error, "appliance");
	if (job->work_folder != NULL && guestfs_set_tmpdir(g, job->work_folder) != 0)
		return appliance_fail(appliance, error, "appliance: %s", job->work_folder);
	/* A group of its own: Ctrl-C at the terminal asks us, and we end the appliance. */
	if (guestfs_set_pgroup(g, 1) != 0 || guestfs_set_smp(g, processors) != 0 ||
	    guestfs_set_network(g, 0) != 0 || guestfs_set_autosync(g, 1) != 0)
		return appliance_fail(appliance, error, "appliance");
	return true;
}

/* Text that only our appliance has in its command line: libguestfs resolves the path of a drive,
 * and QEMU wants a comma doubled. Drives that are only read are behind overlays in the work folder.
 */
static char *process_marker(const GuestJob *job)
{
	if (job->dry_run && job->work_folder != NULL)
		return g_strdup(job->work_folder);
	char *real = realpath(job->drives[0].path, NULL);
	g_auto(GStrv) parts = g_strsplit(real != NULL ? real : job->drives[0].path, ",", -1);

	free(real);
	return g_strjoinv(",,", parts);
}

Appliance *appliance_start(const GuestJob *job, GError **error)
{
	g_autoptr(Appliance) appliance = g_new0(Appliance, 1);
	g_autofree char *marker = process_marker(job);

	appliance->g = guestfs_create_flags(GUESTFS_CREATE_NO_CLOSE_ON_EXIT);
	appliance->watchdog = watchdog_new(job->cancel, marker);
	if (appliance->g == NULL)
		return fail_null(error, IO, "appliance: libguestfs: out of memory");
	guestfs_set_error_handler(appliance->g, NULL, NULL);
	if (!configure(appliance, job, error) || !add_drives(appliance, job, error))
		return NULL;
	if (guestfs_launch(appliance_for(appliance, START_SECONDS)) != 0) {
		appliance_fail(appliance, error, "start of the libguestfs appliance");
		return NULL;
	}
	return g_steal_pointer(&appliance);
}

bool appliance_shutdown(Appliance *appliance, GError **error)
{
	guestfs_h *g = appliance_for(appliance, APPLIANCE_QUICK * 5);
	bool ok = true;

	if (guestfs_umount_all(g) != 0)
		ok = appliance_fail(appliance, error, "unmounting the guest's file systems");
	else if (guestfs_shutdown(g) != 0)
		ok = appliance_fail(appliance, error, "writing the last changes to the disks");
	appliance_free(appliance);
	return ok;
}

bool appliance_run(Appliance *appliance, unsigned seconds, const char *const *arguments,
		   char **output, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

	for (const char *const *argument = arguments; *argument != NULL; argument++)
		g_ptr_array_add(list, g_strdup(*argument));
	g_ptr_array_add(list, NULL);
	char *printed = guestfs_command(appliance_for(appliance, seconds), (char **)list->pdata);

	if (printed == NULL)
		return appliance_fail(appliance, error, "%s", arguments[0]);
	if (output != NULL)
		*output = g_strdup(printed);
	free(printed);
	return true;
}
