/* SPDX-License-Identifier: Apache-2.0 */
/* steps_drivers.c: settings of the guest that name drivers. */
#include "convert/guest/drivers_text.h"
#include "convert/guest/initramfs_build.h"
#include "convert/guest/step.h"

#include <string.h>

typedef char *(*TextEdit)(const char *text, GPtrArray *done);

static void edit_one(Guest *guest, const char *path, TextEdit change, const char *why)
{
	g_autofree char *before = edits_try_read(guest->edits, path, SETTING_MAX);
	g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);

	if (before == NULL)
		return;
	g_autofree char *after = change(before, done);

	step_set_text(guest, path, before, after);
	step_list_done(guest, path, why, done);
}

static void edit_all(Guest *guest, const char *folder, TextEdit change, const char *why)
{
	g_autoptr(GPtrArray) files = edits_list(guest->edits, folder, "*.conf");

	for (guint i = 0; i < files->len; i++)
		edit_one(guest, g_ptr_array_index(files, i), change, why);
}

static bool apply_modprobe(Guest *guest, GError **error)
{
	static const char why[] = "the device behind the alias is a virtio device now";

	(void)error;
	edit_one(guest, "/etc/modprobe.conf", modprobe_use_virtio, why);
	edit_one(guest, "/etc/modules.conf", modprobe_use_virtio, why);
	edit_all(guest, "/etc/modprobe.d", modprobe_use_virtio, why);
	return true;
}

const GuestStep step_modprobe = {.name = "modprobe aliases", .apply = apply_modprobe};

static bool apply_x11(Guest *guest, GError **error)
{
	static const char why[] = "the graphics card of the source is gone";

	(void)error;
	edit_one(guest, "/etc/X11/xorg.conf", xorg_use_modesetting, why);
	edit_one(guest, "/etc/X11/XF86Config", xorg_use_modesetting, why);
	edit_all(guest, "/etc/X11/xorg.conf.d", xorg_use_modesetting, why);
	return true;
}

const GuestStep step_x11 = {.name = "X11", .apply = apply_x11};

static bool has_dracut(Guest *guest)
{
	return edits_is_file(guest->edits, "/usr/bin/dracut") ||
	       edits_is_file(guest->edits, "/sbin/dracut") ||
	       edits_is_file(guest->edits, "/usr/sbin/dracut");
}

static void force_in_dracut(Guest *guest)
{
	static const char path[] = "/etc/dracut.conf.d/v2v-virtio.conf";
	g_autofree char *drivers = initramfs_driver_list(guest->modules);
	g_autofree char *text = g_strdup_printf("# The disks and network cards of the machine.\n"
						"add_drivers+=\" %s \"\n",
						drivers);

	if (*drivers == '\0')
		return;
	edits_set(guest->edits, path, text);
	guest_change(guest, path, "a later dracut run must not leave them out", "add_drivers: %s",
		     drivers);
}

/* Only what is missing is added, one name per line. */
static void force_in_initramfs_tools(Guest *guest)
{
	static const char path[] = "/etc/initramfs-tools/modules";
	g_autofree char *before = edits_try_read(guest->edits, path, SETTING_MAX);
	g_autofree char *drivers = initramfs_driver_list(guest->modules);
	g_auto(GStrv) names = g_strsplit(drivers, " ", -1);
	g_autoptr(GString) after = g_string_new(before);
	g_autoptr(GString) added = g_string_new(NULL);

	if (before == NULL)
		return;
	g_auto(GStrv) lines = g_strsplit(before, "\n", -1);

	for (char **line = lines; *line != NULL; line++)
		g_strstrip(*line);
	if (after->len > 0 && after->str[after->len - 1] != '\n')
		g_string_append_c(after, '\n');
	for (char **name = names; *name != NULL; name++) {
		if (**name == '\0' || g_strv_contains((const char *const *)lines, *name))
			continue;
		g_string_append_printf(after, "%s\n", *name);
		g_string_append_printf(added, "%s%s", added->len > 0 ? " " : "", *name);
	}
	if (added->len == 0)
		return;
	edits_set(guest->edits, path, after->str);
	guest_change(guest, path, "a later update-initramfs run must not leave them out",
		     "added: %s", added->str);
}

static bool apply_force_drivers(Guest *guest, GError **error)
{
	(void)error;
	if (has_dracut(guest))
		force_in_dracut(guest);
	force_in_initramfs_tools(guest);
	return true;
}

const GuestStep step_force_drivers = {.name = "initramfs settings", .apply = apply_force_drivers};
