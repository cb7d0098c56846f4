/* SPDX-License-Identifier: Apache-2.0 */
/* convert_guest.c: converts overlays in place and prints the report: convert_guest [-n] [-r ROOT]
 * [-s SOURCE] [-m MAC]… [-c SECONDS] OVERLAY.qcow2…; -c cancels after so many seconds. */
#include "convert/guest/guest.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

typedef struct {
	Progress progress;
	gint64 started, phase_started; /* monotonic microseconds */
	const char *phase;             /* borrowed */
} Clock;

static double seconds_since(gint64 start)
{
	return (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
}

static void clock_begin(Progress *progress, const char *phase, uint64_t total)
{
	Clock *clock = (Clock *)progress;

	(void)total;
	clock->phase = phase;
	clock->phase_started = g_get_monotonic_time();
}

static void clock_advance(Progress *progress, uint64_t bytes)
{
	(void)progress;
	(void)bytes;
}

static void clock_end(Progress *progress)
{
	Clock *clock = (Clock *)progress;

	printf("%7.2f s  %s\n", seconds_since(clock->phase_started), clock->phase);
}

static void print_report(const GuestReport *report)
{
	printf("\n%s, %s, %s, osinfo %s, host name %s\nroot %s, kernel %s, %s, boot drive %zu\n"
	       "virtio: blk %d scsi %d net %d rng %d balloon %d console %d; agent %d, RTC %s\n\n",
	       report->product, report->distro, report->arch, report->osinfo, report->hostname,
	       report->root, report->kernel, report->uefi ? "UEFI" : "BIOS", report->boot_drive,
	       report->virtio_blk, report->virtio_scsi, report->virtio_net, report->virtio_rng,
	       report->virtio_balloon, report->virtio_console, report->agent,
	       report->rtc_local ? "local" : "UTC");
	for (guint i = 0; i < guest_report_changes(report); i++) {
		const GuestChange *change = guest_report_change(report, i);

		printf("[%s] %s: %s\n    (%s)\n", change->step, change->file, change->what,
		       change->why);
	}
	for (guint i = 0; i < findings_count(report->findings); i++) {
		const Finding *finding = findings_get(report->findings, i);

		printf("%s %s: %s\n", finding_severity_name(finding->severity), finding->id,
		       finding->text);
	}
}

static Cancel cancel; /* set by the alarm */

static void on_alarm(int number)
{
	(void)number;
	atomic_store(&cancel.requested, true);
}

int main(int argc, char **argv)
{
	Clock clock = {.progress = {clock_begin, clock_advance, clock_end},
		       .started = g_get_monotonic_time()};
	g_autoptr(GPtrArray) macs = g_ptr_array_new();
	g_autoptr(GArray) drives = g_array_new(FALSE, FALSE, sizeof(GuestDrive));
	g_autofree char *work = g_dir_make_tmp("convert-guest-XXXXXX", NULL);
	GuestJob job = {.work_folder = work, .cancel = &cancel, .progress = &clock.progress};
	g_autoptr(GError) error = NULL;
	int option;

	signal(SIGALRM, on_alarm);
	while ((option = getopt(argc, argv, "nr:s:m:c:")) != -1) {
		if (option == 'n')
			job.dry_run = true;
		else if (option == 'r')
			job.root = optarg;
		else if (option == 's')
			job.source = optarg;
		else if (option == 'c')
			alarm((unsigned)g_ascii_strtoull(optarg, NULL, 10));
		else if (option == 'm')
			g_ptr_array_add(macs, optarg);
		else
			return 2;
	}
	for (int i = optind; i < argc; i++)
		g_array_append_val(drives, ((GuestDrive){argv[i], "qcow2"}));
	g_ptr_array_add(macs, NULL);
	job.macs = (const char *const *)macs->pdata;
	job.drives = (const GuestDrive *)(void *)drives->data;
	job.drive_count = drives->len;
	if (job.drive_count == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	g_autoptr(GuestReport) report = guest_convert(&job, &error);

	rmdir(work);
	printf("%7.2f s  in all\n", seconds_since(clock.started));
	if (report == NULL)
		fprintf(stderr, "convert_guest: %s\n", error->message);
	else
		print_report(report);
	return report == NULL;
}
