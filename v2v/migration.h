/* SPDX-License-Identifier: Apache-2.0 */
/* migration.h: one VM from a source to a target, cold: all of it or nothing. */
#ifndef V2V_MIGRATION_H
#define V2V_MIGRATION_H

#include "convert/copy.h"
#include "convert/guest/guest.h"
#include "formats/format.h"
#include "inventory/source.h"
#include "v2v/progress_display.h"
#include "v2v/targets/target.h"

typedef struct { /* strings borrowed for the length of migration_run() */
	const char *from, *to;
	const char *vm_name;    /* which of the source's VMs; NULL: the only one */
	const char *new_name;   /* of the domain; NULL: the VM's own, made fit */
	const char *storage;    /* folder or pool for the disks; NULL: the target's default */
	const char *virt_type;  /* "kvm", "qemu", "auto" */
	const char *ca_file;    /* for a signed OVA; may be NULL */
	const char *root;       /* guest root device when there are several; may be NULL */
	const char *serial_log; /* path for the serial console's output; may be NULL */
	const FormatDriver *format;
	CreateOptions create; /* size is filled in per disk */
	const NetworkMap *networks;
	size_t network_count;
	unsigned threads;
	uint64_t rate_limit; /* guest bytes per second; 0: none */
	bool force, start, dry_run, skip_guest, skip_verify;
	const Cancel *cancel;
	ProgressDisplay *display; /* borrowed */
} MigrationRequest;

typedef struct {                /* of one disk, in the VM's order */
	char *path;             /* owned; where it stands (or would stand) */
	uint64_t size;          /* guest bytes */
	uint64_t needed;        /* bytes on the target, at most */
	CopyCounts copied;      /* first pass */
	uint64_t changed_bytes; /* guest bytes that the guest conversion wrote */
	char *digest_root;      /* owned; of the finished image */
} MigratedDisk;

typedef struct {    /* what happened, or would happen; strings owned */
	char *name; /* of the domain */
	char *target_uri, *virt_type, *target_note, *folder;
	char *xml;
	Vm *vm;
	GuestReport *guest;         /* NULL: not looked at */
	GArray *disks;              /* of MigratedDisk */
	uint64_t needed, available; /* bytes on the target */
	Findings *findings; /* of source, target and flow; the Vm and the guest have their own */
	bool dry_run, started;
	bool blocked; /* dry run: a critical finding would keep it from being migrated */
} MigrationReport;

/* NULL on failure, and then nothing of it remains at the target: no domain, no image, no file.
 * Findings known so far are printed by the caller from *findings (owned by the caller). A critical
 * finding is a REFUSED error before the first byte is copied, except in a dry run. */
MigrationReport *migration_run(const MigrationRequest *request, Findings *findings, GError **error);
void migration_report_free(MigrationReport *report); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MigrationReport, migration_report_free)

/* For people, and as an a{sv} (floating) for programs. */
void migration_report_print(const MigrationReport *report);
GVariant *migration_report_variant(const MigrationReport *report, ProgressDisplay *display);

#endif
