/* SPDX-License-Identifier: Apache-2.0 */
/* domain_compare.h: has libvirt understood what we asked for? */
#ifndef V2V_TARGETS_DOMAIN_COMPARE_H
#define V2V_TARGETS_DOMAIN_COMPARE_H

#include <glib.h>
#include <stdbool.h>

/* Compares identity, size, firmware, disks and network cards of the XML that was asked for with
 * what came back; what only one of them says is libvirt's to choose. IO, with the first
 * difference. */
bool domain_compare(const char *asked, const char *got, GError **error);

#endif
