/* SPDX-License-Identifier: Apache-2.0 */
/* drivers_text.h: settings that name drivers of the old virtual hardware, as text. */
#ifndef V2V_CONVERT_GUEST_DRIVERS_TEXT_H
#define V2V_CONVERT_GUEST_DRIVERS_TEXT_H

#include <glib.h>
#include <stdbool.h>

/* modprobe.conf: "alias eth0 vmxnet3" -> virtio_net, the first scsi_hostadapter -> virtio_blk, more
 * of them go. Edited lines go to `done` (owned strings). Owned by the caller. */
char *modprobe_use_virtio(const char *text, GPtrArray *done);

/* xorg.conf: Driver "vmware" and its like -> "modesetting". Owned by the caller. */
char *xorg_use_modesetting(const char *text, GPtrArray *done);

/* The [Install] section's WantedBy= and RequiredBy= of a systemd unit: names of targets, each with
 * its folder ("multi-user.target.wants"). Owned strings. */
GPtrArray *unit_install_folders(const char *text);

#endif
