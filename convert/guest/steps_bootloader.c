/* SPDX-License-Identifier: Apache-2.0 */
/* steps_bootloader.c: device names and the serial console in all that a bootloader reads. */
#include "convert/guest/step.h"

#include <string.h>

/* The serial line of the machine by its architecture; NULL: none that we know. */
static const char *consoles_of(const Guest *guest)
{
	static const char *const x86[] = {"x86_64", "i386", NULL};

	if (g_strv_contains(x86, guest->report->arch))
		return "console=tty0 console=ttyS0,115200";
	if (g_str_equal(guest->report->arch, "aarch64"))
		return "console=tty0 console=ttyAMA0,115200";
	return NULL;
}

typedef struct {
	const char *path;
	BootTextKind kind;
} BootFile;

static const BootFile boot_files[] = {
	{"/boot/grub/grub.cfg", BOOT_TEXT_GRUB},
	{"/boot/grub2/grub.cfg", BOOT_TEXT_GRUB},
	{"/boot/grub/custom.cfg", BOOT_TEXT_GRUB},
	{"/boot/grub2/custom.cfg", BOOT_TEXT_GRUB},
	{"/boot/grub2/grubenv", BOOT_TEXT_GRUBENV},
	{"/boot/grub/grubenv", BOOT_TEXT_GRUBENV},
	{"/boot/grub/grub.conf", BOOT_TEXT_LEGACY},
	{"/boot/grub/menu.lst", BOOT_TEXT_LEGACY},
	{"/boot/extlinux/extlinux.conf", BOOT_TEXT_EXTLINUX},
	{"/boot/syslinux/syslinux.cfg", BOOT_TEXT_EXTLINUX},
	{"/etc/default/grub", BOOT_TEXT_DEFAULTS},
	{"/etc/kernel/cmdline", BOOT_TEXT_CMDLINE},
};

/* A console that the default entry has was somebody's choice: add none then. */
static bool has_console(const Guest *guest)
{
	return guest->arguments != NULL && strstr(guest->arguments, "console=") != NULL;
}

static bool edit_file(Guest *guest, const char *path, BootTextKind kind, GError **error)
{
	GError *cause = NULL;
	g_autofree char *before = edits_read(guest->edits, path, GRUB_CFG_MAX, &cause);
	g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) unknown = g_ptr_array_new_with_free_func(g_free);
	BootEdit edit = {.devices = guest->devices,
			 .console = has_console(guest) ? NULL : consoles_of(guest),
			 .from_xen = g_strcmp0(guest->job->source, "xen") == 0,
			 .done = done,
			 .unknown = unknown};

	if (before == NULL) {
		if (cause != NULL)
			g_propagate_error(error, cause);
		return cause == NULL;
	}
	g_autofree char *after = boot_text_edit(kind, before, &edit);

	if (after == NULL)
		return fail(error, UNSUPPORTED, "%s: no room left for longer kernel arguments",
			    path);
	step_set_text(guest, path, before, after);
	step_list_done(guest, path,
		       "names of disks change with the virtual hardware; a UUID does "
		       "not",
		       done);
	if (edit.consoles > 0)
		guest_change(guest, path, "the machine has a serial console to log in on",
			     "%s added to %u line(s)", edit.console, edit.consoles);
	if (edit.renamed > 0)
		guest_change(guest, path, "there is no Xen console any more",
			     "console=hvc0 -> console=ttyS0 in %u place(s)", edit.renamed);
	for (guint i = 0; i < unknown->len; i++)
		guest_warn(guest, "guest.device-unknown", NULL,
			   "%s names %s, which is on none of the converted disks: left as it is",
			   path, (const char *)g_ptr_array_index(unknown, i));
	return true;
}

static bool edit_folder(Guest *guest, const char *folder, const char *pattern, BootTextKind kind,
			GError **error)
{
	g_autoptr(GPtrArray) files = edits_list(guest->edits, folder, pattern);

	for (guint i = 0; i < files->len; i++)
		if (!edit_file(guest, g_ptr_array_index(files, i), kind, error))
			return false;
	return true;
}

/* grub.cfg is edited as text, not generated again: grub-mkconfig in an appliance takes long and
 * writes for the appliance's firmware. /etc/default/grub gets the same, so that the guest's next
 * update agrees. */
static bool apply_bootloader(Guest *guest, GError **error)
{
	g_autoptr(GPtrArray) vendors = edits_list(guest->edits, "/boot/efi/EFI", "*");

	for (size_t i = 0; i < G_N_ELEMENTS(boot_files); i++)
		if (!edit_file(guest, boot_files[i].path, boot_files[i].kind, error))
			return false;
	for (guint i = 0; i < vendors->len; i++)
		if (!edit_folder(guest, g_ptr_array_index(vendors, i), "grub.cfg", BOOT_TEXT_GRUB,
				 error))
			return false;
	return edit_folder(guest, "/boot/loader/entries", "*.conf", BOOT_TEXT_BLS, error) &&
	       edit_folder(guest, "/boot/efi/loader/entries", "*.conf", BOOT_TEXT_BLS, error) &&
	       edit_folder(guest, "/efi/loader/entries", "*.conf", BOOT_TEXT_BLS, error);
}

const GuestStep step_bootloader = {.name = "bootloader", .needed = true, .apply = apply_bootloader};
