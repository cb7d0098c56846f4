/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_storage.c: controllers, disks and drives of a VirtualHardwareSection. */
#include "inventory/ovf_document.h"
#include "inventory/ovf_finding.h"
#include "inventory/ovf_item.h"
#include "inventory/ovf_xml.h"

#include <string.h>

#define DISK_MAX_COUNT 512u
#define BUS_COUNT      (BUS_FLOPPY + 1)

/* "ovf:/disk/ID", "/disk/ID": the ID; NULL when it is no such path. */
static const char *reference(const char *resource, const char *kind)
{
	if (resource == NULL)
		return NULL;
	if (g_str_has_prefix(resource, "ovf:"))
		resource += strlen("ovf:");
	return g_str_has_prefix(resource, kind) ? resource + strlen(kind) : NULL;
}

static bool disk_id_is_taken(const OvfHardware *hardware, const char *id)
{
	for (guint i = 0; i < hardware->vm->disks->len; i++)
		if (strcmp(vm_disk(hardware->vm, i)->id, id) == 0)
			return true;
	return false;
}

/* One Disk used by two items is two disks with the same contents (DSP0243 §9.1). */
static char *unique_disk_id(const OvfHardware *hardware, const char *id, const char *where)
{
	g_autofree char *unique = g_strdup(id);

	for (unsigned n = 2; disk_id_is_taken(hardware, unique) ||
			     (n > 2 && ovf_find_disk(hardware->document, unique) != NULL);
	     n++) {
		g_free(unique);
		unique = g_strdup_printf("%s#%u", id, n);
	}
	if (strcmp(unique, id) != 0)
		ovf_finding_add(hardware->vm->findings, FINDING_NOTE, "ovf.disk-used-twice",
				"%s: disk \"%s\" is used a second time: each gets a copy", where,
				id);
	return g_steal_pointer(&unique);
}

const OvfDisk *ovf_disk_of(const OvfDocument *document, const char *vm_disk_id,
			   const OvfFile **file)
{
	const OvfDisk *disk = ovf_find_disk(document, vm_disk_id);
	const char *hash = strrchr(vm_disk_id, '#');
	const char *file_id = reference(vm_disk_id, "/file/");

	*file = NULL;
	if (disk == NULL && hash != NULL) {
		g_autofree char *id = g_strndup(vm_disk_id, (gsize)(hash - vm_disk_id));
		return ovf_disk_of(document, id, file);
	}
	if (disk != NULL && disk->file_id != NULL)
		*file = ovf_find_file(document, disk->file_id);
	if (disk == NULL && file_id != NULL)
		*file = ovf_find_file(document, file_id);
	return disk;
}

/* The format's URI, where DSP0243 or those who write such documents agreed on one. */
static char *format_hint(const char *uri)
{
	static const struct {
		const char *part, *format;
	} known[] = {{"vmdk", "vmdk"}, {"vhdx", "vhdx"},         {"vhd", "vhd"}, {"qcow", "qcow2"},
		     {"raw", "raw"},   {"LinkId=137171", "vhd"}, {"vdi", "vdi"}};

	for (size_t i = 0; uri != NULL && i < G_N_ELEMENTS(known); i++)
		if (strstr(uri, known[i].part) != NULL)
			return g_strdup(known[i].format);
	return NULL;
}

static void report_disk(const OvfHardware *hardware, const OvfItem *item, const OvfDisk *disk)
{
	g_autofree char *where = ovf_item_where(item);
	g_autofree char *sharing = ovf_xml_config(item->node, "backing.sharing");

	if (sharing != NULL && g_ascii_strcasecmp(sharing, "sharingNone") != 0)
		ovf_finding_add(hardware->vm->findings, FINDING_WARNING, "ovf.shared-disk",
				"%s: %s: the disk becomes this VM's alone", where, sharing);
	if (disk != NULL && disk->parent_id != NULL)
		ovf_finding_add(hardware->vm->findings, FINDING_CRITICAL, "ovf.delta-disk",
				"%s: disk \"%s\" is a delta over disk \"%s\": export the VM with "
				"whole disks",
				where, disk->id, disk->parent_id);
}

/* Two disks in one place cannot be what the source meant: told, since their order is a guess. */
static void report_place(const OvfHardware *hardware, const VmDisk *disk)
{
	for (guint i = 0; i < hardware->vm->disks->len; i++) {
		const VmDisk *other = vm_disk(hardware->vm, i);

		if (other != disk && other->bus == disk->bus && disk->bus != BUS_UNKNOWN &&
		    other->controller == disk->controller && other->target == disk->target)
			ovf_finding_add(hardware->vm->findings, FINDING_WARNING, "ovf.place-taken",
					"disks \"%s\" and \"%s\" are both at %s %u:%u", other->id,
					disk->id, disk_bus_name(disk->bus), disk->controller,
					disk->target);
	}
}

static bool add_disk(OvfHardware *hardware, const OvfItem *item, GError **error)
{
	g_autofree char *where = ovf_item_where(item);
	const char *disk_id = reference(item->resource, "/disk/");
	const char *file_id = reference(item->resource, "/file/");
	const OvfFile *file = NULL;
	const OvfDisk *document_disk;
	OvfPlace place;

	if (item->resource == NULL)
		return fail(error, CORRUPT, "%s: a disk without HostResource", where);
	document_disk =
		ovf_disk_of(hardware->document, disk_id != NULL ? disk_id : item->resource, &file);
	if ((disk_id != NULL && document_disk == NULL) || (disk_id == NULL && file == NULL))
		return fail(error, CORRUPT, "%s: HostResource=\"%s\": no such %s", where,
			    item->resource, file_id != NULL ? "File" : "Disk");
	if (hardware->vm->disks->len >= DISK_MAX_COUNT)
		return fail(error, CORRUPT, "%s: more than %u disks", where, DISK_MAX_COUNT);
	if (!ovf_place_read(hardware, item, &place, error))
		return false;

	g_autofree char *plain_id = g_strconcat("/file/", file_id, NULL);
	char *id = unique_disk_id(hardware, disk_id != NULL ? disk_id : plain_id, where);
	VmDisk *disk = vm_add_disk(hardware->vm);
	disk->id = id;
	disk->bus = place.bus;
	disk->controller = place.controller;
	disk->target = place.target;
	disk->boot_order = ovf_boot_rank(hardware, item->instance);
	disk->capacity = document_disk != NULL ? document_disk->capacity : 0;
	disk->format = document_disk != NULL ? format_hint(document_disk->format) : NULL;
	disk->file = file != NULL ? g_strdup(file->href) : NULL;
	report_disk(hardware, item, document_disk);
	report_place(hardware, disk);
	return true;
}

static bool add_removable(OvfHardware *hardware, const OvfItem *item, GError **error)
{
	const char *file_id = reference(item->resource, "/file/");
	const OvfFile *file = file_id != NULL ? ovf_find_file(hardware->document, file_id) : NULL;
	const bool is_floppy = item->type == OVF_TYPE_FLOPPY;
	VmRemovable *removable;
	OvfPlace place;

	if (!ovf_place_read(hardware, item, &place, error))
		return false;
	removable = vm_add_removable(hardware->vm);
	removable->floppy = is_floppy;
	removable->bus = is_floppy ? BUS_FLOPPY : place.bus;
	removable->controller = place.controller;
	removable->target = place.target;
	removable->image = file != NULL ? g_strdup(file->href) : NULL;
	return true;
}

/* A BIOS tries IDE before the adapters. VMware's then lists SCSI, SATA, NVMe; others SATA first. */
static int bus_rank(DiskBus bus, Hypervisor hypervisor)
{
	static const int vmware[BUS_COUNT] = {9, 0, 2, 1, 3, 4, 5, 6};
	static const int others[BUS_COUNT] = {9, 0, 1, 2, 4, 3, 5, 6};

	return hypervisor == HYPERVISOR_VMWARE ? vmware[bus] : others[bus];
}

static gint compare_disks(gconstpointer a, gconstpointer b, gpointer user)
{
	const VmDisk *left = *(VmDisk *const *)a, *right = *(VmDisk *const *)b;
	const Vm *vm = user;
	const unsigned keys[][2] = {
		/* 0, nothing said, comes last */
		{left->boot_order - 1, right->boot_order - 1},
		{(unsigned)bus_rank(left->bus, vm->hypervisor),
		 (unsigned)bus_rank(right->bus, vm->hypervisor)},
		{left->controller, right->controller},
		{left->target, right->target},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		if (keys[i][0] != keys[i][1])
			return keys[i][0] < keys[i][1] ? -1 : 1;
	return 0;
}

/* What stands in the package and no device of this VM uses; only told where there is one VM. */
static void report_unused_disks(const OvfHardware *hardware)
{
	for (guint i = 0;
	     hardware->document->systems->len == 1 && i < hardware->document->disks->len; i++) {
		const OvfDisk *disk = g_ptr_array_index(hardware->document->disks, i);

		if (!disk_id_is_taken(hardware, disk->id))
			ovf_finding_add(hardware->vm->findings, FINDING_WARNING, "ovf.disk-unused",
					"disk \"%s\" is attached nowhere and is left out",
					disk->id);
	}
}

bool ovf_storage_devices(OvfHardware *hardware, GError **error)
{
	for (guint i = 0; i < hardware->items->len; i++) {
		const OvfItem *item = g_ptr_array_index(hardware->items, i);
		const bool is_disk =
			item->type == OVF_TYPE_DISK || item->type == OVF_TYPE_LOGICAL_DISK;
		const bool is_removable = item->type == OVF_TYPE_FLOPPY ||
					  item->type == OVF_TYPE_CD || item->type == OVF_TYPE_DVD;

		if ((is_disk && !add_disk(hardware, item, error)) ||
		    (is_removable && !add_removable(hardware, item, error)))
			return false;
	}
	g_ptr_array_sort_with_data(hardware->vm->disks, compare_disks, hardware->vm);
	report_unused_disks(hardware);
	return true;
}
