/* SPDX-License-Identifier: Apache-2.0 */
/* osinfo_database.h: the operating systems of libosinfo's database, as far as we ask about them. */
#ifndef V2V_TARGETS_OSINFO_DATABASE_H
#define V2V_TARGETS_OSINFO_DATABASE_H

#include <glib.h>
#include <stdbool.h>

typedef enum {
	OS_DEVICE_Q35,
	OS_DEVICE_VIRTIO_NET,
	OS_DEVICE_VIRTIO_GPU,
	OS_DEVICE_COUNT
} OsDevice;
typedef enum { OS_SAYS_NOTHING, OS_SAYS_YES, OS_SAYS_NO } OsAnswer;

typedef struct {            /* owned by the database */
	char *id;           /* "http://debian.org/debian/11" */
	char *short_id;     /* "debian11"; NULL: none */
	GPtrArray *parents; /* ids that it derives from or clones */
	OsAnswer devices[OS_DEVICE_COUNT];
} OsEntry;

typedef struct {
	GPtrArray *systems; /* of OsEntry, in the order of their files' names */
	GHashTable *by_id;
} OsDatabase;

/* Reads the system's, this host's and this user's part of it. libosinfo itself would keep all of it
 * in memory, 50 MiB that it does not give back; this is one file at a time. */
OsDatabase *os_database_read(void);
void os_database_free(OsDatabase *database); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OsDatabase, os_database_free)

/* Does the system drive the device? It says so itself, or else what it derives from or clones does.
 */
bool os_database_drives(const OsDatabase *database, const OsEntry *system, OsDevice device);

#endif
