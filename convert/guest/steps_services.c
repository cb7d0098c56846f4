/* SPDX-License-Identifier: Apache-2.0 */
/* steps_services.c: the guest agent is on, and SELinux knows the new files. */
#include "convert/guest/drivers_text.h"
#include "convert/guest/step.h"

#include <stdlib.h>
#include <string.h>

#define AGENT_UNIT "qemu-guest-agent.service"

enum { RELABEL_SECONDS = 600 };

static char *agent_unit_path(Guest *guest)
{
	static const char *const folders[] = {"/usr/lib/systemd/system/", "/lib/systemd/system/"};

	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *path = g_strconcat(folders[i], AGENT_UNIT, NULL);

		if (edits_is_file(guest->edits, path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

/* Debian and Fedora start the agent when udev sees its virtio port; no link is needed then. */
static bool starts_by_udev(Guest *guest)
{
	static const char *const folders[] = {"/usr/lib/udev/rules.d", "/lib/udev/rules.d",
					      "/etc/udev/rules.d"};

	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autoptr(GPtrArray) files =
			edits_list(guest->edits, folders[i], "*qemu-guest-agent*.rules");

		for (guint j = 0; j < files->len; j++) {
			g_autofree char *text = edits_try_read(
				guest->edits, g_ptr_array_index(files, j), SETTING_MAX);

			if (text != NULL && strstr(text, "SYSTEMD_WANTS") != NULL)
				return true;
		}
	}
	return false;
}

static void unmask(Guest *guest)
{
	static const char mask[] = "/etc/systemd/system/" AGENT_UNIT;
	guestfs_h *g = appliance_for(guest->appliance, APPLIANCE_QUICK);
	char *target = guestfs_is_symlink(g, mask) == 1 ? guestfs_readlink(g, mask) : NULL;

	if (target != NULL && g_str_equal(target, "/dev/null")) {
		edits_remove(guest->edits, mask);
		guest_change(guest, mask, "the host talks to the guest through the agent",
			     "unmasked");
	}
	free(target);
}

static void enable_unit(Guest *guest, const char *unit_path)
{
	g_autofree char *text = edits_try_read(guest->edits, unit_path, SETTING_MAX);
	g_autoptr(GPtrArray) folders = unit_install_folders(text != NULL ? text : "");

	for (guint i = 0; i < folders->len; i++) {
		g_autofree char *link =
			g_strdup_printf("/etc/systemd/system/%s/" AGENT_UNIT,
					(const char *)g_ptr_array_index(folders, i));

		if (edits_exists(guest->edits, link))
			continue;
		edits_link(guest->edits, link, unit_path);
		guest_change(guest, link, "the host talks to the guest through the agent",
			     "enabled");
	}
}

static bool enable_sysv(Guest *guest)
{
	static const char *const names[] = {"qemu-guest-agent", "qemu-ga"};
	static const char *const levels[] = {"/etc/rc2.d", "/etc/rc3.d", "/etc/rc5.d"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *script = g_strconcat("/etc/init.d/", names[i], NULL);
		g_autofree char *target = g_strconcat("../init.d/", names[i], NULL);

		if (!edits_is_file(guest->edits, script))
			continue;
		for (size_t j = 0; j < G_N_ELEMENTS(levels); j++) {
			g_autofree char *pattern = g_strconcat("S??", names[i], NULL);
			g_autofree char *link = g_strconcat(levels[j], "/S99", names[i], NULL);
			g_autoptr(GPtrArray) there = edits_list(guest->edits, levels[j], pattern);

			if (there->len > 0 || !edits_is_folder(guest->edits, levels[j]))
				continue;
			edits_link(guest->edits, link, target);
			guest_change(guest, link, "the host talks to the guest through the agent",
				     "enabled");
		}
		return true;
	}
	return false;
}

static bool apply_agent(Guest *guest, GError **error)
{
	g_autofree char *unit = agent_unit_path(guest);

	(void)error;
	if (unit == NULL) {
		guest->report->agent = enable_sysv(guest);
		return true;
	}
	guest->report->agent = true;
	unmask(guest);
	if (!starts_by_udev(guest))
		enable_unit(guest, unit);
	return true;
}

const GuestStep step_agent = {.name = "guest agent", .apply = apply_agent};

static char *selinux_contexts(Guest *guest)
{
	g_autofree char *config = edits_try_read(guest->edits, "/etc/selinux/config", SETTING_MAX);
	g_autofree char *mode = config != NULL ? boot_variable(config, "SELINUX") : NULL;
	g_autofree char *type = config != NULL ? boot_variable(config, "SELINUXTYPE") : NULL;

	if (mode == NULL || type == NULL || g_str_equal(mode, "disabled") ||
	    strchr(type, '/') != NULL)
		return NULL;
	char *path = g_strconcat("/etc/selinux/", type, "/contexts/files/file_contexts", NULL);

	if (!edits_is_file(guest->edits, path))
		g_clear_pointer(&path, g_free);
	return path;
}

static bool uses_selinux(Guest *guest)
{
	g_autofree char *contexts = selinux_contexts(guest);

	return contexts != NULL;
}

/* Files written in place keep their labels: only what is new needs one. The rest of the file
 * system is not walked. */
static bool label_new_files(Guest *guest, const char *contexts, GError **error)
{
	g_autoptr(GPtrArray) touched = edits_touched(guest->edits);
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
	const bool in_sbin = edits_is_file(guest->edits, "/sbin/setfiles");

	g_ptr_array_add(arguments, g_strdup(in_sbin ? "/sbin/setfiles" : "/usr/sbin/setfiles"));
	g_ptr_array_add(arguments, g_strdup("-F"));
	g_ptr_array_add(arguments, g_strdup(contexts));
	for (guint i = 0; i < touched->len; i++)
		if (edits_exists(guest->edits, g_ptr_array_index(touched, i)))
			g_ptr_array_add(arguments, g_strdup(g_ptr_array_index(touched, i)));
	if (edits_is_folder(guest->edits, "/var/lib/rpm"))
		g_ptr_array_add(arguments, g_strdup("/var/lib/rpm"));
	if (guest->initramfs != NULL)
		g_ptr_array_add(arguments, g_strdup(guest->initramfs));
	g_ptr_array_add(arguments, NULL);
	return appliance_run(guest->appliance, RELABEL_SECONDS,
			     (const char *const *)arguments->pdata, NULL, error);
}

static bool apply_selinux(Guest *guest, GError **error)
{
	g_autofree char *contexts = selinux_contexts(guest);
	g_autoptr(GError) cause = NULL;

	if (guest->job->dry_run || label_new_files(guest, contexts, &cause)) {
		guest_change(guest, contexts, "new files have no SELinux label",
			     "new and changed files labelled");
		return true;
	}
	if (!appliance_check(guest->appliance, error))
		return false;
	edits_set(guest->edits, "/.autorelabel", "");
	guest_change(guest, "/.autorelabel",
		     "new files have no SELinux label, and setfiles did not run offline",
		     "the first start labels all files");
	return edits_write(guest->edits, error);
}

const GuestStep step_selinux = {
	.name = "SELinux", .runs = true, .applies = uses_selinux, .apply = apply_selinux};
