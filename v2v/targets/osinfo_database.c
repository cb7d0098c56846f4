/* SPDX-License-Identifier: Apache-2.0 */
/* osinfo_database.c: reads os/VENDOR/NAME.xml.
 * https://gitlab.com/libosinfo/osinfo-db-tools/-/blob/main/docs/database-layout.txt */
#include "v2v/targets/osinfo_database.h"

#include <libxml/parser.h>
#include <string.h>

#define MAX_GENERATIONS 64

static void entry_free(void *pointer)
{
	OsEntry *entry = pointer;

	g_free(entry->id);
	g_free(entry->short_id);
	g_ptr_array_unref(entry->parents);
	g_free(entry);
}

void os_database_free(OsDatabase *database)
{
	if (database == NULL)
		return;
	g_hash_table_unref(database->by_id);
	g_ptr_array_unref(database->systems);
	g_free(database);
}

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

/* Owned by the caller; NULL: no such attribute. */
static char *attribute(xmlNode *node, const char *name)
{
	xmlChar *value = xmlGetProp(node, (const xmlChar *)name);
	char *copy = g_strdup((const char *)value);

	xmlFree(value);
	return copy;
}

/* What is there already is added to: a host's own file may extend the system's. */
static OsEntry *entry_for(OsDatabase *database, const char *id)
{
	OsEntry *entry = g_hash_table_lookup(database->by_id, id);

	if (entry != NULL)
		return entry;
	entry = g_new0(OsEntry, 1);
	entry->id = g_strdup(id);
	entry->parents = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(database->systems, entry);
	g_hash_table_insert(database->by_id, entry->id, entry);
	return entry;
}

static void read_device(OsEntry *entry, xmlNode *node)
{
	static const char *const ids[OS_DEVICE_COUNT] = {
		"http://qemu.org/chipset/x86/q35",
		"http://pcisig.com/pci/1af4/1041", /* virtio 1.0 network card */
		"http://pcisig.com/pci/1af4/1050",
	};
	g_autofree char *id = attribute(node, "id");
	g_autofree char *supported = attribute(node, "supported");

	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
		if (g_strcmp0(id, ids[i]) == 0)
			entry->devices[i] =
				g_strcmp0(supported, "false") == 0 ? OS_SAYS_NO : OS_SAYS_YES;
}

static void read_system(OsEntry *entry, xmlNode *os)
{
	for (xmlNode *node = os->children; node != NULL; node = node->next) {
		if (is_element(node, "short-id") && entry->short_id == NULL) {
			xmlChar *text = xmlNodeGetContent(node);

			entry->short_id = g_strdup((const char *)text);
			xmlFree(text);
		} else if (is_element(node, "derives-from") || is_element(node, "clones")) {
			char *parent = attribute(node, "id");

			if (parent != NULL)
				g_ptr_array_add(entry->parents, parent);
		} else if (is_element(node, "devices")) {
			for (xmlNode *device = node->children; device != NULL;
			     device = device->next)
				if (is_element(device, "device"))
					read_device(entry, device);
		}
	}
}

/* A file that cannot be read, or is none of XML, says nothing. */
static void read_file(OsDatabase *database, const char *path)
{
	const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
	xmlDoc *document = xmlReadFile(path, NULL, options);
	xmlNode *root = document != NULL ? xmlDocGetRootElement(document) : NULL;

	for (xmlNode *node = root != NULL ? root->children : NULL; node != NULL;
	     node = node->next) {
		g_autofree char *id = is_element(node, "os") ? attribute(node, "id") : NULL;

		if (id != NULL)
			read_system(entry_for(database, id), node);
	}
	xmlFreeDoc(document);
}

static gint compare_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Paths in a folder, sorted: the order of readdir(3) is none. */
static GPtrArray *paths_in(const char *folder)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
		g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
	g_ptr_array_sort(paths, compare_text);
	return paths;
}

/* os/VENDOR/NAME.xml; a system that has a folder os/VENDOR/NAME.d is extended by its files. */
static void read_folder(OsDatabase *database, const char *folder, unsigned depth)
{
	g_autoptr(GPtrArray) paths = paths_in(folder);

	for (guint i = 0; i < paths->len; i++) {
		const char *path = g_ptr_array_index(paths, i);

		if (g_str_has_suffix(path, ".xml"))
			read_file(database, path);
		else if (depth > 0 && g_file_test(path, G_FILE_TEST_IS_DIR))
			read_folder(database, path, depth - 1);
	}
}

/* A part of the database, which an environment variable of libosinfo may move. */
static void read_part(OsDatabase *database, const char *variable, const char *usual)
{
	const char *root = g_getenv(variable);
	g_autofree char *folder = g_build_filename(root != NULL ? root : usual, "os", NULL);

	read_folder(database, folder, 2);
}

OsDatabase *os_database_read(void)
{
	OsDatabase *database = g_new0(OsDatabase, 1);
	g_autofree char *user = g_build_filename(g_get_user_config_dir(), "osinfo", NULL);

	database->systems = g_ptr_array_new_with_free_func(entry_free);
	database->by_id = g_hash_table_new(g_str_hash, g_str_equal);
	read_part(database, "OSINFO_SYSTEM_DIR", "/usr/share/osinfo");
	read_part(database, "OSINFO_LOCAL_DIR", "/etc/osinfo");
	read_part(database, "OSINFO_USER_DIR", user);
	return database;
}

static OsAnswer ask(const OsDatabase *database, const OsEntry *system, OsDevice device,
		    unsigned generation)
{
	OsAnswer answer = system->devices[device];

	for (guint i = 0;
	     answer == OS_SAYS_NOTHING && generation < MAX_GENERATIONS && i < system->parents->len;
	     i++) {
		const OsEntry *parent =
			g_hash_table_lookup(database->by_id, g_ptr_array_index(system->parents, i));

		if (parent != NULL && parent != system)
			answer = ask(database, parent, device, generation + 1);
	}
	return answer;
}

bool os_database_drives(const OsDatabase *database, const OsEntry *system, OsDevice device)
{
	return ask(database, system, device, 0) == OS_SAYS_YES;
}
