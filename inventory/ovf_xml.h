/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_xml.h: walking an OVF document: local names count, dialects differ in their namespaces. */
#ifndef V2V_INVENTORY_OVF_XML_H
#define V2V_INVENTORY_OVF_XML_H

#include "base/error.h"

#include <libxml/tree.h>
#include <stdbool.h>

#define OVF_NAMESPACE_1      "http://schemas.dmtf.org/ovf/envelope/1"
#define OVF_NAMESPACE_2      "http://schemas.dmtf.org/ovf/envelope/2"
#define OVF_NAMESPACE_VMWARE "http://www.vmware.com/schema/ovf"
#define OVF_NAMESPACE_VBOX   "http://www.virtualbox.org/ovf/machine"

bool ovf_xml_is(const xmlNode *node, const char *name);
bool ovf_xml_has_namespace(const xmlNode *node, const char *uri);
/* The first child element of that name from `node` on; NULL when there is none. */
const xmlNode *ovf_xml_first(const xmlNode *parent, const char *name);
const xmlNode *ovf_xml_next(const xmlNode *node, const char *name);
/* Depth first, `parent` itself not; NULL when there is none. */
const xmlNode *ovf_xml_find(const xmlNode *parent, const char *name);

/* An attribute by its local name, whatever its prefix, blanks trimmed; NULL when absent or empty.
 * Owned by the caller. */
char *ovf_xml_attribute(const xmlNode *node, const char *name);
/* The text of a child element, blanks trimmed; NULL when absent or empty. Owned by the caller. */
char *ovf_xml_child_text(const xmlNode *parent, const char *name);
/* ovf:required="false" was said. */
bool ovf_xml_is_optional(const xmlNode *node);
/* The value of <vmw:Config vmw:key="KEY" vmw:value="…"/> among the children (ExtraConfig too);
 * NULL when absent. Owned by the caller. */
char *ovf_xml_config(const xmlNode *parent, const char *key);

#endif
