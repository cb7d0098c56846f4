/* SPDX-License-Identifier: Apache-2.0 */
/* lvm_text.h: the device filters of lvm.conf. */
#ifndef V2V_CONVERT_GUEST_LVM_TEXT_H
#define V2V_CONVERT_GUEST_LVM_TEXT_H

#include <glib.h>

/* lvm.conf with filters that let virtio disks pass where they name other disks: the first pattern
 * that matches counts, so one is put in front. Edited lines go to `done` (owned strings). Owned. */
char *lvm_filters_accept_virtio(const char *text, GPtrArray *done);

#endif
