/* SPDX-License-Identifier: Apache-2.0 */
/* os_release.h: which distribution it is, from its release files. */
#ifndef V2V_CONVERT_GUEST_OS_RELEASE_H
#define V2V_CONVERT_GUEST_OS_RELEASE_H

#include <glib.h>
#include <stdbool.h>

typedef enum {
	FAMILY_UNKNOWN,
	FAMILY_DEBIAN, /* dpkg, update-initramfs */
	FAMILY_RPM,    /* rpm, dracut or mkinitrd */
} GuestFamily;

typedef struct {       /* strings owned, never NULL after a successful parse */
	char *distro;  /* "debian", "rhel", "opensuse", as ID of os-release */
	char *product; /* "Debian GNU/Linux 12 (bookworm)" */
	char *osinfo;  /* "debian12" */
	int major, minor;
	GuestFamily family;
} OsRelease;

/* Text of /etc/os-release; false when it names no distribution. */
bool os_release_parse(const char *text, OsRelease *out);
/* Text of /etc/redhat-release, /etc/SuSE-release or /etc/debian_version of older systems. */
bool os_release_parse_legacy(const char *file, const char *text, OsRelease *out);
void os_release_clear(OsRelease *release);

#endif
