/* SPDX-License-Identifier: Apache-2.0 */
/* bootloader_entries.c: the menus of GRUB, GRUB legacy, extlinux and the Boot Loader Specification.
 */
#include "convert/guest/bootloader.h"

#include <string.h>

enum { MAX_DEPTH = 8, MAX_ENTRIES = 1000 };

void boot_entry_free(void *pointer)
{
	BootEntry *entry = pointer;

	if (entry == NULL)
		return;
	g_free(entry->title);
	g_free(entry->id);
	g_free(entry->kernel);
	g_free(entry->initrd);
	g_free(entry->arguments);
	g_free(entry->position);
	g_free(entry);
}

/* Cuts a word off `*at`, quotes taken off; NULL at the end of the line. Owned. */
static char *take_word(const char **at)
{
	GString *word = g_string_new(NULL);
	const char *c = *at;
	char quote = '\0';
	bool any = false;

	while (*c == ' ' || *c == '\t')
		c++;
	for (; *c != '\0' && (quote != '\0' || !g_ascii_isspace(*c)); c++) {
		any = true;
		if (quote == '\0' && (*c == '\'' || *c == '"'))
			quote = *c;
		else if (*c == quote)
			quote = '\0';
		else
			g_string_append_c(word, *c);
	}
	*at = c;
	return g_string_free(word, !any);
}

static char *rest_of(const char *at)
{
	return g_strstrip(g_strdup(at));
}

/* GRUB names of devices before a path, "(hd0,msdos1)/boot/…", mean the file system at hand. */
static char *strip_device(char *path)
{
	const char *close = path != NULL && path[0] == '(' ? strchr(path, ')') : NULL;
	char *stripped = close != NULL ? g_strdup(close + 1) : g_strdup(path);

	g_free(path);
	return stripped;
}

static void set_kernel(BootEntry *entry, const char *at)
{
	char *word = take_word(&at);

	g_free(entry->kernel);
	g_free(entry->arguments);
	entry->kernel = strip_device(word);
	entry->arguments = rest_of(at);
}

static void set_initrd(BootEntry *entry, const char *at)
{
	for (char *word = take_word(&at); word != NULL; word = take_word(&at)) {
		if (word[0] == '$') { /* "$tuned_initrd" is empty but for some */
			g_free(word);
			continue;
		}
		g_free(entry->initrd);
		entry->initrd = strip_device(word);
	}
}

typedef struct { /* where the reader of a grub.cfg stands */
	GPtrArray *entries;
	unsigned count[MAX_DEPTH]; /* entries seen so far on each level */
	unsigned depth;            /* of open submenus */
	BootEntry *open;           /* borrowed; the entry whose body is read */
} GrubReader;

static char *grub_position(const GrubReader *reader)
{
	GString *position = g_string_new(NULL);

	for (unsigned level = 0; level <= reader->depth; level++)
		g_string_append_printf(position, "%s%u", level > 0 ? ">" : "",
				       reader->count[level] - 1);
	return g_string_free(position, FALSE);
}

static char *grub_id(const char *at)
{
	g_autofree char *word = NULL;

	for (word = take_word(&at); word != NULL; word = take_word(&at)) {
		const bool is_id =
			g_str_equal(word, "--id") || g_str_equal(word, "$menuentry_id_option");

		g_free(word);
		if (is_id) {
			word = NULL;
			return take_word(&at);
		}
	}
	return NULL;
}

static void grub_open_entry(GrubReader *reader, const char *at)
{
	BootEntry *entry = g_new0(BootEntry, 1);

	reader->count[reader->depth]++;
	entry->title = take_word(&at);
	entry->id = grub_id(at);
	entry->position = grub_position(reader);
	g_ptr_array_add(reader->entries, entry);
	reader->open = entry;
}

static void grub_line(GrubReader *reader, const char *line)
{
	const char *at = line;
	g_autofree char *word = take_word(&at);

	if (word == NULL || reader->entries->len >= MAX_ENTRIES)
		return;
	if (g_str_equal(word, "submenu") && reader->open == NULL && reader->depth < MAX_DEPTH - 1) {
		reader->count[reader->depth]++;
		reader->count[++reader->depth] = 0;
	} else if (g_str_equal(word, "menuentry")) {
		grub_open_entry(reader, at);
	} else if (g_str_equal(word, "}")) {
		if (reader->open != NULL)
			reader->open = NULL;
		else if (reader->depth > 0)
			reader->depth--;
	} else if (reader->open != NULL && g_str_has_prefix(word, "linux")) {
		set_kernel(reader->open, at);
	} else if (reader->open != NULL && g_str_has_prefix(word, "initrd")) {
		set_initrd(reader->open, at);
	} else if (reader->open != NULL && g_str_has_prefix(word, "module") &&
		   strstr(at, "vmlinu") != NULL && reader->open->kernel == NULL) {
		set_kernel(reader->open, at);
	}
}

/* Every line that ends in "{" outside an entry and is no submenu (if, function) has its own "}";
 * these stand at the beginning of a line and would close nothing: depth is 0 there. */
GPtrArray *boot_entries_from_grub(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GrubReader reader = {.entries = g_ptr_array_new_with_free_func(boot_entry_free)};

	for (char **line = lines; *line != NULL; line++)
		grub_line(&reader, *line);
	return reader.entries;
}

static BootEntry *entry_begin(GPtrArray *entries, char *title)
{
	BootEntry *entry = g_new0(BootEntry, 1);

	entry->title = title;
	entry->position = g_strdup_printf("%u", entries->len);
	g_ptr_array_add(entries, entry);
	return entry;
}

GPtrArray *boot_entries_from_legacy(const char *text)
{
	GPtrArray *entries = g_ptr_array_new_with_free_func(boot_entry_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	BootEntry *entry = NULL;

	for (char **line = lines; *line != NULL && entries->len < MAX_ENTRIES; line++) {
		const char *at = *line;
		g_autofree char *word = take_word(&at);

		if (word == NULL || word[0] == '#')
			continue;
		if (g_str_equal(word, "title"))
			entry = entry_begin(entries, rest_of(at));
		else if (entry != NULL && g_str_equal(word, "kernel"))
			set_kernel(entry, at);
		else if (entry != NULL && g_str_equal(word, "module") && strstr(at, "vmlinu"))
			set_kernel(entry, at);
		else if (entry != NULL && g_str_equal(word, "initrd"))
			set_initrd(entry, at);
	}
	return entries;
}

/* "initrd=/initrd.img" among the arguments is how syslinux of old says it. */
static void initrd_from_arguments(BootEntry *entry)
{
	const char *found = entry->arguments != NULL ? strstr(entry->arguments, "initrd=") : NULL;
	g_auto(GStrv) files = NULL;

	if (found == NULL || entry->initrd != NULL)
		return;
	g_autofree char *list = g_strndup(found + 7, strcspn(found + 7, " \t"));

	files = g_strsplit(list, ",", -1);
	if (files[0] != NULL)
		entry->initrd = g_strdup(files[g_strv_length(files) - 1]);
}

GPtrArray *boot_entries_from_extlinux(const char *text)
{
	GPtrArray *entries = g_ptr_array_new_with_free_func(boot_entry_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	BootEntry *entry = NULL;

	for (char **line = lines; *line != NULL && entries->len < MAX_ENTRIES; line++) {
		const char *at = *line;
		g_autofree char *word = take_word(&at);

		if (word == NULL || word[0] == '#')
			continue;
		if (g_ascii_strcasecmp(word, "label") == 0) {
			entry = entry_begin(entries, rest_of(at));
			entry->id = g_strdup(entry->title);
		} else if (entry == NULL) {
			continue;
		} else if (g_ascii_strcasecmp(word, "kernel") == 0 ||
			   g_ascii_strcasecmp(word, "linux") == 0) {
			g_free(entry->kernel);
			entry->kernel = rest_of(at);
		} else if (g_ascii_strcasecmp(word, "initrd") == 0) {
			set_initrd(entry, at);
		} else if (g_ascii_strcasecmp(word, "append") == 0) {
			g_free(entry->arguments);
			entry->arguments = rest_of(at);
			initrd_from_arguments(entry);
		}
	}
	return entries;
}

BootEntry *boot_entry_from_bls(const char *text, const char *id)
{
	BootEntry *entry = g_new0(BootEntry, 1);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	entry->id = g_strdup(id);
	for (char **line = lines; *line != NULL; line++) {
		const char *at = *line;
		g_autofree char *word = take_word(&at);

		if (word == NULL)
			continue;
		if (g_str_equal(word, "title") && entry->title == NULL)
			entry->title = rest_of(at);
		else if (g_str_equal(word, "linux") && entry->kernel == NULL)
			entry->kernel = take_word(&at);
		else if (g_str_equal(word, "initrd"))
			set_initrd(entry, at);
		else if (g_str_equal(word, "options") && entry->arguments == NULL)
			entry->arguments = rest_of(at);
	}
	return entry;
}

char *boot_variable(const char *text, const char *name)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	const size_t length = strlen(name);
	char *value = NULL;

	for (char **line = lines; *line != NULL; line++) {
		const char *start = g_strchug(*line);

		if (strncmp(start, name, length) != 0 || start[length] != '=')
			continue;
		g_free(value);
		value = g_strstrip(g_strdup(start + length + 1));
		const size_t end = strlen(value);

		if (end >= 2 && (value[0] == '"' || value[0] == '\'') &&
		    value[end - 1] == value[0]) {
			memmove(value, value + 1, end - 2);
			value[end - 2] = '\0';
		}
	}
	return value;
}

/* grub.cfg sets its default in branches; the last that names no variable but saved_entry counts. */
static char *grub_default(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	char *found = NULL;

	for (char **line = lines; *line != NULL; line++) {
		const char *start = g_strchug(*line);

		if (!g_str_has_prefix(start, "set default="))
			continue;
		g_autofree char *value = boot_variable(start + 4, "default");
		const bool saved = value != NULL && strstr(value, "saved_entry") != NULL;

		if (value == NULL || (strchr(value, '$') != NULL && !saved))
			continue;
		g_free(found);
		found = g_strdup(saved ? "saved" : value);
	}
	return found;
}

static char *keyword_value(const char *text, const char *keyword)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		const char *at = *line;
		g_autofree char *word = take_word(&at);

		if (word == NULL || g_ascii_strncasecmp(word, keyword, strlen(keyword)) != 0)
			continue;
		if (word[strlen(keyword)] == '=') /* GRUB legacy of Red Hat: default=0 */
			return g_strdup(word + strlen(keyword) + 1);
		if (word[strlen(keyword)] == '\0')
			return rest_of(at);
	}
	return NULL;
}

char *boot_default_of(BootTextKind kind, const char *text)
{
	return kind == BOOT_TEXT_GRUB ? grub_default(text) : keyword_value(text, "default");
}

static bool entry_is_named(const BootEntry *entry, const char *wanted)
{
	return g_strcmp0(entry->position, wanted) == 0 || g_strcmp0(entry->id, wanted) == 0 ||
	       g_strcmp0(entry->title, wanted) == 0;
}

const BootEntry *boot_entry_choose(const GPtrArray *entries, const char *wanted)
{
	const char *leaf = wanted != NULL && strrchr(wanted, '>') ? strrchr(wanted, '>') + 1 : NULL;
	const BootEntry *first = NULL;

	for (guint i = 0; i < entries->len; i++) {
		const BootEntry *entry = g_ptr_array_index(entries, i);

		if (entry->kernel == NULL)
			continue;
		if (wanted != NULL && entry_is_named(entry, wanted))
			return entry;
		/* "Advanced options>Debian, with Linux 6.1": titles and ids of a path */
		if (leaf != NULL &&
		    (g_strcmp0(entry->id, leaf) == 0 || g_strcmp0(entry->title, leaf) == 0))
			return entry;
		if (first == NULL)
			first = entry;
	}
	return first;
}

int version_compare(const char *a, const char *b)
{
	while (*a != '\0' || *b != '\0') {
		while (*a != '\0' && !g_ascii_isalnum(*a))
			a++;
		while (*b != '\0' && !g_ascii_isalnum(*b))
			b++;
		const bool digits = g_ascii_isdigit(*a);

		if (*a == '\0' || *b == '\0')
			return (*a != '\0') - (*b != '\0');
		if (digits != (bool)g_ascii_isdigit(*b))
			return digits ? 1 : -1; /* a number is newer than a word */
		const char *a_start = a, *b_start = b;

		while (g_ascii_isalnum(*a) && (bool)g_ascii_isdigit(*a) == digits)
			a++;
		while (g_ascii_isalnum(*b) && (bool)g_ascii_isdigit(*b) == digits)
			b++;
		while (digits && a_start < a && *a_start == '0')
			a_start++;
		while (digits && b_start < b && *b_start == '0')
			b_start++;
		const size_t a_length = (size_t)(a - a_start), b_length = (size_t)(b - b_start);

		if (digits && a_length != b_length)
			return a_length > b_length ? 1 : -1;
		const int order = strncmp(a_start, b_start, MIN(a_length, b_length));

		if (order != 0)
			return order > 0 ? 1 : -1;
		if (a_length != b_length)
			return a_length > b_length ? 1 : -1;
	}
	return 0;
}

char *kernel_version_of_path(const char *path)
{
	static const char *const prefixes[] = {"vmlinuz-", "vmlinux-", "kernel-", "Image-",
					       "bzImage-"};
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(name, prefixes[i]) && name[strlen(prefixes[i])] != '\0')
			return g_strdup(name + strlen(prefixes[i]));
	return NULL;
}
