/* SPDX-License-Identifier: Apache-2.0 */
/* packages.c: dpkg's status file, and who needs whom in it. */
#include "convert/guest/packages.h"

#include <stdbool.h>
#include <string.h>

static void package_free(gpointer pointer)
{
	Package *package = pointer;

	g_free(package->name);
	g_free(package->depends);
	g_free(package);
}

/* The value when the line is "FIELD: value", else NULL. */
static const char *field(const char *line, const char *name)
{
	const size_t length = strlen(name);

	return strncmp(line, name, length) == 0 && line[length] == ':'
		       ? line + length + 1 + (line[length + 1] == ' ')
		       : NULL;
}

static void package_take_line(Package *package, bool *installed, const char *line)
{
	const char *value;

	if ((value = field(line, "Package")) != NULL) {
		g_free(package->name);
		package->name = g_strdup(value);
	} else if ((value = field(line, "Status")) != NULL) {
		*installed = strstr(value, "config-files") == NULL &&
			     strstr(value, "not-installed") == NULL;
	} else if ((value = field(line, "Depends")) != NULL ||
		   (value = field(line, "Pre-Depends")) != NULL) {
		char *all = g_strconcat(package->depends, *package->depends != '\0' ? ", " : "",
					value, NULL);

		g_free(package->depends);
		package->depends = all;
	}
}

GHashTable *packages_parse_dpkg(const char *status)
{
	GHashTable *packages = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, package_free);
	g_auto(GStrv) lines = g_strsplit(status, "\n", -1);
	char **line = lines;

	while (*line != NULL) {
		Package *package = g_new0(Package, 1);
		bool installed = false;

		package->depends = g_strdup("");
		for (; *line != NULL && **line != '\0'; line++)
			package_take_line(package, &installed, *line);
		while (*line != NULL && **line == '\0')
			line++;
		if (installed && package->name != NULL)
			g_hash_table_replace(packages, package->name, package);
		else
			package_free(package);
	}
	return packages;
}

/* True when some group "a | b (>= 1)" of `depends` has `name` and nothing else that is installed.
 */
static bool needs(GHashTable *packages, const char *depends, const char *name)
{
	g_auto(GStrv) groups = g_strsplit(depends, ",", -1);

	for (char **group = groups; *group != NULL; group++) {
		g_auto(GStrv) choices = g_strsplit(*group, "|", -1);
		bool named = false, other = false;

		for (char **choice = choices; *choice != NULL; choice++) {
			char *word = g_strchug(*choice);

			word[strcspn(word, " (:")] = '\0';
			if (g_str_equal(word, name))
				named = true;
			else if (g_hash_table_contains(packages, word))
				other = true;
		}
		if (named && !other)
			return true;
	}
	return false;
}

static bool matches(const char *const *wanted, const char *name)
{
	for (; *wanted != NULL; wanted++)
		if (g_pattern_match_simple(*wanted, name))
			return true;
	return false;
}

/* An installed package outside `going` that cannot do without `name`; NULL: none. */
static const char *needed_by(GHashTable *packages, GHashTable *going, const char *name)
{
	GHashTableIter at;
	gpointer value;

	g_hash_table_iter_init(&at, packages);
	while (g_hash_table_iter_next(&at, NULL, &value)) {
		const Package *package = value;

		if (!g_hash_table_contains(going, package->name) &&
		    needs(packages, package->depends, name))
			return package->name;
	}
	return NULL;
}

/* What must stay keeps what it needs in turn: until nothing more must stay. */
static bool keep_one(GHashTable *packages, GHashTable *going, GPtrArray *kept)
{
	GHashTableIter at;
	gpointer key;

	g_hash_table_iter_init(&at, going);
	while (g_hash_table_iter_next(&at, &key, NULL)) {
		const char *needer = needed_by(packages, going, key);

		if (needer == NULL)
			continue;
		g_ptr_array_add(kept, g_strdup_printf("%s (needed by %s)", (char *)key, needer));
		g_hash_table_iter_remove(&at);
		return true;
	}
	return false;
}

static gint compare_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *packages_removable(GHashTable *packages, const char *const *wanted, GPtrArray *kept)
{
	GPtrArray *removable = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) going = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter at;
	gpointer key;

	g_hash_table_iter_init(&at, packages);
	while (g_hash_table_iter_next(&at, &key, NULL))
		if (matches(wanted, key))
			g_hash_table_add(going, key);
	while (keep_one(packages, going, kept))
		continue;
	g_hash_table_iter_init(&at, going);
	while (g_hash_table_iter_next(&at, &key, NULL))
		g_ptr_array_add(removable, g_strdup(key));
	g_ptr_array_sort(removable, compare_text);
	return removable;
}
