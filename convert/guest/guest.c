/* SPDX-License-Identifier: Apache-2.0 */
/* guest.c: a conversion from start to end: inspect, edit, check, write. */
#include "convert/guest/guest.h"

#include "convert/guest/check.h"
#include "convert/guest/step.h"

#include <stdlib.h>
#include <string.h>

enum { ELF_HEADER = 20 };

static bool read_release(Guest *guest, GError **error)
{
	static const char *const modern[] = {"/etc/os-release", "/usr/lib/os-release"};
	static const char *const legacy[] = {"/etc/redhat-release", "/etc/SuSE-release",
					     "/etc/debian_version"};

	for (size_t i = 0; i < G_N_ELEMENTS(modern); i++) {
		g_autofree char *text = edits_try_read(guest->edits, modern[i], SETTING_MAX);

		if (text != NULL && os_release_parse(text, &guest->release))
			return true;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(legacy); i++) {
		g_autofree char *text = edits_try_read(guest->edits, legacy[i], SETTING_MAX);

		if (text != NULL && os_release_parse_legacy(legacy[i], text, &guest->release))
			return true;
	}
	return fail(error, UNSUPPORTED, "%s holds a Linux of unknown distribution",
		    guest->root->device);
}

static char *first_line(Guest *guest, const char *path)
{
	char *text = edits_try_read(guest->edits, path, SETTING_MAX);

	if (text != NULL) {
		text[strcspn(text, "\r\n")] = '\0';
		g_strstrip(text);
	}
	return text;
}

static char *read_hostname(Guest *guest)
{
	g_autofree char *name = first_line(guest, "/etc/hostname");

	if (name == NULL || *name == '\0') {
		g_free(name);
		name = first_line(guest, "/etc/HOSTNAME");
	}
	if (name == NULL || *name == '\0') {
		g_autofree char *network =
			edits_try_read(guest->edits, "/etc/sysconfig/network", SETTING_MAX);

		g_free(name);
		name = network != NULL ? boot_variable(network, "HOSTNAME") : NULL;
	}
	return name != NULL ? text_for_display(name, strlen(name), 255) : NULL;
}

/* The machine of /bin/sh: every guest has one. */
static char *read_arch(Guest *guest)
{
	static const struct {
		uint8_t machine;
		const char *name;
	} machines[] = {{62, "x86_64"}, {3, "i386"}, {183, "aarch64"}, {21, "ppc64le"},
			{22, "s390x"},  {40, "arm"}, {243, "riscv64"}};
	size_t length = 0;
	char *header = edits_is_file(guest->edits, "/bin/sh")
			       ? guestfs_pread(appliance_for(guest->appliance, APPLIANCE_QUICK),
					       "/bin/sh", ELF_HEADER, 0, &length)
			       : NULL;
	const char *name = "unknown";

	for (size_t i = 0; header != NULL && length == ELF_HEADER && i < G_N_ELEMENTS(machines);
	     i++)
		if (memcmp(header, "\177ELF", 4) == 0 &&
		    ((uint8_t)header[18] == machines[i].machine ||
		     (uint8_t)header[19] == machines[i].machine))
			name = machines[i].name;
	free(header);
	return g_strdup(name);
}

/* hwclock's third line; before it, settings of the start scripts. */
static bool keeps_local_time(Guest *guest)
{
	g_autofree char *adjtime = edits_try_read(guest->edits, "/etc/adjtime", SETTING_MAX);
	g_autofree char *rcs = edits_try_read(guest->edits, "/etc/default/rcS", SETTING_MAX);
	g_autofree char *clock = edits_try_read(guest->edits, "/etc/sysconfig/clock", SETTING_MAX);
	g_autofree char *rcs_utc = rcs != NULL ? boot_variable(rcs, "UTC") : NULL;
	g_autofree char *clock_utc = clock != NULL ? boot_variable(clock, "UTC") : NULL;

	if (adjtime != NULL)
		return strstr(adjtime, "\nLOCAL") != NULL;
	return g_strcmp0(rcs_utc, "no") == 0 || g_strcmp0(clock_utc, "false") == 0;
}

static void describe(Guest *guest)
{
	GuestReport *report = guest->report;
	const OsRelease *release = &guest->release;

	report->distro = text_for_display(release->distro, strlen(release->distro), 64);
	report->product = text_for_display(release->product, strlen(release->product), 200);
	report->osinfo = g_strdup(release->osinfo);
	report->major = release->major;
	report->minor = release->minor;
	report->package_format = g_strdup(release->family == FAMILY_DEBIAN ? "deb" : "rpm");
	report->hostname = read_hostname(guest);
	report->arch = read_arch(guest);
	report->rtc_local = keeps_local_time(guest);
	guest->systemd = edits_is_file(guest->edits, "/lib/systemd/systemd") ||
			 edits_is_file(guest->edits, "/usr/lib/systemd/systemd");
}

static bool inspect(Guest *guest, GError **error)
{
	if (!guest_find_devices(guest, error) || !guest_find_root(guest, error) ||
	    !guest_mount(guest, error) || !read_release(guest, error))
		return false;
	describe(guest);
	if (guest->release.family == FAMILY_UNKNOWN)
		return fail(error, UNSUPPORTED,
			    "%s: only Linux of the Debian and Red Hat or SUSE families can be "
			    "converted",
			    guest->report->product);
	if (!guest_find_kernel(guest, error))
		return false;
	guest_find_firmware(guest);
	if (!guest->report->virtio_blk && !guest->report->virtio_scsi)
		return fail(error, UNSUPPORTED, "kernel %s has no virtio disk driver",
			    guest->report->kernel);
	return true;
}

/* An optional step that fails takes back its edits, and the conversion goes on. */
static bool run_step(Guest *guest, const GuestStep *step, GError **error)
{
	const guint mark = edits_mark(guest->edits);
	const guint listed = guest->report->changes->len;
	GError *cause = NULL;

	guest->step = step->name;
	if (step->applies != NULL && !step->applies(guest))
		return true;
	if (step->runs && !edits_write(guest->edits, error))
		return fail_in(error, "%s: ", step->name);
	if (step->apply(guest, &cause))
		return true;
	if (step->needed || !appliance_check(guest->appliance, NULL)) {
		const bool stopped = g_error_matches(cause, V2V_ERROR, V2V_ERROR_INTERRUPTED);

		g_propagate_error(error, cause);
		return !stopped &&
		       fail_in(error, "%s%s: ", step->name,
			       step->needed ? " (the guest would not start without it)" : "");
	}
	edits_rewind(guest->edits, mark);
	g_ptr_array_set_size(guest->report->changes, (gint)listed);
	guest_warn(guest, "guest.step-failed", "the guest starts without it; do it by hand there",
		   "step \"%s\" failed: %s", step->name, cause->message);
	g_error_free(cause);
	return true;
}

static bool run_steps(Guest *guest, GError **error)
{
	const GuestStep *const *steps =
		guest->release.family == FAMILY_DEBIAN ? steps_debian : steps_rpm;

	for (; *steps != NULL; steps++) {
		if (!cancel_check(guest->job->cancel, error))
			return false;
		progress_begin(guest->job->progress, (*steps)->name, 0);
		const bool ok = run_step(guest, *steps, error);

		progress_end(guest->job->progress);
		if (!ok)
			return false;
	}
	guest->step = "check";
	return edits_write(guest->edits, error);
}

/* What the guest reads at its start, read again from the disk. */
static bool check(Guest *guest, GError **error)
{
	if (!edits_is_file(guest->edits, guest->kernel_path))
		return fail(error, CORRUPT, "check: the kernel %s is gone", guest->kernel_path);
	if (guest->initramfs != NULL && !edits_is_file(guest->edits, guest->initramfs))
		return fail(error, CORRUPT, "check: the initramfs %s is gone", guest->initramfs);
	return guest_check_fstab(guest, error) && guest_check_loader(guest, error);
}

static bool convert(Guest *guest, GError **error)
{
	progress_begin(guest->job->progress, "inspect guest", 0);
	const bool inspected = inspect(guest, error);

	progress_end(guest->job->progress);
	if (!inspected || !run_steps(guest, error))
		return false;
	return guest->job->dry_run || check(guest, error);
}

GuestReport *guest_convert(const GuestJob *job, GError **error)
{
	progress_begin(job->progress, "start appliance", 0);
	g_autoptr(Appliance) appliance = appliance_start(job, error);

	progress_end(job->progress);
	if (appliance == NULL)
		return NULL;
	g_autoptr(Guest) guest = guest_new(job, appliance);
	GError *cause = NULL;

	if (!convert(guest, &cause)) {
		/* Without its appliance a guest looks empty: say what ended the appliance. */
		if (!appliance_check(appliance, NULL)) {
			g_clear_error(&cause);
			appliance_check(appliance, &cause);
		}
		const bool stopped = g_error_matches(cause, V2V_ERROR, V2V_ERROR_INTERRUPTED);

		g_propagate_prefixed_error(error, cause, "%s", stopped ? "" : "guest: ");
		return NULL;
	}
	progress_begin(job->progress, "close disks", 0);
	const bool closed = appliance_shutdown(g_steal_pointer(&appliance), error);

	progress_end(job->progress);
	return closed ? g_steal_pointer(&guest->report) : fail_in_null(error, "guest: ");
}
