/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk.c: VMware's disks: a descriptor, and the extents that it strings together. */
#include "base/checked.h"
#include "formats/drivers.h"
#include "formats/vmdk_descriptor.h"
#include "formats/vmdk_files.h"
#include "formats/vmdk_sparse.h"

#include <string.h>

/* Memory for tables, and for decoded grains, of all extents together. */
#define CACHE_SIZE ((size_t)(4 * MIB))
/* Of a disk without grains: what is read in one go. */
#define FLAT_CLUSTER_SIZE (64u * 1024u)

typedef struct {
	uint64_t start, size; /* guest bytes */
	VmdkExtentType type;
	VmdkSparse *sparse;   /* owned; SPARSE only */
	Storage *storage;     /* a reference; FLAT only */
	uint64_t file_offset; /* FLAT: of the first byte */
} VmdkExtent;

typedef struct {
	Disk base;
	VmdkDescriptor *descriptor; /* owned */
	GArray *extents;            /* owned, of VmdkExtent, ascending, without gaps */
} VmdkDisk;

static VmdkDisk *vmdk_from(Disk *disk)
{
	return (VmdkDisk *)disk;
}

static const VmdkExtent *vmdk_find_extent(const VmdkDisk *vmdk, uint64_t offset)
{
	guint low = 0, high = vmdk->extents->len;

	while (high - low > 1) {
		const guint middle = low + (high - low) / 2;

		if (g_array_index(vmdk->extents, VmdkExtent, middle).start <= offset)
			low = middle;
		else
			high = middle;
	}
	return &g_array_index(vmdk->extents, VmdkExtent, low);
}

static bool vmdk_read_at(Disk *disk, void *buf, size_t length, uint64_t offset, GError **error)
{
	uint8_t *at = buf;

	while (length > 0) {
		const VmdkExtent *extent = vmdk_find_extent(vmdk_from(disk), offset);
		const uint64_t within = offset - extent->start;
		const size_t part = (size_t)min_u64(length, extent->size - within);

		g_assert(extent->type != VMDK_EXTENT_ZERO); /* the caller asks for data only */
		if (!(extent->type == VMDK_EXTENT_FLAT
			      ? storage_read_at(extent->storage, at, part,
						extent->file_offset + within, error)
			      : vmdk_sparse_read_at(extent->sparse, at, part, within, error)))
			return false;
		at += part;
		offset += part;
		length -= part;
	}
	return true;
}

/* A hole in a flat file reads as zeroes like the rest of what it does not hold. */
static bool flat_extent_at(const VmdkExtent *extent, uint64_t within, Extent *out, GError **error)
{
	const uint64_t at = extent->file_offset + within;
	uint64_t end;

	if (!storage_find_data(extent->storage, at, &end, error))
		return false;
	out->state = end > at ? EXTENT_ZERO : EXTENT_DATA;
	if (out->state == EXTENT_DATA) {
		if (!storage_find_hole(extent->storage, at, &end, error))
			return false;
		out->storage = extent->storage;
		out->file_offset = at;
	}
	out->length = end - at;
	return true;
}

static bool vmdk_extent_at(Disk *disk, uint64_t offset, Extent *out, GError **error)
{
	const VmdkExtent *extent = vmdk_find_extent(vmdk_from(disk), offset);
	const uint64_t within = offset - extent->start;
	bool ok = true;

	switch (extent->type) {
	case VMDK_EXTENT_ZERO:
		*out = (Extent){.length = extent->size - within, .state = EXTENT_ZERO};
		break;
	case VMDK_EXTENT_FLAT:
		ok = flat_extent_at(extent, within, out, error);
		break;
	case VMDK_EXTENT_SPARSE:
		ok = vmdk_sparse_extent_at(extent->sparse, within, out, error);
		break;
	}
	out->offset = offset;
	out->length = min_u64(out->length, extent->size - within);
	return ok;
}

static void vmdk_describe_sparse(const VmdkSparse *sparse, GVariantBuilder *facts)
{
	const VmdkHeader *header = vmdk_sparse_header(sparse);

	g_variant_builder_add(facts, "{sv}", "version", g_variant_new_uint32(header->version));
	g_variant_builder_add(facts, "{sv}", "grain-size",
			      g_variant_new_uint32(header->grain_size));
	g_variant_builder_add(facts, "{sv}", "compressed",
			      g_variant_new_boolean(header->compressed));
}

static GVariant *vmdk_describe(Disk *disk)
{
	const VmdkDisk *vmdk = vmdk_from(disk);
	const VmdkDescriptor *descriptor = vmdk->descriptor;
	const VmdkExtent *first = &g_array_index(vmdk->extents, VmdkExtent, 0);
	g_autofree char *cid = g_strdup_printf("%08" PRIx32, descriptor->cid);
	g_autofree char *parent_cid = g_strdup_printf("%08" PRIx32, descriptor->parent_cid);
	GVariantBuilder facts;

	g_variant_builder_init(&facts, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&facts, "{sv}", "create-type",
			      g_variant_new_string(descriptor->create_type));
	g_variant_builder_add(&facts, "{sv}", "extents", g_variant_new_uint32(vmdk->extents->len));
	if (first->type == VMDK_EXTENT_SPARSE)
		vmdk_describe_sparse(first->sparse, &facts);
	g_variant_builder_add(&facts, "{sv}", "cid", g_variant_new_string(cid));
	if (descriptor->parent_cid != VMDK_NO_PARENT)
		g_variant_builder_add(&facts, "{sv}", "parent-cid",
				      g_variant_new_string(parent_cid));
	if (descriptor->adapter_type != NULL && g_utf8_validate(descriptor->adapter_type, -1, NULL))
		g_variant_builder_add(&facts, "{sv}", "adapter-type",
				      g_variant_new_string(descriptor->adapter_type));
	return g_variant_builder_end(&facts);
}

/* A parent that was written to after its child was made gives a mixture of two times. */
static bool vmdk_check_backing(Disk *disk, GError **error)
{
	const uint32_t expected = vmdk_from(disk)->descriptor->parent_cid;

	if (disk->backing->ops != disk->ops)
		return fail(error, CORRUPT,
			    "descriptor: parentFileNameHint: the parent is %s, not vmdk",
			    disk->backing->format);
	const uint32_t found = vmdk_from(disk->backing)->descriptor->cid;
	if (found != expected)
		return fail(error, CORRUPT,
			    "descriptor: parentCID=%08" PRIx32
			    ": the CID of the parent is %08" PRIx32
			    ", it has changed since this disk was made on it",
			    expected, found);
	return true;
}

static void vmdk_close(Disk *disk)
{
	VmdkDisk *vmdk = vmdk_from(disk);

	g_array_unref(vmdk->extents);
	vmdk_descriptor_free(vmdk->descriptor);
	g_free(vmdk);
}

static const DiskOps vmdk_ops = {
	.read_at = vmdk_read_at,
	.extent_at = vmdk_extent_at,
	.describe = vmdk_describe,
	.check_backing = vmdk_check_backing,
	.close = vmdk_close,
};

static void extent_clear(void *pointer)
{
	VmdkExtent *extent = pointer;

	vmdk_sparse_close(extent->sparse);
	storage_unref(extent->storage);
}

/* Takes `descriptor`. The extents are the caller's to add. */
static VmdkDisk *vmdk_new(VmdkDescriptor *descriptor, const char *name)
{
	VmdkDisk *vmdk = g_new0(VmdkDisk, 1);

	disk_init(&vmdk->base, &vmdk_ops, "vmdk", name, descriptor->size, FLAT_CLUSTER_SIZE);
	vmdk->base.backing_name = g_strdup(descriptor->parent_name);
	vmdk->descriptor = descriptor;
	vmdk->extents = g_array_new(FALSE, TRUE, sizeof(VmdkExtent));
	g_array_set_clear_func(vmdk->extents, extent_clear);
	return vmdk;
}

/* Takes `sparse`. Descriptor and header must agree, or one of them is not of this disk; but
 * VirtualBox rounds up to whole grains in the header. */
static bool vmdk_add_sparse(VmdkDisk *vmdk, const VmdkExtentLine *line, VmdkSparse *sparse,
			    GError **error)
{
	const VmdkHeader *header = vmdk_sparse_header(sparse);
	VmdkExtent *extent = &g_array_index(vmdk->extents, VmdkExtent, vmdk->extents->len - 1);

	extent->sparse = sparse;
	if (header->capacity != line->size &&
	    header->capacity != round_up(line->size, header->grain_size))
		return fail(error, CORRUPT,
			    "offset 0x%zx: capacity=%" PRIu64
			    " sectors: line %u of the descriptor says %" PRIu64,
			    offsetof(VmdkHeaderBytes, capacity), header->capacity / SECTOR_SIZE,
			    line->line, line->size / SECTOR_SIZE);
	vmdk->base.cluster_size = MAX(vmdk->base.cluster_size, header->grain_size);
	return true;
}

static VmdkExtent *vmdk_append(VmdkDisk *vmdk, const VmdkExtentLine *line)
{
	const guint count = vmdk->extents->len;
	VmdkExtent extent = {.size = line->size, .type = line->type};

	if (count > 0) {
		const VmdkExtent *last = &g_array_index(vmdk->extents, VmdkExtent, count - 1);
		extent.start = last->start + last->size;
	}
	g_array_append_val(vmdk->extents, extent);
	return &g_array_index(vmdk->extents, VmdkExtent, count);
}

/* The file holds its descriptor: then it also is the only extent, whatever it was called when that
 * was written. */
static Disk *vmdk_open_monolithic(Storage *storage, const OpenOptions *options, GError **error)
{
	g_autoptr(VmdkSparse) sparse =
		vmdk_sparse_open(storage, CACHE_SIZE, options->findings, error);

	if (sparse == NULL)
		return NULL;
	VmdkDescriptor *descriptor =
		vmdk_read_embedded_descriptor(storage, vmdk_sparse_header(sparse), error);
	if (descriptor == NULL)
		return NULL;
	VmdkDisk *vmdk = vmdk_new(descriptor, storage->name);
	g_autoptr(Disk) disk = &vmdk->base;
	const VmdkExtentLine *line = vmdk_descriptor_extent(descriptor, 0);
	vmdk_append(vmdk, line);
	if (!vmdk_add_sparse(vmdk, line, g_steal_pointer(&sparse), error))
		return NULL;
	return g_steal_pointer(&disk);
}

static bool vmdk_open_extent(VmdkDisk *vmdk, const VmdkExtentLine *line, VmdkFiles *files,
			     const OpenOptions *options, GError **error)
{
	VmdkExtent *extent = vmdk_append(vmdk, line);

	if (line->type == VMDK_EXTENT_ZERO)
		return true;
	g_autoptr(Storage) storage = vmdk_files_open(files, line, error);
	if (storage == NULL)
		return false;
	if (line->type == VMDK_EXTENT_SPARSE) {
		VmdkSparse *sparse =
			vmdk_sparse_open(storage, CACHE_SIZE / vmdk->descriptor->extents->len,
					 options->findings, error);
		return (sparse != NULL && vmdk_add_sparse(vmdk, line, sparse, error)) ||
		       fail_in(error, "%s: ", storage->name);
	}
	extent->storage = g_steal_pointer(&storage);
	extent->file_offset = line->file_offset;
	if (!range_is_inside(line->size, line->file_offset, extent->storage->size))
		return fail(error, CORRUPT,
			    "%s: file size=%" PRIu64 ": line %u of the descriptor needs %" PRIu64
			    " bytes from offset %" PRIu64 " on",
			    extent->storage->name, extent->storage->size, line->line, line->size,
			    line->file_offset);
	return true;
}

static Disk *vmdk_open_described(Storage *storage, const OpenOptions *options, GError **error)
{
	VmdkDescriptor *descriptor = vmdk_read_descriptor(storage, error);

	if (descriptor == NULL)
		return NULL;
	VmdkDisk *vmdk = vmdk_new(descriptor, storage->name);
	g_autoptr(Disk) disk = &vmdk->base;
	g_autoptr(VmdkFiles) files = vmdk_files_new(options->folder, storage, descriptor->encoding);
	for (guint i = 0; i < descriptor->extents->len; i++)
		if (!vmdk_open_extent(vmdk, vmdk_descriptor_extent(descriptor, i), files, options,
				      error))
			return NULL;
	return g_steal_pointer(&disk);
}

static int vmdk_probe(const uint8_t *head, size_t head_length, const uint8_t *tail,
		      size_t tail_length)
{
	(void)tail;
	(void)tail_length;
	return vmdk_kind_of(head, head_length) != VMDK_KIND_NONE
		       ? 100
		       : vmdk_descriptor_probe((const char *)head, head_length);
}

static Disk *vmdk_open(Storage *storage, const OpenOptions *options, char **backing_format,
		       GError **error)
{
	uint8_t head[16] = {0};

	(void)backing_format; /* is not written down: the parent is probed */
	if (!storage_read_at(storage, head, (size_t)min_u64(sizeof(head), storage->size), 0, error))
		return NULL;
	switch (vmdk_kind_of(head, sizeof(head))) {
	case VMDK_KIND_SPARSE:
		return vmdk_open_monolithic(storage, options, error);
	case VMDK_KIND_COWD:
		return fail_null(error, UNSUPPORTED,
				 "offset 0x0: magic \"COWD\": the extent of a snapshot of ESXi is "
				 "not read yet; consolidate the snapshots at the source, or export "
				 "the machine as OVF");
	case VMDK_KIND_SESPARSE:
		return fail_null(error, UNSUPPORTED,
				 "offset 0x0: magic 0xcafebabe: the extent of a seSparse snapshot "
				 "of ESXi is not read yet; consolidate the snapshots at the "
				 "source, or export the machine as OVF");
	case VMDK_KIND_UTF16:
	case VMDK_KIND_NONE:
		break;
	}
	return vmdk_open_described(storage, options, error);
}

const FormatDriver vmdk_format = {
	.name = "vmdk",
	.title = "VMware virtual disk: sparse, split, flat, streamOptimized",
	.suffixes = "vmdk",
	.probe = vmdk_probe,
	.open = vmdk_open,
};
