/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt_check.c: what stands in the way of a domain at a libvirt host. Changes nothing. */
#include "base/error.h"
#include "v2v/targets/domain_parts.h"
#include "v2v/targets/embed_root.h"
#include "v2v/targets/libvirt_target.h"
#include "v2v/targets/storage_folder.h"

#include <string.h>
#include <unistd.h>

static void check_name(LibvirtTarget *libvirt, const DomainPlan *plan, Findings *findings)
{
	g_auto(virDomainPtr) same_name = virDomainLookupByName(libvirt->connection, plan->name);
	g_auto(virDomainPtr) same_uuid =
		plan->vm->uuid != NULL && g_uuid_string_is_valid(plan->vm->uuid)
			? virDomainLookupByUUIDString(libvirt->connection, plan->vm->uuid)
			: NULL;

	if (same_name != NULL && !libvirt->force)
		findings_add(findings, FINDING_CRITICAL, "target.name-taken",
			     "choose another with --name, or replace it with --force",
			     "%s has a VM named %s already", libvirt->base.uri, plan->name);
	else if (same_name != NULL && virDomainIsActive(same_name) == 1)
		findings_add(findings, FINDING_CRITICAL, "target.name-running",
			     "shut it down first", "the VM %s runs: it is not replaced",
			     plan->name);
	if (same_uuid != NULL && g_strcmp0(virDomainGetName(same_uuid), plan->name) != 0)
		findings_add(findings, FINDING_CRITICAL, "target.uuid-taken",
			     "this VM may have been migrated before under another name",
			     "the VM %s has the same UUID %s", virDomainGetName(same_uuid),
			     plan->vm->uuid);
}

static void check_pool(LibvirtTarget *libvirt, Findings *findings)
{
	if (libvirt->pool == NULL)
		return;
	g_auto(virStoragePoolPtr) pool =
		virStoragePoolLookupByName(libvirt->connection, libvirt->pool);
	if (pool != NULL && virStoragePoolIsActive(pool) != 1)
		findings_add(findings, FINDING_CRITICAL, "target.pool-inactive",
			     "start it: virsh pool-start", "the storage pool %s is not active",
			     libvirt->pool);
}

static void check_network(LibvirtTarget *libvirt, const char *name, Findings *findings)
{
	g_auto(virNetworkPtr) network =
		libvirt->networks != NULL ? virNetworkLookupByName(libvirt->networks, name) : NULL;

	if (network == NULL)
		findings_add(findings, FINDING_CRITICAL, "target.no-network",
			     "name one that is there: --network SRC:DST, or --bridge SRC:DST",
			     "the target has no network \"%s\": the VM could not start", name);
	else if (virNetworkIsActive(network) != 1)
		findings_add(findings, FINDING_WARNING, "target.network-inactive",
			     "start it: virsh net-start",
			     "the network \"%s\" is not active: the VM does not start before it is",
			     name);
}

static void check_bridge(const LibvirtTarget *libvirt, const char *name, Findings *findings)
{
	g_autofree char *path = g_build_filename("/sys/class/net", name, NULL);

	if (libvirt->local && !g_file_test(path, G_FILE_TEST_EXISTS))
		findings_add(findings, FINDING_CRITICAL, "target.no-bridge",
			     "name one that is there: --bridge SRC:DST, or --network SRC:DST",
			     "this host has no bridge \"%s\": the VM could not start", name);
}

/* Each network once, however many cards are plugged into it. */
static void check_networks(LibvirtTarget *libvirt, const DomainPlan *plan, Findings *findings)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < plan->vm->nics->len; i++) {
		const NicSource source = domain_nic_source(plan, i);
		const bool bridge = strcmp(source.kind, "bridge") == 0;

		if (source.name == NULL ||
		    !g_hash_table_add(seen, g_strconcat(source.kind, ":", source.name, NULL)))
			continue;
		if (bridge)
			check_bridge(libvirt, source.name, findings);
		else
			check_network(libvirt, source.name, findings);
	}
}

/* Whoever did not ask for emulation is told that he gets it. */
static void check_kvm(const LibvirtTarget *libvirt, Findings *findings)
{
	const bool kvm = strcmp(libvirt->base.virt_type, "kvm") == 0;

	if (!libvirt->kvm_works && !g_str_has_prefix(libvirt->base.uri, "test:"))
		findings_add(findings, FINDING_WARNING, "target.no-kvm",
			     kvm ? "switch virtualization on in the firmware and load kvm_intel or "
				   "kvm_amd, or choose --virt-type qemu"
				 : "switch virtualization on in the firmware and load kvm_intel or "
				   "kvm_amd; or write for another host with --virt-type kvm",
			     "KVM does not answer on this host (/dev/kvm): the VM %s",
			     kvm ? "cannot start here" : "runs without acceleration, slowly");
}

bool libvirt_check(Target *target, const DomainPlan *plan, uint64_t needed, Findings *findings,
		   GError **error)
{
	LibvirtTarget *libvirt = (LibvirtTarget *)target;

	(void)error;
	check_name(libvirt, plan, findings);
	check_pool(libvirt, findings);
	check_kvm(libvirt, findings);
	check_networks(libvirt, plan, findings);
	storage_folder_check(target->folder, needed, findings);
	if (geteuid() == 0 && !libvirt_is_session(target))
		storage_folder_check_access(target->folder, findings);
	if (libvirt->root != NULL)
		embed_root_check(libvirt->root, plan->name, findings);
	if (libvirt->caps_known)
		host_caps_check(&libvirt->caps, plan, findings);
	else if (!g_str_has_prefix(target->uri, "test:"))
		findings_add(findings, FINDING_CRITICAL, "target.virt-type",
			     "install QEMU for x86 there, or choose --virt-type",
			     "the target cannot run x86 machines of the type %s", plan->virt_type);
	return true;
}
