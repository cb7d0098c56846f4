/* SPDX-License-Identifier: Apache-2.0 */
/* network_names.c: interface names out of ifupdown, ifcfg, NetworkManager, networkd, udev rules. */
#include "convert/guest/network.h"

#include <string.h>

enum { MAX_NAME = 15, MAC_TEXT = 17 };

void nic_name_free(void *pointer)
{
	NicName *nic_name = pointer;

	g_free(nic_name->name);
	g_free(nic_name->mac);
	g_free(nic_name->file);
	g_free(nic_name);
}

char *mac_normalise(const char *text)
{
	if (text == NULL || strlen(text) != MAC_TEXT)
		return NULL;
	for (size_t i = 0; i < MAC_TEXT; i++)
		if (i % 3 == 2 ? strchr(":-", text[i]) == NULL : !g_ascii_isxdigit(text[i]))
			return NULL;
	return g_strdelimit(g_ascii_strdown(text, -1), "-", ':');
}

bool nic_name_is_valid(const char *name)
{
	const size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (!g_ascii_isalnum(name[i]) && strchr("._-", name[i]) == NULL)
			return false;
	return length > 0 && length <= MAX_NAME && name[0] != '.';
}

/* Names of things that are made by configuration, not found as hardware. */
static bool is_made_up(const char *name)
{
	static const char *const prefixes[] = {"lo",  "br",  "bond", "virbr", "veth",  "docker",
					       "tun", "tap", "vlan", "wg",    "dummy", "team",
					       "ib",  "wl",  "ppp",  "sit",   "vnet",  "vmbr"};

	if (g_str_equal(name, "all") || strchr(name, '.') != NULL || !nic_name_is_valid(name))
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		const char *rest = name + strlen(prefixes[i]);

		if (g_str_has_prefix(name, prefixes[i]) &&
		    (*rest == '\0' || g_ascii_isdigit(*rest) || *rest == '-' || *rest == '_'))
			return true;
	}
	return false;
}

static NicName *name_at(const GPtrArray *names, const char *name)
{
	for (guint i = 0; i < names->len; i++) {
		NicName *known = g_ptr_array_index(names, i);

		if (g_str_equal(known->name, name))
			return known;
	}
	return NULL;
}

NicName *nic_names_add(GPtrArray *names, const char *name, const char *mac, const char *file)
{
	if (is_made_up(name))
		return NULL;
	NicName *known = name_at(names, name);

	if (known == NULL) {
		known = g_new0(NicName, 1);
		known->name = g_strdup(name);
		known->file = g_strdup(file);
		g_ptr_array_add(names, known);
	}
	if (known->mac == NULL)
		known->mac = mac_normalise(mac);
	return known;
}

/* Names in the order of "iface" lines; "auto" and "allow-hotplug" say which come up. */
static void interfaces_line(char **words, const char *file, GPtrArray *names)
{
	const bool automatic = g_str_equal(words[0], "auto") ||
			       g_str_equal(words[0], "allow-auto") ||
			       g_str_equal(words[0], "allow-hotplug");

	if (automatic) {
		for (char **word = words + 1; *word != NULL; word++) {
			NicName *known =
				**word != '\0' ? nic_names_add(names, *word, NULL, file) : NULL;

			if (known != NULL)
				known->automatic = true;
		}
	} else if (g_str_equal(words[0], "iface") && words[1] != NULL) {
		g_autofree char *name = g_strndup(words[1], strcspn(words[1], ":/"));

		nic_names_add(names, name, NULL, file);
	}
}

/* "bridge_ports eth0 eth1" names hardware, the "iface" of the stanza does not. */
static void forget_made(GPtrArray *names, const char *name)
{
	NicName *known = name != NULL ? name_at(names, name) : NULL;

	if (known != NULL)
		g_ptr_array_remove(names, known);
}

void nic_names_from_interfaces(const char *text, const char *file, GPtrArray *names)
{
	static const char *const slaves[] = {"bridge_ports",   "bridge-ports", "bond-slaves",
					     "slaves",         "bond_slaves",  "vlan-raw-device",
					     "vlan_raw_device"};
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *stanza = NULL;

	for (char **line = lines; *line != NULL; line++) {
		g_strstrip(*line);
		g_strdelimit(*line, "\t", ' ');
		if (**line == '#' || **line == '\0')
			continue;
		g_auto(GStrv) words = g_strsplit(*line, " ", -1);

		interfaces_line(words, file, names);
		if (g_str_equal(words[0], "iface")) {
			g_free(stanza);
			stanza = g_strdup(words[1]);
		}
		for (size_t i = 0; i < G_N_ELEMENTS(slaves); i++) {
			if (!g_str_equal(words[0], slaves[i]))
				continue;
			forget_made(names, stanza);
			for (char **word = words + 1; *word != NULL; word++)
				if (**word != '\0' && !g_str_equal(*word, "none"))
					nic_names_add(names, *word, NULL, file);
		}
	}
}

/* NAME=value of a shell-like file, quotes taken off; the last one counts. Owned. */
static char *shell_value(const char *text, const char *name)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	const size_t length = strlen(name);
	char *value = NULL;

	for (char **line = lines; *line != NULL; line++) {
		const char *start = g_strstrip(*line);

		if (g_ascii_strncasecmp(start, name, length) != 0 || start[length] != '=')
			continue;
		g_free(value);
		value = g_strdup(start + length + 1);
		value[strcspn(value, " \t#")] = '\0';
		g_strdelimit(value, "\"'", ' ');
		g_strstrip(value);
	}
	return value;
}

/* "ifcfg-eth0", and SUSE's old "ifcfg-eth-id-00:50:56:…". */
void nic_names_from_ifcfg(const char *text, const char *file, GPtrArray *names)
{
	const char *base = strstr(file, "ifcfg-");
	g_autofree char *device = shell_value(text, "DEVICE");
	g_autofree char *hwaddr = shell_value(text, "HWADDR");
	g_autofree char *type = shell_value(text, "TYPE");
	g_autofree char *onboot = shell_value(text, "ONBOOT");
	g_autofree char *startmode = shell_value(text, "STARTMODE");
	g_autofree char *vlan = shell_value(text, "VLAN");
	g_autofree char *bridge = shell_value(text, "BRIDGE_PORTS");
	g_autofree char *bond = shell_value(text, "BONDING_MASTER");
	const char *name = device != NULL && *device != '\0' ? device : NULL;

	if (base == NULL || (type != NULL && *type != '\0' && g_ascii_strcasecmp(type, "Ethernet")))
		return;
	if ((vlan != NULL && *vlan != '\0') || bridge != NULL || bond != NULL)
		return;
	if (name == NULL && g_str_has_prefix(base + 6, "eth-id-"))
		return; /* bound to a MAC by its own name: the interface's name does not matter */
	NicName *known = nic_names_add(names, name != NULL ? name : base + 6, hwaddr, file);

	if (known != NULL)
		known->automatic =
			g_strcmp0(onboot, "yes") == 0 || g_strcmp0(startmode, "auto") == 0;
}

static char *key_value(GKeyFile *keys, const char *group, const char *alternative, const char *key)
{
	char *value = g_key_file_get_string(keys, group, key, NULL);

	if (value == NULL && alternative != NULL)
		value = g_key_file_get_string(keys, alternative, key, NULL);
	return value;
}

void nic_names_from_keyfile(const char *text, const char *file, GPtrArray *names)
{
	g_autoptr(GKeyFile) keys = g_key_file_new();

	if (!g_key_file_load_from_data(keys, text, strlen(text), G_KEY_FILE_NONE, NULL))
		return;
	g_autofree char *type = key_value(keys, "connection", NULL, "type");
	g_autofree char *name = key_value(keys, "connection", NULL, "interface-name");
	g_autofree char *mac = key_value(keys, "ethernet", "802-3-ethernet", "mac-address");
	g_autofree char *automatic = key_value(keys, "connection", NULL, "autoconnect");

	if (name == NULL ||
	    (g_strcmp0(type, "ethernet") != 0 && g_strcmp0(type, "802-3-ethernet") != 0))
		return;
	NicName *known = nic_names_add(names, name, mac, file);

	if (known != NULL)
		known->automatic = g_strcmp0(automatic, "false") != 0;
}

/* systemd repeats sections and keys, which GKeyFile merges or overwrites: read line by line. */
static char *unit_value(const char *text, const char *section, const char *key)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *header = g_strconcat("[", section, "]", NULL);
	const size_t length = strlen(key);
	bool inside = false;

	for (char **line = lines; *line != NULL; line++) {
		char *start = g_strstrip(*line);

		if (*start == '[')
			inside = g_str_equal(start, header);
		else if (inside && strncmp(start, key, length) == 0) {
			char *value = g_strchug(start + length);

			if (*value == '=')
				return g_strstrip(g_strdup(value + 1));
		}
	}
	return NULL;
}

void nic_names_from_networkd(const char *text, const char *file, GPtrArray *names)
{
	g_autofree char *list = unit_value(text, "Match", "Name");
	g_autofree char *mac = unit_value(text, "Match", "MACAddress");

	if (list == NULL || strpbrk(list, "*?[!") != NULL)
		return;
	g_auto(GStrv) words = g_strsplit(list, " ", -1);

	for (char **word = words; *word != NULL; word++) {
		NicName *known = **word != '\0' ? nic_names_add(names, *word, mac, file) : NULL;

		if (known != NULL)
			known->automatic = true;
	}
}

void nic_names_from_link(const char *text, const char *file, GPtrArray *names)
{
	g_autofree char *mac = unit_value(text, "Match", "MACAddress");
	g_autofree char *permanent = unit_value(text, "Match", "PermanentMACAddress");
	g_autofree char *name = unit_value(text, "Link", "Name");
	const char *either = mac != NULL ? mac : permanent;
	NicName *known =
		name != NULL && either != NULL ? nic_names_add(names, name, either, file) : NULL;

	if (known != NULL)
		known->bound = true;
}

/* KEY=="value" or KEY="value" of one rule; owned. */
static char *rule_value(const char *rule, const char *key)
{
	for (const char *at = strstr(rule, key); at != NULL; at = strstr(at + 1, key)) {
		const char *value = at + strlen(key);

		if (at != rule && strchr(" \t,", at[-1]) == NULL)
			continue;
		value += strspn(value, " \t=:");
		if (*value == '"')
			return g_strndup(value + 1, strcspn(value + 1, "\""));
	}
	return NULL;
}

void nic_names_from_udev_rules(const char *text, const char *file, GPtrArray *names)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		if (*g_strchug(*line) == '#')
			continue;
		g_autofree char *mac = rule_value(*line, "ATTR{address}");
		g_autofree char *old_mac = rule_value(*line, "SYSFS{address}");
		g_autofree char *name = rule_value(*line, "NAME");
		const char *either = mac != NULL ? mac : old_mac;
		g_autofree char *normal = mac_normalise(either);
		NicName *known = name != NULL && normal != NULL
					 ? nic_names_add(names, name, normal, file)
					 : NULL;

		if (known != NULL)
			known->bound = true;
	}
}
