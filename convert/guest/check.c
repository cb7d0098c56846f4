/* SPDX-License-Identifier: Apache-2.0 */
/* check.c: reads the converted guest's configuration back and asks whether it can start. */
#include "convert/guest/check.h"

#include "convert/guest/fstab.h"

#include <string.h>

static bool names_our_device(const char *spec)
{
	unsigned drive, partition;

	return g_str_has_prefix(spec, "UUID=") || g_str_has_prefix(spec, "PARTUUID=") ||
	       block_device_name_parse(spec, strlen(spec), &drive, &partition);
}

/* The root must be found. Another source that is nowhere is only worth a warning: it may never have
 * been there ("nofail", a disk that was left out). */
bool guest_check_fstab(Guest *guest, GError **error)
{
	g_autofree char *text = edits_try_read(guest->edits, "/etc/fstab", FSTAB_MAX);
	g_autoptr(GPtrArray) entries = fstab_parse(text != NULL ? text : "");

	for (guint i = 0; i < entries->len; i++) {
		const FstabEntry *entry = g_ptr_array_index(entries, i);

		if (!names_our_device(entry->spec) || guest_device_of(guest, entry->spec) != NULL)
			continue;
		if (g_str_equal(entry->point, "/"))
			return fail(
				error, CORRUPT,
				"check: /etc/fstab has the root file system on %s, which is not "
				"there",
				entry->spec);
		guest_warn(guest, "guest.fstab-source-missing", NULL,
			   "/etc/fstab mounts %s on %s, but no converted disk has it", entry->spec,
			   entry->point);
	}
	return true;
}

/* Every "root=" by UUID must be of a device that is there. */
static bool check_roots(Guest *guest, const char *file, const char *text, GError **error)
{
	for (const char *at = strstr(text, "root=UUID="); at != NULL;
	     at = strstr(at + 1, "root=UUID=")) {
		const char *spec = at + strlen("root=");
		g_autofree char *uuid = g_strndup(spec, strcspn(spec, " \t\n\"'"));

		if (at > text && !g_ascii_isspace(at[-1]) && strchr("\"'", at[-1]) == NULL)
			continue;
		if (guest_device_of(guest, uuid) == guest->root)
			return true;
		if (guest_device_of(guest, uuid) == NULL)
			return fail(error, CORRUPT,
				    "check: %s starts from root=%s, which is not there", file,
				    uuid);
	}
	return true;
}

bool guest_check_loader(Guest *guest, GError **error)
{
	if (guest->loader_file == NULL)
		return true;
	g_autofree char *text = edits_need(guest->edits, guest->loader_file, GRUB_CFG_MAX, error);

	if (text == NULL)
		return fail_in(error, "check: ");
	return check_roots(guest, guest->loader_file, text, error);
}
