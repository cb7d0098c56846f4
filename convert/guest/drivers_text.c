/* SPDX-License-Identifier: Apache-2.0 */
/* drivers_text.c: modprobe aliases, X11 drivers, systemd's [Install]. */
#include "convert/guest/drivers_text.h"

#include <string.h>

/* "alias NAME MODULE": true, with the words cut out. */
static bool parse_alias(const char *line, char **name, char **module)
{
	g_autofree char *spaced = g_strdelimit(g_strdup(line), "\t", ' ');
	g_auto(GStrv) words = g_strsplit(g_strstrip(spaced), " ", -1);
	const char *found[3] = {NULL, NULL, NULL};
	unsigned count = 0;

	for (char **word = words; *word != NULL && count < 3; word++)
		if (**word != '\0')
			found[count++] = *word;
	if (count < 3 || !g_str_equal(found[0], "alias"))
		return false;
	*name = g_strdup(found[1]);
	*module = g_strdup(found[2]);
	return true;
}

static bool is_virtual_nic(const char *module)
{
	static const char *const modules[] = {"vmxnet3",      "vmxnet",    "e1000",  "e1000e",
					      "pcnet32",      "hv_netvsc", "xennet", "xen-vnif",
					      "xen-netfront", "8139too",   "8139cp"};

	for (size_t i = 0; i < G_N_ELEMENTS(modules); i++)
		if (g_str_equal(module, modules[i]))
			return true;
	return false;
}

static bool names_interface(const char *name)
{
	return g_str_has_prefix(name, "eth") && g_ascii_isdigit(name[3]);
}

/* The new line, or NULL when it goes; `line` itself when nothing changes. Owned. */
static char *edit_alias(const char *line, bool *host_seen)
{
	g_autofree char *name = NULL;
	g_autofree char *module = NULL;

	if (!parse_alias(line, &name, &module))
		return g_strdup(line);
	if (names_interface(name) && is_virtual_nic(module))
		return g_strdup_printf("alias %s virtio_net", name);
	if (!g_str_has_prefix(name, "scsi_hostadapter") || g_str_has_prefix(module, "virtio"))
		return g_strdup(line);
	if (*host_seen)
		return NULL;
	*host_seen = true;
	return g_strdup_printf("alias %s virtio_blk", name);
}

char *modprobe_use_virtio(const char *text, GPtrArray *done)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *out = g_string_new(NULL);
	bool host_seen = false;

	for (char **line = lines; *line != NULL; line++) {
		g_autofree char *edited = edit_alias(*line, &host_seen);

		if (edited == NULL)
			g_ptr_array_add(done, g_strdup_printf("%s -> removed", *line));
		else if (!g_str_equal(edited, *line))
			g_ptr_array_add(done, g_strdup_printf("%s -> %s", *line, edited));
		if (edited == NULL)
			continue;
		g_string_append(out, edited);
		if (line[1] != NULL)
			g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}

char *xorg_use_modesetting(const char *text, GPtrArray *done)
{
	static const char *const drivers[] = {"\"vmware\"", "\"vboxvideo\"", "\"vmwlegacy\"",
					      "\"cirrus\"", "\"qxl\""};
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *out = g_string_new(NULL);

	for (char **line = lines; *line != NULL; line++) {
		const char *start = *line + strspn(*line, " \t");
		const char *found = NULL;

		for (size_t i = 0; g_ascii_strncasecmp(start, "Driver", 6) == 0 &&
				   i < G_N_ELEMENTS(drivers) && found == NULL;
		     i++) {
			found = strstr(start, drivers[i]);
			if (found == NULL)
				continue;
			g_string_append_printf(out, "%.*s\"modesetting\"%s", (int)(found - *line),
					       *line, found + strlen(drivers[i]));
			g_ptr_array_add(
				done, g_strdup_printf("Driver %s -> \"modesetting\"", drivers[i]));
		}
		if (found == NULL)
			g_string_append(out, *line);
		if (line[1] != NULL)
			g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}

static void add_folders(GPtrArray *folders, const char *line, const char *key, const char *suffix)
{
	if (!g_str_has_prefix(line, key) || line[strlen(key)] != '=')
		return;
	g_auto(GStrv) words = g_strsplit(line + strlen(key) + 1, " ", -1);

	for (char **word = words; *word != NULL; word++)
		if (**word != '\0' && strchr(*word, '/') == NULL)
			g_ptr_array_add(folders, g_strconcat(*word, suffix, NULL));
}

GPtrArray *unit_install_folders(const char *text)
{
	GPtrArray *folders = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	bool inside = false;

	for (char **line = lines; *line != NULL; line++) {
		const char *start = g_strstrip(*line);

		if (*start == '[')
			inside = g_str_equal(start, "[Install]");
		if (!inside)
			continue;
		add_folders(folders, start, "WantedBy", ".wants");
		add_folders(folders, start, "RequiredBy", ".requires");
	}
	return folders;
}
