/* SPDX-License-Identifier: Apache-2.0 */
/* embed_root.c: the root folder of the embedded driver. */
#include "v2v/targets/embed_root.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Consoles and QEMU's messages go to files: by default libvirt hands them to virtlogd, which is
 * another daemon that is not there. And no notes about former owners in the attributes of disks: a
 * process that ends while its VM runs would leave them behind for ever. And no mount namespaces:
 * where there is no daemon there is often a container that may not make any. */
#define QEMU_CONF "stdio_handler = \"file\"\nremember_owner = 0\nnamespaces = [ ]\n"

/* The longest path below the root that a socket is bound to; libvirt cuts the name at 20 bytes. */
#define LONGEST_SOCKET "/lib/qemu/domain-999-%.20s/monitor.sock"

char *embed_root_of(const char *uri, GError **error)
{
	g_autoptr(GUri) parsed = g_uri_parse(uri, G_URI_FLAGS_NONE, NULL);
	const char *query = parsed != NULL ? g_uri_get_query(parsed) : NULL;
	g_autoptr(GHashTable) parameters =
		query != NULL ? g_uri_parse_params(query, -1, "&", G_URI_PARAMS_NONE, NULL) : NULL;
	const char *root = parameters != NULL ? g_hash_table_lookup(parameters, "root") : NULL;

	if (root == NULL || *root == '\0')
		return fail_null(error, USAGE, "%s: names no root; write qemu:///embed?root=DIR",
				 uri);
	return g_canonicalize_filename(root, NULL);
}

char *embed_root_default(void)
{
	if (geteuid() == 0)
		return g_strdup("/var/lib/v2v/libvirt");
	return g_build_filename(g_get_user_data_dir(), "v2v", NULL);
}

char *embed_root_uri(const char *root)
{
	g_autofree char *escaped = g_uri_escape_string(root, "/", FALSE);

	return g_strconcat(EMBED_URI, escaped, NULL);
}

bool embed_root_prepare(const char *root, GError **error)
{
	g_autofree char *etc = g_build_filename(root, "etc", NULL);
	g_autofree char *path = g_build_filename(etc, "qemu.conf", NULL);

	if (g_mkdir_with_parents(etc, 0755) != 0)
		return fail_errno(error, errno, "%s", etc);
	/* What somebody has configured stays. */
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == EEXIST || fail_errno(error, errno, "%s", path);
	const bool written = write(fd, QEMU_CONF, strlen(QEMU_CONF)) == (ssize_t)strlen(QEMU_CONF);
	const int errnum = errno;
	close(fd);
	return written || fail_errno(error, errnum, "%s", path);
}

void embed_root_check(const char *root, const char *name, Findings *findings)
{
	const size_t limit = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	g_autofree char *below = g_strdup_printf(LONGEST_SOCKET, name);

	if (strlen(root) + strlen(below) > limit)
		findings_add(findings, FINDING_CRITICAL, "target.root-too-long",
			     "name a shorter one: --to 'qemu:///embed?root=DIR'",
			     "%s: %zu bytes are too long for a root: the sockets of the VM must "
			     "fit in %zu bytes, which leaves %zu",
			     root, strlen(root), limit, limit - strlen(below));
}
