/* SPDX-License-Identifier: Apache-2.0 */
/* block_devices.h: what /dev/sda1 of a guest's configuration is, and the UUID that replaces it. */
#ifndef V2V_CONVERT_GUEST_BLOCK_DEVICES_H
#define V2V_CONVERT_GUEST_BLOCK_DEVICES_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
	unsigned drive;     /* index in the VM's order */
	unsigned partition; /* from 1; 0: the whole drive, or not a part of one drive (LVM) */
	char *device;       /* owned; as the appliance names it: "/dev/sda1" */
	char *type;         /* owned, may be NULL; as blkid says: "ext4", "swap", "crypto_LUKS" */
	char *uuid;         /* owned, may be NULL: of the file system, swap area or LUKS header */
	char *label;        /* owned, may be NULL */
	char *part_uuid;    /* owned, may be NULL: of the partition table entry */
	char *part_type;    /* owned, may be NULL: "0x83", or a GUID in lower case */
	bool scattered;     /* a logical volume or array: its name does not change */
} BlockDevice;

void block_device_free(void *device); /* a GDestroyNotify */

/* "/dev/sdb3" (sd, hd, vd, xvd, nvme0n1p3, cciss/c0d1p3) is drive 1, partition 3. */
bool block_device_name_parse(const char *name, size_t length, unsigned *drive, unsigned *partition);

/* The device that `name` (`length` bytes) stands for among `devices` (of BlockDevice), or NULL. */
const BlockDevice *block_devices_find(const GPtrArray *devices, const char *name, size_t length);

/* "UUID=…" or else "PARTUUID=…"; NULL when the device has neither. Owned by the caller. */
char *block_device_stable_name(const BlockDevice *device);

/*
 * `text` with each device name in it that the guest will not find again replaced by its UUID. A
 * name counts only as a whole word: at the start or after white space, a quote, '=', ',' or ':'.
 * Each replacement goes to `done` as "/dev/sda2 -> UUID=…" (owned), each name that cannot be
 * replaced to `unknown`; both may be NULL. Owned by the caller.
 */
char *block_devices_replace(const GPtrArray *devices, const char *text, GPtrArray *done,
			    GPtrArray *unknown);

#endif
