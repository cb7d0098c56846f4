/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_hardware.c: a VirtualHardwareSection: CPU, memory and the small devices. */
#include "base/checked.h"
#include "inventory/ovf_document.h"
#include "inventory/ovf_finding.h"
#include "inventory/ovf_item.h"
#include "inventory/ovf_units.h"
#include "inventory/ovf_xml.h"

#include <string.h>

#define CPU_MAX_COUNT  4096u
#define MEMORY_MAX     (64 * TIB)
#define MEMORY_DEFAULT (2 * GIB)
/* Less than this in bytes was meant in MiB: no VM lives in 4 MiB, none has 4 TiB and no unit. */
#define MEMORY_PLAUSIBLE (4 * MIB)

unsigned ovf_boot_rank(const OvfHardware *hardware, const char *instance)
{
	for (unsigned i = 0; instance != NULL && hardware->boot_order[i] != NULL; i++)
		if (strcmp(hardware->boot_order[i], instance) == 0)
			return i + 1;
	return 0;
}

/* <vmw:BootOrderSection vmw:instanceId="8" vmw:type="disk"/>, beside the hardware section. */
static char **read_boot_order(const xmlNode *section)
{
	GPtrArray *order = g_ptr_array_new();

	for (const xmlNode *node = ovf_xml_first(section->parent, "BootOrderSection"); node != NULL;
	     node = ovf_xml_next(node, "BootOrderSection")) {
		g_autofree char *ids = ovf_xml_attribute(node, "instanceId");
		g_auto(GStrv) words = g_strsplit_set(ids != NULL ? ids : "", " ,\t", -1);

		for (char **word = words; *word != NULL; word++)
			if (**word != '\0')
				g_ptr_array_add(order, g_strdup(*word));
	}
	g_ptr_array_add(order, NULL);
	return (char **)g_ptr_array_free(order, FALSE);
}

static bool fail_item(GError **error, const OvfItem *item, const char *field)
{
	g_autofree char *where = ovf_item_where(item);

	return fail_in(error, "%s: %s: ", where, field);
}

static bool read_topology(const OvfHardware *hardware, const OvfItem *item, GError **error)
{
	Vm *vm = hardware->vm;
	uint64_t cores = 0;
	g_autofree char *text = ovf_xml_child_text(item->node, "CoresPerSocket");

	vm->sockets = vm->vcpus;
	vm->cores = vm->threads = 1;
	if (text == NULL)
		return true;
	if (!ovf_number_parse(text, CPU_MAX_COUNT, &cores, error))
		return fail_item(error, item, "CoresPerSocket");
	if (cores == 0) /* VMware: chosen by the host at power-on */
		return true;
	if (vm->vcpus % cores != 0) {
		ovf_finding_add(vm->findings, FINDING_WARNING, "ovf.cpu-topology",
				"%u CPUs do not fill sockets of %" PRIu64
				" cores: each gets a socket of its own",
				vm->vcpus, cores);
		return true;
	}
	vm->cores = (unsigned)cores;
	vm->sockets = vm->vcpus / vm->cores;
	return true;
}

static bool read_cpu(OvfHardware *hardware, const OvfItem *item, GError **error)
{
	uint64_t count = 0;

	if (item->quantity == NULL)
		return true;
	if (!ovf_number_parse(item->quantity, CPU_MAX_COUNT, &count, error))
		return fail_item(error, item, "VirtualQuantity");
	if (count == 0) {
		(void)fail(error, CORRUPT, "0 CPUs");
		return fail_item(error, item, "VirtualQuantity");
	}
	hardware->vm->vcpus = (unsigned)count;
	return read_topology(hardware, item, error);
}

static bool read_memory(OvfHardware *hardware, const OvfItem *item, GError **error)
{
	Vm *vm = hardware->vm;

	if (item->quantity == NULL)
		return true;
	if (!ovf_quantity_parse(item->quantity, item->units, &vm->memory, error))
		return fail_item(error, item, "VirtualQuantity");
	if (item->units == NULL && vm->memory > 0 && vm->memory < MEMORY_PLAUSIBLE) {
		ovf_finding_add(vm->findings, FINDING_WARNING, "ovf.memory-unit-missing",
				"memory of %" PRIu64 " without a unit: taken as MiB", vm->memory);
		vm->memory *= MIB;
	}
	if (vm->memory <= MEMORY_MAX)
		return true;
	(void)fail(error, CORRUPT, "memory of %" PRIu64 " bytes: the limit is %" PRIu64, vm->memory,
		   (uint64_t)MEMORY_MAX);
	return fail_item(error, item, "VirtualQuantity");
}

static void add_defaults(Vm *vm)
{
	if (vm->vcpus == 0) {
		vm->vcpus = vm->sockets = vm->cores = vm->threads = 1;
		ovf_finding_add(vm->findings, FINDING_WARNING, "ovf.cpu-missing",
				"the definition says no number of CPUs: 1 is taken");
	}
	if (vm->memory == 0) {
		vm->memory = MEMORY_DEFAULT;
		ovf_finding_add(vm->findings, FINDING_WARNING, "ovf.memory-missing",
				"the definition says no memory: 2 GiB are taken");
	}
}

static void read_video(Vm *vm, const OvfItem *item)
{
	g_autofree char *kib = ovf_xml_config(item->node, "videoRamSizeInKB");
	uint64_t count = 0;

	if (kib != NULL && ovf_number_parse(kib, 64 * GIB / KIB, &count, NULL))
		vm->video_memory = count * KIB;
}

static void read_sound(Vm *vm, const OvfItem *item)
{
	vm->has_sound = true;
	if (vm->sound_model == NULL)
		vm->sound_model = g_strdup(item->subtype);
}

static void report_lost(Vm *vm, FindingSeverity severity, const char *id, const OvfItem *item)
{
	g_autofree char *where = ovf_item_where(item);

	ovf_finding_add(vm->findings, severity, id, "%s of type %u%s%s is left out", where,
			item->type, item->subtype != NULL ? ", " : "",
			item->subtype != NULL ? item->subtype : "");
}

/* ResourceType 1: what it is stands in the subtype. */
static void read_other(Vm *vm, const OvfItem *item)
{
	const char *subtype = item->subtype != NULL ? item->subtype : "";

	if (g_ascii_strcasecmp(subtype, "vmware.vtpm") == 0)
		vm->tpm = true;
	else if (g_str_has_prefix(subtype, "vmware.soundcard"))
		read_sound(vm, item);
	else if (strstr(subtype, "passthrough") != NULL)
		report_lost(vm, FINDING_WARNING, "ovf.passthrough", item);
	else if (g_ascii_strcasecmp(subtype, "vmware.vmci") != 0 &&
		 g_ascii_strcasecmp(subtype, "vmware.keyboard") != 0 &&
		 g_ascii_strcasecmp(subtype, "vmware.pointingdevice") != 0)
		report_lost(vm, FINDING_WARNING, "ovf.unknown-device", item);
}

/* The devices that need no second pass; the storage and network ones have theirs. */
static void read_small_device(Vm *vm, const OvfItem *item)
{
	switch (item->type) {
	case OVF_TYPE_CPU:
	case OVF_TYPE_MEMORY:
	case OVF_TYPE_IDE:
	case OVF_TYPE_SCSI:
	case OVF_TYPE_STORAGE_CONTROLLER:
	case OVF_TYPE_NIC:
	case OVF_TYPE_ETHERNET_CONNECTION:
	case OVF_TYPE_FLOPPY:
	case OVF_TYPE_CD:
	case OVF_TYPE_DVD:
	case OVF_TYPE_DISK:
	case OVF_TYPE_LOGICAL_DISK:
	case OVF_TYPE_USB: /* the target has a USB controller anyway */
		break;
	case OVF_TYPE_OTHER:
		read_other(vm, item);
		break;
	case OVF_TYPE_SERIAL_PORT:
		vm->has_serial_port = true;
		break;
	case OVF_TYPE_VIDEO:
		read_video(vm, item);
		break;
	case OVF_TYPE_SOUND:
		read_sound(vm, item);
		break;
	case OVF_TYPE_PARALLEL_PORT:
		report_lost(vm, FINDING_NOTE, "ovf.parallel-port", item);
		break;
	default:
		report_lost(vm, FINDING_WARNING, "ovf.unknown-device", item);
		break;
	}
}

static bool read_items(OvfHardware *hardware, GError **error)
{
	for (guint i = 0; i < hardware->items->len; i++) {
		const OvfItem *item = g_ptr_array_index(hardware->items, i);

		if (item->type == OVF_TYPE_CPU && !read_cpu(hardware, item, error))
			return false;
		if (item->type == OVF_TYPE_MEMORY && !read_memory(hardware, item, error))
			return false;
		read_small_device(hardware->vm, item);
	}
	add_defaults(hardware->vm);
	return ovf_storage_controllers(hardware, error) && ovf_storage_devices(hardware, error) &&
	       ovf_nics(hardware, error);
}

bool ovf_hardware_describe(const OvfDocument *document, const xmlNode *section, Vm *vm,
			   GError **error)
{
	const char *option =
		document->options->len > 0 ? g_ptr_array_index(document->options, 0) : NULL;
	g_autoptr(GPtrArray) items = ovf_items_read(section, option, error);
	g_auto(GStrv) boot_order = read_boot_order(section);
	OvfHardware hardware = {document, vm, items, boot_order};

	return items != NULL && read_items(&hardware, error);
}
