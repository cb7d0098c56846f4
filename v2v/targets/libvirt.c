/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt.c: the target libvirt: its daemons, or its driver embedded in this process. */
#include "base/error.h"
#include "v2v/targets/domain_compare.h"
#include "v2v/targets/drivers.h"
#include "v2v/targets/libvirt_target.h"

#include <string.h>

static LibvirtTarget *libvirt_from(Target *target)
{
	return (LibvirtTarget *)target;
}

static int libvirt_probe(const char *uri)
{
	static const char *const schemes[] = {"qemu:", "qemu+", "test:"};

	if (strcmp(uri, "kvm") == 0)
		return 100;
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (g_str_has_prefix(uri, schemes[i]))
			return 90;
	return 0;
}

/* Everything that libvirt keeps about a domain goes with it, except its disks. */
static bool undefine(virDomainPtr domain, const char *name, GError **error)
{
	const unsigned flags = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE |
			       VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM |
			       VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA;

	if (virDomainUndefineFlags(domain, flags) == 0 || virDomainUndefine(domain) == 0)
		return true;
	return fail_libvirt(error, "%s: remains defined", name);
}

/* Moves a domain of the same name out of the way; its XML is kept for rollback(). */
static bool displace(LibvirtTarget *libvirt, const char *name, GError **error)
{
	g_auto(virDomainPtr) old = virDomainLookupByName(libvirt->connection, name);

	if (old == NULL)
		return true;
	if (!libvirt->force)
		return fail(error, REFUSED,
			    "%s: a VM of this name is there already; --force "
			    "replaces it",
			    name);
	if (virDomainIsActive(old) == 1)
		return fail(error, REFUSED, "%s: runs, and is not replaced", name);
	char *xml = virDomainGetXMLDesc(old, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE);
	if (xml == NULL)
		return fail_libvirt(error, "%s", name);
	g_free(libvirt->replaced);
	libvirt->replaced = g_strdup(xml);
	free(xml);
	return undefine(old, name, error);
}

static bool read_back(virDomainPtr domain, const char *asked, GError **error)
{
	char *got = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE);
	const bool same = got != NULL ? domain_compare(asked, got, error)
				      : fail_libvirt(error, "domain cannot be read back");

	free(got);
	return same;
}

static bool restore_replaced(LibvirtTarget *libvirt, const char *name, GError **error)
{
	if (libvirt->replaced == NULL)
		return true;
	g_auto(virDomainPtr) restored = virDomainDefineXML(libvirt->connection, libvirt->replaced);
	if (restored == NULL)
		return fail_libvirt(error, "%s: the VM that stood here is not defined again", name);
	g_clear_pointer(&libvirt->replaced, g_free);
	return true;
}

static bool libvirt_rollback(Target *target, const char *name, GError **error)
{
	LibvirtTarget *libvirt = libvirt_from(target);

	if (libvirt->defined != NULL) {
		g_auto(virDomainPtr) domain =
			virDomainLookupByUUIDString(libvirt->connection, libvirt->defined);

		if (domain != NULL && virDomainIsActive(domain) == 1)
			virDomainDestroy(domain);
		if (domain != NULL && !undefine(domain, name, error))
			return false;
		g_clear_pointer(&libvirt->defined, g_free);
	}
	return restore_replaced(libvirt, name, error);
}

static bool define_domain(LibvirtTarget *libvirt, const char *xml, GError **error)
{
	char uuid[VIR_UUID_STRING_BUFLEN];
	g_auto(virDomainPtr) domain =
		virDomainDefineXMLFlags(libvirt->connection, xml, VIR_DOMAIN_DEFINE_VALIDATE);

	if (domain == NULL || virDomainGetUUIDString(domain, uuid) != 0)
		return fail_libvirt(error, "%s", libvirt->base.uri);
	g_free(libvirt->defined);
	libvirt->defined = g_strdup(uuid);
	return read_back(domain, xml, error);
}

static bool libvirt_define(Target *target, const DomainPlan *plan, const char *xml, GError **error)
{
	LibvirtTarget *libvirt = libvirt_from(target);

	if (!displace(libvirt, plan->name, error))
		return false;
	if (!define_domain(libvirt, xml, error)) {
		g_autoptr(GError) remains = NULL;

		if (!libvirt_rollback(target, plan->name, &remains))
			g_prefix_error(error, "%s; ", remains->message);
		return fail_in(error, "%s: ", plan->name);
	}
	if (libvirt->pool != NULL) { /* its list of volumes is older than our disks */
		g_auto(virStoragePoolPtr) pool =
			virStoragePoolLookupByName(libvirt->connection, libvirt->pool);
		if (pool != NULL)
			virStoragePoolRefresh(pool, 0);
	}
	return true;
}

static bool libvirt_start(Target *target, const char *name, GError **error)
{
	g_auto(virDomainPtr) domain = virDomainLookupByName(libvirt_from(target)->connection, name);

	if (domain == NULL || virDomainCreate(domain) != 0)
		return fail_libvirt(error, "%s: start", name);
	return true;
}

static bool libvirt_stop(Target *target, const char *name, GError **error)
{
	g_auto(virDomainPtr) domain = virDomainLookupByName(libvirt_from(target)->connection, name);

	if (domain == NULL)
		return fail_libvirt(error, "%s: stop", name);
	if (virDomainDestroy(domain) != 0 && virDomainIsActive(domain) != 0)
		return fail_libvirt(error, "%s: stop", name);
	return true;
}

static void libvirt_close(Target *target)
{
	libvirt_disconnect(libvirt_from(target));
	g_free(target);
}

static const TargetOps libvirt_ops = {
	.check = libvirt_check,
	.define = libvirt_define,
	.start = libvirt_start,
	.stop = libvirt_stop,
	.rollback = libvirt_rollback,
	.close = libvirt_close,
};

static Target *libvirt_open(const char *uri, const TargetOptions *options, GError **error)
{
	LibvirtTarget *libvirt = g_new0(LibvirtTarget, 1);
	g_autoptr(Target) target = &libvirt->base;

	target->ops = &libvirt_ops;
	libvirt->force = options->force;
	if (!libvirt_connect(libvirt, uri, options, error))
		return NULL;
	return g_steal_pointer(&target);
}

const TargetDriver libvirt_target_driver = {
	.name = "libvirt",
	.title = "libvirt (kvm, qemu:///system, qemu:///embed?root=DIR, ...)",
	.probe = libvirt_probe,
	.open = libvirt_open,
};
