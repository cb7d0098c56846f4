/* SPDX-License-Identifier: Apache-2.0 */
/* dir.c: the target dir:PATH, a folder of images and domain XML; needs no libvirt. */
#include "base/error.h"
#include "formats/output_file.h"
#include "v2v/targets/drivers.h"
#include "v2v/targets/storage_folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIR_PREFIX "dir:"

typedef struct {
	Target base;
	bool force;
	char *written; /* owned; the XML file that define() made */
} DirTarget;

static DirTarget *dir_from(Target *target)
{
	return (DirTarget *)target;
}

static int dir_probe(const char *uri)
{
	return g_str_has_prefix(uri, DIR_PREFIX) && uri[strlen(DIR_PREFIX)] != '\0' ? 100 : 0;
}

static char *dir_xml_path(const Target *target, const char *name)
{
	g_autofree char *file = g_strconcat(name, ".xml", NULL);

	return g_build_filename(target->folder, file, NULL);
}

static bool dir_check(Target *target, const DomainPlan *plan, uint64_t needed, Findings *findings,
		      GError **error)
{
	g_autofree char *path = dir_xml_path(target, plan->name);

	(void)error;
	storage_folder_check(target->folder, needed, findings);
	if (!dir_from(target)->force && g_file_test(path, G_FILE_TEST_EXISTS))
		findings_add(findings, FINDING_CRITICAL, "target.name-taken",
			     "choose another with --name, or replace it with --force",
			     "%s: a VM of this name is there already", path);
	return true;
}

static bool dir_define(Target *target, const DomainPlan *plan, const char *xml, GError **error)
{
	g_autofree char *path = dir_xml_path(target, plan->name);
	g_autoptr(OutputFile) file = output_file_new(path, dir_from(target)->force, error);

	if (file == NULL ||
	    !storage_write_at(output_file_storage(file), xml, strlen(xml), 0, error) ||
	    !output_file_commit(file, error))
		return false;
	g_free(dir_from(target)->written);
	dir_from(target)->written = g_steal_pointer(&path);
	return true;
}

static bool dir_rollback(Target *target, const char *name, GError **error)
{
	g_autofree char *path = dir_xml_path(target, name);

	if (g_strcmp0(path, dir_from(target)->written) != 0)
		return true;
	if (unlink(path) != 0 && errno != ENOENT)
		return fail_errno(error, errno, "%s: cannot be removed and remains", path);
	g_clear_pointer(&dir_from(target)->written, g_free);
	return true;
}

static void dir_close(Target *target)
{
	g_free(dir_from(target)->written);
	g_free(target);
}

static const TargetOps dir_ops = {
	.check = dir_check,
	.define = dir_define,
	.rollback = dir_rollback,
	.close = dir_close,
};

/* The XML is for a host that we do not see: without --virt-type it says KVM. */
static Target *dir_open(const char *uri, const TargetOptions *options, GError **error)
{
	const char *path = uri + strlen(DIR_PREFIX);
	g_autofree char *folder = realpath(path, NULL);

	if (folder == NULL) {
		fail_errno(error, errno, "%s", path);
		return NULL;
	}
	if (options->storage != NULL)
		return fail_null(error, USAGE, "--storage: %s names the folder already", uri);
	DirTarget *dir = g_new0(DirTarget, 1);
	dir->base.ops = &dir_ops;
	dir->base.uri = g_strconcat(DIR_PREFIX, folder, NULL);
	dir->base.virt_type = g_strdup(g_strcmp0(options->virt_type, "qemu") == 0 ? "qemu" : "kvm");
	dir->base.folder = g_strdup(folder);
	dir->force = options->force;
	return &dir->base;
}

const TargetDriver dir_target_driver = {
	.name = "dir",
	.title = "folder of images and libvirt XML (dir:PATH)",
	.probe = dir_probe,
	.open = dir_open,
};
