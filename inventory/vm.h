/* SPDX-License-Identifier: Apache-2.0 */
/* vm.h: a VM definition, neutral of its source. Strings are owned, UTF-8, and not trusted: whoever
 * writes them anywhere escapes them. 0 and NULL mean "the source does not say" unless noted. */
#ifndef V2V_INVENTORY_VM_H
#define V2V_INVENTORY_VM_H

#include "base/finding.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { FIRMWARE_UNKNOWN, FIRMWARE_BIOS, FIRMWARE_UEFI } Firmware;

typedef enum { /* the hypervisor that the VM comes from: decides what is taken out of the guest */
	       HYPERVISOR_UNKNOWN,
	       HYPERVISOR_VMWARE,
	       HYPERVISOR_VIRTUALBOX,
	       HYPERVISOR_HYPERV,
	       HYPERVISOR_XEN,
	       HYPERVISOR_KVM,
	       HYPERVISOR_NUTANIX,
} Hypervisor;

typedef enum {
	BUS_UNKNOWN,
	BUS_IDE,
	BUS_SATA,
	BUS_SCSI,
	BUS_NVME,
	BUS_VIRTIO,
	BUS_USB,
	BUS_FLOPPY
} DiskBus;

typedef struct {
	DiskBus bus;
	char *model;   /* as the source names it: "VirtualSCSI", "lsilogic", "ahci" */
	unsigned unit; /* number of the controller among those of its bus */
} VmController;

typedef struct {
	char *id;                    /* of the source, unique in the VM: "vmdisk1" */
	DiskBus bus;                 /* of the source */
	unsigned controller, target; /* controller number on that bus, place on it */
	uint64_t capacity;           /* bytes, as the definition claims; the image is the truth */
	char *format;                /* what the definition says: "vmdk"; a hint, never trusted */
	char *file;                  /* the file in the source, for display */
	unsigned boot_order;         /* 1: first; 0: not said */
	char *serial;
} VmDisk;

typedef struct { /* CD-ROM or floppy drive */
	DiskBus bus;
	bool floppy;
	unsigned controller, target;
	char *image; /* file in the source; NULL: empty or the host's drive */
} VmRemovable;

typedef struct {
	char *mac;     /* "00:50:56:aa:bb:cc", lower case; NULL: not said */
	char *model;   /* of the source: "VmxNet3", "E1000", "PCNet32" */
	char *network; /* name of the source's network or port group */
	bool bridged;  /* the source says that `network` is a bridge */
	bool disconnected;
	unsigned boot_order;
} VmNic;

typedef struct {
	char *name;
	char *uuid; /* canonical text; SMBIOS identity */
	char *annotation;
	Hypervisor hypervisor;
	char *guest_os;   /* the source's own id: "debian12_64Guest", "96" */
	char *guest_arch; /* "x86_64"; NULL: x86_64 */
	uint64_t memory;  /* bytes */
	unsigned vcpus;   /* sockets * cores * threads */
	unsigned sockets, cores, threads;
	Firmware firmware;
	bool secure_boot, tpm;
	char *nvram;    /* file in the source; NULL: none */
	bool rtc_local; /* RTC keeps local time */
	bool has_serial_port, has_sound;
	char *sound_model;
	uint64_t video_memory; /* bytes */
	char *serial_number;   /* SMBIOS system serial */
	char *manufacturer, *product;
	uint64_t genid[2];      /* VM generation id, high and low; 0, 0: none */
	GPtrArray *controllers; /* of VmController */
	GPtrArray *disks;       /* of VmDisk, in the order of the source's BIOS */
	GPtrArray *removables;  /* of VmRemovable */
	GPtrArray *nics;        /* of VmNic, in order */
	Findings *findings;     /* what could not be mapped, what was assumed */
} Vm;

Vm *vm_new(void);
void vm_free(Vm *vm); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Vm, vm_free)

/* Each appends a new, zeroed element and returns it, borrowed. */
VmController *vm_add_controller(Vm *vm);
VmDisk *vm_add_disk(Vm *vm);
VmRemovable *vm_add_removable(Vm *vm);
VmNic *vm_add_nic(Vm *vm);

VmController *vm_controller(const Vm *vm, guint index);
VmDisk *vm_disk(const Vm *vm, guint index);
VmRemovable *vm_removable(const Vm *vm, guint index);
VmNic *vm_nic(const Vm *vm, guint index);

/* "vmware", "scsi", "uefi": stable names for JSON and text. */
const char *hypervisor_name(Hypervisor hypervisor);
const char *disk_bus_name(DiskBus bus);
const char *firmware_name(Firmware firmware);

/* `name` made fit for a file and a libvirt domain name: '/', control bytes, a leading '.' or '-'
 * become
 * '_', at most 200 bytes, never empty. Owned by the caller. */
char *vm_file_name(const char *name);

#endif
