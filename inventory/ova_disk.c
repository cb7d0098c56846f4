/* SPDX-License-Identifier: Apache-2.0 */
/* ova_disk.c: a disk of an OVF package: its file, whole or in chunks, plain or compressed. */
#include "base/checked.h"
#include "formats/format.h"
#include "inventory/archive_spool.h"
#include "inventory/ova_source.h"
#include "inventory/ovf_finding.h"

#include <string.h>

/* A compressed image unpacks to its capacity at most, and what a format adds to it. */
#define IMAGE_OVERHEAD_SHARE 16u
#define IMAGE_OVERHEAD_MIN   (64 * MIB)

static char *chunk_name(const OvfFile *file, guint index)
{
	return g_strdup_printf("%s.%09u", file->href, index);
}

static bool check_chunk(const OvfFile *file, const Storage *chunk, guint index, guint count,
			GError **error)
{
	const bool is_last = index + 1 == count;
	const uint64_t last = file->size - (uint64_t)(count - 1) * file->chunk_size;

	if (chunk->size > file->chunk_size)
		return fail(error, CORRUPT, "chunk %u of %" PRIu64 " bytes: chunkSize is %" PRIu64,
			    index, chunk->size, file->chunk_size);
	if (chunk->size != (is_last ? last : file->chunk_size))
		return fail(error, CORRUPT, "chunk %u of %" PRIu64 " bytes: it must have %" PRIu64,
			    index, chunk->size, is_last ? last : file->chunk_size);
	return true;
}

/* "disk.vmdk.000000000", …: all of chunkSize, the last the rest of size. */
static Storage *open_chunks(OvaSource *ova, const OvfFile *file, GError **error)
{
	g_autoptr(GPtrArray) chunks = g_ptr_array_new_with_free_func((GDestroyNotify)storage_unref);

	if (file->size == 0)
		return fail_null(error, UNSUPPORTED, "chunkSize without size");
	const uint64_t count = div_round_up(file->size, file->chunk_size);
	if (count > MEMBER_MAX_COUNT)
		return fail_null(error, CORRUPT, "%" PRIu64 " chunks: the limit is %u", count,
				 MEMBER_MAX_COUNT);
	for (guint i = 0; i < count; i++) {
		g_autofree char *name = chunk_name(file, i);
		Storage *chunk = ova_open_file(ova, name, error);

		if (chunk == NULL)
			return fail_in_null(error, "chunk %u: ", i);
		g_ptr_array_add(chunks, chunk);
		if (!check_chunk(file, chunk, i, (guint)count, error))
			return NULL;
	}
	return storage_new_concat(file->href, (Storage *const *)chunks->pdata, chunks->len, error);
}

static bool looks_like_gzip(Storage *storage)
{
	uint8_t head[3];

	return storage->size > sizeof(head) &&
	       storage_read_at(storage, head, sizeof(head), 0, NULL) &&
	       memcmp(head, "\x1f\x8b\x08", sizeof(head)) == 0;
}

/* Takes `packed`. */
static Storage *unpack(const OvaSource *ova, const OvfFile *file, const OvfDisk *disk,
		       Storage *packed, GError **error)
{
	g_autoptr(Storage) from = packed;
	const uint64_t capacity = disk != NULL ? disk->capacity : 0;
	SpoolOptions options = {ova->spool_folder, ova->cancel, 0};

	if (file->compression != NULL && g_ascii_strcasecmp(file->compression, "gzip") != 0)
		return fail_null(error, UNSUPPORTED, "compression=\"%s\": only gzip is known",
				 file->compression);
	if (capacity > 0 && capacity < INT64_MAX / 2)
		options.budget = capacity + capacity / IMAGE_OVERHEAD_SHARE + IMAGE_OVERHEAD_MIN;
	return archive_spool_gzip(from, &options, error);
}

static Storage *open_file(OvaSource *ova, const Vm *vm, const OvfFile *file, const OvfDisk *disk,
			  GError **error)
{
	Storage *storage = NULL;

	storage = file->chunk_size > 0 ? open_chunks(ova, file, error)
				       : ova_open_file(ova, file->href, error);
	if (storage == NULL)
		return NULL;
	if (file->size > 0 && file->size != storage->size)
		ovf_finding_add(vm->findings, FINDING_WARNING, "ovf.file-size-differs",
				"\"%s\" has %" PRIu64 " bytes, the definition says %" PRIu64,
				file->href, storage->size, file->size);
	if (file->compression == NULL && looks_like_gzip(storage))
		ovf_finding_add(vm->findings, FINDING_WARNING, "ovf.gzip-not-declared",
				"\"%s\" is compressed, the definition does not say so", file->href);
	else if (file->compression == NULL)
		return storage;
	return unpack(ova, file, disk, storage, error);
}

/* The contents decide; raw has no mark, so there the claim must do, when nothing contradicts. */
static Disk *open_image(OvaSource *ova, const Vm *vm, const VmDisk *vm_disk, Storage *storage,
			GError **error)
{
	g_autofree char *member = g_strconcat(ova->prefix, vm_disk->file, NULL);
	g_autoptr(Folder) folder = package_folder_of(ova->package, member);
	const OpenOptions options = {.folder = folder, .findings = vm->findings};
	g_autoptr(GError) unknown = NULL;
	const FormatDriver *driver = format_probe(storage, &unknown);
	const bool is_raw = driver == NULL && g_strcmp0(vm_disk->format, "raw") == 0;

	if (driver != NULL && vm_disk->format != NULL && strcmp(driver->name, vm_disk->format) != 0)
		ovf_finding_add(vm->findings, FINDING_WARNING, "ovf.disk-format-differs",
				"\"%s\" is %s, the definition says %s", vm_disk->file, driver->name,
				vm_disk->format);
	return image_open(storage, is_raw ? "raw" : NULL, &options, error);
}

static bool check_capacity(const Vm *vm, const VmDisk *vm_disk, const Disk *disk, GError **error)
{
	if (vm_disk->capacity == 0 || disk->size == vm_disk->capacity)
		return true;
	/* A raw image knows no size of its own: a short one is a cut one. */
	if (strcmp(disk->format, "raw") == 0 && disk->size < vm_disk->capacity)
		return fail(error, CORRUPT,
			    "raw image of %" PRIu64 " bytes: capacity is %" PRIu64 ", it is cut",
			    disk->size, vm_disk->capacity);
	ovf_finding_add(vm->findings, FINDING_WARNING, "ovf.disk-capacity-differs",
			"\"%s\" is a disk of %" PRIu64 " bytes, the definition says %" PRIu64
			": the image is taken",
			vm_disk->file, disk->size, vm_disk->capacity);
	return true;
}

/* A Disk without a file is delivered empty. */
static Disk *open_empty(const OvaSource *ova, const VmDisk *vm_disk, GError **error)
{
	const OpenOptions options = {0};
	g_autoptr(Storage) storage = storage_new_spool(vm_disk->id, ova->spool_folder, error);

	if (storage == NULL || !storage_set_size(storage, vm_disk->capacity, error))
		return NULL;
	return image_open(storage, "raw", &options, error);
}

static Disk *open_disk(OvaSource *ova, const Vm *vm, const VmDisk *vm_disk, GError **error)
{
	const OvfFile *file = NULL;
	const OvfDisk *disk = ovf_disk_of(ova->document, vm_disk->id, &file);

	if (disk != NULL && disk->parent_id != NULL)
		return fail_null(error, UNSUPPORTED,
				 "disk \"%s\" is a delta over disk \"%s\": export "
				 "the VM with whole disks",
				 disk->id, disk->parent_id);
	if (file == NULL && vm_disk->capacity > 0)
		return open_empty(ova, vm_disk, error);
	g_assert(file != NULL);
	g_autoptr(Storage) storage = open_file(ova, vm, file, disk, error);
	if (storage == NULL)
		return fail_in_null(error, "href=\"%s\": ", file->href);
	g_autoptr(Disk) opened = open_image(ova, vm, vm_disk, storage, error);
	if (opened == NULL)
		return NULL;
	if (!check_capacity(vm, vm_disk, opened, error))
		return fail_in_null(error, "href=\"%s\": ", file->href);
	return g_steal_pointer(&opened);
}

Disk *ova_open_disk(Source *source, const Vm *vm, const VmDisk *disk, GError **error)
{
	GError *problem = NULL;
	Disk *opened = open_disk((OvaSource *)source, vm, disk, &problem);

	if (problem != NULL)
		ovf_error_propagate(error, problem);
	return opened;
}
