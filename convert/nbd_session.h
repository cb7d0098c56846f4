/* SPDX-License-Identifier: Apache-2.0 */
/* nbd_session.h: one NBD connection from greeting to goodbye. */
#ifndef V2V_CONVERT_NBD_SESSION_H
#define V2V_CONVERT_NBD_SESSION_H

#include "formats/disk.h"

#include <stdatomic.h>

typedef struct {
	int fd;     /* borrowed; a connected stream socket */
	Disk *disk; /* borrowed */
	/* Borrowed: becomes, if it is NULL still, the error of the first read that failed. */
	_Atomic(GError *) *first_error;
} NbdSession;

/* Serves until the client leaves, lies about the protocol, or the socket is shut down. */
void nbd_session_run(const NbdSession *session);

#endif
