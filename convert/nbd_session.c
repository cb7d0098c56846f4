/* SPDX-License-Identifier: Apache-2.0 */
/* nbd_session.c: one NBD connection: after the handshake, reads.
 *
 * Every function that talks returns false when the connection is over, as in nbd_handshake.c.
 */
#include "convert/nbd_session.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "convert/nbd_handshake.h"
#include "convert/nbd_layout.h"
#include "convert/nbd_wire.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define HANDSHAKE_SECONDS 30
#define KEPT_BUFFER       (1u * 1024 * 1024) /* a larger buffer is given back after its request */

typedef struct {
	uint8_t *bytes; /* owned */
	size_t length;
} Buffer;

static void buffer_clear(Buffer *buffer)
{
	g_free(buffer->bytes);
	*buffer = (Buffer){NULL, 0};
}

/* What lasts from request to request. */
typedef struct {
	int fd; /* borrowed */
	NbdAgreement agreed;
	Buffer buffer;
} NbdTalk;

static bool buffer_reserve(Buffer *buffer, size_t length)
{
	if (length <= buffer->length)
		return true;
	buffer_clear(buffer);
	buffer->bytes = g_try_malloc(length);
	buffer->length = buffer->bytes != NULL ? length : 0;
	return buffer->bytes != NULL;
}

static bool send_simple(int fd, const NbdRequestBytes *request, uint32_t error, bool more)
{
	NbdSimpleReplyBytes reply;

	put_be32(reply.magic, NBD_SIMPLE_MAGIC);
	put_be32(reply.error, error);
	memcpy(reply.cookie, request->cookie, sizeof(reply.cookie));
	return nbd_send(fd, &reply, sizeof(reply), more);
}

/* The only chunk of a structured reply; `payload_length` bytes follow. */
static bool send_chunk(int fd, const NbdRequestBytes *request, uint16_t type,
		       uint32_t payload_length)
{
	NbdChunkBytes chunk;

	put_be32(chunk.magic, NBD_CHUNK_MAGIC);
	put_be16(chunk.flags, NBD_CHUNK_DONE);
	put_be16(chunk.type, type);
	memcpy(chunk.cookie, request->cookie, sizeof(chunk.cookie));
	put_be32(chunk.length, payload_length);
	return nbd_send(fd, &chunk, sizeof(chunk), payload_length > 0);
}

static bool send_read_error(const NbdTalk *talk, const NbdRequestBytes *request, uint32_t error)
{
	NbdChunkErrorBytes payload = {0}; /* without a message */

	if (!talk->agreed.structured)
		return send_simple(talk->fd, request, error, false);
	put_be32(payload.error, error);
	return send_chunk(talk->fd, request, NBD_CHUNK_ERROR, sizeof(payload)) &&
	       nbd_send(talk->fd, &payload, sizeof(payload), false);
}

static bool send_read_bytes(const NbdTalk *talk, const NbdRequestBytes *request, uint32_t length)
{
	const bool announced =
		talk->agreed.structured
			? send_chunk(talk->fd, request, NBD_CHUNK_OFFSET_DATA, 8 + length) &&
				  nbd_send(talk->fd, request->offset, 8, true)
			: send_simple(talk->fd, request, 0, true);

	return announced && nbd_send(talk->fd, talk->buffer.bytes, length, false);
}

static void remember_error(const NbdSession *session, GError *failure)
{
	GError *none = NULL;

	if (!atomic_compare_exchange_strong(session->first_error, &none, failure))
		g_error_free(failure);
}

static bool answer_read(const NbdSession *session, NbdTalk *talk, const NbdRequestBytes *request)
{
	const uint64_t offset = get_be64(request->offset);
	const uint32_t length = get_be32(request->length);
	/* Never fragmenting, we do what the flag asks for anyway. */
	const uint16_t known_flags = talk->agreed.structured ? NBD_CMD_FLAG_DF : 0;
	GError *failure = NULL;

	if ((get_be16(request->flags) & ~known_flags) != 0 || length == 0 ||
	    length > NBD_MAX_REQUEST || !range_is_inside(length, offset, session->disk->size))
		return send_read_error(talk, request, NBD_EINVAL);
	if (!buffer_reserve(&talk->buffer, length))
		return send_read_error(talk, request, NBD_ENOMEM);
	if (!disk_read_at(session->disk, talk->buffer.bytes, length, offset, &failure)) {
		remember_error(session, failure);
		return send_read_error(talk, request, NBD_EIO);
	}
	const bool sent = send_read_bytes(talk, request, length);
	if (talk->buffer.length > KEPT_BUFFER)
		buffer_clear(&talk->buffer);
	return sent;
}

static bool answer_request(const NbdSession *session, NbdTalk *talk)
{
	NbdRequestBytes request;

	if (!nbd_receive(talk->fd, &request, sizeof(request)) ||
	    get_be32(request.magic) != NBD_REQUEST_MAGIC)
		return false;
	switch (get_be16(request.type)) {
	case NBD_CMD_READ:
		return answer_read(session, talk, &request);
	case NBD_CMD_WRITE: /* its bytes follow and must be taken away */
		return get_be32(request.length) <= NBD_MAX_REQUEST &&
		       nbd_discard(talk->fd, get_be32(request.length)) &&
		       send_simple(talk->fd, &request, NBD_EPERM, false);
	case NBD_CMD_TRIM:
	case NBD_CMD_WRITE_ZEROES:
		return send_simple(talk->fd, &request, NBD_EPERM, false);
	case NBD_CMD_DISC:
		return false;
	default:
		return send_simple(talk->fd, &request, NBD_EINVAL, false);
	}
}

static void set_receive_timeout(int fd, int seconds)
{
	const struct timeval timeout = {.tv_sec = seconds};

	/* Without it a silent client only keeps its place a little longer. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

void nbd_session_run(const NbdSession *session)
{
	NbdTalk talk = {.fd = session->fd};

	set_receive_timeout(talk.fd, HANDSHAKE_SECONDS);
	if (!nbd_shake_hands(talk.fd, session->disk, &talk.agreed))
		return;
	set_receive_timeout(talk.fd, 0);
	while (answer_request(session, &talk))
		;
	buffer_clear(&talk.buffer);
}
