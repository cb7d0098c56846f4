/* SPDX-License-Identifier: Apache-2.0 */
/* ova_package.c: from the files of a package to its document: .ovf, .mf and .cert. */
#include "inventory/ova_source.h"
#include "inventory/ovf_finding.h"
#include "inventory/signature.h"
#include "inventory/xml_strict.h"

#include <string.h>

Storage *ova_open_file(OvaSource *ova, const char *name, GError **error)
{
	g_autofree char *member = g_strconcat(ova->prefix, name, NULL);

	return package_open_member(ova->package, member, error);
}

/* The only member with that suffix; "stem.suffix" is preferred to others when `stem` is given.
 * False with an error when it is not clear which; true and NULL when there is none. */
static bool find_only(const OvaSource *ova, const char *suffix, const char *stem, char **out,
		      GError **error)
{
	const MemberList *members = package_members(ova->package);
	g_autofree char *preferred = stem != NULL ? g_strconcat(stem, suffix, NULL) : NULL;
	const char *first = NULL, *second = NULL;

	*out = NULL;
	for (guint i = 0; i < member_list_count(members); i++) {
		const char *name = member_list_get(members, i)->name;

		if (!member_name_has_suffix(name, suffix) || member_name_is_apple_double(name))
			continue;
		if (preferred != NULL && strcmp(name, preferred) == 0) {
			first = name;
			second = NULL;
			break;
		}
		if (first == NULL)
			first = name;
		else
			second = name;
	}
	if (second != NULL)
		return fail(error, CORRUPT, "several %s files: \"%s\" and \"%s\"", suffix, first,
			    second);
	*out = g_strdup(first);
	return true;
}

static bool find_ovf(OvaSource *ova, GError **error)
{
	ova->ovf_name = g_strdup(package_ovf_name(ova->package));
	if (ova->ovf_name == NULL && !find_only(ova, ".ovf", NULL, &ova->ovf_name, error))
		return false;
	if (ova->ovf_name == NULL)
		return fail(error, CORRUPT, "there is no .ovf file in it");
	const char *slash = strrchr(ova->ovf_name, '/');
	ova->prefix =
		g_strndup(ova->ovf_name, slash != NULL ? (gsize)(slash + 1 - ova->ovf_name) : 0);
	return true;
}

/* The .ovf as the manifest names it: beside itself. */
static const char *own_name(const OvaSource *ova)
{
	return ova->ovf_name + strlen(ova->prefix);
}

/* Small files are compared before anything is made of them. */
static bool check_now(OvaSource *ova, const char *name, GError **error)
{
	for (guint i = 0; i < manifest_count(ova->manifest); i++) {
		const ManifestEntry *entry = manifest_entry(ova->manifest, i);
		g_autoptr(Storage) file = NULL;

		if (strcmp(entry->name, name) != 0)
			continue;
		file = ova_open_file(ova, name, error);
		if (file == NULL || !manifest_entry_verify(entry, file, ova->cancel, error))
			return false;
	}
	return true;
}

/* Everything that the manifest lists is there. */
static bool check_entries(OvaSource *ova, const char *manifest_name, GError **error)
{
	for (guint i = 0; i < manifest_count(ova->manifest); i++) {
		const char *name = manifest_entry(ova->manifest, i)->name;
		g_autoptr(Storage) file = ova_open_file(ova, name, error);

		if (file == NULL)
			return fail_in(error, "%s lists \"%s\": ", manifest_name, name);
	}
	return true;
}

static bool load_signature(const OvaSource *ova, const char *stem, const char *manifest_name,
			   const char *manifest, size_t length, GError **error)
{
	g_autofree char *cert_name = NULL;
	size_t cert_length = 0;

	if (!find_only(ova, ".cert", stem, &cert_name, error))
		return false;
	if (cert_name == NULL && ova->ca_file != NULL)
		return fail(error, REFUSED, "--ca was given, but the package is not signed");
	if (cert_name == NULL) {
		ovf_finding_add(ova->findings, FINDING_NOTE, "ovf.not-signed",
				"the package is not signed");
		return true;
	}
	if (manifest_name == NULL)
		return fail(error, CORRUPT, "%s signs a manifest that is not there", cert_name);
	g_autofree char *cert = package_read_member(ova->package, cert_name, SIGNATURE_MAX_BYTES,
						    &cert_length, error);
	g_autofree char *signed_name = g_path_get_basename(manifest_name);
	const SignatureInput input = {cert,   cert_length, manifest,
				      length, signed_name, ova->ca_file};
	if (cert == NULL || !signature_verify(&input, ova->findings, error))
		return fail_in(error, "%s: ", cert_name);
	return true;
}

static bool load_manifest(OvaSource *ova, GError **error)
{
	g_autofree char *stem = g_strndup(ova->ovf_name, strlen(ova->ovf_name) - strlen(".ovf"));
	g_autofree char *name = NULL;
	g_autofree char *bytes = NULL;
	size_t length = 0;

	if (!find_only(ova, ".mf", stem, &name, error))
		return false;
	if (name == NULL) {
		ovf_finding_add(ova->findings, FINDING_NOTE, "ovf.no-manifest",
				"the package has no manifest: nothing vouches for its files");
		return load_signature(ova, stem, NULL, NULL, 0, error);
	}
	bytes = package_read_member(ova->package, name, MANIFEST_MAX_BYTES, &length, error);
	if (bytes == NULL || !load_signature(ova, stem, name, bytes, length, error))
		return false;
	ova->manifest = manifest_parse(bytes, length, error);
	if (ova->manifest == NULL)
		return fail_in(error, "%s: ", name);
	return check_entries(ova, name, error) && check_now(ova, own_name(ova), error);
}

static void report_not_listed(const OvaSource *ova, const char *name)
{
	ovf_finding_add(ova->findings, FINDING_WARNING, "ovf.not-in-manifest",
			"the manifest does not list \"%s\": its contents are not verified", name);
}

/* Chunks are listed one by one; the first stands for them. */
static void compare_manifest(const OvaSource *ova)
{
	if (!manifest_lists(ova->manifest, own_name(ova)))
		report_not_listed(ova, ova->ovf_name);
	for (guint i = 0; i < ovf_file_count(ova->document); i++) {
		const OvfFile *file = ovf_file(ova->document, i);
		g_autofree char *chunk = g_strdup_printf("%s.000000000", file->href);

		if (!manifest_lists(ova->manifest, file->href) &&
		    !manifest_lists(ova->manifest, chunk))
			report_not_listed(ova, file->href);
	}
}

bool ova_load(OvaSource *ova, GError **error)
{
	size_t length = 0;

	if (!find_ovf(ova, error) || !load_manifest(ova, error))
		return false;
	g_autofree char *bytes =
		package_read_member(ova->package, ova->ovf_name, XML_MAX_BYTES, &length, error);
	if (bytes != NULL)
		ova->document = ovf_parse(bytes, length, error);
	if (ova->document == NULL)
		return fail_in(error, "%s: ", ova->ovf_name);
	if (ova->manifest != NULL)
		compare_manifest(ova);
	return true;
}
