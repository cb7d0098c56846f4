/* SPDX-License-Identifier: Apache-2.0 */
/* drivers.h: the target drivers, for the list in targets.c. */
#ifndef V2V_TARGETS_DRIVERS_H
#define V2V_TARGETS_DRIVERS_H

#include "v2v/targets/target.h"

extern const TargetDriver libvirt_target_driver;
extern const TargetDriver dir_target_driver;

#endif
