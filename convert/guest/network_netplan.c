/* SPDX-License-Identifier: Apache-2.0 */
/* network_netplan.c: the Ethernet part of a netplan file, read by its indentation. */
#include "convert/guest/network.h"

#include <string.h>

enum { MAX_LEVELS = 16 };

typedef struct { /* the keys above the line that is read */
	unsigned indent[MAX_LEVELS];
	char *key[MAX_LEVELS]; /* owned */
	unsigned count;
} KeyPath;

static void path_pop_to(KeyPath *path, unsigned indent)
{
	while (path->count > 0 && path->indent[path->count - 1] >= indent)
		g_free(path->key[--path->count]);
}

static bool path_is(const KeyPath *path, unsigned at, const char *key)
{
	return path->count > at && g_str_equal(path->key[at], key);
}

/* Cuts "key: value  # comment"; quotes taken off both. False for a list item or a line without
 * a colon. */
static bool cut_pair(char *line, char **key, char **value)
{
	char *colon = line;

	if (*line == '-')
		return false;
	if (*line == '"' || *line == '\'') {
		colon = strchr(line + 1, *line);
		if (colon == NULL)
			return false;
	}
	while (*colon != '\0' && !(*colon == ':' && (colon[1] == ' ' || colon[1] == '\0')))
		colon++;
	if (*colon == '\0')
		return false;
	*colon = '\0';
	char *comment = strstr(colon + 1, " #");

	if (comment != NULL)
		*comment = '\0';
	*key = g_strstrip(g_strdelimit(line, "\"'", ' '));
	*value = g_strstrip(colon + 1);
	return true;
}

static char *unquoted(const char *value)
{
	return g_strstrip(g_strdelimit(g_strdup(value), "\"'{}", ' '));
}

typedef struct {
	char *id, *mac, *set_name; /* owned; NULL when not said */
	bool matched;              /* has a match: the id is only a label */
} Ethernet;

static void ethernet_finish(Ethernet *ethernet, const char *file, GPtrArray *names)
{
	const char *name = ethernet->set_name != NULL ? ethernet->set_name : ethernet->id;
	const bool names_nic = !ethernet->matched || ethernet->set_name != NULL;
	NicName *known =
		name != NULL && names_nic ? nic_names_add(names, name, ethernet->mac, file) : NULL;

	if (known != NULL) {
		known->automatic = true;
		known->bound |= known->mac != NULL && ethernet->set_name != NULL;
	}
	g_clear_pointer(&ethernet->id, g_free);
	g_clear_pointer(&ethernet->mac, g_free);
	g_clear_pointer(&ethernet->set_name, g_free);
	ethernet->matched = false;
}

static void ethernet_key(Ethernet *ethernet, const KeyPath *path, const char *key,
			 const char *value)
{
	const bool in_match = path->count == 4 && path_is(path, 3, "match");

	if (path->count == 3 && g_str_equal(key, "set-name")) {
		g_free(ethernet->set_name);
		ethernet->set_name = unquoted(value);
	} else if (path->count == 3 && g_str_equal(key, "match")) {
		const char *inside = strstr(value, "macaddress:");

		ethernet->matched = true;
		if (inside != NULL && ethernet->mac == NULL)
			ethernet->mac = unquoted(inside + strlen("macaddress:"));
	} else if (in_match && g_str_equal(key, "macaddress")) {
		g_free(ethernet->mac);
		ethernet->mac = unquoted(value);
	}
}

void nic_names_from_netplan(const char *text, const char *file, GPtrArray *names)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	KeyPath path = {.count = 0};
	Ethernet ethernet = {NULL, NULL, NULL, false};
	char *key, *value;

	for (char **line = lines; *line != NULL; line++) {
		const unsigned indent = (unsigned)strspn(*line, " ");
		char *start = g_strchomp(*line + indent);

		if (*start == '\0' || *start == '#' || !cut_pair(start, &key, &value))
			continue;
		path_pop_to(&path, indent);
		const bool in_ethernets =
			path_is(&path, 0, "network") && path_is(&path, 1, "ethernets");

		if (path.count <= 2)
			ethernet_finish(&ethernet, file, names);
		if (in_ethernets && path.count == 2)
			ethernet.id = g_strdup(key);
		else if (in_ethernets)
			ethernet_key(&ethernet, &path, key, value);
		if (path.count < MAX_LEVELS) {
			path.indent[path.count] = indent;
			path.key[path.count++] = g_strdup(key);
		}
	}
	ethernet_finish(&ethernet, file, names);
	path_pop_to(&path, 0);
}
