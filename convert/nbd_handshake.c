/* SPDX-License-Identifier: Apache-2.0 */
/* nbd_handshake.c: fixed newstyle negotiation.
 *
 * Every function that talks returns false when the connection is over: the client left, broke the
 * protocol, or the socket was shut down. A client that is only wrong gets an error reply.
 */
#include "convert/nbd_handshake.h"

#include "base/bytes.h"
#include "convert/nbd_layout.h"
#include "convert/nbd_wire.h"

#define OPTION_MAX_LENGTH 8192u /* a name has at most 4096 bytes */
#define MAX_OPTIONS       64u   /* in one handshake */

static bool send_option_reply(int fd, uint32_t option, uint32_t type, const void *payload,
			      uint32_t length)
{
	NbdOptionReplyBytes reply;

	put_be64(reply.magic, NBD_REPLY_MAGIC);
	put_be32(reply.option, option);
	put_be32(reply.type, type);
	put_be32(reply.length, length);
	return nbd_send(fd, &reply, sizeof(reply), length > 0) &&
	       nbd_send(fd, payload, length, false);
}

static uint16_t transmission_flags(const NbdAgreement *agreed)
{
	const uint16_t flags = NBD_HAS_FLAGS | NBD_READ_ONLY | NBD_CAN_MULTI_CONN;

	return agreed->structured ? flags | NBD_SEND_DF : flags;
}

/* Old-style end of the handshake: there is no error reply, a wrong name ends the connection. */
static bool answer_export_name(int fd, const Disk *disk, uint32_t name_length, NbdAgreement *agreed)
{
	NbdExportBytes reply = {0};

	if (name_length != 0)
		return false;
	agreed->going = true;
	put_be64(reply.size, disk->size);
	put_be16(reply.flags, transmission_flags(agreed));
	return nbd_send(fd, &reply,
			agreed->no_zeroes ? sizeof(reply) - sizeof(reply.zeroes) : sizeof(reply),
			false);
}

static bool answer_list(int fd, uint32_t length)
{
	static const uint8_t empty_name[4] = {0}; /* its length: the default export */

	if (length != 0)
		return send_option_reply(fd, NBD_OPT_LIST, NBD_REP_ERR_INVALID, NULL, 0);
	return send_option_reply(fd, NBD_OPT_LIST, NBD_REP_SERVER, empty_name,
				 sizeof(empty_name)) &&
	       send_option_reply(fd, NBD_OPT_LIST, NBD_REP_ACK, NULL, 0);
}

static bool answer_structured_reply(int fd, uint32_t length, NbdAgreement *agreed)
{
	const bool valid = length == 0 && !agreed->structured;

	if (valid)
		agreed->structured = true;
	return send_option_reply(fd, NBD_OPT_STRUCTURED_REPLY,
				 valid ? NBD_REP_ACK : NBD_REP_ERR_INVALID, NULL, 0);
}

/* 0 when the body of NBD_OPT_INFO or NBD_OPT_GO (name length, name, count, 16-bit requests) is
 * well-formed and asks for the default export, else the error to reply. */
static uint32_t check_info_request(const uint8_t *body, uint32_t length)
{
	if (length < 6)
		return NBD_REP_ERR_INVALID;
	const uint32_t name_length = get_be32(body);
	if (name_length > length - 6)
		return NBD_REP_ERR_INVALID;
	const uint32_t requests = get_be16(body + 4 + name_length);
	if (length - 6 - name_length != 2 * requests)
		return NBD_REP_ERR_INVALID;
	return name_length == 0 ? 0 : NBD_REP_ERR_UNKNOWN;
}

/* The cluster size as the protocol wants it: a power of two, from 512 to the maximum. */
static uint32_t preferred_block_size(const Disk *disk)
{
	uint32_t size = 4096;

	while (size < disk->cluster_size && size < NBD_MAX_REQUEST)
		size *= 2;
	return size;
}

static bool answer_info(int fd, const Disk *disk, uint32_t option, const NbdAgreement *agreed)
{
	NbdInfoExportBytes export = {0};
	NbdInfoBlockSizeBytes block_size = {0};

	put_be16(export.type, NBD_INFO_EXPORT);
	put_be64(export.size, disk->size);
	put_be16(export.flags, transmission_flags(agreed));
	put_be16(block_size.type, NBD_INFO_BLOCK_SIZE);
	put_be32(block_size.minimum, 1);
	put_be32(block_size.preferred, preferred_block_size(disk));
	put_be32(block_size.maximum, NBD_MAX_REQUEST);
	return send_option_reply(fd, option, NBD_REP_INFO, &export, sizeof(export)) &&
	       send_option_reply(fd, option, NBD_REP_INFO, &block_size, sizeof(block_size)) &&
	       send_option_reply(fd, option, NBD_REP_ACK, NULL, 0);
}

/* One option. */
static bool answer_option(int fd, const Disk *disk, NbdAgreement *agreed)
{
	NbdOptionBytes raw;
	uint8_t body[OPTION_MAX_LENGTH];

	if (!nbd_receive(fd, &raw, sizeof(raw)) || get_be64(raw.magic) != NBD_OPTION_MAGIC)
		return false;
	const uint32_t option = get_be32(raw.option);
	const uint32_t length = get_be32(raw.length);
	if (length > sizeof(body) || !nbd_receive(fd, body, length))
		return false;
	uint32_t refusal =
		NBD_REP_ERR_UNSUP; /* STARTTLS, meta contexts: a client goes on without */
	switch (option) {
	case NBD_OPT_EXPORT_NAME:
		return answer_export_name(fd, disk, length, agreed);
	case NBD_OPT_ABORT:
		(void)send_option_reply(fd, option, NBD_REP_ACK, NULL, 0);
		return false;
	case NBD_OPT_LIST:
		return answer_list(fd, length);
	case NBD_OPT_STRUCTURED_REPLY:
		return answer_structured_reply(fd, length, agreed);
	case NBD_OPT_INFO:
	case NBD_OPT_GO:
		refusal = check_info_request(body, length);
		agreed->going = option == NBD_OPT_GO && refusal == 0;
		break;
	default:
		break;
	}
	if (refusal != 0)
		return send_option_reply(fd, option, refusal, NULL, 0);
	return answer_info(fd, disk, option, agreed);
}

bool nbd_shake_hands(int fd, const Disk *disk, NbdAgreement *out)
{
	NbdGreetingBytes greeting;
	uint8_t raw_flags[4];

	*out = (NbdAgreement){0};
	put_be64(greeting.magic, NBD_MAGIC);
	put_be64(greeting.option_magic, NBD_OPTION_MAGIC);
	put_be16(greeting.flags, NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES);
	if (!nbd_send(fd, &greeting, sizeof(greeting), false) ||
	    !nbd_receive(fd, raw_flags, sizeof(raw_flags)))
		return false;
	const uint32_t flags = get_be32(raw_flags);
	if ((flags & NBD_FIXED_NEWSTYLE) == 0 ||
	    (flags & ~(NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES)) != 0)
		return false;
	out->no_zeroes = (flags & NBD_NO_ZEROES) != 0;
	for (unsigned i = 0; i < MAX_OPTIONS && !out->going; i++)
		if (!answer_option(fd, disk, out))
			return false;
	return out->going;
}
