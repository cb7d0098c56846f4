/* SPDX-License-Identifier: Apache-2.0 */
/* command_inspect.c: v2v inspect SOURCE: the definition as v2v understands it. */
#include "inventory/source.h"
#include "inventory/vm_variant.h"
#include "v2v/commands.h"
#include "v2v/sheet.h"
#include "v2v/variant.h"

#include <stdio.h>

typedef struct {
	char *vm, *ca;
	gboolean json;
} InspectArguments;

static const CommandText text = {
	.usage = "SOURCE",
	.summary = "Shows a virtual machine's definition, its disks and what stands out.\n"
		   "SOURCE is an OVA, an OVF or a folder with one. Nothing is written.",
	.examples = "  v2v inspect vmware.ova\n"
		    "  v2v inspect --json --vm web collection.ova\n",
	.min_arguments = 1,
	.max_arguments = 1,
};

/* The disks' images, as far as they open: one that does not is a finding, and `unreadable` is the
 * first one's error, but the others are shown all the same. */
static GVariant *images_variant(Source *source, Vm *vm, GError **unreadable)
{
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
	for (guint i = 0; i < vm->disks->len; i++) {
		const VmDisk *disk = vm_disk(vm, i);
		g_autoptr(GError) error = NULL;
		g_autoptr(Disk) image = source_open_disk(source, vm, disk, &error);
		GVariantBuilder facts;

		g_variant_builder_init(&facts, G_VARIANT_TYPE_VARDICT);
		variant_add_text(&facts, "disk", disk->id);
		if (image == NULL) {
			findings_add(vm->findings, FINDING_CRITICAL, "disk.unreadable", NULL, "%s",
				     error->message);
			variant_add_text(&facts, "error", error->message);
			if (*unreadable == NULL)
				*unreadable = g_steal_pointer(&error);
		} else {
			variant_add_text(&facts, "format", image->format);
			variant_add_bytes(&facts, "virtual-size", image->size);
			if (image->ops->describe != NULL)
				g_variant_builder_add(&facts, "{sv}", "format-specific",
						      image->ops->describe(image));
		}
		g_variant_builder_add_value(&list, g_variant_builder_end(&facts));
	}
	return g_variant_builder_end(&list);
}

static void print_json(const Source *source, const Vm *vm, GVariant *images,
		       const Findings *findings)
{
	GVariantBuilder facts;

	g_variant_builder_init(&facts, G_VARIANT_TYPE_VARDICT);
	variant_add_text(&facts, "source", source->uri);
	variant_add_text(&facts, "source-type", source->driver->name);
	g_variant_builder_add(&facts, "{sv}", "vm", vm_to_variant(vm));
	g_variant_builder_add(&facts, "{sv}", "images", images);
	g_variant_builder_add(&facts, "{sv}", "source-findings", findings_to_variant(findings));
	cli_print_json(g_variant_builder_end(&facts));
}

static bool inspect_vm(const InspectArguments *arguments, Source *source, const Findings *findings,
		       GError **error)
{
	g_autoptr(Vm) vm = source_describe(source, arguments->vm, error);
	GError *unreadable = NULL;

	if (vm == NULL)
		return false;
	g_autoptr(GVariant) images = g_variant_ref_sink(images_variant(source, vm, &unreadable));
	if (arguments->json)
		print_json(source, vm, images, findings);
	else
		sheet_print(vm, images, findings);
	if (unreadable != NULL)
		return g_propagate_error(error, unreadable), false;
	if (findings_block(findings) || findings_block(vm->findings))
		return fail(error, REFUSED, "%s: cannot be migrated: see the critical findings",
			    vm->name);
	return true;
}

static bool inspect(const InspectArguments *arguments, const char *uri, GError **error)
{
	g_autoptr(Findings) findings = findings_new();
	const SourceOptions options = {
		.ca_file = arguments->ca,
		.cancel = cli_catch_signals(),
		.findings = findings,
	};
	g_autoptr(Source) source = source_open(uri, &options, error);

	return source != NULL && inspect_vm(arguments, source, findings, error);
}

ExitStatus command_inspect(int argc, char **argv)
{
	InspectArguments arguments = {0};
	const GOptionEntry entries[] = {
		{"vm", 0, 0, G_OPTION_ARG_STRING, &arguments.vm,
		 "Which VM, if the source has several", "NAME"},
		{"ca", 0, 0, G_OPTION_ARG_FILENAME, &arguments.ca,
		 "Certificates that a signed OVA is checked against (PEM)", "FILE"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &arguments.json, "Print JSON", NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_auto(GStrv) arguments_left = NULL;
	ExitStatus status;

	if (cli_parse(argc, argv, &text, entries, &arguments_left, &status)) {
		GError *error = NULL;

		inspect(&arguments, arguments_left[0], &error);
		status = cli_finish(error);
	}
	g_free(arguments.vm);
	g_free(arguments.ca);
	return status;
}
