/* SPDX-License-Identifier: Apache-2.0 */
/* migration.c: the phases of a cold migration, in order; each leaves nothing behind when it fails.
 */
#include "v2v/migration.h"

#include "base/checked.h"
#include "v2v/migration_check.h"

#include <string.h>
#include <sys/statvfs.h>

static void migrated_disk_clear(void *pointer)
{
	MigratedDisk *disk = pointer;

	g_free(disk->path);
	g_free(disk->digest_root);
}

static MigrationReport *report_new(Findings *findings)
{
	MigrationReport *report = g_new0(MigrationReport, 1);

	report->findings = findings;
	report->disks = g_array_new(FALSE, TRUE, sizeof(MigratedDisk));
	g_array_set_clear_func(report->disks, migrated_disk_clear);
	return report;
}

void migration_report_free(MigrationReport *report)
{
	if (report == NULL)
		return;
	g_array_unref(report->disks);
	vm_free(report->vm);
	guest_report_free(report->guest);
	g_free(report->name);
	g_free(report->target_uri);
	g_free(report->virt_type);
	g_free(report->target_note);
	g_free(report->folder);
	g_free(report->xml);
	g_free(report);
}

/* What each phase needs of the others. */
typedef struct {
	const MigrationRequest *request;
	Source *source;
	Target *target;
	MigrationDisks *disks;
	MigrationReport *report;
	Progress *lane;
	GPtrArray *paths; /* borrowed strings, NULL-terminated */
} Migration;

static bool phase_open(Migration *migration, const SourceOptions *options, GError **error)
{
	const MigrationRequest *request = migration->request;
	const TargetOptions target_options = {request->storage, request->virt_type, request->force};
	MigrationReport *report = migration->report;

	migration->source = source_open(request->from, options, error);
	if (migration->source == NULL)
		return false;
	report->vm = source_describe(migration->source, request->vm_name, error);
	if (report->vm == NULL)
		return false;
	migration->target = target_open(request->to, &target_options, error);
	if (migration->target == NULL)
		return false;
	if (request->start && migration->target->ops->start == NULL)
		return fail(error, USAGE, "--start: %s: nothing runs there",
			    migration->target->uri);
	report->name =
		vm_file_name(request->new_name != NULL ? request->new_name : report->vm->name);
	report->target_uri = g_strdup(migration->target->uri);
	report->virt_type = g_strdup(migration->target->virt_type);
	report->target_note = g_strdup(migration->target->note);
	report->folder = g_strdup(migration->target->folder);
	migration->disks = migration_disks_open(request, migration->source, report, error);
	return migration->disks != NULL;
}

static DomainPlan domain_plan(Migration *migration)
{
	const MigrationRequest *request = migration->request;
	MigrationReport *report = migration->report;

	g_ptr_array_set_size(migration->paths, 0);
	for (guint i = 0; i < report->disks->len; i++)
		g_ptr_array_add(migration->paths,
				g_array_index(report->disks, MigratedDisk, i).path);
	g_ptr_array_add(migration->paths, NULL);
	return (DomainPlan){
		.vm = report->vm,
		.guest = report->guest,
		.name = report->name,
		.disk_paths = (const char *const *)migration->paths->pdata,
		.disk_format = request->format->name,
		.virt_type = report->virt_type,
		.networks = request->networks,
		.network_count = request->network_count,
		.user_network = migration->target->user_network,
		.uefi_loader = migration->target->uefi_loader,
		.serial_log = request->serial_log,
		.socket_folder = migration->target->socket_folder,
	};
}

/* What the guest's conversion may write: initramfs, packages' files, journals of file systems. */
#define CONVERSION_BYTES (256 * MIB)

/* The disks, and what the conversion adds to them; a disk can grow to its size only. */
static uint64_t space_with_conversion(const Migration *migration)
{
	const MigrationReport *report = migration->report;
	uint64_t room = 0;

	for (guint i = 0; i < report->disks->len; i++) {
		const MigratedDisk *disk = &g_array_index(report->disks, MigratedDisk, i);

		room += disk->size > disk->needed ? disk->size - disk->needed : 0;
	}
	return report->needed +
	       (migration->request->skip_guest ? 0 : MIN(room, (uint64_t)CONVERSION_BYTES));
}

static bool refuse(const MigrationReport *report, GError **error)
{
	return fail(error, REFUSED, "%s: not migrated: see the critical findings", report->name);
}

static bool phase_check(Migration *migration, GError **error)
{
	MigrationReport *report = migration->report;
	const DomainPlan plan = domain_plan(migration);
	struct statvfs space;

	if (statvfs(report->folder, &space) == 0)
		report->available = (uint64_t)space.f_bavail * space.f_frsize;
	report->needed = space_with_conversion(migration);
	migration_check(migration->request, report, migration->disks, report->findings);
	if (!target_check(migration->target, &plan, report->needed, report->findings, error))
		return false;
	report->blocked = findings_block(report->findings) || findings_block(report->vm->findings);
	return !report->blocked || report->dry_run || refuse(report, error);
}

static char **mac_list(const Vm *vm)
{
	GPtrArray *macs = g_ptr_array_new();

	for (guint i = 0; i < vm->nics->len; i++)
		if (vm_nic(vm, i)->mac != NULL)
			g_ptr_array_add(macs, g_strdup(vm_nic(vm, i)->mac));
	g_ptr_array_add(macs, NULL);
	return (char **)g_ptr_array_free(macs, FALSE);
}

/* The guest on its overlays; the copy runs beside it. */
static bool phase_convert(Migration *migration, GError **error)
{
	const MigrationRequest *request = migration->request;
	MigrationReport *report = migration->report;
	g_auto(GStrv) macs = mac_list(report->vm);
	const GuestJob job = {
		.drives = migration_disks_drives(migration->disks),
		.drive_count = report->disks->len,
		.macs = (const char *const *)macs,
		.source = report->vm->hypervisor != HYPERVISOR_UNKNOWN
				  ? hypervisor_name(report->vm->hypervisor)
				  : NULL,
		.firmware_known = report->vm->firmware != FIRMWARE_UNKNOWN,
		.firmware_uefi = report->vm->firmware == FIRMWARE_UEFI,
		.root = request->root,
		.dry_run = request->dry_run,
		.work_folder = migration_disks_work_folder(migration->disks),
		.cancel = migration_disks_cancel(migration->disks),
		.progress = migration->lane,
	};

	report->guest = guest_convert(&job, error);
	/* What the guest made of an unreadable source explains nothing. */
	const GError *source_error = migration_disks_source_error(migration->disks);
	if (report->guest == NULL && source_error != NULL) {
		g_clear_error(error);
		g_propagate_error(error, g_error_copy(source_error));
	}
	return report->guest != NULL;
}

/* Of two that ran beside each other, the one that was not merely told to stop. */
static bool propagate_cause(GError *convert_error, GError *copy_error, GError **error)
{
	const bool copy_is_cause = copy_error != NULL &&
				   (convert_error == NULL ||
				    !g_error_matches(copy_error, V2V_ERROR, V2V_ERROR_INTERRUPTED));

	g_propagate_error(error, copy_is_cause ? copy_error : convert_error);
	if (copy_is_cause)
		g_clear_error(&convert_error);
	else
		g_clear_error(&copy_error);
	return false;
}

static bool phase_copy_and_convert(Migration *migration, GError **error)
{
	const MigrationRequest *request = migration->request;
	const bool convert = !request->skip_guest && migration->report->disks->len > 0;
	GError *convert_error = NULL, *copy_error = NULL;

	if (convert && !migration_disks_overlay(migration->disks, error))
		return false;
	if (!request->dry_run && !migration_disks_start_copy(migration->disks, error))
		return false;
	if (convert && !phase_convert(migration, &convert_error))
		migration_disks_stop(migration->disks);
	if (!request->dry_run)
		migration_disks_join_copy(migration->disks, &copy_error);
	if (convert_error == NULL && copy_error == NULL)
		return true;
	return propagate_cause(convert_error, copy_error, error);
}

/* From here on something stands under a final name: each failure takes it back. */
static bool phase_define(Migration *migration, GError **error)
{
	const MigrationRequest *request = migration->request;
	MigrationReport *report = migration->report;
	const DomainPlan plan = domain_plan(migration);
	g_autoptr(GError) remains = NULL;

	if (!migration_disks_commit(migration->disks, error))
		return false;
	bool ok = target_define(migration->target, &plan, report->xml, error);
	if (ok && request->start) {
		ok = target_start(migration->target, report->name, error);
		if (!ok && !target_rollback(migration->target, report->name, &remains))
			g_prefix_error(error, "%s; ", remains->message);
	}
	if (!ok)
		migration_disks_uncommit(migration->disks);
	report->started = ok && request->start;
	return ok;
}

static bool phase_write_xml(Migration *migration, GError **error)
{
	MigrationReport *report = migration->report;
	const DomainPlan plan = domain_plan(migration);
	g_autoptr(Findings) told_before = findings_new();

	/* What blocks was found when the target was checked, and would be found again. */
	report->xml =
		domain_xml_format(&plan, report->blocked ? told_before : report->findings, error);
	if (report->xml == NULL || report->blocked || !findings_block(report->findings))
		return report->xml != NULL;
	report->blocked = true;
	return report->dry_run || refuse(report, error);
}

static bool run_phases(Migration *migration, const SourceOptions *options, GError **error)
{
	MigrationReport *report = migration->report;

	progress_begin(migration->lane, "read source and target", 0);
	bool ok = phase_open(migration, options, error) && phase_check(migration, error);
	progress_end(migration->lane);
	if (!ok || !phase_copy_and_convert(migration, error))
		return false;
	if (!phase_write_xml(migration, error))
		return false;
	if (report->dry_run)
		return true;
	if (!migration_disks_finish(migration->disks, error))
		return false;
	progress_begin(migration->lane, "define", 0);
	ok = cancel_check(migration->request->cancel, error) && phase_define(migration, error);
	progress_end(migration->lane);
	return ok;
}

MigrationReport *migration_run(const MigrationRequest *request, Findings *findings, GError **error)
{
	g_autoptr(MigrationReport) report = report_new(findings);
	const SourceOptions options = {
		.ca_file = request->ca_file,
		.cancel = request->cancel,
		.findings = findings,
	};
	Migration migration = {
		.request = request,
		.report = report,
		.lane = progress_display_lane(request->display),
		.paths = g_ptr_array_new(),
	};

	report->dry_run = request->dry_run;
	const bool ok = run_phases(&migration, &options, error);
	if (!ok && report->vm != NULL) /* the report goes, its reasons stay */
		findings_add_all(findings, report->vm->findings);
	migration_disks_free(migration.disks);
	target_close(migration.target);
	source_close(migration.source);
	g_ptr_array_unref(migration.paths);
	return ok ? g_steal_pointer(&report) : NULL;
}
