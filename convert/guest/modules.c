/* SPDX-License-Identifier: Apache-2.0 */
/* modules.c: reads modules.dep and modules.builtin. */
#include "convert/guest/modules.h"

#include <string.h>

struct Modules {
	GHashTable *paths;   /* owned; name -> path */
	GHashTable *needs;   /* owned; path -> "path path …" */
	GHashTable *builtin; /* owned; set of names */
};

/* "virtio_blk" of "kernel/drivers/block/virtio-blk.ko.xz". */
static char *module_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	const char *ko = strstr(base, ".ko");
	char *name = ko != NULL ? g_strndup(base, (gsize)(ko - base)) : g_strdup(base);

	return g_strdelimit(name, "-", '_');
}

/* Old depmod writes "/lib/modules/VERSION/kernel/…": below the version it is the same. */
static const char *relative_path(const char *path)
{
	if (path[0] != '/')
		return path;
	const char *below = strstr(path, "/lib/modules/");
	const char *slash = below != NULL ? strchr(below + strlen("/lib/modules/"), '/') : NULL;

	return slash != NULL ? slash + 1 : path;
}

static void parse_dep_line(Modules *modules, char *line)
{
	char *colon = strchr(line, ':');

	if (colon == NULL || strstr(line, "../") != NULL)
		return;
	*colon = '\0';
	const char *path = relative_path(line);

	g_hash_table_insert(modules->paths, module_name(path), g_strdup(path));
	g_hash_table_insert(modules->needs, g_strdup(path), g_strstrip(g_strdup(colon + 1)));
}

Modules *modules_parse(const char *dep, const char *builtin)
{
	Modules *modules = g_new0(Modules, 1);
	g_auto(GStrv) dep_lines = g_strsplit(dep, "\n", -1);
	g_auto(GStrv) builtin_lines = g_strsplit(builtin, "\n", -1);

	modules->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	modules->needs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	modules->builtin = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (char **line = dep_lines; *line != NULL; line++)
		parse_dep_line(modules, *line);
	for (char **line = builtin_lines; *line != NULL; line++)
		if (**line != '\0')
			g_hash_table_add(modules->builtin, module_name(*line));
	return modules;
}

void modules_free(Modules *modules)
{
	if (modules == NULL)
		return;
	g_hash_table_unref(modules->paths);
	g_hash_table_unref(modules->needs);
	g_hash_table_unref(modules->builtin);
	g_free(modules);
}

const char *modules_path(const Modules *modules, const char *name)
{
	g_autofree char *normal = g_strdelimit(g_strdup(name), "-", '_');

	return g_hash_table_lookup(modules->paths, normal);
}

bool modules_have_builtin(const Modules *modules, const char *name)
{
	g_autofree char *normal = g_strdelimit(g_strdup(name), "-", '_');

	return g_hash_table_contains(modules->builtin, normal);
}

bool modules_have(const Modules *modules, const char *name)
{
	return modules_path(modules, name) != NULL || modules_have_builtin(modules, name);
}

bool modules_have_path(const Modules *modules, const char *path)
{
	return g_hash_table_contains(modules->needs, path);
}

static void add_path(const Modules *modules, const char *path, GPtrArray *paths)
{
	gpointer known = NULL;

	if (g_hash_table_lookup_extended(modules->needs, path, &known, NULL) &&
	    !g_ptr_array_find_with_equal_func(paths, path, g_str_equal, NULL))
		g_ptr_array_add(paths, known);
}

/* modules.dep lists the whole closure of a module, so one level is enough. */
void modules_add_closure(const Modules *modules, const char *name, GPtrArray *paths)
{
	const char *path = modules_path(modules, name);

	if (path == NULL)
		return;
	add_path(modules, path, paths);
	g_auto(GStrv) needs = g_strsplit(g_hash_table_lookup(modules->needs, path), " ", -1);

	for (char **need = needs; *need != NULL; need++)
		if (**need != '\0')
			add_path(modules, relative_path(*need), paths);
}
