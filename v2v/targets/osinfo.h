/* SPDX-License-Identifier: Apache-2.0 */
/* osinfo.h: what libosinfo's database says about a guest's operating system. */
#ifndef V2V_TARGETS_OSINFO_H
#define V2V_TARGETS_OSINFO_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
	char *id;        /* owned; "http://debian.org/debian/12"; NULL: the family is not known */
	bool known;      /* in the database: it, or else its nearest relative, from which the rest
			    follows */
	bool q35;        /* runs on that chipset */
	bool virtio_1;   /* drives virtio 1.0 devices */
	bool virtio_gpu; /* has a driver for the virtio display */
} OsTraits;

/* About the system with this short id ("debian12", may be NULL). Reads the database each time: a
 * fifth of a second. */
OsTraits osinfo_find(const char *short_id);
void os_traits_clear(OsTraits *traits);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(OsTraits, os_traits_clear)

#endif
