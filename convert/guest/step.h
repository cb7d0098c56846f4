/* SPDX-License-Identifier: Apache-2.0 */
/* step.h: the steps of a conversion; each is one const value, listed in its family's table. */
#ifndef V2V_CONVERT_GUEST_STEP_H
#define V2V_CONVERT_GUEST_STEP_H

#include "convert/guest/inspect.h"

typedef struct {
	const char *name; /* as listed: "fstab" */
	bool needed;      /* without it the guest would not boot: a failure ends the conversion */
	bool runs; /* starts programs of the guest or writes past the edits: these are written
		      first */
	/* NULL: always. */
	bool (*applies)(Guest *guest);
	/* In a dry run it lists its changes and writes nothing. */
	bool (*apply)(Guest *guest, GError **error);
} GuestStep;

extern const GuestStep step_fstab;         /* steps_devices.c */
extern const GuestStep step_crypttab;      /* steps_devices.c */
extern const GuestStep step_resume;        /* steps_devices.c */
extern const GuestStep step_caches;        /* steps_devices.c */
extern const GuestStep step_lvm;           /* steps_devices.c */
extern const GuestStep step_bootloader;    /* steps_bootloader.c */
extern const GuestStep step_network;       /* steps_network.c */
extern const GuestStep step_modprobe;      /* steps_drivers.c */
extern const GuestStep step_x11;           /* steps_drivers.c */
extern const GuestStep step_force_drivers; /* steps_drivers.c */
extern const GuestStep step_tools;         /* tools_removal.c */
extern const GuestStep step_agent;         /* steps_services.c */
extern const GuestStep step_selinux;       /* steps_services.c */
extern const GuestStep step_uefi;          /* steps_uefi.c */
extern const GuestStep step_initramfs;     /* steps_initramfs.c */

extern const GuestStep *const steps_debian[]; /* NULL-terminated */
extern const GuestStep *const steps_rpm[];

/* The step by hand of what every editing step does: sets the text when it differs. */
void step_set_text(Guest *guest, const char *path, const char *before, const char *after);
/* Lists what an editing function replaced, once per line of `done`. */
void step_list_done(Guest *guest, const char *path, const char *why, const GPtrArray *done);

#endif
