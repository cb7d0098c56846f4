/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_references.c: what the envelope of an OVF document lists: files, disks, options. */
#include "inventory/member_list.h"
#include "inventory/ovf_document.h"
#include "inventory/ovf_units.h"
#include "inventory/ovf_xml.h"

#include <string.h>

#define FILE_MAX_COUNT MEMBER_MAX_COUNT
#define DISK_MAX_COUNT 1000u

static bool fail_value(GError **error, const xmlNode *node, const char *attribute)
{
	return fail_in(error, "line %ld: %s: %s: ", xmlGetLineNo(node), (const char *)node->name,
		       attribute);
}

/* 0 when the attribute is absent. */
static bool parse_size(const xmlNode *node, const char *attribute, uint64_t *out, GError **error)
{
	g_autofree char *text = ovf_xml_attribute(node, attribute);

	*out = 0;
	return text == NULL || ovf_number_parse(text, INT64_MAX, out, error) ||
	       fail_value(error, node, attribute);
}

/* Only files of the package: neither a URL nor a path that is escaped or leads elsewhere. */
static bool check_href(const char *href, GError **error)
{
	g_autofree char *lower = g_ascii_strdown(href, -1);

	if (g_uri_peek_scheme(href) != NULL || strstr(href, "://") != NULL)
		return fail(error, REFUSED, "\"%s\" is not a file of the package", href);
	if (strstr(lower, "%2e") != NULL || strstr(lower, "%2f") != NULL ||
	    strstr(lower, "%5c") != NULL)
		return fail(error, REFUSED, "\"%s\" escapes '.', '/' or '\\'", href);
	return member_name_check(href, strlen(href), error);
}

static bool parse_file(OvfDocument *document, const xmlNode *node, GError **error)
{
	g_autofree char *id = ovf_xml_attribute(node, "id");
	g_autofree char *href = ovf_xml_attribute(node, "href");
	OvfFile *file;

	if (id == NULL || href == NULL)
		return fail(error, CORRUPT, "line %ld: File without an %s", xmlGetLineNo(node),
			    id == NULL ? "id" : "href");
	if (ovf_find_file(document, id) != NULL)
		return fail(error, CORRUPT, "line %ld: File id=\"%s\" is given twice",
			    xmlGetLineNo(node), id);
	if (!check_href(href, error))
		return fail_value(error, node, "href");
	if (document->files->len >= FILE_MAX_COUNT)
		return fail(error, CORRUPT, "line %ld: more than %u Files", xmlGetLineNo(node),
			    FILE_MAX_COUNT);
	file = g_new0(OvfFile, 1);
	g_ptr_array_add(document->files, file);
	file->id = g_steal_pointer(&id);
	file->href = g_steal_pointer(&href);
	file->compression = ovf_xml_attribute(node, "compression");
	if (g_strcmp0(file->compression, "identity") == 0)
		g_clear_pointer(&file->compression, g_free);
	return parse_size(node, "size", &file->size, error) &&
	       parse_size(node, "chunkSize", &file->chunk_size, error);
}

/* Every Property that has a default value, wherever it stands; the first of a key counts. */
static void collect_properties(const xmlNode *parent, GHashTable *properties)
{
	for (const xmlNode *node = parent->children; node != NULL; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		g_autofree char *key =
			ovf_xml_is(node, "Property") ? ovf_xml_attribute(node, "key") : NULL;
		g_autofree char *value = key != NULL ? ovf_xml_attribute(node, "value") : NULL;

		if (value != NULL && !g_hash_table_contains(properties, key))
			g_hash_table_insert(properties, g_steal_pointer(&key),
					    g_steal_pointer(&value));
		collect_properties(node, properties);
	}
}

/* "${key}": the default of a property, as a deployment without questions would take it. Borrowed.
 */
static const char *resolve_property(OvfDocument *document, const char *text, GError **error)
{
	const size_t length = strlen(text);

	if (!g_str_has_prefix(text, "${") || text[length - 1] != '}')
		return text;
	if (document->properties == NULL) {
		document->properties =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		collect_properties(document->root, document->properties);
	}
	g_autofree char *key = g_strndup(text + 2, length - 3);
	const char *value = g_hash_table_lookup(document->properties, key);
	if (value == NULL)
		return fail_null(error, UNSUPPORTED,
				 "\"%s\": there is no property of that name with a default value",
				 text);
	return value;
}

static bool parse_capacity(OvfDocument *document, const xmlNode *node, OvfDisk *disk,
			   GError **error)
{
	g_autofree char *written = ovf_xml_attribute(node, "capacity");
	g_autofree char *units = ovf_xml_attribute(node, "capacityAllocationUnits");

	if (written == NULL)
		return true;
	const char *number = resolve_property(document, written, error);
	return (number != NULL && ovf_quantity_parse(number, units, &disk->capacity, error)) ||
	       fail_value(error, node, "capacity");
}

static bool parse_disk(OvfDocument *document, const xmlNode *node, GError **error)
{
	g_autofree char *id = ovf_xml_attribute(node, "diskId");
	OvfDisk *disk;

	if (id == NULL)
		return fail(error, CORRUPT, "line %ld: Disk without a diskId", xmlGetLineNo(node));
	if (ovf_find_disk(document, id) != NULL)
		return fail(error, CORRUPT, "line %ld: Disk diskId=\"%s\" is given twice",
			    xmlGetLineNo(node), id);
	if (document->disks->len >= DISK_MAX_COUNT)
		return fail(error, CORRUPT, "line %ld: more than %u Disks", xmlGetLineNo(node),
			    DISK_MAX_COUNT);
	disk = g_new0(OvfDisk, 1);
	disk->id = g_steal_pointer(&id);
	g_ptr_array_add(document->disks, disk);
	disk->file_id = ovf_xml_attribute(node, "fileRef");
	disk->parent_id = ovf_xml_attribute(node, "parentRef");
	disk->format = ovf_xml_attribute(node, "format");
	if (disk->file_id != NULL && ovf_find_file(document, disk->file_id) == NULL)
		return fail(error, CORRUPT, "line %ld: Disk \"%s\": fileRef=\"%s\": no such File",
			    xmlGetLineNo(node), disk->id, disk->file_id);
	if (!parse_capacity(document, node, disk, error))
		return false;
	if (disk->file_id == NULL && disk->capacity == 0)
		return fail(error, CORRUPT,
			    "line %ld: Disk \"%s\" has neither a fileRef nor a "
			    "capacity",
			    xmlGetLineNo(node), disk->id);
	return true;
}

static bool parse_option(OvfDocument *document, const xmlNode *node, GError **error)
{
	g_autofree char *id = ovf_xml_attribute(node, "id");
	g_autofree char *is_default = ovf_xml_attribute(node, "default");

	if (id == NULL)
		return fail(error, CORRUPT, "line %ld: Configuration without an id",
			    xmlGetLineNo(node));
	const bool first = g_strcmp0(is_default, "true") == 0 || g_strcmp0(is_default, "1") == 0;
	g_ptr_array_insert(document->options, first ? 0 : -1, g_steal_pointer(&id));
	return true;
}

/* Every child `name` of each section `section_name` of the envelope. */
static bool parse_section(OvfDocument *document, const char *section_name, const char *name,
			  bool (*parse)(OvfDocument *, const xmlNode *, GError **), GError **error)
{
	for (const xmlNode *section = ovf_xml_first(document->root, section_name); section != NULL;
	     section = ovf_xml_next(section, section_name))
		for (const xmlNode *node = ovf_xml_first(section, name); node != NULL;
		     node = ovf_xml_next(node, name))
			if (!parse(document, node, error))
				return false;
	return true;
}

bool ovf_references_parse(OvfDocument *document, GError **error)
{
	return parse_section(document, "References", "File", parse_file, error) &&
	       parse_section(document, "DiskSection", "Disk", parse_disk, error) &&
	       parse_section(document, "DeploymentOptionSection", "Configuration", parse_option,
			     error);
}
