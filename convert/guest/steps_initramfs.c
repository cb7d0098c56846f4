/* SPDX-License-Identifier: Apache-2.0 */
/* steps_initramfs.c: the initramfs of the kernel that boots gets the virtio drivers, and is
 * checked. */
#include "convert/guest/initramfs_build.h"
#include "convert/guest/initramfs_image.h"
#include "convert/guest/step.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_INITRAMFS = 1 << 30, TRANSFER_SECONDS = 600, BUILD_SECONDS = 3600 };

/* What must be able to find the root file system: whichever disk bus the target gives. */
static const char *const boot_drivers[] = {"virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod"};

static bool is_used(Guest *guest)
{
	return guest->initramfs != NULL;
}

static char *local_path(Guest *guest)
{
	char *folder = guestfs_get_tmpdir(appliance_for(guest->appliance, APPLIANCE_QUICK));
	char *path = g_build_filename(folder, "initramfs", NULL);

	free(folder);
	return path;
}

static InitramfsImage *read_image(Guest *guest, GBytes *bytes, GError **error)
{
	gsize length;
	const uint8_t *start = g_bytes_get_data(bytes, &length);
	InitramfsImage *image = initramfs_image_read(start, length, error);

	if (image == NULL)
		return fail_in_null(error, "%s in the guest: ", guest->initramfs);
	return image;
}

static char *missing_text(const GPtrArray *paths)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < paths->len; i++) {
		g_autofree char *base = g_path_get_basename(g_ptr_array_index(paths, i));

		base[strcspn(base, ".")] = '\0';
		g_string_append_printf(text, "%s%s", i > 0 ? " " : "", base);
	}
	return g_string_free(text, FALSE);
}

/* Paths of modules that the image lacks for `boot_drivers`; borrowed strings. */
static GPtrArray *missing_modules(Guest *guest, const InitramfsImage *image)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	GPtrArray *missing = g_ptr_array_new();

	for (size_t i = 0; i < G_N_ELEMENTS(boot_drivers); i++)
		modules_add_closure(guest->modules, boot_drivers[i], paths);
	for (guint i = 0; i < paths->len; i++)
		if (!initramfs_has_module(image, guest->report->kernel,
					  g_ptr_array_index(paths, i)))
			g_ptr_array_add(missing, g_ptr_array_index(paths, i));
	return missing;
}

static bool add_module_files(Guest *guest, const InitramfsImage *image, const GPtrArray *missing,
			     InitramfsPiece *piece, GError **error)
{
	g_autoptr(GPtrArray) files = initramfs_module_files(missing);

	for (guint i = 0; i < files->len; i++) {
		const char *below = g_ptr_array_index(files, i);
		g_autofree char *path =
			g_strconcat("/lib/modules/", guest->report->kernel, "/", below, NULL);
		g_autofree char *inside =
			initramfs_module_path(image, guest->report->kernel, below);

		if (!edits_is_file(guest->edits, path))
			continue; /* of the index files, old depmod writes only some */
		g_autoptr(GBytes) bytes =
			edits_read_bytes(guest->edits, path, MODULES_DEP_MAX, error);
		gsize length = 0;
		const void *start = bytes != NULL ? g_bytes_get_data(bytes, &length) : NULL;

		if (bytes == NULL)
			return false;
		initramfs_piece_add(piece, inside, S_IFREG | 0644, start, length);
	}
	return true;
}

/* Settings inside the image that name devices, with UUIDs instead. */
static void add_settings(Guest *guest, const InitramfsImage *image, InitramfsPiece *piece,
			 GPtrArray *done)
{
	GHashTableIter at;
	gpointer path, value;

	g_hash_table_iter_init(&at, image->files);
	while (g_hash_table_iter_next(&at, &path, &value)) {
		const InitramfsFile *file = value;

		if (file->content == NULL || !S_ISREG(file->mode) ||
		    strstr(file->content, "/dev/") == NULL)
			continue;
		g_autoptr(GPtrArray) replaced = g_ptr_array_new_with_free_func(g_free);
		g_autofree char *after =
			block_devices_replace(guest->devices, file->content, replaced, NULL);

		if (replaced->len == 0)
			continue;
		initramfs_piece_add(piece, path, file->mode, after, strlen(after));
		g_ptr_array_add(done, g_strdup_printf("%s: %s", (char *)path,
						      (char *)g_ptr_array_index(replaced, 0)));
	}
}

/* New .link files where the image's own udev looks for them, as the guest's tools would do. */
static void add_links(Guest *guest, const InitramfsImage *image, InitramfsPiece *piece,
		      GPtrArray *done)
{
	g_autoptr(GPtrArray) touched = edits_touched(guest->edits);
	const bool as_debian = initramfs_image_find(image, "lib/systemd/network") != NULL &&
			       initramfs_image_find(image, "etc/systemd/network") == NULL;

	for (guint i = 0; i < touched->len; i++) {
		const char *path = g_ptr_array_index(touched, i);
		g_autofree char *text = NULL;

		if (!g_str_has_prefix(path, "/etc/systemd/network/") ||
		    !g_str_has_suffix(path, ".link"))
			continue;
		text = edits_try_read(guest->edits, path, SETTING_MAX);
		g_autofree char *inside =
			g_strconcat(as_debian ? "lib/systemd/network/" : "etc/systemd/network/",
				    path + strlen("/etc/systemd/network/"), NULL);

		initramfs_piece_add(piece, inside, S_IFREG | 0644, text, strlen(text));
		g_ptr_array_add(done, g_steal_pointer(&inside));
	}
}

/* Settings that were edited in the guest and of which the image has a copy. */
static void add_copies(Guest *guest, const InitramfsImage *image, InitramfsPiece *piece,
		       GPtrArray *done)
{
	g_autoptr(GPtrArray) touched = edits_touched(guest->edits);

	for (guint i = 0; i < touched->len; i++) {
		const char *path = g_ptr_array_index(touched, i);
		const InitramfsFile *copy = initramfs_image_find(image, path + 1);
		const bool wanted = g_str_has_prefix(path, "/etc/lvm/") ||
				    g_str_has_prefix(path, "/etc/modprobe.d/");
		g_autofree char *text = wanted && copy != NULL
						? edits_try_read(guest->edits, path, SETTING_MAX)
						: NULL;

		if (text == NULL)
			continue;
		initramfs_piece_add(piece, path + 1, copy->mode, text, strlen(text));
		g_ptr_array_add(done, g_strdup(path + 1));
	}
}

static bool append_piece(Guest *guest, GBytes *bytes, const InitramfsPiece *piece, GError **error)
{
	g_autoptr(GByteArray) tail = initramfs_piece_format(piece, g_bytes_get_size(bytes));
	g_autofree char *local = local_path(guest);
	guestfs_h *g = appliance_for(guest->appliance, TRANSFER_SECONDS);

	if (!g_file_set_contents(local, (const char *)tail->data, tail->len, error))
		return false;
	const int uploaded =
		guestfs_upload_offset(g, local, guest->initramfs, (int64_t)g_bytes_get_size(bytes));

	g_unlink(local);
	return uploaded == 0 ||
	       appliance_fail(guest->appliance, error, "appending to %s", guest->initramfs);
}

static void list_added(Guest *guest, const GPtrArray *missing, const GPtrArray *done)
{
	g_autofree char *modules = missing_text(missing);

	if (missing->len > 0)
		guest_change(guest, guest->initramfs,
			     "the kernel must find its disks on virtio; a build by the guest's own "
			     "tools would add the same",
			     "drivers added: %s", modules);
	for (guint i = 0; i < done->len; i++)
		guest_change(guest, guest->initramfs,
			     "what the first stage of the start reads must agree with /etc",
			     "settings added: %s", (const char *)g_ptr_array_index(done, i));
	if (missing->len == 0)
		guest_change(guest, guest->initramfs,
			     "it holds all virtio drivers that the start needs", "not built again");
}

/* Adds what is missing as one more archive behind the image: the kernel unpacks them in order. */
static bool extend(Guest *guest, GBytes *bytes, const InitramfsImage *image,
		   const GPtrArray *missing, GError **error)
{
	g_autoptr(InitramfsPiece) piece = initramfs_piece_new(image);
	g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);

	if (missing->len > 0 && !add_module_files(guest, image, missing, piece, error))
		return false;
	add_settings(guest, image, piece, done);
	add_links(guest, image, piece, done);
	add_copies(guest, image, piece, done);
	list_added(guest, missing, done);
	if (guest->job->dry_run || (missing->len == 0 && done->len == 0))
		return true;
	return append_piece(guest, bytes, piece, error);
}

/* The guest's own tools, in order of preference; the first that is there builds. */
static bool rebuild(Guest *guest, GError **error)
{
	g_autofree char *drivers = initramfs_driver_list(guest->modules);
	const char *kernel = guest->report->kernel, *image = guest->initramfs;
	const struct {
		const char *program;
		const char *arguments[10];
	} tools[] = {
		{"/usr/sbin/update-initramfs", {"update-initramfs", "-u", "-k", kernel}},
		{"/usr/bin/dracut", {"dracut", "--force", "--add-drivers", drivers, image, kernel}},
		{"/sbin/dracut", {"dracut", "--force", "--add-drivers", drivers, image, kernel}},
		{"/usr/sbin/dracut",
		 {"dracut", "--force", "--add-drivers", drivers, image, kernel}},
		{"/sbin/mkinitrd",
		 {"mkinitrd", "-f", "--with=virtio_pci", "--with=virtio_blk", "--with=virtio_scsi",
		  "--with=virtio_net", image, kernel}},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(tools); i++) {
		if (!edits_is_file(guest->edits, tools[i].program))
			continue;
		guest_change(guest, image, "the kernel must find its disks on virtio",
			     "built again by the guest's %s", tools[i].arguments[0]);
		return guest->job->dry_run || appliance_run(guest->appliance, BUILD_SECONDS,
							    tools[i].arguments, NULL, error);
	}
	return fail(error, UNSUPPORTED,
		    "%s lacks virtio drivers and the guest has no tool to build it", image);
}

/* Opens what is in the guest now: nothing is believed that was not read back. */
static bool check(Guest *guest, GError **error)
{
	g_autoptr(GBytes) bytes =
		edits_read_bytes(guest->edits, guest->initramfs, MAX_INITRAMFS, error);

	if (bytes == NULL)
		return false;
	g_autoptr(InitramfsImage) image = read_image(guest, bytes, error);

	if (image == NULL)
		return false;
	g_autoptr(GPtrArray) missing = missing_modules(guest, image);
	g_autofree char *names = missing_text(missing);

	return missing->len == 0 ||
	       fail(error, CORRUPT, "%s in the guest still lacks: %s", guest->initramfs, names);
}

static bool apply_initramfs(Guest *guest, GError **error)
{
	g_autoptr(GBytes) bytes =
		edits_read_bytes(guest->edits, guest->initramfs, MAX_INITRAMFS, error);

	if (bytes == NULL)
		return false;
	g_autoptr(InitramfsImage) image = read_image(guest, bytes, error);

	if (image == NULL)
		return false;
	g_autoptr(GPtrArray) missing = missing_modules(guest, image);
	const bool by_ourselves =
		!initramfs_names_devices(image, guest->devices) &&
		(missing->len == 0 ||
		 initramfs_can_be_extended(image, guest->modules, guest->report->kernel));
	const bool done =
		by_ourselves ? extend(guest, bytes, image, missing, error) : rebuild(guest, error);

	/* The whole image, in memory: not twice. */
	g_clear_pointer(&image, initramfs_image_free);
	g_clear_pointer(&bytes, g_bytes_unref);
	return done && (guest->job->dry_run || check(guest, error));
}

const GuestStep step_initramfs = {.name = "initramfs",
				  .needed = true,
				  .runs = true,
				  .applies = is_used,
				  .apply = apply_initramfs};
