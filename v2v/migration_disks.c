/* SPDX-License-Identifier: Apache-2.0 */
/* migration_disks.c: the copy runs while the guest is converted on an overlay over the same source;
 * then the overlay's changes are the first delta. */
#include "v2v/migration_disks.h"

#include "convert/nbd_export.h"
#include "formats/output_file.h"
#include "v2v/image_target.h"
#include "v2v/migration_check.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <unistd.h>

typedef struct {
	Disk *from;             /* owned */
	ImageTarget *to;        /* owned; NULL until the copy starts */
	DigestMap *digests;     /* owned; of the image as it will be */
	NbdExport *nbd;         /* owned; NULL when the guest is not converted */
	char *overlay, *socket; /* owned; paths in the work folder */
	bool committed;
} DiskJob;

struct MigrationDisks {
	const MigrationRequest *request; /* borrowed, as the next two */
	Source *source;
	MigrationReport *report;
	GArray *jobs;      /* of DiskJob, as report->disks */
	GArray *drives;    /* of GuestDrive */
	char *work_folder; /* owned; NULL: none was made */
	GThread *copier, *verifier;
	GError *copy_error, *verify_error; /* owned; of the threads, read after join */
	Cancel stop; /* of copy, check and conversion: when one fails the others are in vain */
	Progress *lane;
};

static DiskJob *job_at(const MigrationDisks *disks, guint index)
{
	return &g_array_index(disks->jobs, DiskJob, index);
}

static MigratedDisk *result_at(const MigrationDisks *disks, guint index)
{
	return &g_array_index(disks->report->disks, MigratedDisk, index);
}

static bool open_one(MigrationDisks *disks, guint index, GError **error)
{
	const MigrationRequest *request = disks->request;
	MigrationReport *report = disks->report;
	MigratedDisk result = {0};
	DiskJob job = {0};

	job.from = source_open_disk(disks->source, report->vm, vm_disk(report->vm, index), error);
	if (job.from == NULL ||
	    !space_needed(job.from, request->format->name, request->create.cluster_size,
			  &result.needed, error)) {
		disk_close(job.from);
		return false;
	}
	g_autofree char *file =
		g_strdup_printf("%s-disk%u.%s", report->name, index + 1, request->format->name);
	result.path = g_build_filename(report->folder, file, NULL);
	result.size = job.from->size;
	report->needed += result.needed;
	g_array_append_val(disks->jobs, job);
	g_array_append_val(report->disks, result);
	return true;
}

MigrationDisks *migration_disks_open(const MigrationRequest *request, Source *source,
				     MigrationReport *report, GError **error)
{
	g_autoptr(MigrationDisks) disks = g_new0(MigrationDisks, 1);

	disks->request = request;
	disks->source = source;
	disks->report = report;
	disks->jobs = g_array_new(FALSE, TRUE, sizeof(DiskJob));
	disks->drives = g_array_new(FALSE, TRUE, sizeof(GuestDrive));
	disks->stop.parent = request->cancel;
	disks->lane = progress_display_lane(request->display);
	for (guint i = 0; i < report->vm->disks->len; i++)
		if (!open_one(disks, i, error))
			return NULL;
	return g_steal_pointer(&disks);
}

/* An empty qcow2 whose backing image is the NBD export. */
static bool create_overlay(const DiskJob *job, GError **error)
{
	g_autofree char *backing = g_strdup_printf("nbd+unix:///?socket=%s", job->socket);
	const FormatDriver *qcow2 = format_find("qcow2");
	const CreateOptions options = {
		.size = job->from->size,
		.backing_name = backing,
		.backing_format = "raw",
	};
	g_autoptr(OutputFile) file = output_file_new(job->overlay, false, error);
	g_autoptr(DiskWriter) writer =
		file != NULL ? qcow2->create(output_file_storage(file), &options, error) : NULL;

	return writer != NULL && writer->ops->finish(writer, error) &&
	       output_file_commit(file, error);
}

static bool overlay_one(MigrationDisks *disks, guint index, GError **error)
{
	DiskJob *job = job_at(disks, index);
	g_autofree char *overlay = g_strdup_printf("overlay%u.qcow2", index + 1);
	g_autofree char *socket = g_strdup_printf("disk%u.sock", index + 1);

	job->overlay = g_build_filename(disks->work_folder, overlay, NULL);
	job->socket = g_build_filename(disks->work_folder, socket, NULL);
	job->nbd = nbd_export_new(job->from, job->socket, error);
	if (job->nbd == NULL || !create_overlay(job, error))
		return false;
	const GuestDrive drive = {job->overlay, "qcow2"};
	g_array_append_val(disks->drives, drive);
	return true;
}

bool migration_disks_overlay(MigrationDisks *disks, GError **error)
{
	/* Not /tmp, which may be memory: overlays grow with what the conversion writes. */
	const char *parent = g_getenv("TMPDIR");
	g_autofree char *folder =
		g_build_filename(parent != NULL ? parent : "/var/tmp", "v2v-XXXXXX", NULL);

	if (g_mkdtemp_full(folder, 0700) == NULL)
		return fail_errno(error, errno, "%s: folder for overlays (TMPDIR chooses another)",
				  folder);
	disks->work_folder = g_steal_pointer(&folder);
	for (guint i = 0; i < disks->jobs->len; i++)
		if (!overlay_one(disks, i, error))
			return false;
	return true;
}

const GuestDrive *migration_disks_drives(const MigrationDisks *disks)
{
	return (const GuestDrive *)(const void *)disks->drives->data;
}

const char *migration_disks_work_folder(const MigrationDisks *disks)
{
	return disks->work_folder;
}

Disk *migration_disks_source(const MigrationDisks *disks, guint index)
{
	return job_at(disks, index)->from;
}

const GError *migration_disks_source_error(const MigrationDisks *disks)
{
	for (guint i = 0; i < disks->jobs->len; i++) {
		NbdExport *nbd = job_at(disks, i)->nbd;
		const GError *error = nbd != NULL ? nbd_export_error(nbd) : NULL;

		if (error != NULL)
			return error;
	}
	return NULL;
}

static CopyOptions copy_options(MigrationDisks *disks, const DiskJob *job)
{
	return (CopyOptions){
		.threads = disks->request->threads,
		.rate_limit = disks->request->rate_limit,
		.cancel = &disks->stop,
		.progress = disks->lane,
		.digests = job->digests,
	};
}

static bool copy_one(MigrationDisks *disks, guint index, GError **error)
{
	DiskJob *job = job_at(disks, index);
	const CopyOptions options = copy_options(disks, job);
	g_autofree char *phase = g_strdup_printf("copy disk %u/%u", index + 1, disks->jobs->len);

	progress_begin(disks->lane, phase, job->from->size);
	const bool ok = copy_disk(job->from, image_target_writer(job->to), &options,
				  &result_at(disks, index)->copied, error);
	progress_end(disks->lane);
	return ok;
}

static void *copy_thread(void *pointer)
{
	MigrationDisks *disks = pointer;
	bool ok = true;

	for (guint i = 0; ok && i < disks->jobs->len; i++)
		ok = copy_one(disks, i, &disks->copy_error);
	if (!ok)
		migration_disks_stop(disks);
	return NULL;
}

static void *verify_thread(void *pointer)
{
	MigrationDisks *disks = pointer;

	if (!source_verify(disks->source, &disks->stop, &disks->verify_error))
		migration_disks_stop(disks);
	return NULL;
}

static bool create_target(MigrationDisks *disks, guint index, GError **error)
{
	const MigrationRequest *request = disks->request;
	DiskJob *job = job_at(disks, index);
	CreateOptions create = request->create;

	create.size = job->from->size;
	job->digests = digest_map_new(job->from->size);
	job->to = image_target_new(result_at(disks, index)->path, request->format, &create,
				   request->force, error);
	return job->to != NULL;
}

bool migration_disks_start_copy(MigrationDisks *disks, GError **error)
{
	for (guint i = 0; i < disks->jobs->len; i++)
		if (!create_target(disks, i, error))
			return false;
	disks->copier = g_thread_try_new("copier", copy_thread, disks, error);
	if (disks->copier != NULL)
		disks->verifier = g_thread_try_new("verifier", verify_thread, disks, error);
	return disks->verifier != NULL;
}

void migration_disks_stop(MigrationDisks *disks)
{
	atomic_store(&disks->stop.requested, true);
}

const Cancel *migration_disks_cancel(const MigrationDisks *disks)
{
	return &disks->stop;
}

static void join(GThread **thread)
{
	if (*thread != NULL)
		g_thread_join(g_steal_pointer(thread));
}

bool migration_disks_join_copy(MigrationDisks *disks, GError **error)
{
	join(&disks->copier);
	join(&disks->verifier);
	/* What was merely told to stop explains nothing; and a digest that is wrong explains more
	 * than the copy that met the damage. */
	const bool stopped = g_error_matches(disks->verify_error, V2V_ERROR, V2V_ERROR_INTERRUPTED);
	GError **first = disks->verify_error != NULL && !(stopped && disks->copy_error != NULL)
				 ? &disks->verify_error
				 : &disks->copy_error;

	if (*first == NULL)
		return true;
	g_propagate_error(error, g_steal_pointer(first));
	return false;
}

/* What the conversion wrote, over the copy: the same engine, this overlay's extents only. */
static bool apply_overlay(MigrationDisks *disks, guint index, GError **error)
{
	DiskJob *job = job_at(disks, index);
	const OpenOptions layer_only = {.layer_only = true};
	CopyOptions options = copy_options(disks, job);
	g_autoptr(Storage) storage = storage_open_file(job->overlay, error);
	g_autoptr(Disk) overlay =
		storage != NULL ? image_open(storage, "qcow2", &layer_only, error) : NULL;
	g_autoptr(GArray) changes = overlay != NULL ? copy_layer_changes(overlay, error) : NULL;
	CopyCounts counts;

	if (changes == NULL)
		return false;
	options.changes = changes;
	options.rate_limit = 0;
	overlay->backing = job->from; /* lent for the copy: the overlay's own name for it is NBD */
	const bool ok = copy_disk(overlay, image_target_writer(job->to), &options, &counts, error);
	overlay->backing = NULL;
	result_at(disks, index)->changed_bytes = counts.data_bytes + counts.zero_bytes;
	return ok;
}

static bool finish_one(MigrationDisks *disks, guint index, GError **error)
{
	DiskJob *job = job_at(disks, index);
	CopyOptions options = copy_options(disks, job);

	/* The conversion is over: nobody reads the source through NBD any more. */
	g_clear_pointer(&job->nbd, nbd_export_free);
	if (job->overlay != NULL && !apply_overlay(disks, index, error))
		return false;
	result_at(disks, index)->digest_root = digest_map_root_text(job->digests);
	options.rate_limit = 0;
	return image_target_finish(job->to, disks->request->skip_verify ? NULL : job->digests,
				   &options, error);
}

bool migration_disks_finish(MigrationDisks *disks, GError **error)
{
	bool ok = true;

	progress_begin(disks->lane, "finish disks", 0);
	for (guint i = 0; ok && i < disks->jobs->len; i++)
		ok = cancel_check(&disks->stop, error) && finish_one(disks, i, error);
	progress_end(disks->lane);
	return ok;
}

bool migration_disks_commit(MigrationDisks *disks, GError **error)
{
	for (guint i = 0; i < disks->jobs->len; i++) {
		DiskJob *job = job_at(disks, i);

		job->committed = image_target_commit(job->to, error);
		if (!job->committed) {
			migration_disks_uncommit(disks);
			return false;
		}
	}
	return true;
}

void migration_disks_uncommit(MigrationDisks *disks)
{
	for (guint i = 0; i < disks->jobs->len; i++) {
		DiskJob *job = job_at(disks, i);

		if (job->committed)
			image_target_take_back(job->to);
		job->committed = false;
	}
}

static void job_clear(DiskJob *job)
{
	nbd_export_free(job->nbd);
	image_target_free(job->to);
	digest_map_free(job->digests);
	disk_close(job->from);
	if (job->overlay != NULL)
		g_unlink(job->overlay);
	g_free(job->overlay);
	g_free(job->socket);
}

/* The appliance's own files too: one that is ended leaves some behind. */
static void remove_folder(const char *path)
{
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *inside = g_build_filename(path, name, NULL);

		if (g_unlink(inside) != 0 && errno == EISDIR)
			remove_folder(inside);
	}
	g_rmdir(path);
}

void migration_disks_free(MigrationDisks *disks)
{
	if (disks == NULL)
		return;
	migration_disks_stop(disks);
	join(&disks->copier);
	join(&disks->verifier);
	for (guint i = 0; i < disks->jobs->len; i++)
		job_clear(job_at(disks, i));
	if (disks->work_folder != NULL)
		remove_folder(disks->work_folder);
	g_array_unref(disks->jobs);
	g_array_unref(disks->drives);
	g_clear_error(&disks->copy_error);
	g_clear_error(&disks->verify_error);
	g_free(disks->work_folder);
	g_free(disks);
}
