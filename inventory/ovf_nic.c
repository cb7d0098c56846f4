/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_nic.c: the network adapters of a VirtualHardwareSection. */
#include "inventory/ovf_document.h"
#include "inventory/ovf_finding.h"
#include "inventory/ovf_item.h"
#include "inventory/ovf_units.h"
#include "inventory/ovf_xml.h"

#include <string.h>

#define NIC_MAX_COUNT 64u
#define MAC_DIGITS    12u

bool ovf_mac_parse(const char *text, char **out, GError **error)
{
	char digits[MAC_DIGITS + 1] = "";
	size_t count = 0;
	GString *mac;

	*out = NULL;
	for (const char *at = text; *at != '\0'; at++) {
		const bool is_separator = (*at == ':' || *at == '-') && count % 2 == 0 && count > 0;

		if (g_ascii_isxdigit(*at) && count < MAC_DIGITS)
			digits[count++] = g_ascii_tolower(*at);
		else if (!is_separator)
			return fail(error, CORRUPT, "MAC \"%s\" is not six bytes", text);
	}
	if (count != MAC_DIGITS)
		return fail(error, CORRUPT, "MAC \"%s\" is not six bytes", text);
	if (strspn(digits, "0") == MAC_DIGITS)
		return true;
	if (g_ascii_xdigit_value(digits[1]) & 1)
		return fail(error, CORRUPT, "MAC \"%s\" is a multicast address", text);
	mac = g_string_new(NULL);
	for (size_t i = 0; i < MAC_DIGITS; i += 2)
		g_string_append_printf(mac, "%s%.2s", i > 0 ? ":" : "", digits + i);
	*out = g_string_free(mac, FALSE);
	return true;
}

/* "VMXNET3 virtio", "buslogic, lsilogic" are wishes in order: the first that we know. */
static char *choose_model(const char *subtype)
{
	static const char *const known[] = {
		"e1000",     "e1000e",  "vmxnet3",  "vmxnet2", "vmxnet",  "pcnet32", "virtio",
		"pcnetpci2", "rtl8139", "am79c973", "82540em", "82543gc", "82545em"};
	g_auto(GStrv) words = g_strsplit_set(subtype != NULL ? subtype : "", " ,\t\r\n", -1);

	for (char **word = words; *word != NULL; word++)
		for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
			if (g_ascii_strcasecmp(*word, known[i]) == 0)
				return g_strdup(*word);
	return g_strdup(subtype);
}

static bool is_nic(const OvfItem *item)
{
	return item->type == OVF_TYPE_NIC || item->type == OVF_TYPE_ETHERNET_CONNECTION;
}

static bool add_nic(OvfHardware *hardware, const OvfItem *item, GError **error)
{
	g_autofree char *where = ovf_item_where(item);
	g_autofree char *automatic = ovf_xml_child_text(item->node, "AutomaticAllocation");
	VmNic *nic;

	if (hardware->vm->nics->len >= NIC_MAX_COUNT)
		return fail(error, CORRUPT, "%s: more than %u network adapters", where,
			    NIC_MAX_COUNT);
	nic = vm_add_nic(hardware->vm);
	nic->model = choose_model(item->subtype);
	nic->network = g_strdup(item->connection);
	/* AutomaticAllocation says whether the adapter is connected at power-on. */
	nic->disconnected = g_strcmp0(automatic, "false") == 0;
	nic->boot_order = ovf_boot_rank(hardware, item->instance);
	if (item->subtype != NULL && strstr(item->subtype, "sriov") != NULL)
		ovf_finding_add(hardware->vm->findings, FINDING_WARNING, "ovf.passthrough",
				"%s: SR-IOV: becomes a virtual adapter", where);
	return item->address == NULL || ovf_mac_parse(item->address, &nic->mac, error) ||
	       fail_in(error, "%s: Address: ", where);
}

static gint compare_places(gconstpointer a, gconstpointer b)
{
	const OvfItem *const *left = a, *const *right = b;
	uint64_t left_place = 0, right_place = 0;

	ovf_number_parse((*left)->place, UINT32_MAX, &left_place, NULL);
	ovf_number_parse((*right)->place, UINT32_MAX, &right_place, NULL);
	return (left_place > right_place) - (left_place < right_place);
}

/* AddressOnParent is the order of the PCI slots, document order need not be. It counts only when
 * every adapter has one of its own. */
static bool places_are_complete(const GPtrArray *nics)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	uint64_t place;

	for (guint i = 0; i < nics->len; i++) {
		const OvfItem *item = g_ptr_array_index(nics, i);

		if (item->place == NULL ||
		    !ovf_number_parse(item->place, UINT32_MAX, &place, NULL) ||
		    !g_hash_table_add(seen, item->place))
			return false;
	}
	return true;
}

bool ovf_nics(OvfHardware *hardware, GError **error)
{
	g_autoptr(GPtrArray) nics = g_ptr_array_new();

	for (guint i = 0; i < hardware->items->len; i++)
		if (is_nic(g_ptr_array_index(hardware->items, i)))
			g_ptr_array_add(nics, g_ptr_array_index(hardware->items, i));
	if (places_are_complete(nics))
		g_ptr_array_sort(nics, compare_places);
	for (guint i = 0; i < nics->len; i++)
		if (!add_nic(hardware, g_ptr_array_index(nics, i), error))
			return false;
	return true;
}
