/* SPDX-License-Identifier: Apache-2.0 */
/* guest.h: makes the operating system on a set of disks boot on KVM. One appliance start. */
#ifndef V2V_CONVERT_GUEST_GUEST_H
#define V2V_CONVERT_GUEST_GUEST_H

#include "base/cancel.h"
#include "base/finding.h"
#include "base/progress.h"

#include <stdint.h>

typedef struct {    /* one change to the guest: promise 8 */
	char *file; /* owned; path in the guest, or "package open-vm-tools" */
	char *what; /* owned; "/dev/sda1 -> UUID=…" */
	char *why;  /* owned; "device names change from SCSI to virtio" */
	char *step; /* owned; name of the step */
} GuestChange;

typedef struct {
	const char *path;   /* of an overlay that may be written; the disks in the VM's order */
	const char *format; /* "qcow2", "raw": always said, never guessed */
} GuestDrive;

typedef struct {
	const GuestDrive *drives;
	size_t drive_count;
	const char *const *macs; /* NULL-terminated, in NIC order: "00:50:56:…"; may be NULL */
	const char *
		source; /* "vmware", "virtualbox", "hyperv", "xen", "kvm" or NULL: what to remove */
	bool firmware_known, firmware_uefi;
	const char *root;        /* device, NULL: the only operating system found, else an error */
	bool dry_run;            /* inspect and list what would be changed; write nothing */
	const char *work_folder; /* for the sockets and files of the appliance; mode 0700 */
	const Cancel *cancel;
	Progress *progress; /* phases: begin(name, 0) … end; may be NULL */
} GuestJob;

typedef struct {       /* what inspection and conversion found; strings owned */
	char *type;    /* "linux", "windows" */
	char *distro;  /* "debian" */
	char *product; /* "Debian GNU/Linux 12 (bookworm)" */
	char *osinfo;  /* "debian12": short id of libosinfo */
	char *arch;    /* "x86_64" */
	char *hostname;
	char *package_format;
	int major, minor;
	char *root;        /* device of the root file system, as the appliance names it */
	char *kernel;      /* version of the kernel that will boot */
	bool uefi;         /* boots by UEFI */
	size_t boot_drive; /* index of the drive that the firmware boots from */
	bool virtio_blk, virtio_scsi, virtio_net, virtio_rng, virtio_balloon, virtio_console;
	bool agent;         /* QEMU guest agent is installed (and now enabled) */
	bool rtc_local;     /* the guest keeps local time in the RTC */
	GPtrArray *changes; /* of GuestChange, in order */
	Findings *findings; /* warnings; owned */
} GuestReport;

/* Inspects, converts, checks. On failure the overlays are junk and the text says which step. */
GuestReport *guest_convert(const GuestJob *job, GError **error);
void guest_report_free(GuestReport *report); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestReport, guest_report_free)

guint guest_report_changes(const GuestReport *report);
const GuestChange *guest_report_change(const GuestReport *report, guint index); /* borrowed */

#endif
