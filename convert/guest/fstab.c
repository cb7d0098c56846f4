/* SPDX-License-Identifier: Apache-2.0 */
/* fstab.c: edits of fstab and crypttab that touch one field of a line and nothing else. */
#include "convert/guest/fstab.h"

#include <string.h>

enum { MAX_FIELDS = 4 };

typedef struct { /* a field of a line, as it stands in the text */
	const char *start;
	size_t length;
} Field;

void table_edit_init(TableEdit *edit)
{
	edit->done = g_ptr_array_new_with_free_func(g_free);
	edit->unknown = g_ptr_array_new_with_free_func(g_free);
}

void table_edit_clear(TableEdit *edit)
{
	g_clear_pointer(&edit->done, g_ptr_array_unref);
	g_clear_pointer(&edit->unknown, g_ptr_array_unref);
}

static void entry_free(void *pointer)
{
	FstabEntry *entry = pointer;

	g_free(entry->spec);
	g_free(entry->point);
	g_free(entry->type);
	g_free(entry->options);
	g_free(entry);
}

/* Cuts the line [line, end) in fields; comment and empty lines have none. */
static unsigned line_fields(const char *line, const char *end, Field *fields)
{
	unsigned count = 0;

	for (const char *at = line; at < end && count < MAX_FIELDS;) {
		while (at < end && g_ascii_isspace(*at))
			at++;
		if (at == end || (*at == '#' && count == 0))
			break;
		const char *start = at;

		while (at < end && !g_ascii_isspace(*at))
			at++;
		fields[count++] = (Field){start, (size_t)(at - start)};
	}
	return count;
}

/* fstab(5) writes white space inside a field as octal: \040. */
static char *field_text(const Field *field)
{
	g_autofree char *raw = g_strndup(field->start, field->length);

	return g_strcompress(raw);
}

static const char *line_end(const char *line)
{
	const char *end = strchr(line, '\n');

	return end != NULL ? end : line + strlen(line);
}

GPtrArray *fstab_parse(const char *text)
{
	GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);

	for (const char *line = text; *line != '\0';) {
		const char *end = line_end(line);
		Field fields[MAX_FIELDS];
		const unsigned count = line_fields(line, end, fields);

		if (count >= 3) {
			FstabEntry *entry = g_new0(FstabEntry, 1);

			entry->spec = field_text(&fields[0]);
			entry->point = field_text(&fields[1]);
			entry->type = field_text(&fields[2]);
			entry->options = count > 3 ? field_text(&fields[3]) : g_strdup("");
			g_ptr_array_add(entries, entry);
		}
		line = *end == '\n' ? end + 1 : end;
	}
	return entries;
}

static bool field_is(const Field *field, const char *text)
{
	return field->length == strlen(text) && memcmp(field->start, text, field->length) == 0;
}

/* Names below these stay the same, or mean something that is not a disk. */
static bool name_is_stable(const Field *spec)
{
	static const char *const stable[] = {"/dev/mapper/",
					     "/dev/disk/by-uuid/",
					     "/dev/disk/by-label/",
					     "/dev/disk/by-partuuid/",
					     "/dev/disk/by-partlabel/",
					     "/dev/md",
					     "/dev/sr",
					     "/dev/cdrom",
					     "/dev/dvd",
					     "/dev/fd",
					     "/dev/loop",
					     "/dev/ram",
					     "/dev/shm"};

	if (spec->length < 5 || memcmp(spec->start, "/dev/", 5) != 0)
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(stable); i++)
		if (spec->length >= strlen(stable[i]) &&
		    memcmp(spec->start, stable[i], strlen(stable[i])) == 0)
			return true;
	return false;
}

static bool type_fits(const BlockDevice *device, const Field *type)
{
	const char *found = device->type;

	if (found == NULL || field_is(type, found) || field_is(type, "auto"))
		return true;
	if (g_str_has_prefix(found, "ext"))
		return type->length > 3 && memcmp(type->start, "ext", 3) == 0;
	if (g_str_equal(found, "vfat"))
		return field_is(type, "msdos");
	return g_str_has_prefix(found, "ntfs") && type->length >= 4 &&
	       memcmp(type->start, "ntfs", 4) == 0;
}

/* "…-part3" below by-id or by-path: 3. 0 when the name is of a whole drive. */
static unsigned part_suffix(const Field *spec)
{
	g_autofree char *name = g_strndup(spec->start, spec->length);
	const char *suffix = g_strrstr(name, "-part");

	return suffix != NULL ? (unsigned)g_ascii_strtoull(suffix + 5, NULL, 10) : 0;
}

/* by-id and by-path name the old controller. The partition's number and type may still leave only
 * one candidate. */
static const BlockDevice *find_by_link(const GPtrArray *devices, const Field *spec,
				       const Field *type)
{
	const unsigned partition = part_suffix(spec);
	const BlockDevice *only = NULL;

	for (guint i = 0; i < devices->len; i++) {
		const BlockDevice *device = g_ptr_array_index(devices, i);

		if (device->scattered || device->partition != partition || device->type == NULL ||
		    !type_fits(device, type))
			continue;
		if (only != NULL)
			return NULL;
		only = device;
	}
	return only;
}

static bool is_link(const Field *spec)
{
	return spec->length > 10 && memcmp(spec->start, "/dev/disk/", 10) == 0;
}

static const BlockDevice *find_source(const GPtrArray *devices, const Field *spec,
				      const Field *type)
{
	const BlockDevice *found = is_link(spec)
					   ? find_by_link(devices, spec, type)
					   : block_devices_find(devices, spec->start, spec->length);

	return found != NULL && type_fits(found, type) ? found : NULL;
}

/* Only names of ours are worth a warning: /dev/vg0/home is LVM and stays. */
static bool name_will_change(const Field *spec)
{
	unsigned drive, partition;

	return is_link(spec) ||
	       block_device_name_parse(spec->start, spec->length, &drive, &partition);
}

/* Appends the line with `spec` replaced by `device`, or as it is. */
static void append_line(GString *out, const char *line, const char *next, const Field *spec,
			const char *stable)
{
	if (stable == NULL) {
		g_string_append_len(out, line, next - line);
		return;
	}
	const char *rest = spec->start + spec->length;

	g_string_append_len(out, line, spec->start - line);
	g_string_append(out, stable);
	g_string_append_len(out, rest, next - rest);
}

static void record(TableEdit *edit, const Field *spec, const Field *what, const char *stable)
{
	if (stable != NULL)
		g_ptr_array_add(edit->done, g_strdup_printf("%.*s -> %s", (int)spec->length,
							    spec->start, stable));
	else
		g_ptr_array_add(edit->unknown,
				g_strdup_printf("%.*s (%.*s)", (int)spec->length, spec->start,
						(int)what->length, what->start));
}

char *fstab_use_uuids(const char *text, const GPtrArray *devices, const BlockDevice *root,
		      TableEdit *edit)
{
	GString *out = g_string_new(NULL);

	for (const char *line = text; *line != '\0';) {
		const char *end = line_end(line), *next = *end == '\n' ? end + 1 : end;
		Field fields[MAX_FIELDS];
		const unsigned count = line_fields(line, end, fields);
		g_autofree char *stable = NULL;

		if (count >= 3 && !name_is_stable(&fields[0]) && name_will_change(&fields[0])) {
			const bool is_root = root != NULL && field_is(&fields[1], "/");
			const BlockDevice *device =
				is_root ? root : find_source(devices, &fields[0], &fields[2]);

			if (device != NULL)
				stable = block_device_stable_name(device);
			record(edit, &fields[0], &fields[1], stable);
		}
		append_line(out, line, next, &fields[0], stable);
		line = next;
	}
	return g_string_free(out, FALSE);
}

char *crypttab_use_uuids(const char *text, const GPtrArray *devices, TableEdit *edit)
{
	static const Field luks = {"crypto_LUKS", 11}, any = {"auto", 4};
	GString *out = g_string_new(NULL);

	for (const char *line = text; *line != '\0';) {
		const char *end = line_end(line), *next = *end == '\n' ? end + 1 : end;
		Field fields[MAX_FIELDS];
		const unsigned count = line_fields(line, end, fields);
		g_autofree char *stable = NULL;

		if (count >= 2 && !name_is_stable(&fields[1]) && name_will_change(&fields[1])) {
			const BlockDevice *device = find_source(devices, &fields[1],
								is_link(&fields[1]) ? &luks : &any);

			if (device != NULL)
				stable = block_device_stable_name(device);
			record(edit, &fields[1], &fields[0], stable);
		}
		append_line(out, line, next, &fields[1], stable);
		line = next;
	}
	return g_string_free(out, FALSE);
}
