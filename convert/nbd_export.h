/* SPDX-License-Identifier: Apache-2.0 */
/* nbd_export.h: a Disk offered read-only over NBD on a private UNIX socket: how the
 * guest-conversion appliance reads any source through our own strict readers while the copy runs.
 */
#ifndef V2V_CONVERT_NBD_EXPORT_H
#define V2V_CONVERT_NBD_EXPORT_H

#include "formats/disk.h"

typedef struct NbdExport NbdExport;

/* Listens on `socket_path` (in a folder of mode 0700) and serves `disk` (borrowed) as the default
 * export from threads of its own. Fixed newstyle, read only, structured replies for who asks
 * (QEMU 7.2 waits forever for the last sector of an odd-sized disk in a simple reply), 16
 * connections. https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md */
NbdExport *nbd_export_new(Disk *disk, const char *socket_path, GError **error);
/* Why the first read that failed did, or NULL: the client was told no more than EIO. Borrowed,
 * stays valid and unchanged until nbd_export_free(). */
const GError *nbd_export_error(const NbdExport *server);
/* Ends connections and threads, removes the socket. NULL is fine. */
void nbd_export_free(NbdExport *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NbdExport, nbd_export_free)

#endif
