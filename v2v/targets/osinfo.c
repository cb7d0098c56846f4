/* SPDX-License-Identifier: Apache-2.0 */
/* osinfo.c: what libosinfo's database says about a system, or about its nearest relative. */
#include "v2v/targets/osinfo.h"

#include "v2v/targets/osinfo_database.h"

#include <string.h>

/* "debian12" is the stem "debian" and the number 12.0: databases are older than guests, and the
 * relatives of a system that is not listed yet share its stem. */
typedef struct {
	size_t stem; /* bytes */
	guint64 major, minor;
} ShortId;

static bool short_id_parse(const char *text, ShortId *out)
{
	size_t stem = strlen(text);

	while (stem > 0 && (g_ascii_isdigit(text[stem - 1]) || text[stem - 1] == '.'))
		stem--;
	while (text[stem] == '.')
		stem++;
	if (text[stem] == '\0')
		return false;
	char *end;
	*out = (ShortId){.stem = stem, .major = g_ascii_strtoull(text + stem, &end, 10)};
	if (*end == '.')
		out->minor = g_ascii_strtoull(end + 1, NULL, 10);
	return true;
}

static int short_id_compare(const ShortId *a, const ShortId *b)
{
	if (a->major != b->major)
		return a->major < b->major ? -1 : 1;
	return a->minor == b->minor ? 0 : a->minor < b->minor ? -1 : 1;
}

/* The system itself, or the newest older one of its family; NULL when there is none. */
static const OsEntry *nearest(const OsDatabase *database, const char *short_id)
{
	const OsEntry *best = NULL;
	ShortId wanted, best_id = {0};
	const bool numbered = short_id_parse(short_id, &wanted);

	for (guint i = 0; i < database->systems->len; i++) {
		const OsEntry *os = g_ptr_array_index(database->systems, i);
		const char *listed = os->short_id;
		ShortId id;

		if (listed == NULL)
			continue;
		if (strcmp(listed, short_id) == 0)
			return os;
		if (!numbered || !short_id_parse(listed, &id) || id.stem != wanted.stem ||
		    strncmp(listed, short_id, id.stem) != 0 || short_id_compare(&id, &wanted) > 0)
			continue;
		if (best == NULL || short_id_compare(&id, &best_id) > 0) {
			best = os;
			best_id = id;
		}
	}
	return best;
}

/* "http://debian.org/debian/11" of the relative debian11 becomes ".../12"; NULL when the relative's
 * number does not end its id. */
static char *id_after(const OsEntry *relative, const char *short_id)
{
	const char *id = relative->id, *listed = relative->short_id;
	ShortId from, to;

	if (strcmp(listed, short_id) == 0)
		return g_strdup(id);
	if (!short_id_parse(listed, &from) || !short_id_parse(short_id, &to) ||
	    !g_str_has_suffix(id, listed + from.stem))
		return NULL;
	return g_strdup_printf("%.*s%s", (int)(strlen(id) - strlen(listed + from.stem)), id,
			       short_id + to.stem);
}

OsTraits osinfo_find(const char *short_id)
{
	OsTraits traits = {0};

	if (short_id == NULL)
		return traits;
	g_autoptr(OsDatabase) database = os_database_read();
	const OsEntry *os = nearest(database, short_id);
	if (os == NULL)
		return traits;
	traits.known = true;
	traits.id = id_after(os, short_id);
	traits.q35 = os_database_drives(database, os, OS_DEVICE_Q35);
	traits.virtio_1 = os_database_drives(database, os, OS_DEVICE_VIRTIO_NET);
	traits.virtio_gpu = os_database_drives(database, os, OS_DEVICE_VIRTIO_GPU);
	return traits;
}

void os_traits_clear(OsTraits *traits)
{
	g_clear_pointer(&traits->id, g_free);
}
