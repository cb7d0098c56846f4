/* SPDX-License-Identifier: Apache-2.0 */
/* command_info.c: v2v info IMAGE: format, sizes, chain, what is peculiar. */
#include "base/checked.h"
#include "formats/format.h"
#include "v2v/commands.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
	char *format;
	char **allow_roots;
	gboolean json, chain;
} InfoArguments;

static const CommandText text = {
	.usage = "IMAGE",
	.summary =
		"Tells what a disk image is. Opens it as convert would, so what convert refuses is "
		"refused here.\nThe JSON has the keys of qemu-img info.",
	.examples = "  v2v info disk.vmdk\n"
		    "  v2v info --chain --json overlay.qcow2\n",
	.min_arguments = 1,
	.max_arguments = 1,
};

static GVariant *layer_variant(Disk *disk, const char *path, uint64_t actual_size)
{
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&builder, "{sv}", "filename",
			      g_variant_new_take_string(g_filename_display_name(path)));
	g_variant_builder_add(&builder, "{sv}", "format", g_variant_new_string(disk->format));
	g_variant_builder_add(&builder, "{sv}", "virtual-size", g_variant_new_uint64(disk->size));
	if (actual_size > 0)
		g_variant_builder_add(&builder, "{sv}", "actual-size",
				      g_variant_new_uint64(actual_size));
	g_variant_builder_add(&builder, "{sv}", "cluster-size",
			      g_variant_new_uint32(disk->cluster_size));
	if (disk->backing_name != NULL) {
		g_autofree char *shown =
			text_for_display(disk->backing_name, strlen(disk->backing_name), 1024);

		g_variant_builder_add(&builder, "{sv}", "backing-filename",
				      g_variant_new_string(shown));
	}
	if (disk->ops->describe != NULL)
		g_variant_builder_add(&builder, "{sv}", "format-specific",
				      disk->ops->describe(disk));
	return g_variant_builder_end(&builder);
}

static void print_value(const char *key, GVariant *value, int indent)
{
	g_autofree char *label = g_strdup(key);

	g_strdelimit(label, "-", ' ');
	printf("%*s%s: ", indent, "", label);
	if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
		gsize length;
		const char *string = g_variant_get_string(value, &length);
		g_autofree char *shown = text_for_display(string, length, 4096);

		puts(shown);
	} else if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64)) {
		g_autofree char *size = cli_format_size(g_variant_get_uint64(value));

		puts(size);
	} else if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT)) {
		GVariantIter iter;
		const char *inner_key;
		GVariant *inner;

		putchar('\n');
		g_variant_iter_init(&iter, value);
		while (g_variant_iter_next(&iter, "{&sv}", &inner_key, &inner)) {
			print_value(inner_key, inner, indent + 4);
			g_variant_unref(inner);
		}
	} else {
		g_autofree char *printed = g_variant_print(value, FALSE);

		puts(printed);
	}
}

static void print_layer(GVariant *layer)
{
	GVariantIter iter;
	const char *key;
	GVariant *value;

	g_variant_iter_init(&iter, layer);
	while (g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
		print_value(key, value, 0);
		g_variant_unref(value);
	}
}

static uint64_t allocated_bytes(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? (uint64_t)status.st_blocks * SECTOR_SIZE : 0;
}

static void print_chain(const InfoArguments *arguments, Disk *disk, const char *path)
{
	GVariantBuilder layers;

	g_variant_builder_init(&layers, G_VARIANT_TYPE("av"));
	for (Disk *layer = disk; layer != NULL; layer = layer->backing) {
		g_autoptr(GVariant) facts = g_variant_ref_sink(
			layer_variant(layer, layer == disk ? path : layer->name,
				      allocated_bytes(layer == disk ? path : layer->name)));

		if (!arguments->json && layer != disk)
			putchar('\n');
		if (!arguments->json)
			print_layer(facts);
		else if (!arguments->chain)
			cli_print_json(facts);
		g_variant_builder_add(&layers, "v", facts);
		if (!arguments->chain)
			break;
	}
	g_autoptr(GVariant) list = g_variant_ref_sink(g_variant_builder_end(&layers));
	if (arguments->json && arguments->chain)
		cli_print_json(list);
}

ExitStatus command_info(int argc, char **argv)
{
	InfoArguments arguments = {0};
	const GOptionEntry entries[] = {
		{"from-format", 'f', 0, G_OPTION_ARG_STRING, &arguments.format,
		 "Format of IMAGE (default: probed; raw is never guessed)", "FORMAT"},
		{"allow-root", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments.allow_roots,
		 "Folder that backing images and extents may lie in, beside IMAGE's own", "FOLDER"},
		{"chain", 0, 0, G_OPTION_ARG_NONE, &arguments.chain, "Every layer down to the base",
		 NULL},
		{"json", 0, 0, G_OPTION_ARG_NONE, &arguments.json, "Print JSON", NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_auto(GStrv) files = NULL;
	ExitStatus status;

	if (cli_parse(argc, argv, &text, entries, &files, &status)) {
		g_autoptr(Findings) findings = findings_new();
		GError *error = NULL;
		g_autoptr(Disk) disk = image_open_path(files[0], arguments.format,
						       (const char *const *)arguments.allow_roots,
						       findings, &error);

		cli_print_findings(findings, FINDING_WARNING);
		if (disk != NULL)
			print_chain(&arguments, disk, files[0]);
		status = cli_finish(error);
	}
	g_free(arguments.format);
	g_strfreev(arguments.allow_roots);
	return status;
}
