/* SPDX-License-Identifier: Apache-2.0 */
/* migration_check.h: what stands in the way of a migration whatever its target is. */
#ifndef V2V_MIGRATION_CHECK_H
#define V2V_MIGRATION_CHECK_H

#include "v2v/migration_disks.h"

/* The most that a copy of `disk` takes as "raw" or "qcow2"; `cluster_size` 0: the default. */
bool space_needed(Disk *disk, const char *format, uint32_t cluster_size, uint64_t *out,
		  GError **error);

/* Finds images that exist, targets that the source is read from, and --network or --bridge maps for
 * networks that the VM does not have. */
void migration_check(const MigrationRequest *request, const MigrationReport *report,
		     const MigrationDisks *disks, Findings *findings);

#endif
