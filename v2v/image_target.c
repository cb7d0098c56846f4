/* SPDX-License-Identifier: Apache-2.0 */
/* image_target.c: create, finish, read back, commit. */
#include "v2v/image_target.h"

#include "convert/verify.h"
#include "formats/output_file.h"

#include <fcntl.h>

struct ImageTarget {
	char *path; /* owned */
	const FormatDriver *format;
	OutputFile *file;   /* owned */
	DiskWriter *writer; /* owned */
};

ImageTarget *image_target_new(const char *path, const FormatDriver *format,
			      const CreateOptions *options, bool force, GError **error)
{
	g_autoptr(ImageTarget) target = g_new0(ImageTarget, 1);

	if (format->create == NULL)
		return fail_null(error, UNSUPPORTED, "%s: images of format %s cannot be written",
				 path, format->name);
	target->path = g_strdup(path);
	target->format = format;
	target->file = output_file_new(path, force, error);
	if (target->file == NULL)
		return NULL;
	target->writer = format->create(output_file_storage(target->file), options, error);
	if (target->writer == NULL)
		return fail_in_null(error, "%s: ", path);
	return g_steal_pointer(&target);
}

DiskWriter *image_target_writer(ImageTarget *target)
{
	return target->writer;
}

const char *image_target_path(const ImageTarget *target)
{
	return target->path;
}

static bool read_back(ImageTarget *target, const DigestMap *digests, const CopyOptions *options,
		      GError **error)
{
	const OpenOptions layer_only = {.layer_only = true};
	Storage *storage = output_file_storage(target->file);

	if (digests != NULL) /* compare what the medium has, not what the cache has */
		posix_fadvise(storage->fd, 0, 0, POSIX_FADV_DONTNEED);
	g_autoptr(Disk) disk = image_open(storage, target->format->name, &layer_only, error);
	if (disk == NULL)
		return fail_in(error, "%s: written image does not open: ", target->path);
	if (disk->size != target->writer->size)
		return fail(error, IO, "%s: written image is %" PRIu64 " bytes long, not %" PRIu64,
			    target->path, disk->size, target->writer->size);
	if (digests != NULL && !verify_disk(disk, digests, options, error))
		return fail_in(error, "%s: written image: ", target->path);
	return true;
}

bool image_target_finish(ImageTarget *target, const DigestMap *digests, const CopyOptions *options,
			 GError **error)
{
	if (!target->writer->ops->finish(target->writer, error))
		return fail_in(error, "%s: ", target->path);
	if (!cancel_check(options->cancel, error))
		return false;
	/* An empty disk has nothing to read. */
	return target->writer->size == 0 || read_back(target, digests, options, error);
}

bool image_target_commit(ImageTarget *target, GError **error)
{
	return output_file_commit(target->file, error);
}

void image_target_take_back(ImageTarget *target)
{
	output_file_take_back(target->file);
}

void image_target_free(ImageTarget *target)
{
	if (target == NULL)
		return;
	disk_writer_close(target->writer);
	output_file_free(target->file);
	g_free(target->path);
	g_free(target);
}
