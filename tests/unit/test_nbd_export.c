/* SPDX-License-Identifier: Apache-2.0 */
/* test_nbd_export.c: the NBD server against real clients (nbdinfo, nbdcopy, qemu-img). */
#include "convert/nbd_export.h"

#include "nbd_fixture.h"

#include <criterion/criterion.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define ODD_SIZE (5u * 1024 * 1024 + 123)

/* Runs a client to its end; its status, and what it wrote when `out` is not NULL. */
static int run(const char *const *argv, char **out)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GSubprocess) client = g_subprocess_newv(
		argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, &error);

	cr_assert(client != NULL, "%s", error == NULL ? "" : error->message);
	g_autofree char *text = NULL;
	cr_assert(g_subprocess_communicate_utf8(client, NULL, NULL, &text, NULL, NULL));
	if (out != NULL)
		*out = g_steal_pointer(&text);
	return g_subprocess_get_if_exited(client) ? g_subprocess_get_exit_status(client) : -1;
}

static void assert_file_is_the_disk(const char *path, size_t size)
{
	g_autofree char *bytes = NULL;
	gsize length = 0;

	cr_assert(g_file_get_contents(path, &bytes, &length, NULL), "%s", path);
	cr_assert(length >= size, "%s: %zu bytes", path, length);
	for (size_t i = 0; i < size; i++)
		cr_assert((uint8_t)bytes[i] == pattern_byte(i), "%s: byte %zu", path, i);
}

Test(nbd_clients, nbdinfo_sees_size_and_flags)
{
	g_auto(NbdFixture) fixture = nbd_fixture_new(&(PatternOptions){.size = ODD_SIZE});
	g_autofree char *size = NULL, *json = NULL, *list = NULL;

	cr_assert_eq(run((const char *[]){"nbdinfo", "--size", fixture.uri, NULL}, &size), 0);
	cr_assert_str_eq(size, "5243003\n");
	cr_assert_eq(run((const char *[]){"nbdinfo", "--json", fixture.uri, NULL}, &json), 0);
	cr_assert(strstr(json, "\"is_read_only\": true") != NULL, "%s", json);
	cr_assert(strstr(json, "\"can_multi_conn\": true") != NULL, "%s", json);
	cr_assert(strstr(json, "\"protocol\": \"newstyle-fixed\"") != NULL, "%s", json);
	cr_assert_eq(run((const char *[]){"nbdinfo", "--list", fixture.uri, NULL}, &list), 0);
	cr_assert(strstr(list, "export=\"\"") != NULL, "%s", list);
}

Test(nbd_clients, nbdcopy_over_four_connections_is_equal)
{
	g_auto(NbdFixture) fixture = nbd_fixture_new(&(PatternOptions){.size = ODD_SIZE});
	g_autofree char *to = g_build_filename(fixture.folder, "copy", NULL);

	cr_assert_eq(run((const char *[]){"nbdcopy", "--connections=4", "--requests=16",
					  "--request-size=262144", fixture.uri, to, NULL},
			 NULL),
		     0);
	assert_file_is_the_disk(to, ODD_SIZE);
}

Test(nbd_clients, qemu_img_is_equal)
{
	g_auto(NbdFixture) fixture = nbd_fixture_new(&(PatternOptions){.size = ODD_SIZE});
	g_autofree char *to = g_build_filename(fixture.folder, "copy", NULL);
	g_autofree char *said = NULL;

	cr_assert_eq(run((const char *[]){"qemu-img", "convert", "-f", "raw", "-O", "raw",
					  fixture.uri, to, NULL},
			 &said),
		     0, "%s", said);
	assert_file_is_the_disk(to, ODD_SIZE);
}

Test(nbd_clients, clients_at_once_do_not_disturb_each_other)
{
	g_auto(NbdFixture) fixture = nbd_fixture_new(&(PatternOptions){.size = ODD_SIZE});
	GSubprocess *clients[4];
	char *copies[G_N_ELEMENTS(clients)];

	for (size_t i = 0; i < G_N_ELEMENTS(clients); i++) {
		copies[i] = g_strdup_printf("%s/copy%zu", fixture.folder, i);
		clients[i] = g_subprocess_new(G_SUBPROCESS_FLAGS_NONE, NULL, "nbdcopy",
					      "--connections=3", fixture.uri, copies[i], NULL);
		cr_assert(clients[i] != NULL);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(clients); i++) {
		cr_assert(g_subprocess_wait_check(clients[i], NULL, NULL), "client %zu", i);
		assert_file_is_the_disk(copies[i], ODD_SIZE);
		g_object_unref(clients[i]);
		g_free(copies[i]);
	}
}

Test(nbd_clients, a_killed_client_harms_nobody)
{
	g_auto(NbdFixture) fixture =
		nbd_fixture_new(&(PatternOptions){.size = ODD_SIZE, .pause_ms = 20});
	g_autofree char *size = NULL;
	g_autofree char *to = g_build_filename(fixture.folder, "copy", NULL);
	g_autoptr(GSubprocess) client =
		g_subprocess_new(G_SUBPROCESS_FLAGS_NONE, NULL, "nbdcopy", "--request-size=4096",
				 fixture.uri, to, NULL);

	cr_assert(client != NULL);
	while (nbd_fixture_reads(&fixture) < 5)
		g_usleep(1000);
	g_subprocess_send_signal(client, SIGKILL);
	cr_assert(g_subprocess_wait(client, NULL, NULL));
	cr_assert_not(g_subprocess_get_successful(client));
	cr_assert_eq(run((const char *[]){"nbdinfo", "--size", fixture.uri, NULL}, &size), 0);
	cr_assert_str_eq(size, "5243003\n");
	cr_assert_null(nbd_export_error(fixture.server));
}

Test(nbd_clients, a_read_error_reaches_client_and_caller)
{
	g_auto(NbdFixture) fixture =
		nbd_fixture_new(&(PatternOptions){.size = ODD_SIZE, .bad_offset = 3u << 20});
	g_autofree char *to = g_build_filename(fixture.folder, "copy", NULL);
	g_autofree char *said = NULL;

	cr_assert_null(nbd_export_error(fixture.server));
	cr_assert_neq(run((const char *[]){"nbdcopy", fixture.uri, to, NULL}, &said), 0);
	cr_assert(strstr(said, "Input/output error") != NULL, "%s", said);
	const GError *error = nbd_export_error(fixture.server);
	cr_assert_not_null(error);
	cr_assert(g_error_matches(error, V2V_ERROR, V2V_ERROR_CORRUPT));
	cr_assert_str_eq(error->message, "pattern: offset 0x300000: grain is damaged");
}

Test(nbd_clients, ending_does_not_wait_for_clients)
{
	NbdFixture fixture = nbd_fixture_new(&(PatternOptions){.size = ODD_SIZE, .pause_ms = 5});
	g_autofree char *to = g_build_filename(fixture.folder, "copy", NULL);
	g_autofree char *socket = g_build_filename(fixture.folder, "nbd.sock", NULL);
	g_autoptr(GSubprocess) client =
		g_subprocess_new(G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL, "nbdcopy",
				 "--request-size=4096", fixture.uri, to, NULL);

	cr_assert(client != NULL);
	while (nbd_fixture_reads(&fixture) < 5)
		g_usleep(1000);
	g_clear_pointer(&fixture.server, nbd_export_free);
	cr_assert_not(g_file_test(socket, G_FILE_TEST_EXISTS));
	cr_assert(g_subprocess_wait(client, NULL, NULL));
	cr_assert_not(g_subprocess_get_successful(client));
	nbd_fixture_clear(&fixture);
}

Test(nbd_export, the_socket_is_private)
{
	g_auto(NbdFixture) fixture = nbd_fixture_new(&(PatternOptions){.size = 512});
	g_autofree char *socket = g_build_filename(fixture.folder, "nbd.sock", NULL);
	GStatBuf status;

	cr_assert_eq(g_stat(socket, &status), 0);
	cr_assert(S_ISSOCK(status.st_mode));
	cr_assert_eq(status.st_mode & 0777, 0600);
}

Test(nbd_export, a_path_that_cannot_be_is_refused)
{
	g_auto(NbdFixture) fixture = nbd_fixture_new(&(PatternOptions){.size = 512});
	g_autofree char *taken = g_build_filename(fixture.folder, "taken", NULL);
	g_autofree char *too_long = g_strnfill(108, 'x');
	g_autoptr(GError) usage = NULL;
	g_autoptr(GError) in_use = NULL;

	cr_assert_null(nbd_export_new(fixture.disk, too_long, &usage));
	cr_assert(g_error_matches(usage, V2V_ERROR, V2V_ERROR_USAGE));
	cr_assert(g_file_set_contents(taken, "mine", -1, NULL));
	cr_assert_null(nbd_export_new(fixture.disk, taken, &in_use));
	cr_assert(g_error_matches(in_use, V2V_ERROR, V2V_ERROR_IO));
	cr_assert(g_file_test(taken, G_FILE_TEST_EXISTS), "a file of somebody else was removed");
}
