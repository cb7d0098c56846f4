/* SPDX-License-Identifier: Apache-2.0 */
/* sheet.h: a VM definition on one page, for people. */
#ifndef V2V_SHEET_H
#define V2V_SHEET_H

#include "inventory/vm.h"

/* On standard output. `images` is an aa{sv} in the order of vm->disks: format, virtual-size or
 * error. */
void sheet_print(const Vm *vm, GVariant *images, const Findings *source_findings);

#endif
