/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.h: what is on the disks of a guest, found once and kept for all steps. */
#ifndef V2V_CONVERT_GUEST_INSPECT_H
#define V2V_CONVERT_GUEST_INSPECT_H

#include "convert/guest/block_devices.h"
#include "convert/guest/bootloader.h"
#include "convert/guest/edits.h"
#include "convert/guest/modules.h"
#include "convert/guest/os_release.h"

typedef struct {
	const GuestJob *job;  /* borrowed */
	GuestReport *report;  /* owned until the end */
	Appliance *appliance; /* borrowed */
	Edits *edits;         /* owned */
	const char *step;     /* name of the step at work */

	GPtrArray *devices;       /* of BlockDevice: drives, partitions, logical volumes */
	const BlockDevice *root;  /* borrowed, of `devices` */
	const char *root_options; /* borrowed; "subvol=@", "" */
	OsRelease release;
	bool separate_boot; /* /boot is a file system of its own */
	bool systemd;

	char *loader_file;   /* owned; the menu that boots: "/boot/grub/grub.cfg" */
	BootTextKind loader; /* its kind */
	char *kernel_path;   /* owned; in the guest: "/boot/vmlinuz-6.1.0-18-amd64" */
	char *initramfs;     /* owned; in the guest; NULL: none is used */
	char *arguments;     /* owned; of the kernel in the default entry; may be NULL */
	Modules *modules;    /* owned; of the kernel that will boot */

	GHashTable *packages; /* owned; name -> Package, of dpkg; NULL: no dpkg */
} Guest;

Guest *guest_new(const GuestJob *job, Appliance *appliance);
void guest_free(Guest *guest); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Guest, guest_free)

enum { /* bytes; files above are refused, not read */
       FSTAB_MAX = 1 << 20,
       SETTING_MAX = 1 << 20,
       GRUB_CFG_MAX = 4 << 20,
       DPKG_STATUS_MAX = 64 << 20,
       MODULES_DEP_MAX = 16 << 20,
};

/* The device that a spec of fstab means: UUID=, LABEL=, PARTUUID=, a path; NULL: none of ours. */
const BlockDevice *guest_device_of(const Guest *guest, const char *spec);

/* Finds the operating system and mounts its file systems. */
bool guest_find_devices(Guest *guest, GError **error);
bool guest_find_root(Guest *guest, GError **error);
bool guest_mount(Guest *guest, GError **error);
/* The kernel that the bootloader starts, its initramfs and modules; the firmware. */
bool guest_find_kernel(Guest *guest, GError **error);
void guest_find_firmware(Guest *guest);

/* Lists a change; texts are copied. `file` and `what` may hold text of the guest. */
void guest_change(Guest *guest, const char *file, const char *why, const char *format, ...)
	G_GNUC_PRINTF(4, 5);
void guest_warn(Guest *guest, const char *id, const char *advice, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

#endif
