/* SPDX-License-Identifier: Apache-2.0 */
/* xml_query.h: reads XML that libvirt wrote. */
#ifndef V2V_TARGETS_XML_QUERY_H
#define V2V_TARGETS_XML_QUERY_H

#include <glib.h>
#include <libxml/tree.h>

/* CORRUPT, with `what` in the text, when it is no XML. xmlFreeDoc() it. */
xmlDoc *xml_parse(const char *text, const char *what, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/* The nodes of an XPath expression, beneath `node` (NULL: the document): each as text. Owned by the
 * caller (g_strfreev); never NULL. */
char **xml_query_all(xmlDoc *document, xmlNode *node, const char *xpath);
/* The first of them, NULL when there is none. Owned by the caller. */
char *xml_query(xmlDoc *document, xmlNode *node, const char *xpath);
/* The element nodes themselves, borrowed from the document. */
GPtrArray *xml_query_nodes(xmlDoc *document, const char *xpath);

#endif
