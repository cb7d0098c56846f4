/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: which devices there are, which holds the operating system, what is mounted where. */
#include "convert/guest/inspect.h"

#include "convert/guest/fstab.h"
#include "convert/guest/packages.h"
#include "convert/guest/report.h"

#include <stdlib.h>
#include <string.h>

#define AS_IT_IS "--no-guest-conversion migrates it as it is"

enum { MAX_DEVICES = 512 };

Guest *guest_new(const GuestJob *job, Appliance *appliance)
{
	Guest *guest = g_new0(Guest, 1);

	guest->job = job;
	guest->appliance = appliance;
	guest->report = guest_report_new();
	guest->edits = edits_new(appliance, job->dry_run);
	guest->devices = g_ptr_array_new_with_free_func(block_device_free);
	guest->step = "inspection";
	return guest;
}

void guest_free(Guest *guest)
{
	if (guest == NULL)
		return;
	guest_report_free(guest->report);
	edits_free(guest->edits);
	g_ptr_array_unref(guest->devices);
	os_release_clear(&guest->release);
	g_free(guest->loader_file);
	g_free(guest->kernel_path);
	g_free(guest->initramfs);
	g_free(guest->arguments);
	modules_free(guest->modules);
	if (guest->packages != NULL)
		g_hash_table_unref(guest->packages);
	g_free(guest);
}

static guestfs_h *quick(Guest *guest)
{
	return appliance_for(guest->appliance, APPLIANCE_QUICK);
}

/* UUIDs go into configuration: only what looks like one. */
static char *take_uuid(const char *text)
{
	return strspn(text, "0123456789abcdefABCDEF-") == strlen(text) ? g_strdup(text) : NULL;
}

static void set_tag(BlockDevice *device, const char *tag, const char *value)
{
	if (g_str_equal(tag, "TYPE"))
		device->type = g_strdup(value);
	else if (g_str_equal(tag, "UUID"))
		device->uuid = take_uuid(value);
	else if (g_str_equal(tag, "LABEL"))
		device->label = g_strdup(value);
	else if (g_str_equal(tag, "PART_ENTRY_UUID"))
		device->part_uuid = take_uuid(value);
	else if (g_str_equal(tag, "PART_ENTRY_TYPE"))
		device->part_type = g_ascii_strdown(value, -1);
}

static void add_device(Guest *guest, const char *name, bool scattered)
{
	BlockDevice *device = g_new0(BlockDevice, 1);
	char **tags = guestfs_blkid(quick(guest), name);

	for (char **tag = tags; tag != NULL && tag[0] != NULL; tag += 2) {
		set_tag(device, tag[0], tag[1]);
		free(tag[0]);
		free(tag[1]);
	}
	free(tags);
	device->device = g_strdup(name);
	device->scattered = scattered;
	if (!scattered)
		block_device_name_parse(name, strlen(name), &device->drive, &device->partition);
	g_ptr_array_add(guest->devices, device);
}

static void add_devices(Guest *guest, char **names, bool scattered)
{
	for (char **name = names; name != NULL && *name != NULL; name++) {
		if (guest->devices->len < MAX_DEVICES)
			add_device(guest, *name, scattered);
		free(*name);
	}
	free(names);
}

static bool have_type(const Guest *guest, const char *type)
{
	for (guint i = 0; i < guest->devices->len; i++)
		if (g_strcmp0(((const BlockDevice *)g_ptr_array_index(guest->devices, i))->type,
			      type) == 0)
			return true;
	return false;
}

bool guest_find_devices(Guest *guest, GError **error)
{
	char **drives = guestfs_list_devices(quick(guest));
	char **partitions = guestfs_list_partitions(quick(guest));

	if (drives == NULL || partitions == NULL)
		return appliance_fail(guest->appliance, error, "list of partitions");
	add_devices(guest, drives, false);
	add_devices(guest, partitions, false);
	if (have_type(guest, "linux_raid_member"))
		add_devices(guest, guestfs_list_md_devices(quick(guest)), true);
	if (have_type(guest, "LVM2_member"))
		add_devices(guest, guestfs_lvs(quick(guest)), true);
	return true;
}

static bool mount_at(Guest *guest, const BlockDevice *device, const char *options,
		     const char *point)
{
	const char *access = guest->job->dry_run ? "ro" : "rw";
	g_autofree char *all = g_strjoin(*options != '\0' ? "," : "", access, options, NULL);

	return guestfs_mount_options(quick(guest), all, device->device, point) == 0;
}

static bool is_linux_root(Guest *guest)
{
	return edits_is_folder(guest->edits, "/etc") && edits_is_folder(guest->edits, "/bin") &&
	       (edits_exists(guest->edits, "/etc/fstab") ||
		edits_exists(guest->edits, "/etc/os-release")) &&
	       (edits_is_folder(guest->edits, "/var") || edits_is_folder(guest->edits, "/usr"));
}

static bool is_windows_root(Guest *guest)
{
	char *found = guestfs_case_sensitive_path(quick(guest), "/Windows/System32");
	const bool there = found != NULL && edits_is_folder(guest->edits, found);

	free(found);
	return there;
}

/* How the root file system may be mounted: btrfs keeps it in a subvolume of several names. */
static const char *root_options_of(Guest *guest, const BlockDevice *device, bool *windows)
{
	static const char *const plain[] = {"", NULL};
	static const char *const btrfs[] = {"", "subvol=@", "subvol=@rootfs", "subvol=root", NULL};
	const char *const *options = g_str_equal(device->type, "btrfs") ? btrfs : plain;
	const char *found = NULL;

	for (; *options != NULL && found == NULL; options++) {
		if (!mount_at(guest, device, *options, "/"))
			continue;
		*windows = g_str_has_prefix(device->type, "ntfs") && is_windows_root(guest);
		if (*windows || is_linux_root(guest))
			found = *options;
		guestfs_umount(quick(guest), "/");
	}
	return found;
}

static bool may_hold_root(const BlockDevice *device)
{
	static const char *const types[] = {"ext2", "ext3",     "ext4", "xfs", "btrfs",
					    "jfs",  "reiserfs", "f2fs", "ntfs"};

	for (size_t i = 0; device->type != NULL && i < G_N_ELEMENTS(types); i++)
		if (g_str_equal(device->type, types[i]))
			return true;
	return false;
}

static bool fail_without_root(Guest *guest, GError **error)
{
	if (have_type(guest, "crypto_LUKS"))
		return fail(
			error, UNSUPPORTED,
			"no operating system found outside encrypted volumes, and a guest whose "
			"root file system is encrypted cannot be converted; " AS_IT_IS);
	return fail(error, UNSUPPORTED, "no operating system found on %zu disk(s); " AS_IT_IS,
		    guest->job->drive_count);
}

bool guest_find_root(Guest *guest, GError **error)
{
	g_autoptr(GString) found = g_string_new(NULL);
	bool windows = false, any_windows = false;
	unsigned count = 0;

	for (guint i = 0; i < guest->devices->len; i++) {
		const BlockDevice *device = g_ptr_array_index(guest->devices, i);

		if (!may_hold_root(device) ||
		    (guest->job->root != NULL && !g_str_equal(guest->job->root, device->device)))
			continue;
		const char *options = root_options_of(guest, device, &windows);

		if (!appliance_check(guest->appliance, error))
			return false;
		if (options == NULL)
			continue;
		g_string_append_printf(found, "%s%s", count++ > 0 ? ", " : "", device->device);
		guest->root = device;
		guest->root_options = options;
		any_windows |= windows;
	}
	if (count > 1)
		return fail(error, UNSUPPORTED,
			    "%u operating systems found, on %s: choose one with --root", count,
			    found->str);
	if (count == 0 && guest->job->root != NULL)
		return fail(error, USAGE, "no operating system on %s (--root)", guest->job->root);
	if (count == 0)
		return fail_without_root(guest, error);
	guest->report->root = g_strdup(guest->root->device);
	guest->report->type = g_strdup(any_windows ? "windows" : "linux");
	if (any_windows)
		return fail(error, UNSUPPORTED,
			    "Windows on %s: guests with Windows cannot be converted yet",
			    guest->root->device);
	return true;
}

/* "/dev/mapper/vg-my--lv" is "/dev/vg/my-lv". */
static bool is_mapper_name(const char *spec, const char *device)
{
	g_auto(GStrv) parts = g_strsplit(device, "/", -1);

	if (!g_str_has_prefix(spec, "/dev/mapper/") || g_strv_length(parts) != 4)
		return false;
	g_auto(GStrv) group = g_strsplit(parts[2], "-", -1);
	g_auto(GStrv) volume = g_strsplit(parts[3], "-", -1);
	g_autofree char *group_text = g_strjoinv("--", group);
	g_autofree char *volume_text = g_strjoinv("--", volume);
	g_autofree char *name = g_strconcat("/dev/mapper/", group_text, "-", volume_text, NULL);

	return g_str_equal(spec, name);
}

static bool has_tag(const char *spec, const char *tag, const char *folder, const char *value)
{
	g_autofree char *equation = value != NULL ? g_strconcat(tag, "=", value, NULL) : NULL;
	g_autofree char *quoted = value != NULL ? g_strconcat(tag, "=\"", value, "\"", NULL) : NULL;
	g_autofree char *path = value != NULL ? g_strconcat(folder, value, NULL) : NULL;

	return value != NULL &&
	       (g_ascii_strcasecmp(spec, equation) == 0 || g_ascii_strcasecmp(spec, quoted) == 0 ||
		g_ascii_strcasecmp(spec, path) == 0);
}

const BlockDevice *guest_device_of(const Guest *guest, const char *spec)
{
	for (guint i = 0; i < guest->devices->len; i++) {
		const BlockDevice *device = g_ptr_array_index(guest->devices, i);

		if (has_tag(spec, "UUID", "/dev/disk/by-uuid/", device->uuid) ||
		    has_tag(spec, "LABEL", "/dev/disk/by-label/", device->label) ||
		    has_tag(spec, "PARTUUID", "/dev/disk/by-partuuid/", device->part_uuid) ||
		    (device->scattered &&
		     (g_str_equal(spec, device->device) || is_mapper_name(spec, device->device))))
			return device;
	}
	return block_devices_find(guest->devices, spec, strlen(spec));
}

/* What steps read, change or start programs from. Nobody's home is mounted. */
static bool is_wanted_point(const char *point)
{
	static const char *const points[] = {"/boot", "/efi", "/usr", "/var", "/opt"};

	for (size_t i = 0; i < G_N_ELEMENTS(points); i++) {
		const size_t length = strlen(points[i]);

		if (strncmp(point, points[i], length) == 0 &&
		    (point[length] == '\0' || point[length] == '/'))
			return true;
	}
	return false;
}

static gint compare_points(gconstpointer a, gconstpointer b)
{
	const FstabEntry *left = *(const FstabEntry *const *)a;
	const FstabEntry *right = *(const FstabEntry *const *)b;

	return strcmp(left->point, right->point); /* "/boot" comes before "/boot/efi" */
}

static char *subvolume_option(const char *options)
{
	g_auto(GStrv) list = g_strsplit(options, ",", -1);

	for (char **option = list; *option != NULL; option++)
		if (g_str_has_prefix(*option, "subvol=") || g_str_has_prefix(*option, "subvolid="))
			return g_strdup(*option);
	return g_strdup("");
}

static bool mount_entry(Guest *guest, const FstabEntry *entry, GError **error)
{
	const BlockDevice *device = guest_device_of(guest, entry->spec);
	const bool needed = g_str_equal(entry->point, "/boot") || g_str_equal(entry->point, "/usr");
	g_autofree char *subvolume = subvolume_option(entry->options);

	if (device != NULL && mount_at(guest, device, subvolume, entry->point)) {
		if (g_str_equal(entry->point, "/boot") && device != guest->root)
			guest->separate_boot = true;
		return true;
	}
	if (needed)
		return fail(error, CORRUPT, "/etc/fstab in the guest: %s on %s cannot be mounted",
			    entry->spec, entry->point);
	if (strstr(entry->options, "noauto") == NULL)
		guest_warn(guest, "guest.mount-failed", NULL, "%s on %s could not be mounted",
			   entry->spec, entry->point);
	return true;
}

bool guest_mount(Guest *guest, GError **error)
{
	if (!mount_at(guest, guest->root, guest->root_options, "/"))
		return appliance_fail(guest->appliance, error, "root file system %s",
				      guest->root->device);
	GError *cause = NULL;
	g_autofree char *text = edits_read(guest->edits, "/etc/fstab", FSTAB_MAX, &cause);

	if (cause != NULL) {
		g_propagate_error(error, cause);
		return false;
	}
	if (text == NULL) /* no fstab: only the root */
		return true;
	g_autoptr(GPtrArray) entries = fstab_parse(text);

	g_ptr_array_sort(entries, compare_points);
	for (guint i = 0; i < entries->len; i++) {
		const FstabEntry *entry = g_ptr_array_index(entries, i);

		if (is_wanted_point(entry->point) && !g_str_equal(entry->type, "swap") &&
		    strstr(entry->options, "bind") == NULL && !mount_entry(guest, entry, error))
			return false;
	}
	return true;
}
