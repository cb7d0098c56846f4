/* SPDX-License-Identifier: Apache-2.0 */
/* test_nbd_protocol.c: what the NBD server answers to clients that are wrong, or lie. */
#include "base/bytes.h"
#include "convert/nbd_handshake.h"
#include "convert/nbd_layout.h"
#include "nbd_fixture.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define DISK_SIZE (1u << 20)

static int connect_to(const NbdFixture *fixture)
{
	const struct timeval timeout = {.tv_sec = 10}; /* a silent server fails the test */
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/nbd.sock", fixture->folder);
	cr_assert(fd >= 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), 0);
	cr_assert_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say(int fd, const void *bytes, size_t length)
{
	cr_assert_eq(send(fd, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

static void hear(int fd, void *bytes, size_t length)
{
	cr_assert_eq(recv(fd, bytes, length, MSG_WAITALL), (ssize_t)length);
}

static bool is_closed(int fd)
{
	uint8_t byte;

	return recv(fd, &byte, 1, 0) <= 0;
}

static void say_option(int fd, uint32_t option, const void *body, uint32_t length)
{
	NbdOptionBytes header;

	put_be64(header.magic, NBD_OPTION_MAGIC);
	put_be32(header.option, option);
	put_be32(header.length, length);
	say(fd, &header, sizeof(header));
	if (length > 0)
		say(fd, body, length);
}

/* The type of the reply; its payload is taken away. */
static uint32_t hear_option_reply(int fd)
{
	NbdOptionReplyBytes reply;
	uint8_t payload[64];

	hear(fd, &reply, sizeof(reply));
	cr_assert_eq(get_be64(reply.magic), NBD_REPLY_MAGIC);
	const uint32_t length = get_be32(reply.length);
	cr_assert(length <= sizeof(payload));
	if (length > 0)
		hear(fd, payload, length);
	return get_be32(reply.type);
}

static void greet(int fd, uint32_t client_flags)
{
	NbdGreetingBytes greeting;
	uint8_t flags[4];

	hear(fd, &greeting, sizeof(greeting));
	cr_assert_eq(get_be64(greeting.magic), NBD_MAGIC);
	put_be32(flags, client_flags);
	say(fd, flags, sizeof(flags));
}

static int connect_and_go(const NbdFixture *fixture)
{
	static const uint8_t default_export[6] = {0};
	const int fd = connect_to(fixture);

	greet(fd, NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES);
	say_option(fd, NBD_OPT_GO, default_export, sizeof(default_export));
	cr_assert_eq(hear_option_reply(fd), NBD_REP_INFO);
	cr_assert_eq(hear_option_reply(fd), NBD_REP_INFO);
	cr_assert_eq(hear_option_reply(fd), NBD_REP_ACK);
	return fd;
}

static void say_request(int fd, uint16_t type, uint32_t length, uint64_t offset)
{
	NbdRequestBytes request = {.cookie = {1, 2, 3, 4, 5, 6, 7, 8}};

	put_be32(request.magic, NBD_REQUEST_MAGIC);
	put_be16(request.type, type);
	put_be64(request.offset, offset);
	put_be32(request.length, length);
	say(fd, &request, sizeof(request));
}

static uint32_t hear_reply(int fd)
{
	NbdSimpleReplyBytes reply;

	hear(fd, &reply, sizeof(reply));
	cr_assert_eq(get_be32(reply.magic), NBD_SIMPLE_MAGIC);
	cr_assert_arr_eq(reply.cookie, ((const uint8_t[]){1, 2, 3, 4, 5, 6, 7, 8}), 8);
	return get_be32(reply.error);
}

static void assert_still_serves(int fd)
{
	uint8_t bytes[16];

	say_request(fd, NBD_CMD_READ, sizeof(bytes), DISK_SIZE - sizeof(bytes));
	cr_assert_eq(hear_reply(fd), 0);
	hear(fd, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		cr_assert_eq(bytes[i], pattern_byte(DISK_SIZE - sizeof(bytes) + i));
}

struct request_case {
	char name[48];
	uint64_t offset;
	uint32_t length;
	uint16_t type;
	uint16_t body; /* bytes that follow */
	uint32_t error;
};

ParameterizedTestParameters(nbd_requests, refused)
{
	static struct request_case cases[] = {
		{"past the end", DISK_SIZE - 1, 2, NBD_CMD_READ, 0, NBD_EINVAL},
		{"at the end", DISK_SIZE, 1, NBD_CMD_READ, 0, NBD_EINVAL},
		{"wraps around", UINT64_MAX, 2, NBD_CMD_READ, 0, NBD_EINVAL},
		{"nothing", 0, 0, NBD_CMD_READ, 0, NBD_EINVAL},
		{"over 32 MiB", 0, NBD_MAX_REQUEST + 1, NBD_CMD_READ, 0, NBD_EINVAL},
		{"4 GiB", 0, UINT32_MAX, NBD_CMD_READ, 0, NBD_EINVAL},
		{"write", 0, 4097, NBD_CMD_WRITE, 4097, NBD_EPERM},
		{"trim", 0, 4096, NBD_CMD_TRIM, 0, NBD_EPERM},
		{"write zeroes", 0, 4096, NBD_CMD_WRITE_ZEROES, 0, NBD_EPERM},
		{"flush was not offered", 0, 0, 3, 0, NBD_EINVAL},
		{"unknown command", 0, 0, 77, 0, NBD_EINVAL},
	};
	return cr_make_param_array(struct request_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct request_case *row, nbd_requests, refused)
{
	g_auto(NbdFixture) fixture = nbd_fixture_new(&(PatternOptions){.size = DISK_SIZE});
	const int fd = connect_and_go(&fixture);
	uint8_t body[8192] = {0};

	say_request(fd, row->type, row->length, row->offset);
	say(fd, body, row->body);
	const uint32_t error = hear_reply(fd);
	cr_assert_eq(error, row->error, "%s: error %u", row->name, error);
	assert_still_serves(fd);
	cr_assert_null(nbd_export_error(fixture.server), "%s", row->name);
	close(fd);
}

struct option_case {
	char name[48];
	uint8_t body[16];
	uint32_t option, length, reply;
};

ParameterizedTestParameters(nbd_options, refused)
{
	static struct option_case cases[] = {
		{"STARTTLS", {0}, 5, 0, NBD_REP_ERR_UNSUP},
		{"STRUCTURED_REPLY with a body", {0}, 8, 2, NBD_REP_ERR_INVALID},
		{"meta context", {0}, 10, 8, NBD_REP_ERR_UNSUP},
		{"unknown", {0}, 0xffffffff, 3, NBD_REP_ERR_UNSUP},
		{"LIST with a body", {0}, NBD_OPT_LIST, 1, NBD_REP_ERR_INVALID},
		{"GO of nothing", {0}, NBD_OPT_GO, 0, NBD_REP_ERR_INVALID},
		{"GO: name longer than body", {0, 0, 0, 1}, NBD_OPT_GO, 6, NBD_REP_ERR_INVALID},
		{"GO: huge name", {255, 255, 255, 255}, NBD_OPT_GO, 6, NBD_REP_ERR_INVALID},
		{"GO: requests missing", {0, 0, 0, 0, 0, 1}, NBD_OPT_GO, 6, NBD_REP_ERR_INVALID},
		{"GO: bytes left over", {0}, NBD_OPT_GO, 7, NBD_REP_ERR_INVALID},
		{"GO: no such export", {0, 0, 0, 1, 'x'}, NBD_OPT_GO, 7, NBD_REP_ERR_UNKNOWN},
		{"INFO: no such export", {0, 0, 0, 1, 'x'}, NBD_OPT_INFO, 7, NBD_REP_ERR_UNKNOWN},
	};
	return cr_make_param_array(struct option_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct option_case *row, nbd_options, refused)
{
	g_auto(NbdFixture) fixture = nbd_fixture_new(&(PatternOptions){.size = DISK_SIZE});
	const int fd = connect_to(&fixture);

	greet(fd, NBD_FIXED_NEWSTYLE);
	say_option(fd, row->option, row->body, row->length);
	const uint32_t reply = hear_option_reply(fd);
	cr_assert_eq(reply, row->reply, "%s: reply 0x%x", row->name, reply);
	say_option(fd, NBD_OPT_ABORT, NULL, 0);
	cr_assert_eq(hear_option_reply(fd), NBD_REP_ACK, "%s", row->name);
	cr_assert(is_closed(fd), "%s", row->name);
	close(fd);
}

Test(nbd_handshake, export_name_with_and_without_zeroes)
{
	g_auto(NbdFixture) fixture = nbd_fixture_new(&(PatternOptions){.size = DISK_SIZE});

	for (uint32_t no_zeroes = 0; no_zeroes <= NBD_NO_ZEROES; no_zeroes += NBD_NO_ZEROES) {
		NbdExportBytes export;
		const int fd = connect_to(&fixture);

		greet(fd, NBD_FIXED_NEWSTYLE | no_zeroes);
		say_option(fd, NBD_OPT_EXPORT_NAME, NULL, 0);
		hear(fd, &export, no_zeroes ? 10 : sizeof(export));
		cr_assert_eq(get_be64(export.size), DISK_SIZE);
		assert_still_serves(fd);
		close(fd);
	}
}

struct lie_case {
	char name[48];
	uint8_t bytes[40];
	uint32_t length;
	bool after_handshake;
};

ParameterizedTestParameters(nbd_lies, end_the_connection)
{
	static struct lie_case cases[] = {
		{"unknown client flags", {0, 0, 0, 5}, 4, false},
		{"old client", {0, 0, 0, 0}, 4, false},
		{"not an option", {0, 0, 0, 1, 'I', 'H', 'A', 'V', 'E', 'O', 'P', 'S'}, 20, false},
		{"option of 4 GiB",
		 {0,   0,   0, 1, 'I', 'H', 'A', 'V', 'E', 'O',
		  'P', 'T', 0, 0, 0,   7,   255, 255, 255, 255},
		 20,
		 false},
		{"export name that is not there",
		 {0, 0, 0, 1, 'I', 'H', 'A', 'V', 'E', 'O', 'P', 'T', 0, 0, 0, 1, 0, 0, 0, 1, 'x'},
		 21,
		 false},
		{"not a request", {'G', 'E', 'T', ' ', '/'}, 28, true},
		{"write of 4 GiB",
		 {0x25, 0x60, 0x95, 0x13, 0, 0, 0, 1, 0, 0, 0,   0,   0,   0,
		  0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 255, 255, 255, 255},
		 28,
		 true},
	};
	return cr_make_param_array(struct lie_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct lie_case *row, nbd_lies, end_the_connection)
{
	g_auto(NbdFixture) fixture = nbd_fixture_new(&(PatternOptions){.size = DISK_SIZE});
	NbdGreetingBytes greeting;
	const int fd = row->after_handshake ? connect_and_go(&fixture) : connect_to(&fixture);

	if (!row->after_handshake)
		hear(fd, &greeting, sizeof(greeting));
	say(fd, row->bytes, row->length);
	cr_assert(is_closed(fd), "%s", row->name);
	close(fd);
	const int next = connect_and_go(&fixture);
	assert_still_serves(next);
	close(next);
}

Test(nbd_handshake, options_have_an_end)
{
	g_auto(NbdFixture) fixture = nbd_fixture_new(&(PatternOptions){.size = DISK_SIZE});
	const int fd = connect_to(&fixture);

	greet(fd, NBD_FIXED_NEWSTYLE);
	for (unsigned i = 0; i < 64; i++) {
		say_option(fd, 99, NULL, 0);
		cr_assert_eq(hear_option_reply(fd), NBD_REP_ERR_UNSUP);
	}
	cr_assert(is_closed(fd));
	close(fd);
}

Test(nbd_structured, reads_come_in_one_chunk_and_errors_too)
{
	g_auto(NbdFixture) fixture =
		nbd_fixture_new(&(PatternOptions){.size = DISK_SIZE, .bad_offset = 8192});
	static const uint8_t default_export[6] = {0};
	const int fd = connect_to(&fixture);
	NbdChunkBytes chunk;
	NbdChunkErrorBytes refused;
	uint8_t payload[8 + 100];

	greet(fd, NBD_FIXED_NEWSTYLE);
	say_option(fd, NBD_OPT_STRUCTURED_REPLY, NULL, 0);
	cr_assert_eq(hear_option_reply(fd), NBD_REP_ACK);
	say_option(fd, NBD_OPT_STRUCTURED_REPLY, NULL, 0);
	cr_assert_eq(hear_option_reply(fd), NBD_REP_ERR_INVALID);
	say_option(fd, NBD_OPT_GO, default_export, sizeof(default_export));
	for (unsigned i = 0; i < 3; i++)
		hear_option_reply(fd);
	say_request(fd, NBD_CMD_READ, 100, 4000);
	hear(fd, &chunk, sizeof(chunk));
	cr_assert_eq(get_be32(chunk.magic), NBD_CHUNK_MAGIC);
	cr_assert_eq(get_be16(chunk.flags), NBD_CHUNK_DONE);
	cr_assert_eq(get_be16(chunk.type), NBD_CHUNK_OFFSET_DATA);
	cr_assert_eq(get_be32(chunk.length), sizeof(payload));
	hear(fd, payload, sizeof(payload));
	cr_assert_eq(get_be64(payload), 4000);
	for (size_t i = 0; i < 100; i++)
		cr_assert_eq(payload[8 + i], pattern_byte(4000 + i));
	say_request(fd, NBD_CMD_READ, 100, 8191);
	hear(fd, &chunk, sizeof(chunk));
	cr_assert_eq(get_be16(chunk.type), NBD_CHUNK_ERROR);
	cr_assert_eq(get_be32(chunk.length), sizeof(refused));
	hear(fd, &refused, sizeof(refused));
	cr_assert_eq(get_be32(refused.error), NBD_EIO);
	say_request(fd, NBD_CMD_WRITE, 0, 0);
	cr_assert_eq(hear_reply(fd), NBD_EPERM);
	close(fd);
}

Test(nbd_connections, the_seventeenth_is_turned_away)
{
	g_auto(NbdFixture) fixture = nbd_fixture_new(&(PatternOptions){.size = DISK_SIZE});
	int fds[16];

	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		fds[i] = connect_and_go(&fixture);
	const int one_more = connect_to(&fixture);
	cr_assert(is_closed(one_more));
	close(one_more);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		assert_still_serves(fds[i]);
	say_request(fds[3], NBD_CMD_DISC, 0, 0);
	cr_assert(is_closed(fds[3]));
	/* Its place is free as soon as its thread has said so. */
	bool served = false;
	for (unsigned attempt = 0; attempt < 1000 && !served; attempt++) {
		const int fd = connect_to(&fixture);
		uint8_t byte;

		served = recv(fd, &byte, 1, 0) == 1;
		close(fd);
		g_usleep(1000);
	}
	cr_assert(served);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
}
