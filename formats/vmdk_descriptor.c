/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_descriptor.c: lines of text into a list of extents. */
#include "formats/vmdk_descriptor.h"

#include "base/checked.h"
#include "formats/vmdk_text.h"

#include <string.h>

#define EXTENT_FIELDS_MAX 7u /* access, size, type, name, offset, partition, device */

typedef struct {
	const char *text;
	Span rest;     /* lines not parsed yet */
	size_t offset; /* of the current line, in the text */
	unsigned line; /* from 1 */
	bool has_cid, has_parent_cid, has_version, has_ddb;
	VmdkDescriptor *out; /* owned */
} Parser;

#define LINE         "offset 0x%zx, line %u: "
#define LINE_OF(par) (par)->offset, (par)->line

/* What a kind of disk is called, and what its owner can do about it. */
typedef struct {
	const char *name, *advice;
} Refusal;

#define SNAPSHOT_ADVICE                                                                            \
	"a snapshot of ESXi is not read yet; consolidate the snapshots at the source, or export "  \
	"the machine as OVF"
#define MAPPED_ADVICE                                                                              \
	"the data is on the mapped device, not in a file; convert the device itself, or change "   \
	"the mapping into a virtual disk at the source"
#define DEVICE_ADVICE                                                                              \
	"the data is on a physical disk of the source host; convert that device itself"

static const char *const read_types[] = {
	"monolithicSparse",
	"streamOptimized",
	"monolithicFlat",
	"twoGbMaxExtentSparse",
	"twoGbMaxExtentFlat",
	"2GbMaxExtentSparse",
	"2GbMaxExtentFlat",
	"custom",
	"vmfs",
	"vmfsThin",
	"vmfsPreallocated",
	"vmfsEagerZeroedThick",
};

static const Refusal refused_types[] = {
	{"vmfsSparse", SNAPSHOT_ADVICE},     {"seSparse", SNAPSHOT_ADVICE},
	{"vsanSparse", SNAPSHOT_ADVICE},     {"vmfsRaw", MAPPED_ADVICE},
	{"vmfsRDM", MAPPED_ADVICE},          {"vmfsRDMP", MAPPED_ADVICE},
	{"vmfsRawDeviceMap", MAPPED_ADVICE}, {"vmfsPassthroughRawDeviceMap", MAPPED_ADVICE},
	{"fullDevice", DEVICE_ADVICE},       {"partitionedDevice", DEVICE_ADVICE},
};

static const Refusal refused_extents[] = {
	{"VMFSSPARSE", SNAPSHOT_ADVICE}, {"SESPARSE", SNAPSHOT_ADVICE},
	{"VSANSPARSE", SNAPSHOT_ADVICE}, {"VMFSRAW", MAPPED_ADVICE},
	{"VMFSRDM", MAPPED_ADVICE},
};

static bool refuse_value(const Parser *parser, const char *field, Span value, const char *reason,
			 GError **error)
{
	g_autofree char *shown = span_show(value);

	return fail(error, CORRUPT, LINE "%s=\"%s\": %s", LINE_OF(parser), field, shown, reason);
}

static bool refuse_kind(const Parser *parser, const char *field, Span value, const Refusal *refusal,
			GError **error)
{
	g_autofree char *shown = span_show(value);

	return fail(error, UNSUPPORTED, LINE "%s=\"%s\": %s", LINE_OF(parser), field, shown,
		    refusal != NULL ? refusal->advice : "not a kind that is known");
}

static const Refusal *find_refusal(Span name, const Refusal *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_is(name, list[i].name))
			return &list[i];
	return NULL;
}

static bool parse_extent_type(const Parser *parser, Span word, VmdkExtentType *out, GError **error)
{
	if (span_is(word, "FLAT") || span_is(word, "VMFS"))
		*out = VMDK_EXTENT_FLAT;
	else if (span_is(word, "SPARSE"))
		*out = VMDK_EXTENT_SPARSE;
	else if (span_is(word, "ZERO"))
		*out = VMDK_EXTENT_ZERO;
	else
		return refuse_kind(
			parser, "extent type", word,
			find_refusal(word, refused_extents, G_N_ELEMENTS(refused_extents)), error);
	return true;
}

static bool parse_extent_size(Parser *parser, Span word, uint64_t *out, GError **error)
{
	uint64_t sectors, total;

	if (!span_parse_decimal(word, &sectors) || sectors == 0)
		return refuse_value(parser, "extent size", word, "not a number of sectors above 0",
				    error);
	if (sectors > INT64_MAX / SECTOR_SIZE ||
	    !checked_add(parser->out->size, sectors * SECTOR_SIZE, &total) || total > INT64_MAX)
		return refuse_value(parser, "extent size", word,
				    "the disk would be larger than 2^63-1 bytes", error);
	*out = sectors * SECTOR_SIZE;
	parser->out->size = total;
	return true;
}

/* "name" [offset [partition [device]]]: the offset is for plain files only. */
static bool parse_extent_file(Parser *parser, Span rest, VmdkExtentLine *out, GError **error)
{
	Span field;
	uint64_t offset_sectors = 0;

	if (!span_take_field(&rest, &field))
		return refuse_value(parser, "extent name", field, "no closing quote on this line",
				    error);
	if (span_length(field) == 0 || span_length(field) > VMDK_EXTENT_NAME_MAX)
		return refuse_value(parser, "extent name", field, "not 1 to 510 bytes", error);
	out->name = g_strndup(field.at, span_length(field));
	rest = span_strip(rest);
	if (rest.at == rest.end)
		return true;
	if (!span_take_field(&rest, &field) || !span_parse_decimal(field, &offset_sectors) ||
	    offset_sectors > INT64_MAX / SECTOR_SIZE)
		return refuse_value(parser, "extent offset", field, "not from 0 to 2^54-1 sectors",
				    error);
	if (out->type == VMDK_EXTENT_SPARSE && offset_sectors != 0)
		return refuse_value(parser, "extent offset", field, "a sparse extent has no offset",
				    error);
	out->file_offset = offset_sectors * SECTOR_SIZE;
	for (unsigned fields = 5; span_strip(rest).at < rest.end; fields++)
		if (!span_take_field(&rest, &field) || fields == EXTENT_FIELDS_MAX)
			return refuse_value(parser, "extent", field, "more than 7 fields", error);
	return true;
}

static void extent_line_free(void *pointer)
{
	VmdkExtentLine *extent = pointer;

	g_free(extent->name);
	g_free(extent);
}

static bool parse_extent(Parser *parser, Span access, Span rest, GError **error)
{
	GPtrArray *extents = parser->out->extents;
	Span size, type;

	if (extents->len == VMDK_EXTENTS_MAX)
		return fail(error, CORRUPT, LINE "extents=%u: the limit is %u", LINE_OF(parser),
			    extents->len + 1, VMDK_EXTENTS_MAX);
	VmdkExtentLine *extent = g_new0(VmdkExtentLine, 1);
	g_ptr_array_add(extents, extent);
	extent->line = parser->line;
	/* Nobody quotes these two: a quote without an end makes them wrong all the same. */
	(void)span_take_field(&rest, &size);
	(void)span_take_field(&rest, &type);
	if (!parse_extent_size(parser, size, &extent->size, error) ||
	    !parse_extent_type(parser, type, &extent->type, error))
		return false;
	if (extent->type == VMDK_EXTENT_ZERO) {
		rest = span_strip(rest);
		return rest.at == rest.end ||
		       refuse_value(parser, "extent", rest, "follows ZERO, which has no file",
				    error);
	}
	if (span_is(access, "NOACCESS"))
		return refuse_kind(parser, "extent access", access,
				   &(Refusal){"NOACCESS", "the source may not read this part of "
							  "its disk either"},
				   error);
	return parse_extent_file(parser, rest, extent, error);
}

/* Kinds of disk that have any number of extents. */
static bool is_split_type(const char *create_type)
{
	return g_ascii_strncasecmp(create_type, "two", 3) == 0 ||
	       g_ascii_strncasecmp(create_type, "2Gb", 3) == 0 ||
	       g_ascii_strcasecmp(create_type, "custom") == 0;
}

static bool parse_create_type(Parser *parser, Span value, GError **error)
{
	if (parser->out->create_type != NULL)
		return refuse_value(parser, "createType", value, "there is one already", error);
	parser->out->create_type = g_strndup(value.at, span_length(value));
	for (size_t i = 0; i < G_N_ELEMENTS(read_types); i++)
		if (span_is(value, read_types[i]))
			return true;
	return refuse_kind(parser, "createType", value,
			   find_refusal(value, refused_types, G_N_ELEMENTS(refused_types)), error);
}

static bool parse_cid(Parser *parser, const char *key, Span value, GError **error)
{
	const bool parent = strcmp(key, "parentCID") == 0;
	bool *seen = parent ? &parser->has_parent_cid : &parser->has_cid;

	if (*seen)
		return refuse_value(parser, key, value, "there is one already", error);
	*seen = true;
	if (!span_parse_hex32(value, parent ? &parser->out->parent_cid : &parser->out->cid))
		return refuse_value(parser, key, value, "not 1 to 8 hexadecimal digits", error);
	return true;
}

static bool parse_version(Parser *parser, Span value, GError **error)
{
	if (parser->has_version)
		return refuse_value(parser, "version", value, "there is one already", error);
	parser->has_version = true;
	if (span_length(value) != 1 || *value.at < '1' || *value.at > '4')
		return refuse_kind(parser, "version", value,
				   &(Refusal){"version", "only 1 to 4 are known"}, error);
	return true;
}

static bool parse_text(Parser *parser, const char *key, Span value, char **out, GError **error)
{
	if (*out != NULL)
		return refuse_value(parser, key, value, "there is one already", error);
	*out = g_strndup(value.at, span_length(value));
	return true;
}

/* What we do not know we do not need: ddb.*, changeTrackPath, isNativeSnapshot. */
static bool parse_assignment(Parser *parser, Span key, Span rest, GError **error)
{
	VmdkDescriptor *out = parser->out;
	Span value;

	if (span_length(key) > 4 && span_is((Span){key.at, key.at + 4}, "ddb."))
		parser->has_ddb = true;
	if (span_is(key, "ddb.adapterType") && out->adapter_type == NULL &&
	    span_take_field(&rest, &value))
		return parse_text(parser, "adapterType", value, &out->adapter_type, error);
	const bool known = span_is(key, "createType") || span_is(key, "CID") ||
			   span_is(key, "parentCID") || span_is(key, "version") ||
			   span_is(key, "encoding") || span_is(key, "parentFileNameHint");
	if (!known)
		return true;
	rest = span_strip(rest);
	if (!span_take_field(&rest, &value) || span_length(span_strip(rest)) > 0) {
		g_autofree char *shown_key = span_show(key);
		return refuse_value(parser, shown_key, rest, "not one value", error);
	}
	if (span_is(key, "createType"))
		return parse_create_type(parser, value, error);
	if (span_is(key, "CID"))
		return parse_cid(parser, "CID", value, error);
	if (span_is(key, "parentCID"))
		return parse_cid(parser, "parentCID", value, error);
	if (span_is(key, "version"))
		return parse_version(parser, value, error);
	if (span_is(key, "encoding"))
		return parse_text(parser, "encoding", value, &out->encoding, error);
	return parse_text(parser, "parentFileNameHint", value, &out->parent_name, error);
}

static bool parse_line(Parser *parser, Span line, GError **error)
{
	line = span_strip(line);
	if (line.at == line.end || *line.at == '#')
		return true;
	Span rest = line, word;
	const bool has_word = span_take_field(&rest, &word);
	if (has_word &&
	    (span_is(word, "RW") || span_is(word, "RDONLY") || span_is(word, "NOACCESS")))
		return parse_extent(parser, word, rest, error);
	const char *equals = memchr(line.at, '=', span_length(line));
	if (equals == NULL)
		return refuse_value(parser, "line", line, "neither KEY=VALUE nor an extent", error);
	return parse_assignment(parser, span_strip((Span){line.at, equals}),
				(Span){equals + 1, line.end}, error);
}

static bool parse_lines(Parser *parser, GError **error)
{
	while (parser->rest.at < parser->rest.end) {
		const char *start = parser->rest.at;
		const char *newline = memchr(start, '\n', span_length(parser->rest));
		const char *end = newline != NULL ? newline : parser->rest.end;

		parser->line++;
		parser->offset = (size_t)(start - parser->text);
		if (!parse_line(parser, (Span){start, end}, error))
			return false;
		parser->rest.at = newline != NULL ? newline + 1 : end;
	}
	return true;
}

/* Every writer puts the disk database (ddb.*) behind the extents. Where it is missing, extents may
 * be missing too, unless there can be only one. */
static bool check_end(const Parser *parser, GError **error)
{
	const VmdkDescriptor *descriptor = parser->out;
	const VmdkExtentLine *first = vmdk_descriptor_extent(descriptor, 0);
	const bool only_one = descriptor->extents->len == 1 && first->file_offset == 0 &&
			      !is_split_type(descriptor->create_type);

	if (parser->has_ddb || only_one)
		return true;
	return fail(error, CORRUPT,
		    LINE "the descriptor ends after extent %u, without a disk database (ddb.*): it "
			 "was probably cut",
		    LINE_OF(parser), descriptor->extents->len);
}

static bool check_whole(const Parser *parser, GError **error)
{
	VmdkDescriptor *descriptor = parser->out;

	if (descriptor->create_type == NULL)
		return fail(error, CORRUPT, "descriptor: createType is missing");
	if (descriptor->extents->len == 0)
		return fail(error, CORRUPT, "descriptor: no extent: there is nothing to read");
	if (descriptor->parent_cid == VMDK_NO_PARENT)
		g_clear_pointer(&descriptor->parent_name, g_free); /* left over: not asked for */
	else if (descriptor->parent_name == NULL || descriptor->parent_name[0] == '\0')
		return fail(error, CORRUPT,
			    "descriptor: parentCID=%08" PRIx32
			    ": parentFileNameHint, which names the parent, is missing",
			    descriptor->parent_cid);
	return check_end(parser, error);
}

VmdkDescriptor *vmdk_descriptor_parse(const char *text, size_t length, GError **error)
{
	/* Behind a zero byte stands what is left of a longer text: qemu writes over it in place. */
	const size_t text_length = strnlen(text, length);
	g_autoptr(VmdkDescriptor) descriptor = g_new0(VmdkDescriptor, 1);
	Parser parser = {.text = text, .rest = {text, text + text_length}, .out = descriptor};

	descriptor->parent_cid = VMDK_NO_PARENT;
	descriptor->extents = g_ptr_array_new_with_free_func(extent_line_free);
	if (!parse_lines(&parser, error) || !check_whole(&parser, error))
		return NULL;
	return g_steal_pointer(&descriptor);
}

void vmdk_descriptor_free(VmdkDescriptor *descriptor)
{
	if (descriptor == NULL)
		return;
	g_free(descriptor->create_type);
	g_free(descriptor->parent_name);
	g_free(descriptor->encoding);
	g_free(descriptor->adapter_type);
	g_ptr_array_unref(descriptor->extents);
	g_free(descriptor);
}

int vmdk_descriptor_probe(const char *text, size_t length)
{
	static const char title[] = "# Disk DescriptorFile";
	g_autofree char *head = g_strndup(text, length); /* up to a zero byte */

	if (g_ascii_strncasecmp(head, title, strlen(title)) == 0)
		return 100;
	if (head[0] != '#' && g_ascii_strncasecmp(head, "version", 7) != 0)
		return 0;
	return strstr(head, "\nCID=") != NULL && strstr(head, "createType") != NULL ? 80 : 0;
}
