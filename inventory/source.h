/* SPDX-License-Identifier: Apache-2.0 */
/* source.h: where VMs come from. A driver is one const struct, listed once in inventory/sources.c.
 */
#ifndef V2V_INVENTORY_SOURCE_H
#define V2V_INVENTORY_SOURCE_H

#include "base/cancel.h"
#include "formats/disk.h"
#include "inventory/vm.h"

typedef struct Source Source;

typedef struct {
	const char *ca_file;      /* trust for a signed OVA; NULL: the system's */
	const char *spool_folder; /* where what cannot be read in place is spooled; NULL: $TMPDIR */
	const Cancel *cancel;     /* borrowed, may be NULL */
	Findings *findings;       /* borrowed; about the source as such (manifest missing …) */
} SourceOptions;

typedef struct {
	const char *name;  /* "ova" */
	const char *title; /* "OVA or OVF (VMware, VirtualBox, …)" */
	/* 0 to 100: how sure that `uri` (a path or a URI) is for this driver; reads a little of it.
	 */
	int (*probe)(const char *uri);
	Source *(*open)(const char *uri, const SourceOptions *options, GError **error);
} SourceDriver;

/* The driver's half. A NULL callback means that this source cannot; source_*() tests it. */
typedef struct {
	/* Names of the VMs, NULL-terminated, owned by the caller (g_strfreev). */
	char **(*list)(Source *source, GError **error);
	/* `name` is one of list(); NULL only when there is exactly one. */
	Vm *(*describe)(Source *source, const char *name, GError **error);
	/* The image of `disk` with its chain, as the guest sees it. */
	Disk *(*open_disk)(Source *source, const Vm *vm, const VmDisk *disk, GError **error);
	/* Reads what the manifest lists and compares; runs on a thread of its own beside the copy.
	 * NULL: nothing to compare. */
	bool (*verify)(Source *source, const Cancel *cancel, GError **error);
	void (*close)(Source *source); /* frees `source` too */
} SourceOps;

struct Source { /* a driver embeds this as its first member `base` */
	const SourceOps *ops;
	const SourceDriver *driver; /* borrowed */
	char *uri;                  /* owned */
};

/* NULL-terminated. */
extern const SourceDriver *const source_drivers[];

/* The best bidder; UNSUPPORTED, with the list of what is understood, when nobody bids. */
Source *source_open(const char *uri, const SourceOptions *options, GError **error);
void source_close(Source *source); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_close)

char **source_list(Source *source, GError **error);
/* With several VMs and no name: USAGE, the text lists the names and says --vm NAME. */
Vm *source_describe(Source *source, const char *name, GError **error);
Disk *source_open_disk(Source *source, const Vm *vm, const VmDisk *disk, GError **error);
bool source_verify(Source *source, const Cancel *cancel, GError **error);

#endif
