/* SPDX-License-Identifier: Apache-2.0 */
/* storage_folder.c: is the folder there, may we write, does it fit? */
#include "v2v/targets/storage_folder.h"
#include "base/checked.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Left free beside the disks: metadata of the file system, NVRAM, logs. */
#define SPARE_BYTES (64 * MIB)

static void check_space(const char *folder, uint64_t needed, Findings *findings)
{
	struct statvfs space;
	uint64_t free_bytes, wanted;

	if (statvfs(folder, &space) != 0) {
		findings_add(findings, FINDING_WARNING, "target.space-unknown", NULL,
			     "%s: the free space cannot be read: %s", folder, g_strerror(errno));
		return;
	}
	if (!checked_mul(space.f_bavail, space.f_frsize, &free_bytes))
		free_bytes = UINT64_MAX;
	if (!checked_add(needed, SPARE_BYTES, &wanted))
		wanted = UINT64_MAX;
	if (free_bytes < wanted)
		findings_add(findings, FINDING_CRITICAL, "target.no-space",
			     "free some space, or name another folder with --storage",
			     "%s: %" PRIu64 " MiB are free, the disks need up to %" PRIu64 " MiB",
			     folder, free_bytes / (uint64_t)MIB, wanted / (uint64_t)MIB);
}

void storage_folder_check(const char *folder, uint64_t needed, Findings *findings)
{
	struct stat status;

	if (stat(folder, &status) != 0)
		findings_add(findings, FINDING_CRITICAL, "target.no-folder", "make it first",
			     "%s: %s", folder, g_strerror(errno));
	else if (!S_ISDIR(status.st_mode))
		findings_add(findings, FINDING_CRITICAL, "target.no-folder", NULL,
			     "%s: not a folder", folder);
	else if (access(folder, W_OK | X_OK) != 0)
		findings_add(findings, FINDING_CRITICAL, "target.folder-read-only", NULL,
			     "%s: cannot be written to: %s", folder, g_strerror(errno));
	else
		check_space(folder, needed, findings);
}

void storage_folder_check_access(const char *folder, Findings *findings)
{
	g_autofree char *path = g_strdup(folder);
	struct stat status;

	while (stat(path, &status) == 0) {
		if ((status.st_mode & S_IXOTH) == 0) {
			findings_add(findings, FINDING_WARNING, "target.folder-closed",
				     "open it for others to enter (chmod o+x), or name another "
				     "folder with --storage",
				     "%s: only its owner may enter; QEMU runs as another user and "
				     "may not reach the disks below it",
				     path);
			return;
		}
		if (path[0] == '\0' || path[1] == '\0')
			return;
		char *parent = g_path_get_dirname(path);
		g_free(path);
		path = parent;
	}
}
