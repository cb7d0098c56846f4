/* SPDX-License-Identifier: Apache-2.0 */
/* image_tool.c: the formats library on the command line, for the image suites; no commands of v2v
 * in between. Exit status: 0, or 10 + V2vError with the error on one line, or 2 for wrong use. */
#include "base/checked.h"
#include "convert/copy.h"
#include "formats/format.h"
#include "formats/output_file.h"

#include <stdio.h>
#include <string.h>

typedef struct { /* NAME=VALUE arguments */
	const char *format, *root, *after;
	unsigned threads;
	CreateOptions create;
} Arguments;

static bool take_argument(Arguments *out, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **text;
	} texts[] = {
		{"format", &out->format},
		{"root", &out->root},
		{"after", &out->after},
		{"compression", &out->create.compression},
		{"backing", &out->create.backing_name},
		{"backing-format", &out->create.backing_format},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		if (strcmp(name, texts[i].name) == 0) {
			*texts[i].text = value;
			return true;
		}
	const uint64_t number = g_ascii_strtoull(value, NULL, 0);
	if (strcmp(name, "threads") == 0)
		out->threads = (unsigned)number;
	else if (strcmp(name, "cluster") == 0)
		out->create.cluster_size = (uint32_t)number;
	else if (strcmp(name, "level") == 0)
		out->create.compression_level = (int)number;
	else if (strcmp(name, "size") == 0)
		out->create.size = number;
	else
		return false;
	return true;
}

static bool take_arguments(char **argv, Arguments *out)
{
	*out = (Arguments){.threads = 2};
	for (; *argv != NULL; argv++) {
		char *equals = strchr(*argv, '=');

		if (equals == NULL)
			return false;
		*equals = 0;
		if (!take_argument(out, *argv, equals + 1))
			return false;
	}
	return true;
}

static Disk *open_image(const char *path, const char *format, const Arguments *arguments,
			GError **error)
{
	const char *const roots[] = {arguments->root, NULL};
	g_autoptr(Findings) findings = findings_new();
	Disk *disk = image_open_path(path, format, roots, findings, error);

	for (guint i = 0; disk != NULL && i < findings_count(findings); i++)
		fprintf(stderr, "finding %s: %s\n", findings_get(findings, i)->id,
			findings_get(findings, i)->text);
	return disk;
}

static DiskWriter *create_image(OutputFile *file, const char *format, const CreateOptions *options,
				GError **error)
{
	const FormatDriver *driver = format_find(format);

	if (driver == NULL || driver->create == NULL)
		return fail_null(error, USAGE, "%s cannot be written", format);
	return driver->create(output_file_storage(file), options, error);
}

/* Where two disks of one size differ, in pieces of 64 KiB. */
static GArray *find_changes(Disk *before, Disk *after, GError **error)
{
	g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(Extent));
	g_autofree uint8_t *a = g_malloc(65536), *b = g_malloc(65536);

	for (uint64_t at = 0; at < after->size; at += 65536) {
		const size_t length = (size_t)min_u64(65536, after->size - at);
		const Extent extent = {.offset = at, .length = length, .state = EXTENT_DATA};

		if (!disk_read_at(before, a, length, at, error) ||
		    !disk_read_at(after, b, length, at, error))
			return NULL;
		if (memcmp(a, b, length) != 0)
			g_array_append_val(changes, extent);
	}
	return g_steal_pointer(&changes);
}

/* Copies `from`, then what `after` (may be NULL) has different, into `out`. */
static bool write_image(Disk *from, Disk *after, const char *out, const Arguments *arguments,
			GError **error)
{
	CopyOptions options = {.threads = arguments->threads};
	CreateOptions create = arguments->create;
	g_autoptr(OutputFile) file = output_file_new(out, true, error);

	if (file == NULL)
		return false;
	create.size = from->size;
	g_autoptr(DiskWriter) writer = create_image(file, arguments->format, &create, error);
	if (writer == NULL || !copy_disk(from, writer, &options, NULL, error))
		return false;
	if (after != NULL) {
		g_autoptr(GArray) changes = find_changes(from, after, error);

		options.changes = changes;
		if (changes == NULL || !copy_disk(after, writer, &options, NULL, error))
			return false;
	}
	return writer->ops->finish(writer, error) && output_file_commit(file, error);
}

/* read IMAGE OUT: the guest's bytes. */
static bool command_read(const char *image, const char *out, const Arguments *arguments,
			 GError **error)
{
	g_autoptr(Disk) disk = open_image(image, arguments->format, arguments, error);
	const Arguments raw = {.format = "raw", .threads = arguments->threads};

	return disk != NULL && write_image(disk, NULL, out, &raw, error);
}

/* write RAW OUT format=qcow2 [cluster=N] [compression=C] [level=N] [backing=NAME]: and back. */
static bool command_write(const char *image, const char *out, const Arguments *arguments,
			  GError **error)
{
	g_autoptr(Disk) disk = open_image(image, "raw", arguments, error);

	return disk != NULL && write_image(disk, NULL, out, arguments, error);
}

/* create OUT - size=N: an image that holds nothing. */
static bool command_create(const char *out, const char *ignored, const Arguments *arguments,
			   GError **error)
{
	g_autoptr(OutputFile) file = output_file_new(out, true, error);
	g_autoptr(DiskWriter) writer =
		file != NULL ? create_image(file, arguments->format, &arguments->create, error)
			     : NULL;

	(void)ignored;
	return writer != NULL && writer->ops->finish(writer, error) &&
	       output_file_commit(file, error);
}

/* delta RAW OUT after=RAW2 format=...: writes RAW, then what is other in RAW2 over it. */
static bool command_delta(const char *image, const char *out, const Arguments *arguments,
			  GError **error)
{
	g_autoptr(Disk) before = open_image(image, "raw", arguments, error);
	g_autoptr(Disk) after =
		before != NULL ? open_image(arguments->after, "raw", arguments, error) : NULL;

	return after != NULL && write_image(before, after, out, arguments, error);
}

/* overlay TOP OUT backing=NAME: what the top layer of a chain changes, as a layer of its own. */
static bool command_overlay(const char *top, const char *out, const Arguments *arguments,
			    GError **error)
{
	g_autoptr(Disk) disk = open_image(top, NULL, arguments, error);
	g_autoptr(GArray) changes = disk != NULL ? copy_layer_changes(disk, error) : NULL;
	g_autoptr(OutputFile) file = changes != NULL ? output_file_new(out, true, error) : NULL;
	const CopyOptions options = {.threads = arguments->threads, .changes = changes};
	CreateOptions create = arguments->create;

	if (file == NULL)
		return false;
	create.size = disk->size;
	g_autoptr(DiskWriter) writer = create_image(file, arguments->format, &create, error);
	return writer != NULL && copy_disk(disk, writer, &options, NULL, error) &&
	       writer->ops->finish(writer, error) && output_file_commit(file, error);
}

/* describe IMAGE -: the facts of its format. */
static bool command_describe(const char *image, const char *ignored, const Arguments *arguments,
			     GError **error)
{
	g_autoptr(Disk) disk = open_image(image, arguments->format, arguments, error);

	(void)ignored;
	if (disk == NULL)
		return false;
	printf("format %s\nsize %" PRIu64 "\n", disk->format, disk->size);
	if (disk->ops->describe == NULL)
		return true;
	g_autoptr(GVariant) facts = g_variant_ref_sink(disk->ops->describe(disk));
	for (gsize i = 0; i < g_variant_n_children(facts); i++) {
		g_autofree char *key = NULL;
		g_autoptr(GVariant) value = NULL;

		g_variant_get_child(facts, i, "{sv}", &key, &value);
		g_autofree char *text = g_variant_print(value, FALSE);
		printf("%s %s\n", key, text);
	}
	return true;
}

/* map IMAGE -: the extents of the whole chain, "OFFSET LENGTH STATE [compressed] [at OFFSET]". */
static bool command_map(const char *image, const char *ignored, const Arguments *arguments,
			GError **error)
{
	static const char *const states[] = {"data", "zero", "unallocated"};
	g_autoptr(Disk) disk = open_image(image, arguments->format, arguments, error);
	Extent extent;

	(void)ignored;
	for (uint64_t at = 0; disk != NULL && at < disk->size; at += extent.length) {
		if (!disk_extent_at(disk, at, &extent, error))
			return false;
		printf("%" PRIu64 " %" PRIu64 " %s%s", extent.offset, extent.length,
		       states[extent.state], extent.compressed ? " compressed" : "");
		if (extent.storage != NULL)
			printf(" at %" PRIu64, extent.file_offset);
		puts("");
	}
	return disk != NULL;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		bool (*run)(const char *first, const char *second, const Arguments *arguments,
			    GError **error);
	} commands[] = {
		{"read", command_read},       {"write", command_write},
		{"create", command_create},   {"delta", command_delta},
		{"overlay", command_overlay}, {"describe", command_describe},
		{"map", command_map},
	};
	g_autoptr(GError) error = NULL;
	Arguments arguments;

	if (argc < 4 || !take_arguments(argv + 4, &arguments))
		return 2;
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (commands[i].run(argv[2], argv[3], &arguments, &error))
			return 0;
		fprintf(stderr, "image_tool: %s\n", error->message);
		return 10 + error->code;
	}
	return 2;
}
