/* SPDX-License-Identifier: Apache-2.0 */
/* ova_source.h: the inside of an open OVF package, for the ova*.c files alone. */
#ifndef V2V_INVENTORY_OVA_SOURCE_H
#define V2V_INVENTORY_OVA_SOURCE_H

#include "inventory/manifest.h"
#include "inventory/ovf.h"
#include "inventory/package.h"
#include "inventory/source.h"

typedef struct {
	Source base;
	Package *package;      /* owned */
	OvfDocument *document; /* owned */
	Manifest *manifest;    /* owned; NULL: there is none */
	char *ovf_name;        /* owned; the member */
	char *prefix;          /* owned; what stands before the names it refers to: "" or "web/" */
	char *spool_folder;    /* owned; may be NULL */
	char *ca_file;         /* owned; may be NULL */
	const Cancel *cancel;  /* borrowed, may be NULL */
	Findings *findings;    /* borrowed, may be NULL */
} OvaSource;

/* ova_package.c: finds the .ovf, checks it against .mf and .cert, and parses it. */
bool ova_load(OvaSource *ova, GError **error);
/* A file by the name that the .ovf or the manifest gives it. */
Storage *ova_open_file(OvaSource *ova, const char *name, GError **error);
/* ova_disk.c */
Disk *ova_open_disk(Source *source, const Vm *vm, const VmDisk *disk, GError **error);

#endif
