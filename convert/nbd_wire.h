/* SPDX-License-Identifier: Apache-2.0 */
/* nbd_wire.h: whole messages over a socket; false when the connection is over. */
#ifndef V2V_CONVERT_NBD_WIRE_H
#define V2V_CONVERT_NBD_WIRE_H

#include <stdbool.h>
#include <stddef.h>

bool nbd_receive(int fd, void *buf, size_t length);
/* `more`: the rest of the message follows at once. No SIGPIPE. */
bool nbd_send(int fd, const void *buf, size_t length, bool more);
bool nbd_discard(int fd, size_t length);

#endif
