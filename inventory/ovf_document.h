/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_document.h: the inside of an OvfDocument, for the ovf_*.c files alone. */
#ifndef V2V_INVENTORY_OVF_DOCUMENT_H
#define V2V_INVENTORY_OVF_DOCUMENT_H

#include "inventory/ovf.h"
#include "inventory/ovf_item.h"

#include <libxml/tree.h>

typedef struct {
	char *id, *name; /* owned */
	char *listed_as; /* owned; unique in the document */
	const xmlNode *node;
} OvfSystem;

struct OvfDocument {
	xmlDoc *xml;            /* owned; the nodes below live in it */
	GPtrArray *files;       /* owned, of OvfFile */
	GPtrArray *disks;       /* owned, of OvfDisk */
	GPtrArray *systems;     /* owned, of OvfSystem */
	GPtrArray *options;     /* owned, ids of deployment options, the default one first */
	GHashTable *properties; /* owned, key -> default value; NULL: not needed so far */
	const xmlNode *root;
};

typedef struct { /* one VirtualHardwareSection on its way to a Vm */
	const OvfDocument *document;
	Vm *vm;
	GPtrArray *items;  /* owned, of OvfItem */
	char **boot_order; /* owned; InstanceIDs, the first to boot first */
} OvfHardware;

/* ovf_references.c: fills files, disks and options from the sections of the envelope. */
bool ovf_references_parse(OvfDocument *document, GError **error);
/* ovf_system.c: one VirtualSystem as a Vm. */
Vm *ovf_system_describe(const OvfDocument *document, const OvfSystem *system, GError **error);
/* ovf_hardware.c: the devices of a VirtualHardwareSection. */
bool ovf_hardware_describe(const OvfDocument *document, const xmlNode *section, Vm *vm,
			   GError **error);
typedef struct {
	DiskBus bus;
	unsigned controller, target;
} OvfPlace;

/* ovf_controllers.c: numbers the controllers; then, where an item hangs. CORRUPT for parents that
 * form a circle; a parent that is no controller is a finding. */
bool ovf_storage_controllers(OvfHardware *hardware, GError **error);
bool ovf_place_read(const OvfHardware *hardware, const OvfItem *item, OvfPlace *out,
		    GError **error);
/* ovf_storage.c: disks in the order of the BIOS, and drives. */
bool ovf_storage_devices(OvfHardware *hardware, GError **error);
/* ovf_nic.c: */
bool ovf_nics(OvfHardware *hardware, GError **error);
/* "00:50:56:…", with '-' or nothing between the bytes; *out is lower case with ':', or NULL for all
 * zeroes, which means none. CORRUPT for what is no unicast address. */
bool ovf_mac_parse(const char *text, char **out, GError **error);
/* ovf_hardware.c: 1 for what boots first; 0: nothing was said about it. */
unsigned ovf_boot_rank(const OvfHardware *hardware, const char *instance);
/* ovf_vbox.c: what VirtualBox's own <vbox:Machine> says beyond OVF. */
bool ovf_vbox_describe(const xmlNode *machine, Vm *vm, GError **error);

#endif
