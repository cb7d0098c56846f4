/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c: main() for a fuzz target without a fuzzer: each file of a folder once; one row
 * of TAP for all. */
#include "fuzz.h"

#include <string.h>

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *list_files(const char *folder)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	GDir *dir = g_dir_open(folder, 0, NULL);

	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;)
		g_ptr_array_add(names, g_strdup(name));
	if (dir != NULL)
		g_dir_close(dir);
	g_ptr_array_sort(names, compare_names);
	return names;
}

static bool replay(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *bytes = NULL;
	gsize length = 0;

	(void)printf("# %s\n", name); /* the last one before a crash is to blame */
	(void)fflush(stdout);
	if (!g_file_get_contents(path, &bytes, &length, NULL))
		return false;
	(void)LLVMFuzzerTestOneInput((const uint8_t *)bytes, length);
	return true;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	g_autoptr(GPtrArray) names = list_files(argv[1]);
	bool all = names->len > 0;
	(void)printf("1..1\n");
	for (guint i = 0; i < names->len && all; i++)
		all = replay(argv[1], g_ptr_array_index(names, i));
	(void)printf("%s 1 - %u inputs\n", all ? "ok" : "not ok", names->len);
	return all ? 0 : 1;
}
