/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_nbd.c: any bytes as what an NBD client says; the server ends, and serves nothing but the
 * disk. */
#include "fuzz.h"

#include "convert/nbd_session.h"
#include "formats/format.h"

#include <sys/socket.h>
#include <unistd.h>

static void *take_answers(void *argument)
{
	static const size_t most = 64u * 1024;
	g_autofree uint8_t *answers = g_malloc(most);

	while (recv(GPOINTER_TO_INT(argument), answers, most, 0) > 0)
		;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const uint8_t contents[1000] = {1, 2, 3};
	static const OpenOptions nothing = {0};
	_Atomic(GError *) first_error = NULL;
	g_autoptr(Storage) storage = storage_new_memory("disk", contents, sizeof(contents));
	g_autoptr(Disk) disk = image_open(storage, "raw", &nothing, NULL);
	int pair[2];

	if (length > 16384) /* must fit into the socket's buffer */
		return 0;
	contract(disk != NULL);
	contract(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	contract(send(pair[0], bytes, length, 0) == (ssize_t)length);
	contract(shutdown(pair[0], SHUT_WR) == 0);
	GThread *reader = g_thread_new("answers", take_answers, GINT_TO_POINTER(pair[0]));
	nbd_session_run(&(NbdSession){pair[1], disk, &first_error});
	contract(close(pair[1]) == 0);
	(void)g_thread_join(reader);
	contract(close(pair[0]) == 0);
	contract(first_error == NULL); /* the disk is sound */
	return 0;
}
