/* SPDX-License-Identifier: Apache-2.0 */
/* sheet.c: a VM definition on one page. */
#include "v2v/sheet.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

/* Text from the source, safe for a terminal; "-" for nothing. */
static void print_text(const char *label, const char *value)
{
	g_autofree char *shown =
		value != NULL ? text_for_display(value, strlen(value), 500) : g_strdup("-");

	printf("%-12s %s\n", label, shown);
}

static void print_machine(const Vm *vm)
{
	g_autofree char *memory = g_format_size_full(vm->memory, G_FORMAT_SIZE_IEC_UNITS);

	print_text("Name", vm->name);
	print_text("From", hypervisor_name(vm->hypervisor));
	print_text("Guest OS", vm->guest_os);
	if (vm->uuid != NULL)
		print_text("UUID", vm->uuid);
	if (vm->annotation != NULL)
		print_text("Annotation", vm->annotation);
	printf("%-12s %u (%u socket%s, %u core%s each)\n", "CPUs", vm->vcpus, vm->sockets,
	       vm->sockets == 1 ? "" : "s", vm->cores, vm->cores == 1 ? "" : "s");
	printf("%-12s %s\n", "Memory", memory);
	printf("%-12s %s%s%s\n", "Firmware", firmware_name(vm->firmware),
	       vm->secure_boot ? ", secure boot" : "", vm->tpm ? ", TPM" : "");
}

static void print_disks(const Vm *vm, GVariant *images)
{
	for (guint i = 0; i < vm->disks->len; i++) {
		const VmDisk *disk = vm_disk(vm, i);
		g_autoptr(GVariant) image = g_variant_get_child_value(images, i);
		const char *format = "unreadable", *file = disk->file != NULL ? disk->file : "";
		guint64 size = disk->capacity;

		g_variant_lookup(image, "format", "&s", &format);
		g_variant_lookup(image, "virtual-size", "t", &size);
		g_autofree char *shown = text_for_display(file, strlen(file), 200);
		g_autofree char *sized = g_format_size_full(size, G_FORMAT_SIZE_IEC_UNITS);
		printf("%-12s %s %u:%u, %s, %s, %s\n", i == 0 ? "Disks" : "",
		       disk_bus_name(disk->bus), disk->controller, disk->target, sized, format,
		       shown);
	}
}

static void print_nics(const Vm *vm)
{
	for (guint i = 0; i < vm->nics->len; i++) {
		const VmNic *nic = vm_nic(vm, i);
		const char *network = nic->network != NULL ? nic->network : "-";
		const char *model = nic->model != NULL ? nic->model : "-";
		g_autofree char *shown = text_for_display(network, strlen(network), 200);
		g_autofree char *model_shown = text_for_display(model, strlen(model), 100);

		printf("%-12s %s, %s, network %s%s\n", i == 0 ? "NICs" : "",
		       nic->mac != NULL ? nic->mac : "no MAC stated", model_shown, shown,
		       nic->disconnected ? ", disconnected" : "");
	}
}

static void print_removables(const Vm *vm)
{
	for (guint i = 0; i < vm->removables->len; i++) {
		const VmRemovable *drive = vm_removable(vm, i);
		const char *image = drive->image != NULL ? drive->image : "empty";
		g_autofree char *shown = text_for_display(image, strlen(image), 200);

		printf("%-12s %s, %s\n", i == 0 ? "Removable" : "",
		       drive->floppy ? "floppy" : "CD-ROM", shown);
	}
}

static void print_findings(const Findings *findings)
{
	for (guint i = 0; i < findings_count(findings); i++) {
		const Finding *finding = findings_get(findings, i);
		g_autofree char *shown =
			text_for_display(finding->text, strlen(finding->text), 1000);

		printf("%-12s %s [%s]\n", finding_severity_name(finding->severity), shown,
		       finding->id);
		if (finding->advice != NULL)
			printf("%-12s %s\n", "", finding->advice);
	}
}

void sheet_print(const Vm *vm, GVariant *images, const Findings *source_findings)
{
	print_machine(vm);
	print_disks(vm, images);
	print_nics(vm);
	print_removables(vm);
	print_findings(source_findings);
	print_findings(vm->findings);
}
