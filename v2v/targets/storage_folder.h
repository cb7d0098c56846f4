/* SPDX-License-Identifier: Apache-2.0 */
/* storage_folder.h: the folder that takes the disks. */
#ifndef V2V_TARGETS_STORAGE_FOLDER_H
#define V2V_TARGETS_STORAGE_FOLDER_H

#include "base/finding.h"

#include <stdint.h>

/* Finds what keeps `needed` bytes from being written there: no folder, no right, no space. */
void storage_folder_check(const char *folder, uint64_t needed, Findings *findings);
/* Finds a folder on the way that only its owner may enter: QEMU, which libvirt runs as a user of
 * its own, would not reach the disks. */
void storage_folder_check_access(const char *folder, Findings *findings);

#endif
