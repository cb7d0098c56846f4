/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_item.c: one device of a VirtualHardwareSection: Item, StorageItem or EthernetPortItem. */
#include "inventory/ovf_item.h"

#include "inventory/ovf_units.h"
#include "inventory/ovf_xml.h"

#include <string.h>

#define ITEM_MAX_COUNT 2000u

static void item_free(void *pointer)
{
	OvfItem *item = pointer;

	g_free(item->instance);
	g_free(item->parent);
	g_free(item->address);
	g_free(item->place);
	g_free(item->name);
	g_free(item->subtype);
	g_free(item->resource);
	g_free(item->connection);
	g_free(item->quantity);
	g_free(item->units);
	g_free(item);
}

static bool is_item(const xmlNode *node)
{
	return ovf_xml_is(node, "Item") || ovf_xml_is(node, "StorageItem") ||
	       ovf_xml_is(node, "EthernetPortItem");
}

/* ovf:bound says a limit, not the value; ovf:configuration lists the options an item is for. */
static bool applies(const xmlNode *node, const char *option, bool *is_special)
{
	g_autofree char *bound = ovf_xml_attribute(node, "bound");
	g_autofree char *configuration = ovf_xml_attribute(node, "configuration");

	*is_special = configuration != NULL;
	if (bound != NULL && strcmp(bound, "normal") != 0)
		return false;
	if (configuration == NULL)
		return true;
	g_auto(GStrv) options = g_strsplit_set(configuration, " \t\r\n", -1);
	return option != NULL && g_strv_contains((const char *const *)options, option);
}

static OvfItem *item_new(const xmlNode *node)
{
	OvfItem *item = g_new0(OvfItem, 1);

	item->node = node;
	item->instance = ovf_xml_child_text(node, "InstanceID");
	if (item->instance == NULL)
		item->instance = ovf_xml_child_text(node, "InstanceId"); /* OVF 0.9's spelling */
	item->parent = ovf_xml_child_text(node, "Parent");
	item->address = ovf_xml_child_text(node, "Address");
	item->place = ovf_xml_child_text(node, "AddressOnParent");
	item->name = ovf_xml_child_text(node, "ElementName");
	if (item->name == NULL)
		item->name = ovf_xml_child_text(node, "Caption");
	item->subtype = ovf_xml_child_text(node, "ResourceSubType");
	item->resource = ovf_xml_child_text(node, "HostResource");
	item->connection = ovf_xml_child_text(node, "Connection");
	item->quantity = ovf_xml_child_text(node, "VirtualQuantity");
	item->units = ovf_xml_child_text(node, "AllocationUnits");
	return item;
}

char *ovf_item_where(const OvfItem *item)
{
	return g_strdup_printf("line %ld: item %s (\"%s\")", xmlGetLineNo(item->node),
			       item->instance != NULL ? item->instance : "without InstanceID",
			       item->name != NULL ? item->name : "");
}

static bool read_type(OvfItem *item, GError **error)
{
	g_autofree char *text = ovf_xml_child_text(item->node, "ResourceType");
	uint64_t type = 0;

	if (text == NULL || ovf_number_parse(text, UINT16_MAX, &type, error)) {
		item->type = (unsigned)type;
		return true;
	}
	g_autofree char *where = ovf_item_where(item);
	return fail_in(error, "%s: ResourceType: ", where);
}

OvfItem *ovf_items_find(const GPtrArray *items, const char *instance)
{
	for (guint i = 0; i < items->len; i++) {
		OvfItem *item = g_ptr_array_index(items, i);

		if (g_strcmp0(item->instance, instance) == 0)
			return item;
	}
	return NULL;
}

/* Takes `item`. `special` holds the items that were chosen by their option. */
static bool add_item(GPtrArray *items, GHashTable *special, OvfItem *item, bool is_special,
		     GError **error)
{
	OvfItem *twin = item->instance != NULL ? ovf_items_find(items, item->instance) : NULL;

	if (twin != NULL && g_hash_table_contains(special, twin) == is_special) {
		g_autofree char *where = ovf_item_where(item);
		item_free(item);
		return fail(error, CORRUPT, "%s: this InstanceID is given twice", where);
	}
	if (twin != NULL && !is_special) {
		item_free(item);
		return true;
	}
	if (is_special)
		g_hash_table_add(special, item);
	if (twin != NULL)
		g_ptr_array_remove(items, twin);
	g_ptr_array_add(items, item);
	return true;
}

GPtrArray *ovf_items_read(const xmlNode *section, const char *option, GError **error)
{
	g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(item_free);
	g_autoptr(GHashTable) special = g_hash_table_new(NULL, NULL);
	bool is_special = false;

	for (const xmlNode *node = section->children; node != NULL; node = node->next) {
		if (!is_item(node) || !applies(node, option, &is_special))
			continue;
		if (items->len >= ITEM_MAX_COUNT)
			return fail_null(error, CORRUPT, "line %ld: more than %u items",
					 xmlGetLineNo(node), ITEM_MAX_COUNT);
		OvfItem *item = item_new(node);
		if (!read_type(item, error)) {
			item_free(item);
			return NULL;
		}
		if (!add_item(items, special, item, is_special, error))
			return NULL;
	}
	return g_steal_pointer(&items);
}
