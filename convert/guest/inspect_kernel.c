/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_kernel.c: which kernel the bootloader starts, with which initramfs, by which firmware. */
#include "convert/guest/inspect.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#define PART_TYPE_ESP       "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
#define PART_TYPE_BIOS_BOOT "21686148-6449-6e6f-744e-656564454649"

enum { SECTOR = 512 };

/* A path of a bootloader counts from its file system: "/vmlinuz" may be /boot/vmlinuz. The kernel
 * behind a link is the one to name. Owned; NULL: there is no such file. */
static char *file_of_loader(Guest *guest, const char *path)
{
	static const char *const below[] = {"/boot", "", "/boot/efi", "/efi"};

	for (size_t i = 0; path != NULL && i < G_N_ELEMENTS(below); i++) {
		/* Without a /boot of its own, "/boot/vmlinuz" is just that. */
		const size_t at = guest->separate_boot ? i : (i + 1) % G_N_ELEMENTS(below);
		g_autofree char *full = g_strconcat(below[at], *path == '/' ? "" : "/", path, NULL);

		if (!edits_is_file(guest->edits, full))
			continue;
		char *real =
			guestfs_realpath(appliance_for(guest->appliance, APPLIANCE_QUICK), full);
		char *copy = g_strdup(real != NULL ? real : full);

		free(real);
		return copy;
	}
	return NULL;
}

/* btrfs: "/@/boot/vmlinuz" counts from the top, the guest mounts the subvolume. */
static const char *without_subvolume(const Guest *guest, const char *path)
{
	const char *name = g_str_has_prefix(guest->root_options, "subvol=")
				   ? guest->root_options + strlen("subvol=")
				   : NULL;

	if (path != NULL && name != NULL && path[0] == '/' && g_str_has_prefix(path + 1, name) &&
	    path[1 + strlen(name)] == '/')
		return path + 1 + strlen(name);
	return path;
}

static bool take_entry(Guest *guest, const BootEntry *entry)
{
	char *kernel = file_of_loader(guest, without_subvolume(guest, entry->kernel));

	if (kernel == NULL)
		return false;
	g_free(guest->kernel_path);
	g_free(guest->initramfs);
	g_free(guest->arguments);
	guest->kernel_path = kernel;
	guest->initramfs = file_of_loader(guest, without_subvolume(guest, entry->initrd));
	guest->arguments = g_strdup(entry->arguments);
	return true;
}

static gint newest_id_first(gconstpointer a, gconstpointer b)
{
	const BootEntry *left = *(const BootEntry *const *)a;
	const BootEntry *right = *(const BootEntry *const *)b;
	const bool left_rescue = strstr(left->id, "rescue") != NULL;
	const bool right_rescue = strstr(right->id, "rescue") != NULL;

	if (left_rescue != right_rescue)
		return left_rescue ? 1 : -1;
	return version_compare(right->id, left->id);
}

static GPtrArray *bls_entries(Guest *guest, const char *folder)
{
	GPtrArray *entries = g_ptr_array_new_with_free_func(boot_entry_free);
	g_autoptr(GPtrArray) files = edits_list(guest->edits, folder, "*.conf");

	for (guint i = 0; i < files->len; i++) {
		const char *file = g_ptr_array_index(files, i);
		g_autofree char *text = edits_try_read(guest->edits, file, SETTING_MAX);
		g_autofree char *base = g_path_get_basename(file);

		base[strlen(base) - strlen(".conf")] = '\0';
		if (text != NULL)
			g_ptr_array_add(entries, boot_entry_from_bls(text, base));
	}
	g_ptr_array_sort(entries, newest_id_first);
	return entries;
}

static char *saved_entry(Guest *guest)
{
	static const char *const files[] = {"/boot/grub2/grubenv", "/boot/grub/grubenv"};

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *text = edits_try_read(guest->edits, files[i], SETTING_MAX);
		char *saved = text != NULL ? boot_variable(text, "saved_entry") : NULL;

		if (saved != NULL)
			return saved;
	}
	return NULL;
}

static bool choose_entry(Guest *guest, const GPtrArray *entries, const char *wanted)
{
	const BootEntry *entry = boot_entry_choose(entries, wanted);

	return entry != NULL && take_entry(guest, entry);
}

static bool read_grub(Guest *guest, const char *file)
{
	g_autofree char *text = edits_try_read(guest->edits, file, GRUB_CFG_MAX);
	g_autoptr(GPtrArray) entries = NULL;

	/* The ESP of many distributions holds only a pointer to the real menu. */
	if (text == NULL || (strstr(text, "configfile") != NULL &&
			     strstr(text, "menuentry") == NULL && strstr(text, "blscfg") == NULL))
		return false;
	g_autofree char *preset = boot_default_of(BOOT_TEXT_GRUB, text);
	g_autofree char *saved = saved_entry(guest);
	const bool use_saved = preset == NULL || g_str_equal(preset, "saved");
	const char *wanted = use_saved && saved != NULL && *saved != '\0' ? saved : preset;

	if (strstr(text, "blscfg") != NULL)
		entries = bls_entries(guest, "/boot/loader/entries");
	if (entries == NULL || entries->len == 0) {
		g_clear_pointer(&entries, g_ptr_array_unref);
		entries = boot_entries_from_grub(text);
	}
	return choose_entry(guest, entries, wanted);
}

static bool read_legacy(Guest *guest, const char *file)
{
	g_autofree char *text = edits_try_read(guest->edits, file, GRUB_CFG_MAX);

	if (text == NULL)
		return false;
	g_autofree char *preset = boot_default_of(BOOT_TEXT_LEGACY, text);
	g_autoptr(GPtrArray) entries = boot_entries_from_legacy(text);

	return choose_entry(guest, entries, preset);
}

static bool read_extlinux(Guest *guest, const char *file)
{
	g_autofree char *text = edits_try_read(guest->edits, file, GRUB_CFG_MAX);

	if (text == NULL)
		return false;
	g_autofree char *preset = boot_default_of(BOOT_TEXT_EXTLINUX, text);
	g_autoptr(GPtrArray) entries = boot_entries_from_extlinux(text);

	return choose_entry(guest, entries, preset);
}

/* systemd-boot: `file` is loader.conf beside the folder of entries. */
static bool read_systemd_boot(Guest *guest, const char *file)
{
	g_autofree char *text = edits_try_read(guest->edits, file, SETTING_MAX);
	g_autofree char *loader = g_path_get_dirname(file);
	g_autofree char *folder = g_strconcat(loader, "/entries", NULL);

	if (text == NULL)
		return false;
	g_autofree char *preset = boot_default_of(BOOT_TEXT_BLS, text);
	g_autoptr(GPtrArray) entries = bls_entries(guest, folder);

	if (preset != NULL && g_str_has_suffix(preset, ".conf"))
		preset[strlen(preset) - strlen(".conf")] = '\0';
	return choose_entry(guest, entries, preset);
}

static bool read_loader(Guest *guest)
{
	static const struct {
		const char *file;
		BootTextKind kind;
		bool (*read)(Guest *guest, const char *file);
	} loaders[] = {
		{"/boot/grub2/grub.cfg", BOOT_TEXT_GRUB, read_grub},
		{"/boot/grub/grub.cfg", BOOT_TEXT_GRUB, read_grub},
		{"/boot/grub/grub.conf", BOOT_TEXT_LEGACY, read_legacy},
		{"/boot/grub/menu.lst", BOOT_TEXT_LEGACY, read_legacy},
		{"/boot/efi/loader/loader.conf", BOOT_TEXT_BLS, read_systemd_boot},
		{"/efi/loader/loader.conf", BOOT_TEXT_BLS, read_systemd_boot},
		{"/boot/loader/loader.conf", BOOT_TEXT_BLS, read_systemd_boot},
		{"/boot/extlinux/extlinux.conf", BOOT_TEXT_EXTLINUX, read_extlinux},
		{"/boot/syslinux/syslinux.cfg", BOOT_TEXT_EXTLINUX, read_extlinux},
	};

	/* RHEL 7 and 8 with UEFI keep the whole menu on the ESP. */
	g_autoptr(GPtrArray) vendors = edits_list(guest->edits, "/boot/efi/EFI", "*");

	for (guint i = 0; i < vendors->len; i++) {
		g_autofree char *file =
			g_strconcat(g_ptr_array_index(vendors, i), "/grub.cfg", NULL);

		if (read_grub(guest, file)) {
			guest->loader_file = g_steal_pointer(&file);
			guest->loader = BOOT_TEXT_GRUB;
			return true;
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(loaders); i++)
		if (loaders[i].read(guest, loaders[i].file)) {
			guest->loader_file = g_strdup(loaders[i].file);
			guest->loader = loaders[i].kind;
			return true;
		}
	return false;
}

static bool is_rescue(const char *path)
{
	return strstr(path, "rescue") != NULL || strstr(path, ".old") != NULL ||
	       strstr(path, "kdump") != NULL;
}

/* Without a menu that can be read: the newest kernel, and the initramfs of its version. */
static bool newest_kernel(Guest *guest)
{
	g_autoptr(GPtrArray) kernels = edits_list(guest->edits, "/boot", "vmlinu*-*");
	g_autofree char *newest = NULL;

	for (guint i = 0; i < kernels->len; i++) {
		g_autofree char *version = kernel_version_of_path(g_ptr_array_index(kernels, i));

		if (version == NULL || is_rescue(g_ptr_array_index(kernels, i)) ||
		    (newest != NULL && version_compare(version, newest) <= 0))
			continue;
		g_free(newest);
		newest = g_steal_pointer(&version);
		g_free(guest->kernel_path);
		guest->kernel_path = g_strdup(g_ptr_array_index(kernels, i));
	}
	return newest != NULL;
}

static char *initramfs_of_version(Guest *guest, const char *version)
{
	static const char *const names[] = {"/boot/initrd.img-%s", "/boot/initramfs-%s.img",
					    "/boot/initrd-%s", "/boot/initrd-%s.img"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *mark = strstr(names[i], "%s");
		g_autofree char *path = g_strdup_printf("%.*s%s%s", (int)(mark - names[i]),
							names[i], version, mark + 2);

		if (edits_is_file(guest->edits, path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

static bool read_modules(Guest *guest, const char *version, GError **error)
{
	g_autofree char *dep_path = g_strconcat("/lib/modules/", version, "/modules.dep", NULL);
	g_autofree char *builtin_path =
		g_strconcat("/lib/modules/", version, "/modules.builtin", NULL);
	g_autofree char *dep = edits_need(guest->edits, dep_path, MODULES_DEP_MAX, error);
	g_autofree char *builtin = edits_try_read(guest->edits, builtin_path, MODULES_DEP_MAX);

	if (dep == NULL)
		return false;
	guest->modules = modules_parse(dep, builtin != NULL ? builtin : "");
	return true;
}

static void report_drivers(Guest *guest)
{
	GuestReport *report = guest->report;
	const Modules *modules = guest->modules;

	report->virtio_blk = modules_have(modules, "virtio_blk");
	report->virtio_scsi = modules_have(modules, "virtio_scsi");
	report->virtio_net = modules_have(modules, "virtio_net");
	report->virtio_rng = modules_have(modules, "virtio_rng");
	report->virtio_balloon = modules_have(modules, "virtio_balloon");
	report->virtio_console = modules_have(modules, "virtio_console");
}

bool guest_find_kernel(Guest *guest, GError **error)
{
	if (!read_loader(guest)) {
		if (!newest_kernel(guest))
			return fail(error, UNSUPPORTED, "no kernel found in /boot of the guest");
		guest_warn(guest, "guest.bootloader-unknown",
			   "check after the first start that the guest boots the kernel it should",
			   "no bootloader menu could be read; taking the newest kernel, %s",
			   guest->kernel_path);
	}
	char *version = kernel_version_of_path(guest->kernel_path);

	if (version == NULL)
		return fail(error, UNSUPPORTED, "%s in the guest: its name has no kernel version",
			    guest->kernel_path);
	guest->report->kernel = version;
	if (guest->initramfs == NULL && guest->loader_file == NULL)
		guest->initramfs = initramfs_of_version(guest, version);
	if (!read_modules(guest, version, error))
		return false;
	report_drivers(guest);
	return true;
}

/* The drive whose first sector holds GRUB or another loader; the firmware tries them in order. */
static bool has_boot_code(Guest *guest, const BlockDevice *drive, bool *grub)
{
	size_t length = 0;
	char *sector = guestfs_pread_device(appliance_for(guest->appliance, APPLIANCE_QUICK),
					    drive->device, SECTOR, 0, &length);
	const bool bootable = sector != NULL && length == SECTOR && (uint8_t)sector[510] == 0x55 &&
			      (uint8_t)sector[511] == 0xaa && !bytes_are_zero(sector, 64);

	*grub = bootable && memmem(sector, SECTOR, "GRUB", 4) != NULL;
	free(sector);
	return bootable;
}

void guest_find_firmware(Guest *guest)
{
	const BlockDevice *esp = NULL, *bios = NULL;
	bool bios_partition = false, any_grub = false;

	for (guint i = 0; i < guest->devices->len; i++) {
		const BlockDevice *device = g_ptr_array_index(guest->devices, i);
		bool grub = false;

		if (esp == NULL && device->partition > 0 &&
		    (g_strcmp0(device->part_type, PART_TYPE_ESP) == 0 ||
		     g_strcmp0(device->part_type, "0xef") == 0))
			esp = device;
		bios_partition |= g_strcmp0(device->part_type, PART_TYPE_BIOS_BOOT) == 0;
		if (device->partition != 0 || device->scattered || any_grub)
			continue;
		if (has_boot_code(guest, device, &grub) && (bios == NULL || grub))
			bios = device;
		any_grub |= grub;
	}
	guest->report->uefi = guest->job->firmware_known
				      ? guest->job->firmware_uefi
				      : esp != NULL && !bios_partition && !any_grub;
	const BlockDevice *boot = guest->report->uefi ? esp : bios;

	if (boot == NULL)
		boot = guest->root;
	guest->report->boot_drive = boot->scattered ? 0 : boot->drive;
}
