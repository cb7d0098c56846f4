/* SPDX-License-Identifier: Apache-2.0 */
/* steps_network.c: network cards keep their names: each name is bound to its card's MAC. */
#include "convert/guest/network.h"
#include "convert/guest/step.h"

#include <string.h>

#define UDEV_RULES "/etc/udev/rules.d/70-persistent-net.rules"

typedef void (*NameReader)(const char *text, const char *file, GPtrArray *names);

static const struct {
	const char *folder, *pattern;
	NameReader read;
} sources[] = {
	/* What binds a name to a MAC comes first: the others only add to it. */
	{"/etc/udev/rules.d", "*net*.rules", nic_names_from_udev_rules},
	{"/etc/systemd/network", "*.link", nic_names_from_link},
	{"/etc/network", "interfaces", nic_names_from_interfaces},
	{"/etc/network/interfaces.d", "*", nic_names_from_interfaces},
	{"/etc/netplan", "*.yaml", nic_names_from_netplan},
	{"/etc/systemd/network", "*.network", nic_names_from_networkd},
	{"/etc/sysconfig/network-scripts", "ifcfg-*", nic_names_from_ifcfg},
	{"/etc/sysconfig/network", "ifcfg-*", nic_names_from_ifcfg},
	{"/etc/NetworkManager/system-connections", "*", nic_names_from_keyfile},
};

static GPtrArray *configured_names(Guest *guest)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(nic_name_free);

	for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
		g_autoptr(GPtrArray) files =
			edits_list(guest->edits, sources[i].folder, sources[i].pattern);

		for (guint j = 0; j < files->len; j++) {
			const char *file = g_ptr_array_index(files, j);
			g_autofree char *text = edits_try_read(guest->edits, file, SETTING_MAX);

			if (text != NULL)
				sources[i].read(text, file, names);
		}
	}
	return names;
}

/* The rule that makes systemd-udevd obey .link files; without it they are never looked at. */
static bool reads_link_files(Guest *guest)
{
	return edits_exists(guest->edits, "/usr/lib/udev/rules.d/80-net-setup-link.rules") ||
	       edits_exists(guest->edits, "/lib/udev/rules.d/80-net-setup-link.rules");
}

static void clean_udev_rules(Guest *guest, const NicPlan *plan)
{
	g_autofree char *before = edits_try_read(guest->edits, UDEV_RULES, SETTING_MAX);
	g_autoptr(GPtrArray) changed = g_ptr_array_new_with_free_func(g_free);

	if (before == NULL)
		return;
	g_autofree char *after = udev_rules_without_stale(before, plan, guest->job->macs, changed);

	step_set_text(guest, UDEV_RULES, before, after);
	for (guint i = 0; i < changed->len; i++)
		guest_change(guest, UDEV_RULES, "it names a card or driver that is gone",
			     "removed or corrected: %s",
			     (const char *)g_ptr_array_index(changed, i));
}

static void clean_ifcfg(Guest *guest)
{
	static const char *const folders[] = {"/etc/sysconfig/network-scripts",
					      "/etc/sysconfig/network"};

	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autoptr(GPtrArray) files = edits_list(guest->edits, folders[i], "ifcfg-*");

		for (guint j = 0; j < files->len; j++) {
			const char *file = g_ptr_array_index(files, j);
			g_autofree char *before = edits_try_read(guest->edits, file, SETTING_MAX);
			g_autofree char *after =
				before != NULL ? ifcfg_without_stale_mac(before, guest->job->macs)
					       : NULL;

			if (after == NULL)
				continue;
			edits_set(guest->edits, file, after);
			guest_change(guest, file, "no card of the machine has that MAC",
				     "HWADDR removed");
		}
	}
}

static void bind_by_link(Guest *guest, const NicBinding *binding)
{
	g_autofree char *path =
		g_strdup_printf("/etc/systemd/network/10-v2v-%s.link", binding->name);
	g_autofree char *text = nic_link_file(binding);

	edits_set(guest->edits, path, text);
	guest_change(guest, path, "the name would change with the slot of the card",
		     "%s is the card with MAC %s", binding->name, binding->mac);
}

static void bind_by_rule(Guest *guest, const NicBinding *binding)
{
	g_autofree char *before = edits_try_read(guest->edits, UDEV_RULES, SETTING_MAX);
	g_autofree char *rule = nic_udev_rule(binding);
	g_autofree char *after = g_strconcat(before != NULL ? before : "", rule, NULL);

	edits_set(guest->edits, UDEV_RULES, after);
	guest_change(guest, UDEV_RULES, "the name would change with the slot of the card",
		     "%s is the card with MAC %s", binding->name, binding->mac);
}

static void warn_about(Guest *guest, const NicPlan *plan)
{
	g_autoptr(GString) guessed = g_string_new(NULL);

	for (guint i = 0; i < plan->bindings->len; i++) {
		const NicBinding *binding = g_ptr_array_index(plan->bindings, i);

		if (!binding->certain)
			g_string_append_printf(guessed, "%s%s = %s", guessed->len > 0 ? ", " : "",
					       binding->name, binding->mac);
	}
	if (guessed->len > 0)
		guest_warn(guest, "guest.nic-names-guessed",
			   "compare with the addresses of the running source",
			   "the configuration does not say which name belongs to which network "
			   "card; taken in order: %s",
			   guessed->str);
	for (guint i = 0; i < plan->nameless->len; i++)
		guest_warn(guest, "guest.nic-name-without-card", NULL,
			   "the configuration names the interface %s, but there is no network card "
			   "left for it",
			   (const char *)g_ptr_array_index(plan->nameless, i));
}

static bool knows_macs(const Guest *guest)
{
	return guest->job->macs != NULL && guest->job->macs[0] != NULL;
}

static bool apply_network(Guest *guest, GError **error)
{
	g_autoptr(GPtrArray) names = configured_names(guest);
	g_autoptr(NicPlan) plan = nic_plan_new(names, guest->job->macs);
	const bool by_link = reads_link_files(guest);

	(void)error;
	if (!knows_macs(guest)) {
		if (names->len > 0)
			guest_warn(guest, "guest.macs-unknown", NULL,
				   "the MACs of the network cards are not known: their names may "
				   "change");
		return true;
	}
	clean_udev_rules(guest, plan);
	clean_ifcfg(guest);
	for (guint i = 0; i < plan->bindings->len; i++) {
		const NicBinding *binding = g_ptr_array_index(plan->bindings, i);

		if (binding->bound)
			continue;
		if (by_link)
			bind_by_link(guest, binding);
		else
			bind_by_rule(guest, binding);
	}
	warn_about(guest, plan);
	return true;
}

const GuestStep step_network = {.name = "network names", .apply = apply_network};
