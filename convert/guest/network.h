/* SPDX-License-Identifier: Apache-2.0 */
/* network.h: the names of network interfaces in a guest's configuration, and the MACs they go with.
 */
#ifndef V2V_CONVERT_GUEST_NETWORK_H
#define V2V_CONVERT_GUEST_NETWORK_H

#include <glib.h>
#include <stdbool.h>

typedef struct {        /* an interface that configuration names */
	char *name;     /* owned; "ens192" */
	char *mac;      /* owned, lower case; NULL when the file does not say which NIC it is */
	char *file;     /* owned; where it stands */
	bool automatic; /* brought up at boot */
	bool bound;     /* the file itself gives the NIC this name: nothing need be added */
} NicName;

void nic_name_free(void *nic_name); /* a GDestroyNotify */

/* Adds the name, or what more is now known of it; NULL when it is no hardware's name. `mac` may be
 * NULL or no MAC. Borrowed. */
NicName *nic_names_add(GPtrArray *names, const char *name, const char *mac, const char *file);

/* Each reads one file of a kind and adds the Ethernet interfaces it names to `names` (of NicName).
 * Bridges, bonds, VLANs, aliases, wildcards and the loopback are none. */
void nic_names_from_interfaces(const char *text, const char *file, GPtrArray *names);
void nic_names_from_ifcfg(const char *text, const char *file, GPtrArray *names);
void nic_names_from_keyfile(const char *text, const char *file, GPtrArray *names);
void nic_names_from_networkd(const char *text, const char *file, GPtrArray *names);
void nic_names_from_link(const char *text, const char *file, GPtrArray *names);
void nic_names_from_udev_rules(const char *text, const char *file, GPtrArray *names);
void nic_names_from_netplan(const char *text, const char *file, GPtrArray *names);

typedef struct {
	char *name, *mac; /* owned */
	bool certain;     /* configuration says so, or there is only one way */
	bool bound;       /* the guest does it already */
} NicBinding;

typedef struct {
	GPtrArray *bindings; /* of NicBinding, in NIC order */
	GPtrArray *nameless; /* owned strings: names that no NIC is left for */
} NicPlan;

/* `macs`: NULL-terminated, in NIC order; may be NULL. */
NicPlan *nic_plan_new(const GPtrArray *names, const char *const *macs);
void nic_plan_free(NicPlan *plan); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NicPlan, nic_plan_free)

/* "00:50:56:AA:bb:cc" in lower case with colons, or NULL when it is no MAC. Owned. */
char *mac_normalise(const char *text);
/* Letters, digits and "._-", at most 15 bytes: what the kernel and file names take. */
bool nic_name_is_valid(const char *name);

char *nic_link_file(const NicBinding *binding); /* text of a systemd .link file; owned */
char *nic_udev_rule(const NicBinding *binding); /* one line for 70-persistent-net.rules; owned */
/* The rules without those that would give a name in `plan` to a NIC that is not there, and without
 * conditions on the old driver. Removed or changed lines go to `changed`. Owned. */
char *udev_rules_without_stale(const char *text, const NicPlan *plan, const char *const *macs,
			       GPtrArray *changed);
/* An ifcfg file without an HWADDR that none of `macs` has; NULL when there is none such. Owned. */
char *ifcfg_without_stale_mac(const char *text, const char *const *macs);

#endif
