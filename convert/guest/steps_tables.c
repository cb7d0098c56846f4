/* SPDX-License-Identifier: Apache-2.0 */
/* steps_tables.c: the steps of each family, in order: edits first, then what starts programs. */
#include "convert/guest/step.h"

const GuestStep *const steps_debian[] = {
	&step_fstab, &step_crypttab, &step_bootloader, &step_resume,        &step_caches,
	&step_lvm,   &step_network,  &step_modprobe,   &step_force_drivers, &step_x11,
	&step_agent, &step_tools,    &step_uefi,       &step_initramfs,     NULL,
};

/* SELinux last: it labels what the others made. */
const GuestStep *const steps_rpm[] = {
	&step_fstab,         &step_crypttab,  &step_bootloader, &step_resume,
	&step_caches,        &step_lvm,       &step_network,    &step_modprobe,
	&step_force_drivers, &step_x11,       &step_agent,      &step_tools,
	&step_uefi,          &step_initramfs, &step_selinux,    NULL,
};
