/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_controllers.c: the storage controllers of a VirtualHardwareSection, and what hangs where. */
#include "inventory/ovf_document.h"
#include "inventory/ovf_finding.h"
#include "inventory/ovf_item.h"
#include "inventory/ovf_units.h"
#include "inventory/ovf_xml.h"

#include <string.h>

#define PLACE_MAX 1023u
#define UNIT_MAX  255u
/* Devices hang on a controller, which may hang on another: real documents have two levels. */
#define PARENT_MAX_DEPTH 16u
#define BUS_COUNT        (BUS_FLOPPY + 1)

static DiskBus controller_bus(const OvfItem *item)
{
	const char *subtype = item->subtype != NULL ? item->subtype : "";
	g_autofree char *lower = g_ascii_strdown(subtype, -1);

	if (item->type == OVF_TYPE_IDE)
		return BUS_IDE;
	if (item->type == OVF_TYPE_SCSI)
		return strstr(lower, "nvme") != NULL ? BUS_NVME : BUS_SCSI;
	if (item->type != OVF_TYPE_STORAGE_CONTROLLER)
		return BUS_UNKNOWN;
	if (strstr(lower, "nvme") != NULL || strstr(lower, "nvmhci") != NULL)
		return BUS_NVME;
	if (strstr(lower, "scsi") != NULL || strstr(lower, "sas") != NULL)
		return BUS_SCSI;
	if (strstr(lower, "virtio") != NULL)
		return BUS_VIRTIO;
	return BUS_SATA; /* "AHCI", "vmware.sata.ahci", "sataController", nothing */
}

static char *controller_model(const char *subtype)
{
	static const char *const known[] = {"lsilogic", "lsilogicsas", "buslogic",  "virtualscsi",
					    "pvscsi",   "piix3",       "piix4",     "ich6",
					    "ahci",     "virtio-scsi", "virtioscsi"};
	g_auto(GStrv) words = g_strsplit_set(subtype != NULL ? subtype : "", " ,\t\r\n", -1);

	for (char **word = words; *word != NULL; word++)
		for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
			if (g_ascii_strcasecmp(*word, known[i]) == 0)
				return g_strdup(*word);
	return g_strdup(subtype);
}

static void report_shared_bus(const OvfHardware *hardware, const OvfItem *item)
{
	g_autofree char *shared = ovf_xml_config(item->node, "sharedBus");
	g_autofree char *where = ovf_item_where(item);

	if (shared != NULL && strcmp(shared, "noSharing") != 0)
		ovf_finding_add(hardware->vm->findings, FINDING_WARNING, "ovf.shared-disk",
				"%s: bus sharing \"%s\": its disks become this VM's alone", where,
				shared);
}

/* rasd:Address is the controller's number on its bus, where it is a number that is still free. */
static unsigned controller_unit(const OvfItem *item, bool taken[UNIT_MAX + 1])
{
	uint64_t unit = 0;

	if (item->address == NULL || !ovf_number_parse(item->address, UNIT_MAX, &unit, NULL) ||
	    taken[unit])
		for (unit = 0; unit < UNIT_MAX && taken[unit];)
			unit++;
	taken[unit] = true;
	return (unsigned)unit;
}

bool ovf_storage_controllers(OvfHardware *hardware, GError **error)
{
	bool taken[BUS_COUNT][UNIT_MAX + 1] = {{false}};
	unsigned count[BUS_COUNT] = {0};

	for (guint i = 0; i < hardware->items->len; i++) {
		OvfItem *item = g_ptr_array_index(hardware->items, i);

		item->bus = controller_bus(item);
		if (item->bus == BUS_UNKNOWN)
			continue;
		if (++count[item->bus] > UNIT_MAX)
			return fail(error, CORRUPT, "more than %u %s controllers", UNIT_MAX,
				    disk_bus_name(item->bus));
		item->unit = controller_unit(item, taken[item->bus]);
		VmController *controller = vm_add_controller(hardware->vm);
		controller->bus = item->bus;
		controller->unit = item->unit;
		controller->model = controller_model(item->subtype);
		report_shared_bus(hardware, item);
	}
	return true;
}

/* The item that `item` hangs on; NULL when none is said. A circle is CORRUPT, and so is what is
 * too deep to be none. */
static bool find_parent(const OvfHardware *hardware, const OvfItem *item, const OvfItem **out,
			GError **error)
{
	unsigned steps = 0;

	*out = item->parent != NULL ? ovf_items_find(hardware->items, item->parent) : NULL;
	for (const OvfItem *above = *out; above != NULL && above->parent != NULL;
	     above = ovf_items_find(hardware->items, above->parent))
		if (++steps > PARENT_MAX_DEPTH) {
			g_autofree char *where = ovf_item_where(item);
			return fail(error, CORRUPT, "%s: Parent %s: the parents form a circle",
				    where, item->parent);
		}
	return true;
}

bool ovf_place_read(const OvfHardware *hardware, const OvfItem *item, OvfPlace *out, GError **error)
{
	g_autofree char *where = ovf_item_where(item);
	const OvfItem *parent = NULL;
	uint64_t target = 0;

	*out = (OvfPlace){0};
	if (!find_parent(hardware, item, &parent, error))
		return false;
	if (item->place != NULL && !ovf_number_parse(item->place, PLACE_MAX, &target, error))
		return fail_in(error, "%s: AddressOnParent: ", where);
	out->target = (unsigned)target;
	if (parent != NULL && parent->bus != BUS_UNKNOWN) {
		out->bus = parent->bus;
		out->controller = parent->unit;
	} else if (item->parent != NULL) {
		ovf_finding_add(hardware->vm->findings, FINDING_WARNING, "ovf.parent-unknown",
				"%s: Parent %s is no storage controller", where, item->parent);
	}
	return true;
}
