/* SPDX-License-Identifier: Apache-2.0 */
/* embed_root.h: the folder in which the embedded libvirt driver keeps what a daemon keeps in /etc,
 * /run and /var. */
#ifndef V2V_TARGETS_EMBED_ROOT_H
#define V2V_TARGETS_EMBED_ROOT_H

#include "base/finding.h"

#include <stdbool.h>

#define EMBED_URI "qemu:///embed?root="

/* The root that a "qemu:///embed?root=DIR" names, absolute; owned by the caller. USAGE when it
 * names none. */
char *embed_root_of(const char *uri, GError **error);
/* The root that `kvm` falls back to. Owned by the caller. */
char *embed_root_default(void);
/* The URI of a root. Owned by the caller. */
char *embed_root_uri(const char *root);

/* Makes it, with the settings that a driver without daemons beside it needs. */
bool embed_root_prepare(const char *root, GError **error);
/* Finds that `root` is too long: sockets for the domain `name` would not fit in a socket address.
 */
void embed_root_check(const char *root, const char *name, Findings *findings);

#endif
