/* SPDX-License-Identifier: Apache-2.0 */
/* nbd_export.c: the listening half of the NBD server: the socket, a thread per connection. */
#include "convert/nbd_export.h"

#include "convert/nbd_session.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_CONNECTIONS  16u
#define OUT_OF_FDS_PAUSE (100u * 1000u) /* microseconds */

/* A place for one connection. Only the accepting thread takes and empties places (after its end,
 * nbd_export_free does), so fd and thread need no lock; `finished` is how the session tells. */
typedef struct {
	NbdSession session;
	GThread *thread; /* NULL: the place is free */
	atomic_bool finished;
} Connection;

struct NbdExport {
	Disk *disk; /* borrowed */
	struct sockaddr_un address;
	int listen_fd;
	GThread *acceptor;
	atomic_bool stopping;
	_Atomic(GError *) first_error; /* owned */
	Connection connections[MAX_CONNECTIONS];
};

static void *connection_thread(void *argument)
{
	Connection *connection = argument;

	nbd_session_run(&connection->session);
	/* The client sees the end now; the number of the descriptor stays taken until the thread
	 * has been joined, so that nobody shuts down a stranger's. */
	(void)shutdown(connection->session.fd, SHUT_RDWR);
	atomic_store(&connection->finished, true);
	return NULL;
}

static void connection_end(Connection *connection)
{
	(void)g_thread_join(connection->thread);
	(void)close(connection->session.fd);
	connection->thread = NULL;
}

/* A free place, or NULL: the server is full. */
static Connection *find_place(NbdExport *server)
{
	for (unsigned i = 0; i < MAX_CONNECTIONS; i++) {
		Connection *connection = &server->connections[i];

		if (connection->thread != NULL && atomic_load(&connection->finished))
			connection_end(connection);
		if (connection->thread == NULL)
			return connection;
	}
	return NULL;
}

static void serve(NbdExport *server, int fd)
{
	Connection *connection = find_place(server);

	if (connection != NULL) {
		connection->session = (NbdSession){fd, server->disk, &server->first_error};
		atomic_store(&connection->finished, false);
		connection->thread =
			g_thread_try_new("nbd-session", connection_thread, connection, NULL);
	}
	if (connection == NULL || connection->thread == NULL)
		(void)close(fd);
}

static void *acceptor_thread(void *argument)
{
	NbdExport *server = argument;

	while (!atomic_load(&server->stopping)) {
		const int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			serve(server, fd);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			g_usleep(OUT_OF_FDS_PAUSE);
		else if (errno != EINTR && errno != ECONNABORTED)
			break; /* EINVAL: the socket was shut down */
	}
	return NULL;
}

static bool export_listen(NbdExport *server, const char *socket_path, GError **error)
{
	if (strlen(socket_path) >= sizeof(server->address.sun_path))
		return fail(error, USAGE, "%s: a socket's path has at most %zu bytes", socket_path,
			    sizeof(server->address.sun_path) - 1);
	server->address.sun_family = AF_UNIX;
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_errno(error, errno, "%s: socket", socket_path);
	/* Before bind(): the socket never exists with a wider mode. */
	if (fchmod(fd, 0600) != 0) {
		const int errnum = errno;

		(void)close(fd);
		return fail_errno(error, errnum, "%s: mode of the socket", socket_path);
	}
	(void)g_strlcpy(server->address.sun_path, socket_path, sizeof(server->address.sun_path));
	if (bind(fd, (const struct sockaddr *)&server->address, sizeof(server->address)) != 0) {
		const int errnum = errno;

		(void)close(fd);
		return fail_errno(error, errnum, "%s: bind", socket_path);
	}
	server->listen_fd = fd;
	if (listen(fd, (int)MAX_CONNECTIONS) != 0)
		return fail_errno(error, errno, "%s: listen", socket_path);
	return true;
}

NbdExport *nbd_export_new(Disk *disk, const char *socket_path, GError **error)
{
	g_autoptr(NbdExport) server = g_new0(NbdExport, 1);

	server->disk = disk;
	server->listen_fd = -1;
	if (!export_listen(server, socket_path, error))
		return NULL;
	g_autoptr(GError) cause = NULL;
	server->acceptor = g_thread_try_new("nbd-accept", acceptor_thread, server, &cause);
	if (server->acceptor == NULL)
		return fail_null(error, IO, "%s: thread: %s", socket_path, cause->message);
	return g_steal_pointer(&server);
}

const GError *nbd_export_error(const NbdExport *server)
{
	return atomic_load(&server->first_error);
}

void nbd_export_free(NbdExport *server)
{
	if (server == NULL)
		return;
	atomic_store(&server->stopping, true);
	if (server->listen_fd >= 0)
		(void)shutdown(server->listen_fd, SHUT_RDWR); /* wakes accept4() */
	if (server->acceptor != NULL)
		(void)g_thread_join(server->acceptor);
	for (unsigned i = 0; i < MAX_CONNECTIONS; i++)
		if (server->connections[i].thread != NULL)
			(void)shutdown(server->connections[i].session.fd, SHUT_RDWR);
	for (unsigned i = 0; i < MAX_CONNECTIONS; i++)
		if (server->connections[i].thread != NULL)
			connection_end(&server->connections[i]);
	if (server->listen_fd >= 0) {
		(void)unlink(server->address.sun_path);
		(void)close(server->listen_fd);
	}
	GError *first_error = atomic_load(&server->first_error);
	if (first_error != NULL)
		g_error_free(first_error);
	g_free(server);
}
