/* SPDX-License-Identifier: Apache-2.0 */
/* xml_strict.h: XML from strangers: one document in memory, no network, no entities, no DTD. */
#ifndef V2V_INVENTORY_XML_STRICT_H
#define V2V_INVENTORY_XML_STRICT_H

#include "base/error.h"

#include <libxml/tree.h>

#define XML_MAX_BYTES           (8u * 1024u * 1024u)
#define XML_MAX_DEPTH           64u
#define XML_MAX_ATTRIBUTES      256u /* per element, namespace declarations included */
#define XML_MAX_NODES           100000u
#define XML_MAX_ATTRIBUTE_BYTES (64u * 1024u)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/* Nothing but `bytes` is read, whatever stands in them. Errors begin with "line N: ": CORRUPT for
 * what is no XML or exceeds a limit above, REFUSED for a DOCTYPE and for XInclude. */
xmlDoc *xml_parse_strict(const char *bytes, size_t length, GError **error);

#endif
