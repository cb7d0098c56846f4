/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_item.h: one device of a VirtualHardwareSection: Item, StorageItem or EthernetPortItem. */
#ifndef V2V_INVENTORY_OVF_ITEM_H
#define V2V_INVENTORY_OVF_ITEM_H

#include "inventory/vm.h"

#include <libxml/tree.h>

/* CIM_ResourceAllocationSettingData.ResourceType */
typedef enum {
	OVF_TYPE_OTHER = 1,
	OVF_TYPE_CPU = 3,
	OVF_TYPE_MEMORY = 4,
	OVF_TYPE_IDE = 5,
	OVF_TYPE_SCSI = 6,
	OVF_TYPE_NIC = 10,
	OVF_TYPE_FLOPPY = 14,
	OVF_TYPE_CD = 15,
	OVF_TYPE_DVD = 16,
	OVF_TYPE_DISK = 17,
	OVF_TYPE_STORAGE_CONTROLLER = 20, /* SATA, NVMe, virtio */
	OVF_TYPE_SERIAL_PORT = 21,
	OVF_TYPE_PARALLEL_PORT = 22,
	OVF_TYPE_USB = 23,
	OVF_TYPE_VIDEO = 24,
	OVF_TYPE_LOGICAL_DISK = 31,
	OVF_TYPE_ETHERNET_CONNECTION = 33,
	OVF_TYPE_SOUND = 35,
} OvfType;

typedef struct {
	const xmlNode *node;
	unsigned type;           /* an OvfType or another number; 0: not said */
	char *instance, *parent; /* owned; NULL: not said */
	char *address, *place;   /* owned; Address, AddressOnParent */
	char *name, *subtype;    /* owned; ElementName, ResourceSubType */
	char *resource;          /* owned; HostResource */
	char *connection;        /* owned; the network */
	char *quantity, *units;  /* owned; VirtualQuantity, AllocationUnits */
	DiskBus bus;             /* of a controller: set by the hardware pass */
	unsigned unit;           /* of a controller */
} OvfItem;

/* The items that apply when `option` (may be NULL) is the deployment option: those for minimum,
 * maximum and other options are left out, one for this option replaces the general one of its
 * InstanceID. Of OvfItem, owned. CORRUPT for one InstanceID twice. */
GPtrArray *ovf_items_read(const xmlNode *section, const char *option, GError **error);

/* "line 17: item 4 ("Hard disk 1")", for messages. Owned by the caller. */
char *ovf_item_where(const OvfItem *item);
/* NULL when there is none. */
OvfItem *ovf_items_find(const GPtrArray *items, const char *instance);

#endif
