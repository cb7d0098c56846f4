/* SPDX-License-Identifier: Apache-2.0 */
/* edits.c: a list of pending file changes over the appliance's view of the guest. */
#include "convert/guest/edits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MAX_ONE_MESSAGE = 2 << 20,
	MAX_LISTED = 10000,
	TRANSFER_SECONDS = 600,
	NEW_FILE_MODE = 0644
};

typedef enum { EDIT_TEXT, EDIT_REMOVE, EDIT_LINK } EditKind;

typedef struct {
	EditKind kind;
	char *path; /* owned */
	char *text; /* owned; content, or the link's target; NULL for EDIT_REMOVE */
	bool written;
} Edit;

struct Edits {
	Appliance *appliance; /* borrowed */
	bool dry_run;
	GPtrArray *list; /* owned, of Edit; a later one of the same path counts */
};

static void edit_free(gpointer pointer)
{
	Edit *edit = pointer;

	g_free(edit->path);
	g_free(edit->text);
	g_free(edit);
}

Edits *edits_new(Appliance *appliance, bool dry_run)
{
	Edits *edits = g_new0(Edits, 1);

	edits->appliance = appliance;
	edits->dry_run = dry_run;
	edits->list = g_ptr_array_new_with_free_func(edit_free);
	return edits;
}

void edits_free(Edits *edits)
{
	if (edits == NULL)
		return;
	g_ptr_array_unref(edits->list);
	g_free(edits);
}

static const Edit *pending(const Edits *edits, const char *path)
{
	for (guint i = edits->list->len; i > 0; i--) {
		const Edit *edit = g_ptr_array_index(edits->list, i - 1);

		if (g_str_equal(edit->path, path))
			return edit;
	}
	return NULL;
}

static struct guestfs_statns *stat_of(Edits *edits, const char *path, bool follow)
{
	guestfs_h *g = appliance_for(edits->appliance, APPLIANCE_QUICK);

	return follow ? guestfs_statns(g, path) : guestfs_lstatns(g, path);
}

static bool has_mode(Edits *edits, const char *path, bool follow, mode_t type)
{
	struct guestfs_statns *stat = stat_of(edits, path, follow);
	const bool same = stat != NULL && (type == 0 || ((mode_t)stat->st_mode & S_IFMT) == type);

	if (stat != NULL)
		guestfs_free_statns(stat);
	return same;
}

bool edits_exists(Edits *edits, const char *path)
{
	const Edit *edit = pending(edits, path);

	return edit != NULL ? edit->kind != EDIT_REMOVE : has_mode(edits, path, false, 0);
}

bool edits_is_file(Edits *edits, const char *path)
{
	const Edit *edit = pending(edits, path);

	return edit != NULL ? edit->kind == EDIT_TEXT : has_mode(edits, path, true, S_IFREG);
}

bool edits_is_folder(Edits *edits, const char *path)
{
	return has_mode(edits, path, true, S_IFDIR);
}

/* What is too long for one message of the protocol comes through a file. */
static GBytes *download(Edits *edits, const char *path, GError **error)
{
	char *folder = guestfs_get_tmpdir(appliance_for(edits->appliance, APPLIANCE_QUICK));
	g_autofree char *local = g_build_filename(folder, "guest-file", NULL);
	g_autoptr(GMappedFile) mapped = NULL;

	free(folder);
	if (guestfs_download(appliance_for(edits->appliance, TRANSFER_SECONDS), path, local) != 0)
		appliance_fail(edits->appliance, error, "%s in the guest", path);
	else
		mapped = g_mapped_file_new(local, FALSE, error);
	unlink(local);
	return mapped != NULL ? g_mapped_file_get_bytes(mapped) : NULL;
}

static GBytes *read_whole(Edits *edits, const char *path, GError **error)
{
	size_t length = 0;
	char *bytes =
		guestfs_read_file(appliance_for(edits->appliance, APPLIANCE_QUICK), path, &length);

	if (bytes == NULL) {
		appliance_fail(edits->appliance, error, "%s in the guest", path);
		return NULL;
	}
	return g_bytes_new_with_free_func(bytes, length, free, bytes);
}

/* NULL without an error: there is no such file. */
static GBytes *read_if_there(Edits *edits, const char *path, size_t max_bytes, GError **error)
{
	/* A FIFO or device in the place of a file would keep the appliance waiting for ever. */
	struct guestfs_statns *stat = stat_of(edits, path, true);

	if (stat == NULL)
		return NULL;
	const bool regular = ((mode_t)stat->st_mode & S_IFMT) == S_IFREG;
	const int64_t size = stat->st_size;

	guestfs_free_statns(stat);
	if (!regular)
		return fail_null(error, CORRUPT, "%s in the guest: not a regular file", path);
	if (size < 0 || (uint64_t)size > max_bytes)
		return fail_null(error, CORRUPT,
				 "%s in the guest: size %" PRId64
				 " is above the limit of %zu bytes",
				 path, size, max_bytes);
	return size > MAX_ONE_MESSAGE ? download(edits, path, error)
				      : read_whole(edits, path, error);
}

GBytes *edits_read_bytes(Edits *edits, const char *path, size_t max_bytes, GError **error)
{
	GError *cause = NULL;
	GBytes *bytes = read_if_there(edits, path, max_bytes, &cause);

	if (bytes == NULL && cause == NULL)
		return fail_null(error, CORRUPT, "%s in the guest: no such file", path);
	if (cause != NULL)
		g_propagate_error(error, cause);
	return bytes;
}

char *edits_read(Edits *edits, const char *path, size_t max_bytes, GError **error)
{
	const Edit *edit = pending(edits, path);

	if (edit != NULL)
		return edit->kind == EDIT_TEXT ? g_strdup(edit->text) : NULL;
	g_autoptr(GBytes) bytes = read_if_there(edits, path, max_bytes, error);
	gsize length = 0;
	const char *text = bytes != NULL ? g_bytes_get_data(bytes, &length) : NULL;

	if (bytes == NULL)
		return NULL;
	/* What is after it would be lost when the text is written back. */
	if (length > 0 && memchr(text, 0, length) != NULL)
		return fail_null(error, CORRUPT, "%s in the guest: a zero byte in a text", path);
	return length > 0 ? g_strndup(text, length) : g_strdup("");
}

char *edits_need(Edits *edits, const char *path, size_t max_bytes, GError **error)
{
	GError *cause = NULL;
	char *text = edits_read(edits, path, max_bytes, &cause);

	if (text == NULL && cause == NULL)
		return fail_null(error, CORRUPT, "%s in the guest: no such file", path);
	if (cause != NULL)
		g_propagate_error(error, cause);
	return text;
}

char *edits_try_read(Edits *edits, const char *path, size_t max_bytes)
{
	return edits_read(edits, path, max_bytes, NULL);
}

static gint compare_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *edits_list(Edits *edits, const char *folder, const char *pattern)
{
	GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
	char **names = guestfs_ls(appliance_for(edits->appliance, APPLIANCE_QUICK), folder);

	for (char **name = names; name != NULL && *name != NULL; name++) {
		if (found->len < MAX_LISTED && strchr(*name, '/') == NULL &&
		    g_pattern_match_simple(pattern, *name))
			g_ptr_array_add(found, g_strconcat(folder, "/", *name, NULL));
		free(*name);
	}
	free(names);
	g_ptr_array_sort(found, compare_text);
	return found;
}

static void add(Edits *edits, EditKind kind, const char *path, const char *text)
{
	Edit *edit = g_new0(Edit, 1);

	edit->kind = kind;
	edit->path = g_strdup(path);
	edit->text = g_strdup(text);
	g_ptr_array_add(edits->list, edit);
}

void edits_set(Edits *edits, const char *path, const char *text)
{
	add(edits, EDIT_TEXT, path, text);
}

void edits_remove(Edits *edits, const char *path)
{
	add(edits, EDIT_REMOVE, path, NULL);
}

void edits_link(Edits *edits, const char *path, const char *target)
{
	add(edits, EDIT_LINK, path, target);
}

guint edits_mark(const Edits *edits)
{
	return edits->list->len;
}

void edits_rewind(Edits *edits, guint mark)
{
	/* What has been written is done: only the rest can be forgotten. */
	while (edits->list->len > mark &&
	       !((const Edit *)g_ptr_array_index(edits->list, edits->list->len - 1))->written)
		g_ptr_array_remove_index(edits->list, edits->list->len - 1);
}

/* A file that is there keeps owner, mode and label: it is written in place. */
static int write_text(guestfs_h *g, const Edit *edit)
{
	g_autofree char *folder = g_path_get_dirname(edit->path);
	const bool is_new = guestfs_is_file_opts(g, edit->path, GUESTFS_IS_FILE_OPTS_FOLLOWSYMLINKS,
						 1, -1) != 1;

	if (is_new && guestfs_mkdir_p(g, folder) != 0)
		return -1;
	if (guestfs_write(g, edit->path, edit->text, strlen(edit->text)) != 0)
		return -1;
	return is_new ? guestfs_chmod(g, NEW_FILE_MODE, edit->path) : 0;
}

static int write_link(guestfs_h *g, const Edit *edit)
{
	g_autofree char *folder = g_path_get_dirname(edit->path);

	if (guestfs_mkdir_p(g, folder) != 0)
		return -1;
	return guestfs_ln_sf(g, edit->text, edit->path);
}

static int write_edit(guestfs_h *g, const Edit *edit)
{
	switch (edit->kind) {
	case EDIT_TEXT:
		return write_text(g, edit);
	case EDIT_REMOVE:
		return guestfs_rm_f(g, edit->path);
	case EDIT_LINK:
		return write_link(g, edit);
	}
	g_assert_not_reached();
}

bool edits_write(Edits *edits, GError **error)
{
	for (guint i = 0; !edits->dry_run && i < edits->list->len; i++) {
		Edit *edit = g_ptr_array_index(edits->list, i);

		if (edit->written)
			continue;
		if (pending(edits, edit->path) == edit &&
		    write_edit(appliance_for(edits->appliance, APPLIANCE_QUICK), edit) != 0)
			return appliance_fail(edits->appliance, error, "writing %s in the guest",
					      edit->path);
		edit->written = true;
	}
	return true;
}

GPtrArray *edits_touched(const Edits *edits)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < edits->list->len; i++) {
		const Edit *edit = g_ptr_array_index(edits->list, i);

		if (edit->kind != EDIT_REMOVE && pending(edits, edit->path) == edit)
			g_ptr_array_add(paths, g_strdup(edit->path));
	}
	return paths;
}
