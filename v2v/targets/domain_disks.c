/* SPDX-License-Identifier: Apache-2.0 */
/* domain_disks.c: disks and drives in the domain XML, each at an address of its own. */
#include "v2v/targets/domain_parts.h"

#include <string.h>

#define SERIAL_MAX_BYTES 20u /* what virtio-blk, SATA and IDE show to the guest */

typedef struct { /* how many drives stand on each bus so far */
	unsigned used[BUS_FLOPPY + 1];
	unsigned letters_sd; /* names sda, sdb … are shared by SCSI and SATA */
} Places;

/* 0: a, 25: z, 26: aa; owned by the caller. */
static char *drive_name(const char *prefix, unsigned index)
{
	GString *name = g_string_new(NULL);

	for (unsigned rest = index + 1; rest > 0; rest = (rest - 1) / 26)
		g_string_prepend_c(name, (char)('a' + (rest - 1) % 26));
	g_string_prepend(name, prefix);
	return g_string_free(name, FALSE);
}

static void write_address(XmlWriter *xml, unsigned controller, unsigned bus, unsigned target,
			  unsigned unit)
{
	g_autofree char *controller_text = g_strdup_printf("%u", controller);
	g_autofree char *bus_text = g_strdup_printf("%u", bus);
	g_autofree char *target_text = g_strdup_printf("%u", target);
	g_autofree char *unit_text = g_strdup_printf("%u", unit);

	xml_leaf(xml, "address", "type", "drive", "controller", controller_text, "bus", bus_text,
		 "target", target_text, "unit", unit_text, NULL);
}

/* How many drives one controller of this kind takes, each as a target of its own. */
static unsigned scsi_drives(ScsiModel model)
{
	static const unsigned drives[] = {
		[SCSI_VIRTIO] = 256, [SCSI_PVSCSI] = 15, [SCSI_LSISAS] = 8};

	return drives[model];
}

static void write_place(const DomainParts *parts, DiskBus bus, unsigned index)
{
	const unsigned per_controller = scsi_drives(parts->choices->scsi);

	if (bus == BUS_SCSI)
		write_address(parts->xml, index / per_controller, 0, index % per_controller, 0);
	else if (bus == BUS_SATA)
		write_address(parts->xml, index / 6, 0, 0, index % 6);
	else if (bus == BUS_IDE)
		write_address(parts->xml, 0, index / 2, 0, index % 2);
}

/* <target>, and the address unless libvirt gives it. Takes the next place on `bus`. */
static void write_target(const DomainParts *parts, Places *places, DiskBus bus)
{
	const unsigned index = places->used[bus]++;
	const bool sd = bus == BUS_SCSI || bus == BUS_SATA;
	g_autofree char *name = drive_name(sd                  ? "sd"
					   : bus == BUS_VIRTIO ? "vd"
							       : "hd",
					   sd ? places->letters_sd++ : index);

	xml_leaf(parts->xml, "target", "dev", name, "bus", disk_bus_name(bus), NULL);
	write_place(parts, bus, index);
}

/* libvirt's schema allows these characters; a serial with others is none of a real disk. */
static bool serial_is_plain(const char *serial)
{
	return *serial != '\0' && strspn(serial, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
						 "xyz0123456789_.+- ") == strlen(serial);
}

static void write_serial(const DomainParts *parts, guint index)
{
	const char *serial = vm_disk(parts->plan->vm, index)->serial;

	if (serial == NULL)
		return;
	if (!serial_is_plain(serial)) {
		findings_add(parts->findings, FINDING_WARNING, "domain.disk-serial-lost", NULL,
			     "disk %u: its serial number has characters that libvirt refuses: the "
			     "disk gets none",
			     index + 1);
		return;
	}
	if (strlen(serial) > SERIAL_MAX_BYTES && parts->choices->disk_bus[index] != BUS_SCSI)
		findings_add(parts->findings, FINDING_NOTE, "domain.disk-serial-cut", NULL,
			     "disk %u: the guest sees the first %u of the %zu characters of its "
			     "serial number",
			     index + 1, SERIAL_MAX_BYTES, strlen(serial));
	xml_text(parts->xml, "serial", serial);
}

static void write_disk(const DomainParts *parts, guint index, Places *places)
{
	XmlWriter *xml = parts->xml;

	xml_open(xml, "disk");
	xml_attribute(xml, "type", "file");
	xml_attribute(xml, "device", "disk");
	xml_leaf(xml, "driver", "name", "qemu", "type", parts->plan->disk_format, "discard",
		 "unmap", NULL);
	xml_leaf(xml, "source", "file", parts->plan->disk_paths[index], NULL);
	write_target(parts, places, parts->choices->disk_bus[index]);
	write_serial(parts, index);
	domain_write_boot(parts, domain_disk_boot_rank(parts, index));
	xml_close(xml);
}

/* The drive is kept, its medium is not: it stays in the source. */
static void write_cdrom(const DomainParts *parts, const VmRemovable *drive, Places *places)
{
	DiskBus bus = parts->choices->q35 ? BUS_SATA : BUS_IDE;

	if (bus == BUS_IDE && places->used[BUS_IDE] >= IDE_DRIVES)
		bus = BUS_SATA;
	xml_open(parts->xml, "disk");
	xml_attribute(parts->xml, "type", "file");
	xml_attribute(parts->xml, "device", "cdrom");
	write_target(parts, places, bus);
	xml_leaf(parts->xml, "readonly", NULL);
	xml_close(parts->xml);
	if (drive->image == NULL)
		return;
	g_autofree char *shown = text_for_display(drive->image, strlen(drive->image), 100);
	findings_add(parts->findings, FINDING_WARNING, "domain.cdrom-medium-lost",
		     "attach the medium to the VM when the guest needs it",
		     "the CD-ROM drive is empty: the medium %s is not carried over", shown);
}

static void write_controllers(const DomainParts *parts, const Places *places)
{
	static const char *const models[] = {
		[SCSI_VIRTIO] = "virtio-scsi",
		[SCSI_PVSCSI] = "vmpvscsi",
		[SCSI_LSISAS] = "lsisas1068",
	};
	const unsigned per_controller = scsi_drives(parts->choices->scsi);

	for (unsigned i = 0; i * per_controller < places->used[BUS_SCSI]; i++) {
		g_autofree char *index = g_strdup_printf("%u", i);

		xml_leaf(parts->xml, "controller", "type", "scsi", "index", index, "model",
			 models[parts->choices->scsi], NULL);
	}
}

void domain_write_disks(const DomainParts *parts)
{
	const Vm *vm = parts->plan->vm;
	unsigned floppies = 0;
	Places places = {0};

	for (guint i = 0; i < vm->disks->len; i++)
		write_disk(parts, i, &places);
	for (guint i = 0; i < vm->removables->len; i++) {
		if (vm_removable(vm, i)->floppy)
			floppies++;
		else
			write_cdrom(parts, vm_removable(vm, i), &places);
	}
	write_controllers(parts, &places);
	if (floppies > 0)
		findings_add(parts->findings, FINDING_NOTE, "domain.floppy-lost", NULL,
			     "the VM has no floppy drive any more (the source has %u)", floppies);
}
