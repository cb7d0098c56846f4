/* SPDX-License-Identifier: Apache-2.0 */
/* lvm_text.c: filters that would hide the disks under their new names. */
#include "convert/guest/lvm_text.h"

#include <stdbool.h>
#include <string.h>

#define ACCEPT "\"a|^/dev/vd|\", "

/* "filter = [ … ]" or "global_filter = [ … ]": where its list begins, NULL when it is neither. */
static const char *filter_list(const char *line)
{
	const char *start = line + strspn(line, " \t");

	if (g_str_has_prefix(start, "global_"))
		start += strlen("global_");
	if (!g_str_has_prefix(start, "filter"))
		return NULL;
	start += strlen("filter");
	start += strspn(start, " \t");
	return *start == '=' && start[1 + strspn(start + 1, " \t")] == '[' ? strchr(start, '[') + 1
									   : NULL;
}

static bool hides_virtio(const char *list)
{
	return (strstr(list, "\"r|") != NULL || strstr(list, "\"r/") != NULL) &&
	       (strstr(list, "/dev/sd") != NULL || strstr(list, "/dev/hd") != NULL ||
		strstr(list, "/dev/xvd") != NULL || strstr(list, "/dev/disk/by-") != NULL ||
		strstr(list, "/dev/nvme") != NULL) &&
	       strstr(list, "/dev/vd") == NULL;
}

char *lvm_filters_accept_virtio(const char *text, GPtrArray *done)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *out = g_string_new(NULL);

	for (char **line = lines; *line != NULL; line++) {
		const char *list = filter_list(*line);

		if (list != NULL && hides_virtio(list)) {
			g_string_append_printf(out, "%.*s " ACCEPT "%s", (int)(list - *line), *line,
					       list + strspn(list, " \t"));
			g_ptr_array_add(done, g_strdup_printf("/dev/vd* accepted before: %s",
							      g_strstrip(*line)));
		} else {
			g_string_append(out, *line);
		}
		if (line[1] != NULL)
			g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}
