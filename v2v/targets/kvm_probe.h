/* SPDX-License-Identifier: Apache-2.0 */
/* kvm_probe.h: does KVM work on this host? */
#ifndef V2V_TARGETS_KVM_PROBE_H
#define V2V_TARGETS_KVM_PROBE_H

#include <stdbool.h>

/* Asks the processor, and /dev/kvm for its version in a process of its own: there are hosts where
 * that never comes back. Two seconds at most. x86 only. */
bool kvm_is_usable(void);

#endif
