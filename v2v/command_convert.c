/* SPDX-License-Identifier: Apache-2.0 */
/* command_convert.c: v2v convert IN OUT. */
#include "formats/output_file.h"
#include "v2v/commands.h"
#include "v2v/copy_arguments.h"
#include "v2v/image_target.h"

#include <string.h>
#include <sys/stat.h>

typedef struct { /* as typed */
	CopyArguments copy;
	char *from_format, *to_format, *digests;
	char **allow_roots;
	gboolean verify, json;
	const char *in, *out; /* borrowed */
} ConvertArguments;

static const CommandText text = {
	.usage = "IN OUT",
	.summary = "Converts a disk image to another format. The target appears complete or not at "
		   "all;\nthe source is only read.",
	.examples = "  v2v convert disk.vmdk disk.qcow2\n"
		    "  v2v convert -O qcow2 --compress zstd disk.vmdk small.qcow2\n"
		    "  v2v convert --from-format raw /dev/vg/lv disk.qcow2\n"
		    "  v2v convert --digests disk.digests --verify a.vmdk b.raw\n",
	.min_arguments = 2,
	.max_arguments = 2,
};

static const FormatDriver *target_format(const ConvertArguments *arguments, GError **error)
{
	const FormatDriver *format = arguments->to_format != NULL
					     ? format_find(arguments->to_format)
					     : format_find_by_suffix(arguments->out);

	if (format == NULL && arguments->to_format != NULL)
		return fail_null(error, USAGE, "--to-format: unknown image format \"%s\"",
				 arguments->to_format);
	if (format == NULL)
		return fail_null(error, USAGE,
				 "%s: no format known by this suffix; say --to-format",
				 arguments->out);
	return format;
}

/* Neither --force nor another name for it lets a target take the place of what is read. */
static bool check_not_source(Disk *from, const char *path, GError **error)
{
	struct stat file;

	if (path == NULL || stat(path, &file) != 0 || !disk_is_stored_in(from, &file))
		return true;
	return fail(error, REFUSED, "%s: the source is read from this file", path);
}

static GVariant *path_variant(const char *path)
{
	return g_variant_new_take_string(g_filename_display_name(path));
}

static GVariant *result_variant(const ConvertArguments *arguments, const Disk *from,
				const DiskWriter *to, const CopyCounts *counts,
				const DigestMap *digests)
{
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&builder, "{sv}", "source", path_variant(arguments->in));
	g_variant_builder_add(&builder, "{sv}", "source-format",
			      g_variant_new_string(from->format));
	g_variant_builder_add(&builder, "{sv}", "target", path_variant(arguments->out));
	g_variant_builder_add(&builder, "{sv}", "target-format", g_variant_new_string(to->format));
	g_variant_builder_add(&builder, "{sv}", "virtual-size", g_variant_new_uint64(to->size));
	g_variant_builder_add(&builder, "{sv}", "data-bytes",
			      g_variant_new_uint64(counts->data_bytes));
	g_variant_builder_add(&builder, "{sv}", "zero-bytes",
			      g_variant_new_uint64(counts->zero_bytes));
	if (digests != NULL) {
		g_autofree char *root = digest_map_root_text(digests);

		g_variant_builder_add(&builder, "{sv}", "digest-root", g_variant_new_string(root));
	}
	return g_variant_builder_end(&builder);
}

/* The digests first: should the image not be committed, they go too. */
static bool commit(OutputFile *digests_file, const DigestMap *digests, ImageTarget *target,
		   GError **error)
{
	if (digests_file == NULL)
		return image_target_commit(target, error);
	g_autofree char *lines = digest_map_format(digests);
	if (!storage_write_at(output_file_storage(digests_file), lines, strlen(lines), 0, error) ||
	    !output_file_commit(digests_file, error))
		return false;
	const bool ok = image_target_commit(target, error);
	if (!ok)
		output_file_take_back(digests_file);
	return ok;
}

static bool copy_and_finish(Disk *from, ImageTarget *target, bool verify, CopyOptions *options,
			    CopyCounts *counts, GError **error)
{
	progress_begin(options->progress, "copy", from->size);
	bool ok = copy_disk(from, image_target_writer(target), options, counts, error);
	progress_end(options->progress);
	if (!ok)
		return false;
	progress_begin(options->progress, "finish", verify ? image_target_writer(target)->size : 0);
	ok = image_target_finish(target, verify ? options->digests : NULL, options, error);
	progress_end(options->progress);
	return ok;
}

static bool convert_opened(const ConvertArguments *arguments, Disk *from, ImageTarget *target,
			   CopyOptions *options, GError **error)
{
	const bool keep_digests =
		arguments->digests != NULL || arguments->verify || arguments->json;
	g_autoptr(DigestMap) digests = keep_digests ? digest_map_new(from->size) : NULL;
	g_autoptr(OutputFile) digests_file = NULL;
	CopyCounts counts = {0};

	/* Opened now: what refuses it should do so before the copy. */
	if (arguments->digests != NULL) {
		digests_file = output_file_new(arguments->digests, arguments->copy.force, error);
		if (digests_file == NULL)
			return false;
	}
	g_autoptr(ProgressDisplay) display =
		progress_display_new(copy_arguments_progress(&arguments->copy));
	options->digests = digests;
	options->progress = progress_display_lane(display);
	if (!copy_and_finish(from, target, arguments->verify, options, &counts, error) ||
	    !cancel_check(options->cancel, error) || !commit(digests_file, digests, target, error))
		return false;
	if (arguments->json)
		cli_print_json(result_variant(arguments, from, image_target_writer(target), &counts,
					      digests));
	return true;
}

static bool convert(ConvertArguments *arguments, Findings *findings, GError **error)
{
	CreateOptions create = {0};
	CopyOptions options = {.cancel = cli_catch_signals()};
	const FormatDriver *format = target_format(arguments, error);

	if (format == NULL || !copy_arguments_resolve(&arguments->copy, &create, &options.threads,
						      &options.rate_limit, error))
		return false;
	g_autoptr(Disk) from =
		image_open_path(arguments->in, arguments->from_format,
				(const char *const *)arguments->allow_roots, findings, error);
	if (from == NULL || !check_not_source(from, arguments->out, error) ||
	    !check_not_source(from, arguments->digests, error))
		return false;
	create.size = from->size;
	g_autoptr(ImageTarget) target =
		image_target_new(arguments->out, format, &create, arguments->copy.force, error);
	return target != NULL && convert_opened(arguments, from, target, &options, error);
}

static void arguments_clear(ConvertArguments *arguments)
{
	copy_arguments_clear(&arguments->copy);
	g_free(arguments->from_format);
	g_free(arguments->to_format);
	g_free(arguments->digests);
	g_strfreev(arguments->allow_roots);
}

ExitStatus command_convert(int argc, char **argv)
{
	ConvertArguments arguments = {0};
	const GOptionEntry own[] = {
		{"from-format", 'f', 0, G_OPTION_ARG_STRING, &arguments.from_format,
		 "Format of IN (default: probed; raw is never guessed)", "FORMAT"},
		{"to-format", 'O', 0, G_OPTION_ARG_STRING, &arguments.to_format,
		 "Format of OUT (default: by its suffix)", "FORMAT"},
		{"allow-root", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments.allow_roots,
		 "Folder that backing images and extents may lie in, beside IN's own", "FOLDER"},
		{"digests", 0, 0, G_OPTION_ARG_FILENAME, &arguments.digests,
		 "Write the digest map (SHA-256 per MiB of guest bytes) to FILE", "FILE"},
		{"verify", 0, 0, G_OPTION_ARG_NONE, &arguments.verify,
		 "Read the target back and compare every MiB", NULL},
		{"json", 0, 0, G_OPTION_ARG_NONE, &arguments.json, "Print the result as JSON",
		 NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autofree GOptionEntry *entries = copy_arguments_entries(&arguments.copy, own);
	g_auto(GStrv) files = NULL;
	ExitStatus status;

	if (cli_parse(argc, argv, &text, entries, &files, &status)) {
		g_autoptr(Findings) findings = findings_new();
		GError *error = NULL;

		arguments.in = files[0];
		arguments.out = files[1];
		convert(&arguments, findings, &error);
		cli_print_findings(findings, FINDING_WARNING);
		status = cli_finish(error);
	}
	arguments_clear(&arguments);
	return status;
}
