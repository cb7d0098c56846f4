/* SPDX-License-Identifier: Apache-2.0 */
/* image.c: opens an image and the chain below it. */
#include "formats/format.h"

#include <string.h>
#include <sys/stat.h>

/* Images of one chain that are open, by device and inode: a loop meets itself. */
typedef struct {
	const OpenOptions *options; /* of the top */
	GPtrArray *storages;        /* borrowed; of references: all that was opened */
	struct {
		dev_t device;
		ino_t inode;
		uint64_t offset;
	} seen[CHAIN_MAX_DEPTH];
	size_t count;
} Chain;

static bool chain_enter(Chain *chain, const Storage *storage, GError **error)
{
	struct stat status;

	if (chain->count == CHAIN_MAX_DEPTH)
		return fail(error, CORRUPT, "backing chain is deeper than %u images",
			    CHAIN_MAX_DEPTH);
	if (storage->fd < 0 || fstat(storage->fd, &status) != 0) {
		chain->seen[chain->count++].inode = 0;
		return true;
	}
	for (size_t i = 0; i < chain->count; i++)
		if (chain->seen[i].device == status.st_dev &&
		    chain->seen[i].inode == status.st_ino &&
		    chain->seen[i].offset == storage->fd_offset)
			return fail(error, CORRUPT, "backing chain comes back to this image");
	chain->seen[chain->count].device = status.st_dev;
	chain->seen[chain->count].inode = status.st_ino;
	chain->seen[chain->count++].offset = storage->fd_offset;
	return true;
}

/* *out is NULL when nobody knows the contents; that they cannot be read is an error. */
static bool look_inside(Storage *storage, const FormatDriver **out, GError **error)
{
	g_autoptr(GError) local = NULL;

	*out = format_probe(storage, &local);
	if (*out != NULL || g_error_matches(local, V2V_ERROR, V2V_ERROR_UNSUPPORTED))
		return true;
	g_propagate_error(error, g_steal_pointer(&local));
	return false;
}

/* What the user calls raw is raw, with a warning; what an image or a definition calls raw must not
 * look like something else, or a guest could plant a qcow2 header in its first sector. */
static bool check_raw(Storage *storage, const FormatDriver *driver, const OpenOptions *options,
		      GError **error)
{
	const FormatDriver *looks_like = NULL;

	if (storage->size == 0 || (options->depth == 0 && options->findings == NULL))
		return true;
	if (!look_inside(storage, &looks_like, error))
		return false;
	if (looks_like == NULL)
		return true;
	if (options->depth > 0)
		return fail(error, REFUSED, "declared %s but begins like %s", driver->name,
			    looks_like->name);
	findings_add(options->findings, FINDING_WARNING, "image.raw-with-magic",
		     "leave --from-format out to read what is inside",
		     "%s: read as %s, but begins like %s", storage->name, driver->name,
		     looks_like->name);
	return true;
}

static const FormatDriver *choose_format(Storage *storage, const char *format,
					 const OpenOptions *options, GError **error)
{
	if (format == NULL)
		return format_probe(storage, error);
	const FormatDriver *driver = format_find(format);
	if (driver == NULL && options->depth == 0)
		return fail_null(error, USAGE, "unknown image format \"%s\"", format);
	if (driver == NULL) {
		g_autofree char *shown = text_for_display(format, strlen(format), 64);
		return fail_null(error, UNSUPPORTED,
				 "declared \"%s\": no image format that is known", shown);
	}
	/* Only raw has nothing that it could be recognised by. */
	return driver->probe != NULL || check_raw(storage, driver, options, error) ? driver : NULL;
}

static Disk *open_driver(Storage *storage, const char *format, const OpenOptions *options,
			 char **backing_format, GError **error)
{
	const FormatDriver *driver = choose_format(storage, format, options, error);
	g_autoptr(Disk) disk = NULL;

	if (driver != NULL)
		disk = driver->open(storage, options, backing_format, error);
	if (disk == NULL)
		return NULL;
	if (disk->size > DISK_MAX_SIZE)
		return fail_null(error, UNSUPPORTED, "virtual size=%" PRIu64 ": exceeds 64 TiB",
				 disk->size);
	return g_steal_pointer(&disk);
}

/* Where the names inside an image count from that was itself named `name` in `prefix`. */
static char *prefix_of(const char *prefix, const char *name)
{
	g_autofree char *path =
		name[0] == '/' ? g_strdup(name) : g_build_filename(prefix, name, NULL);

	return strchr(path, '/') != NULL ? g_path_get_dirname(path) : g_strdup("");
}

static Disk *open_layer(Storage *storage, const char *format, const char *prefix, Chain *chain,
			GError **error)
{
	g_autofree char *backing_format = NULL;
	OpenOptions options = *chain->options;
	g_autoptr(Folder) folder =
		options.folder == NULL
			? NULL
			: folder_new_beneath(options.folder, prefix, chain->storages);

	options.folder = folder;
	options.depth = (unsigned)chain->count;
	if (!chain_enter(chain, storage, error))
		return fail_in_null(error, "%s: ", storage->name);
	g_autoptr(Disk) disk = open_driver(storage, format, &options, &backing_format, error);
	if (disk == NULL)
		return fail_in_null(error, "%s: ", storage->name);
	if (disk->backing_name == NULL || options.layer_only)
		return g_steal_pointer(&disk);
	if (folder == NULL)
		return fail_null(error, REFUSED,
				 "%s: backing image \"%s\": no folder to open it from",
				 storage->name, disk->backing_name);
	g_autoptr(Storage) below = folder_open(folder, disk->backing_name, error);
	if (below == NULL)
		return fail_in_null(error, "%s: backing image: ", storage->name);
	g_autofree char *below_prefix = prefix_of(prefix, disk->backing_name);
	disk->backing = open_layer(below, backing_format, below_prefix, chain, error);
	if (disk->backing == NULL)
		return NULL;
	if (disk->ops->check_backing != NULL && !disk->ops->check_backing(disk, error))
		return fail_in_null(error, "%s: ", storage->name);
	return g_steal_pointer(&disk);
}

Disk *image_open(Storage *storage, const char *format, const OpenOptions *options, GError **error)
{
	g_autoptr(GPtrArray) storages =
		g_ptr_array_new_with_free_func((GDestroyNotify)storage_unref);
	Chain chain = {.options = options, .storages = storages};

	g_ptr_array_add(storages, storage_ref(storage));
	Disk *disk = open_layer(storage, format, "", &chain, error);
	if (disk != NULL)
		disk->storages = g_steal_pointer(&storages);
	return disk;
}

Disk *image_open_path(const char *path, const char *format, const char *const *allowed_roots,
		      Findings *findings, GError **error)
{
	g_autoptr(Folder) folder = folder_of_file(path, allowed_roots, error);
	g_autoptr(Storage) storage = folder != NULL ? storage_open_file(path, error) : NULL;
	const OpenOptions options = {.folder = folder, .findings = findings};

	return storage != NULL ? image_open(storage, format, &options, error) : NULL;
}
