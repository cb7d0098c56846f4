/* SPDX-License-Identifier: Apache-2.0 */
/* bootloader_edit.c: edits of the kernel's arguments wherever a bootloader keeps them. */
#include "convert/guest/bootloader.h"

#include <string.h>

enum { GRUBENV_SIZE = 1024 };

/* The first word of a line, and where it ends. */
static const char *first_word(const char *line, const char *end, size_t *length)
{
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	const char *start = line;

	while (line < end && !g_ascii_isspace(*line))
		line++;
	*length = (size_t)(line - start);
	return start;
}

static bool word_is_one_of(const char *word, size_t length, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strlen(*names) == length && g_ascii_strncasecmp(word, *names, length) == 0)
			return true;
	return false;
}

static bool is_kernel_line(BootTextKind kind, const char *line, const char *end)
{
	static const char *const grub[] = {"linux",   "linux16",   "linuxefi",   "module",
					   "module2", "multiboot", "multiboot2", NULL};
	static const char *const legacy[] = {"kernel", "module", NULL};
	static const char *const extlinux[] = {"append", NULL};
	static const char *const bls[] = {"options", NULL};
	size_t length;
	const char *word = first_word(line, end, &length);

	switch (kind) {
	case BOOT_TEXT_GRUB:
		return word_is_one_of(word, length, grub);
	case BOOT_TEXT_LEGACY: /* Debian's update-grub of old keeps its settings in comments */
		return word_is_one_of(word, length, legacy) || g_str_has_prefix(line, "# kopt=");
	case BOOT_TEXT_EXTLINUX:
		return word_is_one_of(word, length, extlinux);
	case BOOT_TEXT_BLS:
		return word_is_one_of(word, length, bls);
	case BOOT_TEXT_DEFAULTS:
		return g_str_has_prefix(word, "GRUB_CMDLINE_LINUX") ||
		       g_str_has_prefix(word, "GRUB_CMDLINE_XEN_REPLACE");
	case BOOT_TEXT_GRUBENV:
		return g_str_has_prefix(line, "kernelopts=");
	case BOOT_TEXT_CMDLINE:
		return length > 0 && *word != '#';
	}
	g_assert_not_reached();
}

static bool text_has_word(const char *text, const char *prefix)
{
	for (const char *at = strstr(text, prefix); at != NULL; at = strstr(at + 1, prefix))
		if (at == text || g_ascii_isspace(at[-1]) || strchr("\"'=", at[-1]) != NULL)
			return true;
	return false;
}

static bool wants_console(BootTextKind kind, const char *line)
{
	if (text_has_word(line, "console="))
		return false;
	switch (kind) {
	case BOOT_TEXT_DEFAULTS:
		return g_str_has_prefix(line, "GRUB_CMDLINE_LINUX=");
	case BOOT_TEXT_GRUBENV:
	case BOOT_TEXT_CMDLINE:
		return true;
	case BOOT_TEXT_BLS: /* its arguments are in grubenv, and the console goes there */
		return strstr(line, "$kernelopts") == NULL;
	case BOOT_TEXT_GRUB:
	case BOOT_TEXT_LEGACY:
	case BOOT_TEXT_EXTLINUX:
		return text_has_word(line, "root="); /* not memtest, not a hypervisor */
	}
	g_assert_not_reached();
}

/* Before a closing quote when there is one, else at the end. */
static void append_console(GString *line, const char *console)
{
	size_t at = line->len;
	char quote = '\0';

	while (at > 0 && g_ascii_isspace(line->str[at - 1]))
		at--;
	if (at > 0 && strchr("\"'", line->str[at - 1]) != NULL && strchr(line->str, '=') != NULL)
		quote = line->str[--at];
	const char before = at > 0 ? line->str[at - 1] : ' ';
	const bool needs_space =
		before != ' ' && before != '=' && (quote == '\0' || before != quote);
	const bool unquoted_value = quote == '\0' && before == '=';
	g_autofree char *added = g_strconcat(needs_space ? " " : "", unquoted_value ? "\"" : "",
					     console, unquoted_value ? "\"" : "", NULL);

	g_string_insert(line, (gssize)at, added);
}

static void add_new(GPtrArray *list, GPtrArray *from)
{
	for (guint i = 0; list != NULL && i < from->len; i++)
		if (!g_ptr_array_find_with_equal_func(list, g_ptr_array_index(from, i), g_str_equal,
						      NULL))
			g_ptr_array_add(list, g_strdup(g_ptr_array_index(from, i)));
}

static bool defaults_name_a_console(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line != NULL; line++)
		if (g_str_has_prefix(*line, "GRUB_CMDLINE_LINUX") &&
		    text_has_word(*line, "console="))
			return true;
	return false;
}

static void edit_line(BootTextKind kind, const char *line, bool consoles, BootEdit *edit,
		      GString *out)
{
	g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) unknown = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *replaced = block_devices_replace(edit->devices, line, done, unknown);
	g_autoptr(GString) edited = g_string_new(replaced);

	if (edit->from_xen)
		edit->renamed += g_string_replace(edited, "console=hvc0", "console=ttyS0", 0) +
				 g_string_replace(edited, "console=xvc0", "console=ttyS0", 0);

	if (consoles && edit->console != NULL && wants_console(kind, edited->str)) {
		append_console(edited, edit->console);
		edit->consoles++;
	}
	add_new(edit->done, done);
	add_new(edit->unknown, unknown);
	g_string_append_len(out, edited->str, (gssize)edited->len);
}

/* A grubenv block is filled up with '#' to its fixed size: GRUB itself writes it in place. */
static char *refit_grubenv(GString *text)
{
	g_autoptr(GString) block = text;

	while (block->len > 0 && block->str[block->len - 1] == '#')
		g_string_truncate(block, block->len - 1);
	if (block->len > GRUBENV_SIZE)
		return NULL;
	while (block->len < GRUBENV_SIZE)
		g_string_append_c(block, '#');
	return g_strdup(block->str);
}

char *boot_text_edit(BootTextKind kind, const char *text, BootEdit *edit)
{
	const bool consoles = kind != BOOT_TEXT_DEFAULTS || !defaults_name_a_console(text);
	GString *out = g_string_new(NULL);

	edit->consoles = edit->renamed = 0;
	for (const char *line = text; *line != '\0';) {
		const char *newline = strchr(line, '\n');
		const char *end = newline != NULL ? newline : line + strlen(line);

		if (is_kernel_line(kind, line, end)) {
			g_autofree char *copy = g_strndup(line, (gsize)(end - line));

			edit_line(kind, copy, consoles, edit, out);
		} else {
			g_string_append_len(out, line, end - line);
		}
		if (newline != NULL)
			g_string_append_c(out, '\n');
		line = newline != NULL ? newline + 1 : end;
	}
	if (kind == BOOT_TEXT_GRUBENV)
		return refit_grubenv(out);
	return g_string_free(out, FALSE);
}
