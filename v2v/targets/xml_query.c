/* SPDX-License-Identifier: Apache-2.0 */
/* xml_query.c: XPath by libxml2. */
#include "v2v/targets/xml_query.h"
#include "base/error.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <string.h>

xmlDoc *xml_parse(const char *text, const char *what, GError **error)
{
	const size_t length = strlen(text);
	xmlDoc *document = NULL;

	if (length <= G_MAXINT)
		document = xmlReadMemory(text, (int)length, NULL, NULL,
					 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (document == NULL)
		return fail_null(error, CORRUPT, "%s: not XML", what);
	return document;
}

/* Calls `take` for each node of the result. */
static void for_each(xmlDoc *document, xmlNode *node, const char *xpath,
		     void (*take)(GPtrArray *into, xmlNode *node), GPtrArray *into)
{
	xmlXPathContext *context = xmlXPathNewContext(document);

	if (context == NULL)
		return;
	if (node != NULL)
		context->node = node;
	xmlXPathObject *result = xmlXPathEvalExpression((const xmlChar *)xpath, context);
	if (result != NULL && result->nodesetval != NULL)
		for (int i = 0; i < result->nodesetval->nodeNr; i++)
			take(into, result->nodesetval->nodeTab[i]);
	xmlXPathFreeObject(result);
	xmlXPathFreeContext(context);
}

static void take_text(GPtrArray *into, xmlNode *node)
{
	xmlChar *content = xmlNodeGetContent(node);

	g_ptr_array_add(into, g_strdup(content != NULL ? (const char *)content : ""));
	xmlFree(content);
}

static void take_node(GPtrArray *into, xmlNode *node)
{
	g_ptr_array_add(into, node);
}

char **xml_query_all(xmlDoc *document, xmlNode *node, const char *xpath)
{
	GPtrArray *texts = g_ptr_array_new();

	for_each(document, node, xpath, take_text, texts);
	g_ptr_array_add(texts, NULL);
	return (char **)g_ptr_array_free(texts, FALSE);
}

char *xml_query(xmlDoc *document, xmlNode *node, const char *xpath)
{
	g_auto(GStrv) all = xml_query_all(document, node, xpath);

	return g_strdup(all[0]);
}

GPtrArray *xml_query_nodes(xmlDoc *document, const char *xpath)
{
	GPtrArray *nodes = g_ptr_array_new();

	for_each(document, NULL, xpath, take_node, nodes);
	return nodes;
}
