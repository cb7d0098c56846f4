/* SPDX-License-Identifier: Apache-2.0 */
/* source-dump.c: a source as the tests see it: its VM as JSON, every disk read and hashed, the
 * manifest verified beside. Exit status 0, or 10 + V2vError with one line on stderr, or 1. */
#include "base/checked.h"
#include "inventory/source.h"
#include "inventory/vm_variant.h"

#include <json-glib/json-glib.h>
#include <stdio.h>

#define READ_LENGTH ((size_t)MIB)

typedef struct {
	char *ca_file, *vm_name, *spool_folder;
	gboolean disks, list;
} DumpOptions;

static bool hash_disk(Disk *disk, GVariantBuilder *out, GError **error)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree uint8_t *buf = g_malloc(READ_LENGTH);

	for (uint64_t offset = 0; offset < disk->size;) {
		const size_t length = (size_t)min_u64(READ_LENGTH, disk->size - offset);

		if (!disk_read_at(disk, buf, length, offset, error))
			return false;
		g_checksum_update(checksum, buf, (gssize)length);
		offset += length;
	}
	g_variant_builder_add(out, "s", g_checksum_get_string(checksum));
	return true;
}

static gpointer verify_thread(gpointer source)
{
	GError *error = NULL;

	source_verify(source, NULL, &error);
	return error;
}

static bool read_disks(Source *source, const Vm *vm, GVariantBuilder *out, GError **error)
{
	for (guint i = 0; i < vm->disks->len; i++) {
		g_autoptr(Disk) disk = source_open_disk(source, vm, vm_disk(vm, i), error);

		if (disk == NULL || !hash_disk(disk, out, error))
			return false;
	}
	return true;
}

/* As a migration does it: the manifest on a thread of its own while the disks are read. */
static bool read_and_verify(Source *source, const Vm *vm, GVariantBuilder *out, GError **error)
{
	GThread *thread = g_thread_new("verify", verify_thread, source);
	const bool ok = read_disks(source, vm, out, error);
	GError *mismatch = g_thread_join(thread);

	if (mismatch == NULL)
		return ok;
	if (ok)
		g_propagate_error(error, mismatch);
	else
		g_error_free(mismatch);
	return false;
}

static bool dump_vm(const DumpOptions *options, Source *source, Findings *findings, GError **error)
{
	g_autoptr(Vm) vm = source_describe(source, options->vm_name, error);
	GVariantBuilder result, hashes;

	if (vm == NULL)
		return false;
	g_variant_builder_init(&result, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_init(&hashes, G_VARIANT_TYPE_STRING_ARRAY);
	const bool ok = !options->disks || read_and_verify(source, vm, &hashes, error);
	g_variant_builder_add(&result, "{sv}", "vm", vm_to_variant(vm));
	g_variant_builder_add(&result, "{sv}", "findings", findings_to_variant(findings));
	g_variant_builder_add(&result, "{sv}", "disks", g_variant_builder_end(&hashes));
	g_autoptr(GVariant) variant = g_variant_ref_sink(g_variant_builder_end(&result));
	if (!ok)
		return false;
	g_autoptr(JsonNode) node = json_gvariant_serialize(variant);
	g_autofree char *text = json_to_string(node, TRUE);
	puts(text);
	return true;
}

static bool dump(const DumpOptions *options, const char *uri, GError **error)
{
	g_autoptr(Findings) findings = findings_new();
	const SourceOptions source_options = {.ca_file = options->ca_file,
					      .spool_folder = options->spool_folder,
					      .findings = findings};
	g_autoptr(Source) source = source_open(uri, &source_options, error);

	if (source == NULL)
		return false;
	if (!options->list)
		return dump_vm(options, source, findings, error);
	g_auto(GStrv) names = source_list(source, error);
	for (char **name = names; name != NULL && *name != NULL; name++)
		puts(*name);
	return names != NULL;
}

int main(int argc, char **argv)
{
	DumpOptions options = {0};
	const GOptionEntry entries[] = {
		{"ca", 0, 0, G_OPTION_ARG_FILENAME, &options.ca_file, "Trusted signers", "FILE"},
		{"vm", 0, 0, G_OPTION_ARG_FILENAME, &options.vm_name, "Which VM", "NAME"},
		{"spool", 0, 0, G_OPTION_ARG_FILENAME, &options.spool_folder, "Where to unpack",
		 "FOLDER"},
		{"disks", 0, 0, G_OPTION_ARG_NONE, &options.disks, "Read all disks", NULL},
		{"list", 0, 0, G_OPTION_ARG_NONE, &options.list, "Names alone", NULL},
		G_OPTION_ENTRY_NULL};
	g_autoptr(GOptionContext) context = g_option_context_new("SOURCE");
	g_autoptr(GError) error = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	const bool ok = g_option_context_parse(context, &argc, &argv, &error) && argc == 2 &&
			dump(&options, argv[1], &error);
	int status = ok ? 0 : 1;
	if (error != NULL && error->domain == V2V_ERROR)
		status = 10 + error->code;
	if (!ok)
		fprintf(stderr, "source-dump: %s\n",
			error != NULL ? error->message : "one SOURCE is needed");
	g_free(options.ca_file);
	g_free(options.vm_name);
	g_free(options.spool_folder);
	return status;
}
