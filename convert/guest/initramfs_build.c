/* SPDX-License-Identifier: Apache-2.0 */
/* initramfs_build.c: modules inside an initramfs. */
#include "convert/guest/initramfs_build.h"

#include <string.h>
#include <sys/stat.h>

static const char *const suffixes[] = {"", ".xz", ".zst", ".gz"};

char *initramfs_module_path(const InitramfsImage *image, const char *kernel, const char *path)
{
	static const char *const roots[] = {"usr/lib/modules/", "lib/modules/"};

	for (size_t i = 0; i < G_N_ELEMENTS(roots); i++) {
		g_autofree char *folder = g_strconcat(roots[i], kernel, NULL);

		if (initramfs_image_find(image, folder) != NULL)
			return g_strconcat(folder, "/", path, NULL);
	}
	return g_strconcat("lib/modules/", kernel, "/", path, NULL);
}

bool initramfs_has_module(const InitramfsImage *image, const char *kernel, const char *path)
{
	g_autofree char *inside = initramfs_module_path(image, kernel, path);
	char *ko = g_strrstr(inside, ".ko");

	if (ko != NULL)
		ko[strlen(".ko")] = '\0';
	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *name = g_strconcat(inside, suffixes[i], NULL);
		const InitramfsFile *file = initramfs_image_find(image, name);

		if (file != NULL && S_ISREG(file->mode) && file->size > 0)
			return true;
	}
	return false;
}

static bool has_one_of(const InitramfsImage *image, const char *const *paths)
{
	for (; *paths != NULL; paths++)
		if (initramfs_image_find(image, *paths) != NULL)
			return true;
	return false;
}

/* True when each module in the image is at the path that the guest's modules.dep gives it. */
static bool names_agree(const InitramfsImage *image, const Modules *modules, const char *kernel)
{
	g_autofree char *found = initramfs_module_path(image, kernel, "");
	g_autofree char *prefix = initramfs_image_real_path(image, found);
	GHashTableIter at;
	gpointer path;

	g_hash_table_iter_init(&at, image->files);
	while (g_hash_table_iter_next(&at, &path, NULL))
		if (g_str_has_prefix(path, prefix) && strstr(path, ".ko") != NULL &&
		    !modules_have_path(modules, (const char *)path + strlen(prefix)))
			return false;
	return true;
}

bool initramfs_names_devices(const InitramfsImage *image, const GPtrArray *devices)
{
	const InitramfsFile *init = initramfs_image_find(image, "init");
	g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);

	if (init == NULL || init->content == NULL)
		return false;
	g_autofree char *after = block_devices_replace(devices, init->content, done, NULL);

	return done->len > 0;
}

bool initramfs_can_be_extended(const InitramfsImage *image, const Modules *modules,
			       const char *kernel)
{
	static const char *const udev[] = {"usr/lib/systemd/systemd-udevd",
					   "lib/systemd/systemd-udevd",
					   "sbin/udevd",
					   "usr/sbin/udevd",
					   "lib/udev/udevd",
					   NULL};
	static const char *const loader[] = {"sbin/modprobe", "usr/sbin/modprobe", "bin/kmod",
					     "usr/bin/kmod", NULL};
	g_autofree char *folder = initramfs_module_path(image, kernel, "modules.dep.bin");

	return has_one_of(image, udev) && has_one_of(image, loader) &&
	       initramfs_image_find(image, folder) != NULL && names_agree(image, modules, kernel);
}

GPtrArray *initramfs_module_files(const GPtrArray *missing)
{
	static const char *const indexes[] = {
		"modules.dep",     "modules.dep.bin",     "modules.alias",   "modules.alias.bin",
		"modules.symbols", "modules.symbols.bin", "modules.softdep", "modules.devname"};
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < missing->len; i++)
		g_ptr_array_add(files, g_strdup(g_ptr_array_index(missing, i)));
	for (size_t i = 0; i < G_N_ELEMENTS(indexes); i++)
		g_ptr_array_add(files, g_strdup(indexes[i]));
	return files;
}

char *initramfs_driver_list(const Modules *modules)
{
	static const char *const drivers[] = {"virtio_pci", "virtio_blk", "virtio_scsi",
					      "virtio_net", "sd_mod"};
	GString *list = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++)
		if (modules_path(modules, drivers[i]) != NULL)
			g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "", drivers[i]);
	return g_string_free(list, FALSE);
}
