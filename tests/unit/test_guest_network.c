/* SPDX-License-Identifier: Apache-2.0 */
/* test_guest_network.c: interface names in every kind of configuration, and the cards they go to.
 */
#include "convert/guest/network.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

typedef void (*NameReader)(const char *text, const char *file, GPtrArray *names);

typedef enum { INTERFACES, IFCFG, KEYFILE, NETWORKD, LINK, UDEV, NETPLAN } SourceKind;

static const NameReader readers[] = {
	nic_names_from_interfaces, nic_names_from_ifcfg, nic_names_from_keyfile,
	nic_names_from_networkd,   nic_names_from_link,  nic_names_from_udev_rules,
	nic_names_from_netplan,
};

/* "ens192=00:50:56:00:00:01! eth1": '=' before a MAC, '!' when the file binds the name itself. */
static char *names_text(const GPtrArray *names)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < names->len; i++) {
		const NicName *name = g_ptr_array_index(names, i);

		g_string_append_printf(text, "%s%s%s%s%s", i > 0 ? " " : "", name->name,
				       name->mac != NULL ? "=" : "",
				       name->mac != NULL ? name->mac : "", name->bound ? "!" : "");
	}
	return g_string_free(text, FALSE);
}

struct source_case {
	SourceKind kind;
	char file[40], text[420], names[120];
};

ParameterizedTestParameters(guest_network, sources)
{
	static struct source_case cases[] = {
		{INTERFACES, "interfaces",
		 "auto lo\niface lo inet loopback\nallow-hotplug ens192\n"
		 "iface ens192 inet static\n\taddress 192.0.2.1/24\n#iface eth9 inet dhcp\n",
		 "ens192"},
		{INTERFACES, "interfaces",
		 "auto br0\niface br0 inet dhcp\n bridge_ports ens192 ens224\n"
		 "iface ens256:1 inet static\niface ens256.7 inet static\n",
		 "ens192 ens224 ens256"},
		{INTERFACES, "interfaces", "iface bond0 inet dhcp\n bond-slaves none\n", ""},
		{IFCFG, "/x/ifcfg-ens192",
		 "TYPE=Ethernet\nDEVICE=\"ens192\"\nHWADDR=00:50:56:AA:BB:CC\nONBOOT=yes\n",
		 "ens192=00:50:56:aa:bb:cc"},
		{IFCFG, "/x/ifcfg-eth0", "BOOTPROTO='dhcp'\nSTARTMODE='auto'\n", "eth0"},
		{IFCFG, "/x/ifcfg-br0", "TYPE=Bridge\nDEVICE=br0\n", ""},
		{IFCFG, "/x/ifcfg-eth0.5", "DEVICE=eth0.5\nVLAN=yes\n", ""},
		{IFCFG, "/x/ifcfg-eth-id-00:50:56:00:00:01", "BOOTPROTO='dhcp'\n", ""},
		{KEYFILE, "x.nmconnection",
		 "[connection]\nid=x\ntype=ethernet\ninterface-name=ens224\n\n[ethernet]\n"
		 "mac-address=00:50:56:00:00:02\n",
		 "ens224=00:50:56:00:00:02"},
		{KEYFILE, "x",
		 "[connection]\ntype=ethernet\n[ethernet]\nmac-address=00:50:56:00:00:02", ""},
		{KEYFILE, "x", "[connection]\ntype=wifi\ninterface-name=wlp1\n", ""},
		{KEYFILE, "x", "not a key file", ""},
		{NETWORKD, "a.network", "[Match]\nName=ens192 ens224\n[Network]\nDHCP=yes\n",
		 "ens192 ens224"},
		{NETWORKD, "a.network", "[Match]\nName=en*\n", ""},
		{NETWORKD, "a.network", "[Match]\nMACAddress=00:50:56:00:00:01\nName = lan0\n",
		 "lan0=00:50:56:00:00:01"},
		{LINK, "a.link", "[Match]\nMACAddress=00:50:56:00:00:01\n[Link]\nName=lan0\n",
		 "lan0=00:50:56:00:00:01!"},
		{LINK, "a.link", "[Match]\nDriver=e1000\n[Link]\nName=lan0\n", ""},
		{UDEV, "70-persistent-net.rules",
		 "# PCI device\nSUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", "
		 "ATTR{address}==\"00:50:56:00:00:01\", ATTR{type}==\"1\", KERNEL==\"eth*\", "
		 "NAME=\"eth0\"\n",
		 "eth0=00:50:56:00:00:01!"},
		{NETPLAN, "a.yaml",
		 "network:\n  version: 2\n  ethernets:\n    ens160:\n      dhcp4: true\n"
		 "    \"ens192\":\n      addresses: [192.0.2.1/24]\n",
		 "ens160 ens192"},
		{NETPLAN, "a.yaml",
		 "# x\nnetwork:\n    ethernets:\n        lan:\n            match:\n"
		 "                macaddress: '00:50:56:00:00:01' # one\n"
		 "            set-name: lan0\n        other:\n            match: "
		 "{macaddress: \"00:50:56:00:00:02\"}\n    vlans:\n        v1:\n            id: "
		 "1\n",
		 "lan0=00:50:56:00:00:01!"},
		{NETPLAN, "a.yaml", "network:\n  bridges:\n    br0:\n      interfaces: [ens160]\n",
		 ""},
		{NETPLAN, "a.yaml", "- - :\n\t\x01: {", ""},
	};
	return cr_make_param_array(struct source_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct source_case *row, guest_network, sources)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(nic_name_free);

	readers[row->kind](row->text, row->file, names);
	g_autofree char *found = names_text(names);

	cr_assert_str_eq(found, row->names, "%s\ngave \"%s\"", row->text, found);
}

struct plan_case {
	char names[120]; /* as names_text() writes; a '+' before one: comes up at boot */
	char macs[4][20];
	char plan[160]; /* "ens192=…1" in NIC order, '?' after a guess */
	char nameless[32];
};

#define MAC1 "00:50:56:00:00:01"
#define MAC2 "00:50:56:00:00:02"
#define MAC3 "00:50:56:00:00:03"
#define GONE "00:50:56:99:99:99"

ParameterizedTestParameters(guest_network, plans)
{
	static struct plan_case cases[] = {
		{"ens192", {MAC1}, "ens192=" MAC1, ""},
		{"", {MAC1}, "", ""},
		{"ens192", {""}, "", "ens192"},
		{"ens224 ens192", {MAC1, MAC2}, "ens192=" MAC1 "? ens224=" MAC2 "?", ""},
		{"ens224=" MAC1 " ens192", {MAC1, MAC2}, "ens224=" MAC1 " ens192=" MAC2, ""},
		/* the first four bridges of VMware, then their second functions */
		{"ens161 ens256 ens192 ens224",
		 {MAC1, MAC2, MAC3},
		 "ens192=" MAC1 "? ens224=" MAC2 "? ens256=" MAC3 "?",
		 "ens161"},
		{"eth10 eth9", {MAC1, MAC2}, "eth9=" MAC1 "? eth10=" MAC2 "?", ""},
		{"ens160 +ens192", {MAC1}, "ens192=" MAC1 "?", "ens160"},
		{"eth0=" GONE "!", {MAC1}, "eth0=" MAC1, ""},
		{"eth0=" MAC1 "!", {MAC1}, "eth0=" MAC1 "!", ""},
		{"ens192", {"00-50-56-AB-CD-EF"}, "ens192=00:50:56:ab:cd:ef", ""},
		{"ens192", {"not a mac"}, "", "ens192"},
	};
	return cr_make_param_array(struct plan_case, cases, G_N_ELEMENTS(cases));
}

static void take_names(const char *text, GPtrArray *names)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);

	for (char **word = words; *word != NULL; word++) {
		const bool automatic = **word == '+', bound = g_str_has_suffix(*word, "!");
		char *mac = strchr(*word, '=');

		if (**word == '\0')
			continue;
		if (bound)
			(*word)[strlen(*word) - 1] = '\0';
		if (mac != NULL)
			*mac++ = '\0';
		NicName *name = nic_names_add(names, *word + automatic, mac, "x");

		name->automatic = automatic;
		name->bound = bound;
	}
}

ParameterizedTest(struct plan_case *row, guest_network, plans)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(nic_name_free);
	const char *macs[5] = {NULL};
	g_autoptr(GString) text = g_string_new(NULL);

	take_names(row->names, names);
	for (unsigned i = 0; i < 4 && row->macs[i][0] != '\0'; i++)
		macs[i] = row->macs[i];
	g_autoptr(NicPlan) plan = nic_plan_new(names, macs);

	for (guint i = 0; i < plan->bindings->len; i++) {
		const NicBinding *binding = g_ptr_array_index(plan->bindings, i);

		g_string_append_printf(text, "%s%s=%s%s%s", i > 0 ? " " : "", binding->name,
				       binding->mac, binding->bound ? "!" : "",
				       binding->certain ? "" : "?");
	}
	cr_assert_str_eq(text->str, row->plan, "%s: %s", row->names, text->str);
	cr_assert_eq(plan->nameless->len, row->nameless[0] != '\0', "%s", row->names);
	if (row->nameless[0] != '\0')
		cr_assert_str_eq(g_ptr_array_index(plan->nameless, 0), row->nameless);
}

Test(guest_network, the_files_say_what_was_planned)
{
	char name[] = "ens192", mac[] = MAC1;
	const NicBinding binding = {.name = name, .mac = mac, .certain = true};
	g_autofree char *link = nic_link_file(&binding);
	g_autofree char *rule = nic_udev_rule(&binding);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(nic_name_free);

	nic_names_from_link(link, "a.link", names);
	nic_names_from_udev_rules(rule, "b.rules", names);
	g_autofree char *read_back = names_text(names);

	cr_assert_str_eq(read_back, "ens192=" MAC1 "!", "both mean the same card");
}

Test(guest_network, stale_rules_go_and_others_stay)
{
	static const char rules[] =
		"# made by a script\n"
		"SUBSYSTEM==\"net\", ATTR{address}==\"" GONE "\", NAME=\"eth0\"\n"
		"SUBSYSTEM==\"net\", DRIVERS==\"vmxnet3\", ATTR{address}==\"" MAC2
		"\", NAME=\"eth1\"\n"
		"SUBSYSTEM==\"net\", ATTR{address}==\"" GONE "\", NAME=\"eth7\"\n";
	static const char *const macs[] = {MAC1, MAC2, NULL};
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(nic_name_free);
	g_autoptr(GPtrArray) changed = g_ptr_array_new_with_free_func(g_free);

	nic_names_from_udev_rules(rules, "70", names);
	nic_names_add(names, "eth0", NULL, "interfaces");
	g_autoptr(NicPlan) plan = nic_plan_new(names, macs);
	g_autofree char *after = udev_rules_without_stale(rules, plan, macs, changed);

	cr_assert_str_eq(after, "# made by a script\n"
				"SUBSYSTEM==\"net\", DRIVERS==\"?*\", ATTR{address}==\"" MAC2
				"\", NAME=\"eth1\"\n"
				"SUBSYSTEM==\"net\", ATTR{address}==\"" GONE "\", NAME=\"eth7\"\n");
	cr_assert_eq(changed->len, 2u);
}

Test(guest_network, a_mac_that_is_gone_leaves_ifcfg)
{
	static const char *const macs[] = {MAC1, NULL};
	g_autofree char *after =
		ifcfg_without_stale_mac("DEVICE=eth0\nHWADDR=\"" GONE "\"\nONBOOT=yes\n", macs);

	cr_assert_str_eq(after, "DEVICE=eth0\nONBOOT=yes\n");
	cr_assert_null(ifcfg_without_stale_mac("DEVICE=eth0\nHWADDR=" MAC1 "\n", macs));
}

Test(guest_network, names_that_are_no_file_names_are_refused)
{
	cr_assert(nic_name_is_valid("enp0s31f6"));
	cr_assert_not(nic_name_is_valid("../../etc/x"));
	cr_assert_not(nic_name_is_valid(""));
	cr_assert_not(nic_name_is_valid("."));
	cr_assert_not(nic_name_is_valid("sixteen-letters-"));
	cr_assert_not(nic_name_is_valid("a b"));
}
