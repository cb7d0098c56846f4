/* SPDX-License-Identifier: Apache-2.0 */
/* migration_disks.h: the disks of one migration on their way: source, overlay, target image. */
#ifndef V2V_MIGRATION_DISKS_H
#define V2V_MIGRATION_DISKS_H

#include "v2v/migration.h"

typedef struct MigrationDisks MigrationDisks;

/* Opens the source's disks, says how much each needs on the target, and names its image. */
MigrationDisks *migration_disks_open(const MigrationRequest *request, Source *source,
				     MigrationReport *report, GError **error);
void migration_disks_free(MigrationDisks *disks); /* removes what was not committed; NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MigrationDisks, migration_disks_free)

/* The source's disk of this index; borrowed. */
Disk *migration_disks_source(const MigrationDisks *disks, guint index);

/* Offers each source disk over NBD and lays an overlay over it, in a private folder, for the
 * guest's conversion to write to. */
bool migration_disks_overlay(MigrationDisks *disks, GError **error);
/* The overlays, in order; borrowed. */
const GuestDrive *migration_disks_drives(const MigrationDisks *disks);
const char *migration_disks_work_folder(const MigrationDisks *disks);
/* Why reading a source failed while the guest was converted; NULL if it did not. Borrowed. */
const GError *migration_disks_source_error(const MigrationDisks *disks);

/* Begins to copy all disks, and to check the source's manifest, on threads of their own. */
bool migration_disks_start_copy(MigrationDisks *disks, GError **error);
/* Waits for them. */
bool migration_disks_join_copy(MigrationDisks *disks, GError **error);
/* Asks whatever works on these disks to stop, the guest's conversion too. */
void migration_disks_stop(MigrationDisks *disks);
/* Requested by the user, by migration_disks_stop(), or because the copy failed. Borrowed. */
const Cancel *migration_disks_cancel(const MigrationDisks *disks);

/* After join: what the overlays changed goes into the target images; they are finished and read
 * back. Nothing has its final name yet. */
bool migration_disks_finish(MigrationDisks *disks, GError **error);
/* All get their final names, or none. */
bool migration_disks_commit(MigrationDisks *disks, GError **error);
/* Takes commit back: the images are removed, what they replaced is there again. */
void migration_disks_uncommit(MigrationDisks *disks);

#endif
