/* SPDX-License-Identifier: Apache-2.0 */
/* host_caps.h: what a libvirt host can run, from its domain capabilities. */
#ifndef V2V_TARGETS_HOST_CAPS_H
#define V2V_TARGETS_HOST_CAPS_H

#include "v2v/targets/target.h"

typedef struct {
	unsigned vcpus_max; /* 0: not said */
	bool efi;           /* libvirt selects UEFI firmware by itself */
	char *loader;       /* owned; UEFI firmware to name when it does not; NULL: none */
	bool tpm;           /* emulated, 2.0 */
} HostCaps;

bool host_caps_parse(HostCaps *caps, const char *xml, GError **error);
void host_caps_clear(HostCaps *caps);

/* Finds what the plan needs and the host lacks. */
void host_caps_check(const HostCaps *caps, const DomainPlan *plan, Findings *findings);

#endif
