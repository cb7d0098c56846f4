/* SPDX-License-Identifier: Apache-2.0 */
/* target.h: where VMs go. A driver is one const struct, listed once in v2v/targets/targets.c. */
#ifndef V2V_TARGETS_TARGET_H
#define V2V_TARGETS_TARGET_H

#include "base/cancel.h"
#include "convert/guest/guest.h"
#include "inventory/vm.h"

typedef struct Target Target;

typedef struct {
	const char
		*storage; /* --storage: a folder, or the name of a directory pool; NULL: default */
	const char *virt_type; /* "kvm", "qemu", "auto" */
	bool force;            /* replace what exists */
} TargetOptions;

typedef struct { /* --network SRC:DST, --bridge SRC:DST; `from` NULL: every other network */
	const char *from, *to;
	bool bridge;
} NetworkMap;

/* What the XML needs beside the Vm. Arrays are in the order of vm->disks. */
typedef struct {
	const Vm *vm;
	const GuestReport *guest; /* NULL: not converted (--no-guest-conversion) */
	const char *name;         /* of the domain */
	const char *const *disk_paths;
	const char *disk_format; /* "qcow2" or "raw" */
	const char *virt_type;   /* "kvm" or "qemu": resolved */
	const NetworkMap *networks;
	size_t network_count;
	bool user_network;       /* no virtual networks there: what no map names gets QEMU's own */
	const char *uefi_loader; /* NULL: libvirt selects the firmware by itself */
	const char *serial_log;  /* path; NULL: the serial console is not recorded */
	const char *socket_folder; /* NULL: libvirt has a place for sockets */
} DomainPlan;

/* The domain XML of a plan, by libxml2's writer; what the target cannot do goes into `findings`.
 * Owned by the caller. */
char *domain_xml_format(const DomainPlan *plan, Findings *findings, GError **error);

typedef struct {
	const char *name; /* "libvirt", "dir" */
	const char *title;
	int (*probe)(const char *uri);
	Target *(*open)(const char *uri, const TargetOptions *options, GError **error);
} TargetDriver;

/* A NULL callback means that this target cannot; target_*() tests it. */
typedef struct {
	/* Nothing is changed: name free? pool there? networks known? What stands in the way goes
	 * into `findings`. `needed` is the space for the disks in bytes. */
	bool (*check)(Target *target, const DomainPlan *plan, uint64_t needed, Findings *findings,
		      GError **error);
	/* Everything stands in the folder: define the domain (or write the XML file). */
	bool (*define)(Target *target, const DomainPlan *plan, const char *xml, GError **error);
	bool (*start)(Target *target, const char *name, GError **error);
	/* Off at once, as by pulling the plug; it stays defined. Fine when it is off. */
	bool (*stop)(Target *target, const char *name, GError **error);
	/* Takes back define() (and start()); disks are the caller's. Does what it can; on failure
	 * the text says what remains. */
	bool (*rollback)(Target *target, const char *name, GError **error);
	void (*close)(Target *target); /* frees `target` too */
} TargetOps;

struct Target { /* a driver embeds this as its first member `base` */
	const TargetOps *ops;
	const TargetDriver *driver; /* borrowed */
	char *uri;                  /* owned; resolved: "qemu:///system" */
	char *folder;               /* owned; where the disks go */
	char *virt_type;            /* owned; "kvm" or "qemu", resolved */
	char *note;          /* owned, may be NULL; one line for the user: how `uri` was chosen */
	bool user_network;   /* for DomainPlan */
	char *uefi_loader;   /* owned, may be NULL; for DomainPlan */
	char *socket_folder; /* owned, may be NULL; for DomainPlan */
};

/* NULL-terminated. */
extern const TargetDriver *const target_drivers[];

/* "kvm", a libvirt URI, "qemu:///embed?root=DIR", "dir:PATH"; USAGE, with that list, when nobody
 * bids. */
Target *target_open(const char *uri, const TargetOptions *options, GError **error);
void target_close(Target *target);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Target, target_close)

bool target_check(Target *target, const DomainPlan *plan, uint64_t needed, Findings *findings,
		  GError **error);
bool target_define(Target *target, const DomainPlan *plan, const char *xml, GError **error);
bool target_start(Target *target, const char *name, GError **error);
bool target_stop(Target *target, const char *name, GError **error);
bool target_rollback(Target *target, const char *name, GError **error);

#endif
