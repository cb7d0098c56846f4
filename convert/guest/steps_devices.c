/* SPDX-License-Identifier: Apache-2.0 */
/* steps_devices.c: steps that replace names of disks, and forget what was remembered of them. */
#include "convert/guest/fstab.h"
#include "convert/guest/lvm_text.h"
#include "convert/guest/step.h"

#include <string.h>

#define WHY_NAMES "names of disks change with the virtual hardware; a UUID does not"

void step_set_text(Guest *guest, const char *path, const char *before, const char *after)
{
	if (!g_str_equal(before, after))
		edits_set(guest->edits, path, after);
}

void step_list_done(Guest *guest, const char *path, const char *why, const GPtrArray *done)
{
	for (guint i = 0; i < done->len; i++)
		guest_change(guest, path, why, "%s", (const char *)g_ptr_array_index(done, i));
}

static void warn_unknown(Guest *guest, const char *path, const GPtrArray *unknown)
{
	for (guint i = 0; i < unknown->len; i++)
		guest_warn(guest, "guest.device-unknown",
			   "put a UUID or a label in its place before the migration",
			   "%s names %s, which is on none of the converted disks or does not hold "
			   "what is said: left as it is",
			   path, (const char *)g_ptr_array_index(unknown, i));
}

static bool apply_fstab(Guest *guest, GError **error)
{
	GError *cause = NULL;
	g_autofree char *before = edits_read(guest->edits, "/etc/fstab", FSTAB_MAX, &cause);
	g_auto(TableEdit) edit;

	table_edit_init(&edit);
	if (before == NULL) {
		if (cause != NULL)
			g_propagate_error(error, cause);
		return cause == NULL;
	}
	g_autofree char *after = fstab_use_uuids(before, guest->devices, guest->root, &edit);

	step_set_text(guest, "/etc/fstab", before, after);
	step_list_done(guest, "/etc/fstab", WHY_NAMES, edit.done);
	warn_unknown(guest, "/etc/fstab", edit.unknown);
	return true;
}

const GuestStep step_fstab = {.name = "fstab", .needed = true, .apply = apply_fstab};

static bool apply_crypttab(Guest *guest, GError **error)
{
	GError *cause = NULL;
	g_autofree char *before = edits_read(guest->edits, "/etc/crypttab", FSTAB_MAX, &cause);
	g_auto(TableEdit) edit;

	table_edit_init(&edit);
	if (before == NULL) {
		if (cause != NULL)
			g_propagate_error(error, cause);
		return cause == NULL;
	}
	g_autofree char *after = crypttab_use_uuids(before, guest->devices, &edit);

	step_set_text(guest, "/etc/crypttab", before, after);
	step_list_done(guest, "/etc/crypttab", WHY_NAMES, edit.done);
	warn_unknown(guest, "/etc/crypttab", edit.unknown);
	return true;
}

const GuestStep step_crypttab = {.name = "crypttab", .needed = true, .apply = apply_crypttab};

/* Where initramfs-tools and SUSE's old mkinitrd keep the swap area to resume from. */
static bool apply_resume(Guest *guest, GError **error)
{
	static const char *const files[] = {"/etc/initramfs-tools/conf.d/resume",
					    "/etc/uswsusp.conf", "/etc/suspend.conf"};

	(void)error;
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *before = edits_try_read(guest->edits, files[i], SETTING_MAX);
		g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);

		if (before == NULL)
			continue;
		g_autofree char *after = block_devices_replace(guest->devices, before, done, NULL);

		step_set_text(guest, files[i], before, after);
		step_list_done(guest, files[i], WHY_NAMES, done);
	}
	return true;
}

const GuestStep step_resume = {.name = "resume", .apply = apply_resume};

/* What libblkid, LVM and GRUB wrote down about the old disks. */
static bool apply_caches(Guest *guest, GError **error)
{
	static const struct {
		const char *file, *why;
	} caches[] = {
		{"/etc/blkid/blkid.tab", "a cache of old device names"},
		{"/etc/blkid.tab", "a cache of old device names"},
		{"/run/blkid/blkid.tab", "a cache of old device names"},
		{"/etc/lvm/cache/.cache", "a cache of old device names"},
		{"/etc/lvm/devices/system.devices",
		 "LVM would look only at the disks it names by their old serial numbers"},
		{"/boot/grub/device.map",
		 "GRUB finds its disks by itself; the old names are wrong"},
		{"/boot/grub2/device.map",
		 "GRUB finds its disks by itself; the old names are wrong"},
	};

	(void)error;
	for (size_t i = 0; i < G_N_ELEMENTS(caches); i++) {
		/* GRUB legacy needs its map to install itself. */
		const bool map = g_str_has_suffix(caches[i].file, "device.map");

		if ((map && guest->loader == BOOT_TEXT_LEGACY) ||
		    !edits_is_file(guest->edits, caches[i].file))
			continue;
		edits_remove(guest->edits, caches[i].file);
		guest_change(guest, caches[i].file, caches[i].why, "removed");
	}
	return true;
}

const GuestStep step_caches = {.name = "device caches", .apply = apply_caches};

static bool apply_lvm(Guest *guest, GError **error)
{
	static const char path[] = "/etc/lvm/lvm.conf";
	g_autofree char *before = edits_try_read(guest->edits, path, SETTING_MAX);
	g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);

	(void)error;
	if (before == NULL)
		return true;
	g_autofree char *after = lvm_filters_accept_virtio(before, done);

	step_set_text(guest, path, before, after);
	step_list_done(guest, path, "LVM would not look at disks under their new names", done);
	return true;
}

const GuestStep step_lvm = {.name = "LVM filters", .needed = true, .apply = apply_lvm};
