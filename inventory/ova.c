/* SPDX-License-Identifier: Apache-2.0 */
/* ova.c: OVA and OVF packages as a source of VMs. */
#include "inventory/drivers.h"
#include "inventory/ova_source.h"

#include <string.h>

static OvaSource *ova_from(Source *source)
{
	return (OvaSource *)source;
}

/* A folder may be many things: only one with an .ovf is ours. */
static bool folder_has_ovf(const char *path)
{
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL)
		if (member_name_has_suffix(name, ".ovf"))
			return true;
	return false;
}

static int ova_probe(const char *uri)
{
	const bool is_named_ova = member_name_has_suffix(uri, ".ova");

	switch (package_probe(uri)) {
	case PACKAGE_FOLDER:
		return folder_has_ovf(uri) ? 80 : 0;
	case PACKAGE_OVF:
		return 90;
	case PACKAGE_TAR:
		return is_named_ova ? 90 : 40; /* an XVA is a tar too */
	case PACKAGE_TAR_GZIP:
	case PACKAGE_TAR_XZ:
	case PACKAGE_ZIP:
		return is_named_ova ? 90 : 30;
	case PACKAGE_UNKNOWN:
		break;
	}
	return is_named_ova ? 20 : 0; /* ours to say what is wrong with it */
}

static void ova_close(Source *source)
{
	OvaSource *ova = ova_from(source);

	ovf_document_free(ova->document);
	manifest_free(ova->manifest);
	package_free(ova->package);
	g_free(ova->ovf_name);
	g_free(ova->prefix);
	g_free(ova->spool_folder);
	g_free(ova->ca_file);
	g_free(ova);
}

static char **ova_list(Source *source, GError **error)
{
	(void)error;
	return ovf_list(ova_from(source)->document);
}

static Vm *ova_describe(Source *source, const char *name, GError **error)
{
	const OvaSource *ova = ova_from(source);
	Vm *vm = ovf_describe(ova->document, name, error);

	if (vm == NULL)
		g_prefix_error(error, "%s: ", ova->ovf_name);
	return vm;
}

static bool ova_verify(Source *source, const Cancel *cancel, GError **error)
{
	OvaSource *ova = ova_from(source);

	for (guint i = 0; ova->manifest != NULL && i < manifest_count(ova->manifest); i++) {
		const ManifestEntry *entry = manifest_entry(ova->manifest, i);
		g_autoptr(Storage) file = ova_open_file(ova, entry->name, error);

		if (file == NULL || !manifest_entry_verify(entry, file, cancel, error))
			return false;
	}
	return true;
}

static Source *ova_open(const char *uri, const SourceOptions *options, GError **error)
{
	static const SourceOps ops = {
		.list = ova_list,
		.describe = ova_describe,
		.open_disk = ova_open_disk,
		.verify = ova_verify,
		.close = ova_close,
	};
	OvaSource *ova = g_new0(OvaSource, 1);

	ova->base = (Source){&ops, &ova_source_driver, NULL};
	if (options != NULL) {
		ova->spool_folder = g_strdup(options->spool_folder);
		ova->ca_file = g_strdup(options->ca_file);
		ova->cancel = options->cancel;
		ova->findings = options->findings;
	}
	ova->package = package_open(uri, options, error);
	if (ova->package != NULL && ova_load(ova, error))
		return &ova->base;
	ova_close(&ova->base);
	return NULL;
}

const SourceDriver ova_source_driver = {
	.name = "ova",
	.title = "OVA or OVF (VMware, VirtualBox, ...)",
	.probe = ova_probe,
	.open = ova_open,
};
