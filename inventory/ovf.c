/* SPDX-License-Identifier: Apache-2.0 */
/* ovf.c: an OVF document: its files and disks, and which VMs there are. */
#include "inventory/ovf.h"

#include "inventory/ovf_document.h"
#include "inventory/ovf_finding.h"
#include "inventory/ovf_xml.h"
#include "inventory/xml_strict.h"

#include <string.h>

#define SYSTEM_MAX_COUNT 1000u

static void file_free(void *pointer)
{
	OvfFile *file = pointer;

	g_free(file->id);
	g_free(file->href);
	g_free(file->compression);
	g_free(file);
}

static void disk_free(void *pointer)
{
	OvfDisk *disk = pointer;

	g_free(disk->id);
	g_free(disk->file_id);
	g_free(disk->parent_id);
	g_free(disk->format);
	g_free(disk);
}

static void system_free(void *pointer)
{
	OvfSystem *system = pointer;

	g_free(system->id);
	g_free(system->name);
	g_free(system->listed_as);
	g_free(system);
}

static OvfDocument *document_new(xmlDoc *xml)
{
	OvfDocument *document = g_new0(OvfDocument, 1);

	document->xml = xml;
	document->root = xmlDocGetRootElement(xml);
	document->files = g_ptr_array_new_with_free_func(file_free);
	document->disks = g_ptr_array_new_with_free_func(disk_free);
	document->systems = g_ptr_array_new_with_free_func(system_free);
	document->options = g_ptr_array_new_with_free_func(g_free);
	return document;
}

void ovf_document_free(OvfDocument *document)
{
	if (document == NULL)
		return;
	g_clear_pointer(&document->properties, g_hash_table_unref);
	g_ptr_array_unref(document->options);
	g_ptr_array_unref(document->systems);
	g_ptr_array_unref(document->disks);
	g_ptr_array_unref(document->files);
	xmlFreeDoc(document->xml);
	g_free(document);
}

guint ovf_file_count(const OvfDocument *document)
{
	return document->files->len;
}

const OvfFile *ovf_file(const OvfDocument *document, guint index)
{
	return g_ptr_array_index(document->files, index);
}

const OvfFile *ovf_find_file(const OvfDocument *document, const char *id)
{
	for (guint i = 0; i < document->files->len; i++)
		if (strcmp(ovf_file(document, i)->id, id) == 0)
			return ovf_file(document, i);
	return NULL;
}

const OvfDisk *ovf_find_disk(const OvfDocument *document, const char *id)
{
	for (guint i = 0; i < document->disks->len; i++) {
		const OvfDisk *disk = g_ptr_array_index(document->disks, i);

		if (strcmp(disk->id, id) == 0)
			return disk;
	}
	return NULL;
}

static bool add_system(OvfDocument *document, const xmlNode *node, GError **error)
{
	OvfSystem *system = g_new0(OvfSystem, 1);

	g_ptr_array_add(document->systems, system);
	system->node = node;
	system->id = ovf_xml_attribute(node, "id");
	system->name = ovf_xml_child_text(node, "Name");
	if (system->id == NULL)
		return fail(error, CORRUPT, "line %ld: VirtualSystem without an id",
			    xmlGetLineNo(node));
	if (document->systems->len > SYSTEM_MAX_COUNT)
		return fail(error, CORRUPT, "more than %u VirtualSystems", SYSTEM_MAX_COUNT);
	for (guint i = 0; i + 1 < document->systems->len; i++) {
		const OvfSystem *other = g_ptr_array_index(document->systems, i);

		if (strcmp(other->id, system->id) == 0)
			return fail(error, CORRUPT,
				    "line %ld: VirtualSystem id=\"%s\" is given twice",
				    xmlGetLineNo(node), system->id);
	}
	return true;
}

/* Collections may hold collections; the parser has bounded the depth. */
static bool collect_systems(OvfDocument *document, const xmlNode *parent, GError **error)
{
	for (const xmlNode *node = parent->children; node != NULL; node = node->next) {
		if (ovf_xml_is(node, "VirtualSystem") && !add_system(document, node, error))
			return false;
		if (ovf_xml_is(node, "VirtualSystemCollection") &&
		    !collect_systems(document, node, error))
			return false;
	}
	return true;
}

static void name_systems(OvfDocument *document)
{
	for (guint i = 0; i < document->systems->len; i++) {
		OvfSystem *system = g_ptr_array_index(document->systems, i);
		bool unique = system->name != NULL;

		for (guint j = 0; unique && j < document->systems->len; j++) {
			const OvfSystem *other = g_ptr_array_index(document->systems, j);

			if (i != j && (g_strcmp0(other->name, system->name) == 0 ||
				       strcmp(other->id, system->name) == 0))
				unique = false;
		}
		system->listed_as = g_strdup(unique ? system->name : system->id);
	}
}

static bool check_root(const xmlNode *root, GError **error)
{
	const char *uri = root->ns != NULL ? (const char *)root->ns->href : "";

	if (!ovf_xml_is(root, "Envelope"))
		return fail(error, CORRUPT, "line %ld: the root element is %s, not Envelope",
			    xmlGetLineNo(root), (const char *)root->name);
	if (ovf_xml_has_namespace(root, OVF_NAMESPACE_1) ||
	    ovf_xml_has_namespace(root, OVF_NAMESPACE_2))
		return true;
	return fail(error, UNSUPPORTED,
		    "line %ld: Envelope of namespace \"%s\": only OVF 1.x and "
		    "2.0 (\"" OVF_NAMESPACE_1 "\" and \"/2\") are read",
		    xmlGetLineNo(root), uri);
}

static OvfDocument *parse_document(const char *bytes, size_t length, GError **error)
{
	xmlDoc *xml = xml_parse_strict(bytes, length, error);

	if (xml == NULL)
		return NULL;
	g_autoptr(OvfDocument) document = document_new(xml);
	if (!check_root(document->root, error) || !ovf_references_parse(document, error) ||
	    !collect_systems(document, document->root, error))
		return NULL;
	if (document->systems->len == 0)
		return fail_null(error, CORRUPT, "line %ld: there is no VirtualSystem",
				 xmlGetLineNo(document->root));
	name_systems(document);
	return g_steal_pointer(&document);
}

OvfDocument *ovf_parse(const char *bytes, size_t length, GError **error)
{
	GError *problem = NULL;
	OvfDocument *document = parse_document(bytes, length, &problem);

	if (problem != NULL)
		ovf_error_propagate(error, problem);
	return document;
}

char **ovf_list(const OvfDocument *document)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < document->systems->len; i++) {
		const OvfSystem *system = g_ptr_array_index(document->systems, i);

		g_ptr_array_add(names, g_strdup(system->listed_as));
	}
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

static const OvfSystem *find_system(const OvfDocument *document, const char *name)
{
	const OvfSystem *by_id = NULL;

	if (name == NULL)
		return document->systems->len == 1 ? g_ptr_array_index(document->systems, 0) : NULL;
	for (guint i = 0; i < document->systems->len; i++) {
		const OvfSystem *system = g_ptr_array_index(document->systems, i);

		if (strcmp(system->listed_as, name) == 0)
			return system;
		if (strcmp(system->id, name) == 0)
			by_id = system;
	}
	return by_id;
}

static Vm *describe(const OvfDocument *document, const char *name, GError **error)
{
	const OvfSystem *system = find_system(document, name);

	if (system != NULL)
		return ovf_system_describe(document, system, error);
	g_auto(GStrv) names = ovf_list(document);
	g_autofree char *all = g_strjoinv("\", \"", names);
	if (name == NULL)
		return fail_null(error, USAGE, "several VMs, say --vm NAME: \"%s\"", all);
	return fail_null(error, USAGE, "no VM \"%s\"; there is \"%s\"", name, all);
}

Vm *ovf_describe(const OvfDocument *document, const char *name, GError **error)
{
	GError *problem = NULL;
	Vm *vm = describe(document, name, &problem);

	if (problem != NULL)
		ovf_error_propagate(error, problem);
	return vm;
}
