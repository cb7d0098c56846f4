/* SPDX-License-Identifier: Apache-2.0 */
/* nbd_wire.c: whole messages over a socket. */
#include "convert/nbd_wire.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

bool nbd_receive(int fd, void *buf, size_t length)
{
	uint8_t *at = buf;

	while (length > 0) {
		const ssize_t got = recv(fd, at, length, 0);

		if (got == 0 || (got < 0 && errno != EINTR))
			return false;
		if (got > 0) {
			at += got;
			length -= (size_t)got;
		}
	}
	return true;
}

bool nbd_send(int fd, const void *buf, size_t length, bool more)
{
	const uint8_t *at = buf;

	while (length > 0) {
		const ssize_t sent = send(fd, at, length, MSG_NOSIGNAL | (more ? MSG_MORE : 0));

		if (sent < 0 && errno != EINTR)
			return false;
		if (sent > 0) {
			at += sent;
			length -= (size_t)sent;
		}
	}
	return true;
}

bool nbd_discard(int fd, size_t length)
{
	uint8_t scratch[4096];

	while (length > 0) {
		const size_t part = length < sizeof(scratch) ? length : sizeof(scratch);

		if (!nbd_receive(fd, scratch, part))
			return false;
		length -= part;
	}
	return true;
}
