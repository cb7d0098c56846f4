/* SPDX-License-Identifier: Apache-2.0 */
/* migration_report.c: what happened, for people and for programs. */
#include "inventory/vm_variant.h"
#include "v2v/cli.h"
#include "v2v/migration.h"
#include "v2v/variant.h"

#include <stdio.h>
#include <string.h>

static GVariant *disks_variant(const MigrationReport *report)
{
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
	for (guint i = 0; i < report->disks->len; i++) {
		const MigratedDisk *disk = &g_array_index(report->disks, MigratedDisk, i);
		GVariantBuilder facts;

		g_variant_builder_init(&facts, G_VARIANT_TYPE_VARDICT);
		variant_add_text(&facts, "path", disk->path);
		variant_add_bytes(&facts, "virtual-size", disk->size);
		variant_add_bytes(&facts, "needed-bytes", disk->needed);
		if (!report->dry_run) {
			variant_add_bytes(&facts, "data-bytes", disk->copied.data_bytes);
			variant_add_bytes(&facts, "zero-bytes", disk->copied.zero_bytes);
			variant_add_bytes(&facts, "changed-bytes", disk->changed_bytes);
			variant_add_text(&facts, "digest-root", disk->digest_root);
		}
		g_variant_builder_add_value(&list, g_variant_builder_end(&facts));
	}
	return g_variant_builder_end(&list);
}

static GVariant *changes_variant(const GuestReport *guest)
{
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
	for (guint i = 0; i < guest_report_changes(guest); i++) {
		const GuestChange *change = guest_report_change(guest, i);
		GVariantBuilder facts;

		g_variant_builder_init(&facts, G_VARIANT_TYPE_VARDICT);
		variant_add_text(&facts, "file", change->file);
		variant_add_text(&facts, "what", change->what);
		variant_add_text(&facts, "why", change->why);
		variant_add_text(&facts, "step", change->step);
		g_variant_builder_add_value(&list, g_variant_builder_end(&facts));
	}
	return g_variant_builder_end(&list);
}

static GVariant *guest_variant(const GuestReport *guest)
{
	GVariantBuilder facts;

	g_variant_builder_init(&facts, G_VARIANT_TYPE_VARDICT);
	variant_add_text(&facts, "type", guest->type);
	variant_add_text(&facts, "distro", guest->distro);
	variant_add_text(&facts, "product", guest->product);
	variant_add_text(&facts, "osinfo", guest->osinfo);
	variant_add_text(&facts, "arch", guest->arch);
	variant_add_text(&facts, "hostname", guest->hostname);
	variant_add_text(&facts, "kernel", guest->kernel);
	variant_add_text(&facts, "root", guest->root);
	variant_add_text(&facts, "firmware", guest->uefi ? "uefi" : "bios");
	g_variant_builder_add(&facts, "{sv}", "agent", g_variant_new_boolean(guest->agent));
	g_variant_builder_add(&facts, "{sv}", "changes", changes_variant(guest));
	if (guest->findings != NULL)
		g_variant_builder_add(&facts, "{sv}", "findings",
				      findings_to_variant(guest->findings));
	return g_variant_builder_end(&facts);
}

static GVariant *phases_variant(ProgressDisplay *display)
{
	const PhaseTime *phase;
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
	for (guint i = 0; (phase = progress_display_phase(display, i)) != NULL; i++) {
		GVariantBuilder facts;

		g_variant_builder_init(&facts, G_VARIANT_TYPE_VARDICT);
		variant_add_text(&facts, "phase", phase->name);
		g_variant_builder_add(&facts, "{sv}", "start", g_variant_new_double(phase->start));
		g_variant_builder_add(&facts, "{sv}", "end", g_variant_new_double(phase->end));
		g_variant_builder_add_value(&list, g_variant_builder_end(&facts));
	}
	return g_variant_builder_end(&list);
}

GVariant *migration_report_variant(const MigrationReport *report, ProgressDisplay *display)
{
	GVariantBuilder facts;

	g_variant_builder_init(&facts, G_VARIANT_TYPE_VARDICT);
	variant_add_text(&facts, "name", report->name);
	g_variant_builder_add(&facts, "{sv}", "dry-run", g_variant_new_boolean(report->dry_run));
	g_variant_builder_add(&facts, "{sv}", "started", g_variant_new_boolean(report->started));
	g_variant_builder_add(&facts, "{sv}", "blocked", g_variant_new_boolean(report->blocked));
	variant_add_text(&facts, "target", report->target_uri);
	variant_add_text(&facts, "virt-type", report->virt_type);
	variant_add_text(&facts, "folder", report->folder);
	variant_add_bytes(&facts, "needed-bytes", report->needed);
	variant_add_bytes(&facts, "available-bytes", report->available);
	g_variant_builder_add(&facts, "{sv}", "disks", disks_variant(report));
	g_variant_builder_add(&facts, "{sv}", "vm", vm_to_variant(report->vm));
	if (report->guest != NULL)
		g_variant_builder_add(&facts, "{sv}", "guest", guest_variant(report->guest));
	g_variant_builder_add(&facts, "{sv}", "findings", findings_to_variant(report->findings));
	g_variant_builder_add(&facts, "{sv}", "phases", phases_variant(display));
	variant_add_text(&facts, "domain-xml", report->xml);
	return g_variant_builder_end(&facts);
}

static void print_changes(const GuestReport *guest, bool dry_run)
{
	const guint count = guest_report_changes(guest);

	printf("%s %u change%s to the guest:\n", dry_run ? "Would make" : "Made", count,
	       count == 1 ? "" : "s");
	for (guint i = 0; i < count; i++) {
		const GuestChange *change = guest_report_change(guest, i);
		g_autofree char *file = text_for_display(change->file, strlen(change->file), 200);
		g_autofree char *what = text_for_display(change->what, strlen(change->what), 200);

		printf("  %s: %s (%s)\n", file, what, change->why);
	}
}

static void print_disks(const MigrationReport *report)
{
	for (guint i = 0; i < report->disks->len; i++) {
		const MigratedDisk *disk = &g_array_index(report->disks, MigratedDisk, i);
		g_autofree char *size = g_format_size_full(disk->size, G_FORMAT_SIZE_IEC_UNITS);
		g_autofree char *data =
			g_format_size_full(report->dry_run ? disk->needed : disk->copied.data_bytes,
					   G_FORMAT_SIZE_IEC_UNITS);

		printf("Disk %u     %s: %s, %s %s\n", i + 1, disk->path, size,
		       report->dry_run ? "needs at most" : "copied", data);
	}
}

void migration_report_print(const MigrationReport *report)
{
	const Vm *vm = report->vm;
	g_autofree char *name = text_for_display(vm->name, strlen(vm->name), 200);
	g_autofree char *memory = g_format_size_full(vm->memory, G_FORMAT_SIZE_IEC_UNITS);
	g_autofree char *needed = g_format_size_full(report->needed, G_FORMAT_SIZE_IEC_UNITS);
	g_autofree char *available = g_format_size_full(report->available, G_FORMAT_SIZE_IEC_UNITS);

	printf("VM         %s (%s): %u CPU%s, %s, %u disk%s, %u NIC%s\n", name,
	       hypervisor_name(vm->hypervisor), vm->vcpus, vm->vcpus == 1 ? "" : "s", memory,
	       vm->disks->len, vm->disks->len == 1 ? "" : "s", vm->nics->len,
	       vm->nics->len == 1 ? "" : "s");
	printf("Target     %s as \"%s\", %s\n", report->target_uri, report->name,
	       report->virt_type);
	if (report->target_note != NULL)
		printf("           %s\n", report->target_note);
	if (report->dry_run)
		printf("Space      %s needed at most, %s available in %s\n", needed, available,
		       report->folder);
	if (report->guest != NULL) {
		const GuestReport *guest = report->guest;
		g_autofree char *product =
			text_for_display(guest->product, strlen(guest->product), 200);

		printf("Guest      %s, kernel %s, boots by %s\n", product,
		       guest->kernel != NULL ? guest->kernel : "unknown",
		       guest->uefi ? "UEFI" : "BIOS");
	}
	print_disks(report);
	if (report->guest != NULL)
		print_changes(report->guest, report->dry_run);
}
