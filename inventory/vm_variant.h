/* SPDX-License-Identifier: Apache-2.0 */
/* vm_variant.h: a Vm as a GVariant, for JSON and for tests. */
#ifndef V2V_INVENTORY_VM_VARIANT_H
#define V2V_INVENTORY_VM_VARIANT_H

#include "inventory/vm.h"

/* An a{sv} (floating): every key always there and in the same order; strings that the source does
 * not say are empty maybes (JSON null), numbers 0. */
GVariant *vm_to_variant(const Vm *vm);
/* An aa{sv} (floating): id, severity, text, advice of each. */
GVariant *findings_to_variant(const Findings *findings);

#endif
