/* SPDX-License-Identifier: Apache-2.0 */
/* migration_check.c: space, names that are taken, maps that map nothing. */
#include "v2v/migration_check.h"

#include "base/checked.h"

#include <string.h>
#include <sys/stat.h>

#define QCOW2_CLUSTER 65536u
#define RAW_BLOCK     4096u

/* Units of `unit` bytes that hold data. */
static bool count_units(Disk *disk, uint64_t unit, uint64_t *out, GError **error)
{
	uint64_t next = 0; /* the first unit that is not counted yet */

	*out = 0;
	for (uint64_t at = 0; at < disk->size;) {
		Extent extent;

		if (!disk_extent_at(disk, at, &extent, error))
			return false;
		if (extent.state == EXTENT_DATA) {
			const uint64_t first = MAX(at / unit, next);

			next = MAX(next, (at + extent.length - 1) / unit + 1);
			*out += next - first;
		}
		at += extent.length;
	}
	return true;
}

/* Data, L2 tables (8 bytes a cluster), L1 table, refcounts (2 bytes a cluster), header; the tables
 * in whole clusters. */
static uint64_t qcow2_clusters(uint64_t disk_size, uint64_t data, uint64_t cluster)
{
	const uint64_t tables = div_round_up(disk_size, cluster * (cluster / 8));
	const uint64_t content = data + MIN(tables, data) + div_round_up(tables * 8, cluster) +
				 2 /* header, spare */;
	const uint64_t blocks = div_round_up(content * 2, cluster) + 1;

	return content + blocks + div_round_up(blocks * 8, cluster);
}

bool space_needed(Disk *disk, const char *format, uint32_t cluster_size, uint64_t *out,
		  GError **error)
{
	const bool raw = strcmp(format, "raw") == 0;
	const uint64_t unit = raw ? RAW_BLOCK : cluster_size != 0 ? cluster_size : QCOW2_CLUSTER;
	uint64_t units;

	if (!count_units(disk, unit, &units, error))
		return false;
	if (!raw)
		units = qcow2_clusters(disk->size, units, unit);
	if (!checked_mul(units, unit, out))
		*out = UINT64_MAX;
	return true;
}

static void check_image(const MigrationRequest *request, const MigrationReport *report, guint index,
			const MigrationDisks *disks, Findings *findings)
{
	const MigratedDisk *disk = &g_array_index(report->disks, MigratedDisk, index);
	struct stat file;

	if (stat(disk->path, &file) != 0)
		return;
	for (guint i = 0; i < report->disks->len; i++)
		if (disk_is_stored_in(migration_disks_source(disks, i), &file)) {
			findings_add(findings, FINDING_CRITICAL, "target.is-source",
				     "choose another folder, or another name with --name",
				     "%s: the source is read from this file", disk->path);
			return;
		}
	if (!request->force)
		findings_add(findings, FINDING_CRITICAL, "target.image-exists",
			     "choose another name with --name, or replace it with --force",
			     "%s: exists already", disk->path);
}

static bool has_network(const Vm *vm, const char *name)
{
	for (guint i = 0; i < vm->nics->len; i++)
		if (g_strcmp0(vm_nic(vm, i)->network, name) == 0)
			return true;
	return false;
}

static void check_maps(const MigrationRequest *request, const Vm *vm, Findings *findings)
{
	for (size_t i = 0; i < request->network_count; i++) {
		const NetworkMap *map = &request->networks[i];

		if (map->from == NULL || has_network(vm, map->from))
			continue;
		g_autofree char *shown = text_for_display(map->from, strlen(map->from), 200);
		findings_add(findings, FINDING_WARNING, "migration.map-unused",
			     "v2v inspect shows the names of its networks",
			     "no network card of the VM is in a network \"%s\": --%s %s:%s changes "
			     "nothing",
			     shown, map->bridge ? "bridge" : "network", shown, map->to);
	}
}

void migration_check(const MigrationRequest *request, const MigrationReport *report,
		     const MigrationDisks *disks, Findings *findings)
{
	for (guint i = 0; i < report->disks->len; i++)
		check_image(request, report, i, disks, findings);
	check_maps(request, report->vm, findings);
}
