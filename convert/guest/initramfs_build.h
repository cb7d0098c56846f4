/* SPDX-License-Identifier: Apache-2.0 */
/* initramfs_build.h: which modules an initramfs has, and whether more can simply be added. */
#ifndef V2V_CONVERT_GUEST_INITRAMFS_BUILD_H
#define V2V_CONVERT_GUEST_INITRAMFS_BUILD_H

#include "convert/guest/block_devices.h"
#include "convert/guest/initramfs_image.h"
#include "convert/guest/modules.h"

/* `path` is as in modules.dep; compressed or not does not matter. */
bool initramfs_has_module(const InitramfsImage *image, const char *kernel, const char *path);

/* Where a file below /lib/modules/VERSION goes inside the image. Owned. */
char *initramfs_module_path(const InitramfsImage *image, const char *kernel, const char *path);

/*
 * True when files may be added behind the image and will be found: it has udev, which loads drivers
 * by the indexes of depmod, and these, taken from the guest's root, name its modules as they are.
 * An image of another make (a script with a fixed list of insmod) must be built again.
 */
bool initramfs_can_be_extended(const InitramfsImage *image, const Modules *modules,
			       const char *kernel);

/* True when the start script itself has names of disks in it, as mkinitrd of old wrote them. */
bool initramfs_names_devices(const InitramfsImage *image, const GPtrArray *devices);

/* The modules themselves and the indexes that name them; paths below /lib/modules/VERSION. Owned
 * strings. */
GPtrArray *initramfs_module_files(const GPtrArray *missing);

/* "virtio_pci virtio_blk …": those that are modules of the kernel. Owned. */
char *initramfs_driver_list(const Modules *modules);

#endif
