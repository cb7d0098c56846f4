/* SPDX-License-Identifier: Apache-2.0 */
/* packages.h: installed packages from dpkg's status file. */
#ifndef V2V_CONVERT_GUEST_PACKAGES_H
#define V2V_CONVERT_GUEST_PACKAGES_H

#include <glib.h>

typedef struct {
	char *name;    /* owned */
	char *depends; /* owned; Depends and Pre-Depends, "" when none */
} Package;

/* name -> Package, only what is installed (also half). */
GHashTable *packages_parse_dpkg(const char *status);
/* Installed packages whose names match `wanted` (NULL-terminated shell patterns) and that nothing
 * else needs, sorted. The others go to `kept` as "open-vm-tools (needed by ubuntu-server)". Both
 * lists own their strings. */
GPtrArray *packages_removable(GHashTable *packages, const char *const *wanted, GPtrArray *kept);

#endif
