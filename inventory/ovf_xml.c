/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_xml.c: walking an OVF document: local names count, dialects differ in their namespaces. */
#include "inventory/ovf_xml.h"

#include <string.h>

bool ovf_xml_is(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

bool ovf_xml_has_namespace(const xmlNode *node, const char *uri)
{
	return node->ns != NULL && node->ns->href != NULL &&
	       strcmp((const char *)node->ns->href, uri) == 0;
}

const xmlNode *ovf_xml_first(const xmlNode *parent, const char *name)
{
	for (const xmlNode *node = parent->children; node != NULL; node = node->next)
		if (ovf_xml_is(node, name))
			return node;
	return NULL;
}

const xmlNode *ovf_xml_next(const xmlNode *node, const char *name)
{
	for (node = node->next; node != NULL; node = node->next)
		if (ovf_xml_is(node, name))
			return node;
	return NULL;
}

const xmlNode *ovf_xml_find(const xmlNode *parent, const char *name)
{
	for (const xmlNode *node = parent->children; node != NULL; node = node->next) {
		if (ovf_xml_is(node, name))
			return node;
		const xmlNode *below =
			node->type == XML_ELEMENT_NODE ? ovf_xml_find(node, name) : NULL;
		if (below != NULL)
			return below;
	}
	return NULL;
}

/* Takes libxml2's string; NULL instead of blanks alone. */
static char *own_trimmed(xmlChar *text)
{
	if (text == NULL)
		return NULL;
	g_autofree char *own = g_strdup((const char *)text);
	xmlFree(text);
	g_strstrip(own);
	return own[0] != '\0' ? g_steal_pointer(&own) : NULL;
}

char *ovf_xml_attribute(const xmlNode *node, const char *name)
{
	for (const xmlAttr *attribute = node->properties; attribute != NULL;
	     attribute = attribute->next)
		if (strcmp((const char *)attribute->name, name) == 0)
			return own_trimmed(xmlNodeListGetString(node->doc, attribute->children, 1));
	return NULL;
}

char *ovf_xml_child_text(const xmlNode *parent, const char *name)
{
	const xmlNode *child = ovf_xml_first(parent, name);

	return child != NULL ? own_trimmed(xmlNodeGetContent(child)) : NULL;
}

bool ovf_xml_is_optional(const xmlNode *node)
{
	g_autofree char *required = ovf_xml_attribute(node, "required");

	return required != NULL &&
	       (g_ascii_strcasecmp(required, "false") == 0 || strcmp(required, "0") == 0);
}

char *ovf_xml_config(const xmlNode *parent, const char *key)
{
	for (const xmlNode *node = parent->children; node != NULL; node = node->next) {
		if (!ovf_xml_is(node, "Config") && !ovf_xml_is(node, "ExtraConfig"))
			continue;
		g_autofree char *name = ovf_xml_attribute(node, "key");
		if (name != NULL && g_ascii_strcasecmp(name, key) == 0)
			return ovf_xml_attribute(node, "value");
	}
	return NULL;
}
