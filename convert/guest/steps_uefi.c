/* SPDX-License-Identifier: Apache-2.0 */
/* steps_uefi.c: a loader where UEFI looks without NVRAM entries, which are not carried over. */
#include "convert/guest/step.h"

#include <stdlib.h>
#include <string.h>

enum { FILES_SECONDS = 300 };

typedef struct { /* an EFI architecture: what its files are called */
	const char *arch;
	const char *fallback, *shim, *grub, *mok_manager, *next;
} EfiArch;

static const EfiArch efi_arches[] = {
	{"x86_64", "BOOTX64.EFI", "shimx64.efi", "grubx64.efi", "mmx64.efi", "fbx64.efi"},
	{"aarch64", "BOOTAA64.EFI", "shimaa64.efi", "grubaa64.efi", "mmaa64.efi", "fbaa64.efi"},
	{"i386", "BOOTIA32.EFI", "shimia32.efi", "grubia32.efi", "mmia32.efi", "fbia32.efi"},
};

static const char why_fallback[] = "the firmware's own boot entries stay behind on the source";

/* FAT keeps case but does not tell by it; the Linux driver may. */
static char *find_nocase(Guest *guest, const char *folder, const char *name)
{
	g_autoptr(GPtrArray) all = edits_list(guest->edits, folder, "*");

	for (guint i = 0; i < all->len; i++) {
		const char *path = g_ptr_array_index(all, i);

		if (g_ascii_strcasecmp(path + strlen(folder) + 1, name) == 0)
			return g_strdup(path);
	}
	return NULL;
}

static char *esp_efi_folder(Guest *guest)
{
	static const char *const points[] = {"/boot/efi", "/efi", "/boot"};

	for (size_t i = 0; i < G_N_ELEMENTS(points); i++) {
		char *efi = find_nocase(guest, points[i], "EFI");

		if (efi != NULL && edits_is_folder(guest->edits, efi))
			return efi;
		g_free(efi);
	}
	return NULL;
}

static bool copy_file(Guest *guest, const char *from, const char *to, GError **error)
{
	if (!guest->job->dry_run) {
		g_autofree char *folder = g_path_get_dirname(to);
		guestfs_h *g = appliance_for(guest->appliance, FILES_SECONDS);

		if (guestfs_mkdir_p(g, folder) != 0 || guestfs_cp(g, from, to) != 0)
			return appliance_fail(guest->appliance, error, "copy of %s to %s", from,
					      to);
	}
	guest_change(guest, to, why_fallback, "copy of %s", from);
	return true;
}

static bool copy_beside(Guest *guest, const char *from_folder, const char *name,
			const char *to_folder, GError **error)
{
	g_autofree char *from = find_nocase(guest, from_folder, name);
	g_autofree char *there = find_nocase(guest, to_folder, name);
	g_autofree char *to = g_strconcat(to_folder, "/", name, NULL);

	return from == NULL || there != NULL || copy_file(guest, from, to, error);
}

/* shim loads grubx64.efi from its own folder, and that has the path of its grub.cfg compiled in
 * (Debian, Ubuntu) or looks beside itself (Fedora): so all three go along. No fbx64.efi: it would
 * write NVRAM entries and reset the machine at every start without them. */
static bool install_from(Guest *guest, const EfiArch *arch, const char *vendor, const char *boot,
			 GError **error)
{
	g_autofree char *shim = find_nocase(guest, vendor, arch->shim);
	g_autofree char *grub = find_nocase(guest, vendor, arch->grub);
	g_autofree char *target = g_strconcat(boot, "/", arch->fallback, NULL);

	if (!copy_file(guest, shim != NULL ? shim : grub, target, error))
		return false;
	return (shim == NULL || copy_beside(guest, vendor, arch->grub, boot, error)) &&
	       copy_beside(guest, vendor, arch->mok_manager, boot, error) &&
	       copy_beside(guest, vendor, "grub.cfg", boot, error);
}

static const EfiArch *arch_of(const Guest *guest)
{
	for (size_t i = 0; i < G_N_ELEMENTS(efi_arches); i++)
		if (g_strcmp0(guest->report->arch, efi_arches[i].arch) == 0)
			return &efi_arches[i];
	return &efi_arches[0];
}

static char *vendor_folder(Guest *guest, const char *efi, const EfiArch *arch)
{
	g_autoptr(GPtrArray) vendors = edits_list(guest->edits, efi, "*");

	for (guint i = 0; i < vendors->len; i++) {
		const char *vendor = g_ptr_array_index(vendors, i);
		g_autofree char *grub = NULL;

		if (g_ascii_strcasecmp(vendor + strlen(efi) + 1, "BOOT") == 0 ||
		    !edits_is_folder(guest->edits, vendor))
			continue;
		grub = find_nocase(guest, vendor, arch->grub);
		if (grub != NULL)
			return g_strdup(vendor);
	}
	return NULL;
}

/* A shim with nothing beside it that it could load: neither GRUB nor the fallback program. */
static bool is_bare_shim(Guest *guest, const EfiArch *arch, const char *vendor, const char *boot,
			 const char *fallback)
{
	g_autofree char *shim = find_nocase(guest, vendor, arch->shim);
	g_autofree char *grub = find_nocase(guest, boot, arch->grub);
	g_autofree char *next = find_nocase(guest, boot, arch->next);

	return shim != NULL && grub == NULL && next == NULL &&
	       guestfs_equal(appliance_for(guest->appliance, FILES_SECONDS), shim, fallback) == 1;
}

static bool is_uefi(Guest *guest)
{
	return guest->report->uefi;
}

static bool apply_uefi(Guest *guest, GError **error)
{
	const EfiArch *arch = arch_of(guest);
	g_autofree char *efi = esp_efi_folder(guest);

	if (efi == NULL)
		return fail(error, UNSUPPORTED, "no EFI folder on a mounted EFI system partition");
	g_autofree char *found = find_nocase(guest, efi, "BOOT");
	g_autofree char *boot = found != NULL ? g_strdup(found) : g_strconcat(efi, "/BOOT", NULL);
	g_autofree char *fallback = find_nocase(guest, boot, arch->fallback);
	g_autofree char *vendor = vendor_folder(guest, efi, arch);

	if (vendor == NULL)
		return fallback != NULL ||
		       fail(error, UNSUPPORTED, "%s: neither BOOT/%s nor a %s that could be copied",
			    efi, arch->fallback, arch->grub);
	if (fallback == NULL)
		return install_from(guest, arch, vendor, boot, error);
	return !is_bare_shim(guest, arch, vendor, boot, fallback) ||
	       (copy_beside(guest, vendor, arch->grub, boot, error) &&
		copy_beside(guest, vendor, "grub.cfg", boot, error));
}

const GuestStep step_uefi = {.name = "UEFI loader",
			     .needed = true,
			     .runs = true,
			     .applies = is_uefi,
			     .apply = apply_uefi};
