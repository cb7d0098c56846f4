/* SPDX-License-Identifier: Apache-2.0 */
/* domain_head.c: identity, size, firmware, CPU and clock in the domain XML. */
#include "base/checked.h"
#include "v2v/targets/domain_parts.h"

#include <string.h>

#define DESCRIPTION_MAX_BYTES (16 * KIB)
#define SMBIOS_MAX_BYTES      256u
#define LIBOSINFO_NAMESPACE   "http://libosinfo.org/xmlns/libvirt/domain/1.0"

/*
 * The CPU that the guest sees.
 * KVM: host-model, which libvirt resolves anew at each start, so that the definition survives a
 * move to another host, yet a running VM can still be migrated to a like one. check='none': what
 * the accelerator lacks is left out instead of keeping the VM from starting.
 * TCG: Nehalem is x86-64-v2, which the distributions of today ask for (EL 9 does not start on
 * qemu64), and no more: some kernels panic on what QEMU 7.2 claims for "max" and Westmere.
 */
#define CPU_TCG "Nehalem"

/* The source's UUID in canonical form, NULL when it has none. Owned by the caller. */
static char *domain_uuid(const DomainParts *parts)
{
	const char *uuid = parts->plan->vm->uuid;

	if (uuid == NULL || strcmp(uuid, "00000000-0000-0000-0000-000000000000") == 0)
		return NULL;
	if (g_uuid_string_is_valid(uuid))
		return g_ascii_strdown(uuid, -1);
	return NULL;
}

static void write_names(const DomainParts *parts, const char *uuid)
{
	const Vm *vm = parts->plan->vm;

	xml_text(parts->xml, "name", parts->plan->name);
	xml_text(parts->xml, "uuid", uuid);
	if (uuid == NULL && vm->uuid != NULL)
		findings_add(parts->findings, FINDING_WARNING, "domain.uuid-invalid", NULL,
			     "the source's UUID is not one: the VM gets a new identity");
	if (vm->genid[0] != 0 || vm->genid[1] != 0)
		xml_text_format(
			parts->xml, "genid",
			"%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
			vm->genid[0] >> 32, vm->genid[0] >> 16 & 0xffff, vm->genid[0] & 0xffff,
			vm->genid[1] >> 48, vm->genid[1] & 0xffffffffffff);
}

/* The name as the source has it, when the domain could not keep it; and the notes of its owner. */
static void write_title(const DomainParts *parts)
{
	const Vm *vm = parts->plan->vm;

	if (vm->name != NULL && strcmp(vm->name, parts->plan->name) != 0) {
		g_autofree char *title = xml_clean_text(vm->name, SMBIOS_MAX_BYTES);
		g_strdelimit(title, "\n\t", ' ');
		if (*g_strstrip(title) != '\0')
			xml_text(parts->xml, "title", title);
	}
	if (vm->annotation == NULL || *vm->annotation == '\0')
		return;
	g_autofree char *text = xml_clean_text(vm->annotation, DESCRIPTION_MAX_BYTES);
	xml_text(parts->xml, "description", text);
	if (strlen(vm->annotation) > DESCRIPTION_MAX_BYTES)
		findings_add(parts->findings, FINDING_WARNING, "domain.description-cut", NULL,
			     "the VM's notes are cut from %zu to %" PRIu64 " bytes",
			     strlen(vm->annotation), (uint64_t)DESCRIPTION_MAX_BYTES);
}

static void write_metadata(const DomainParts *parts)
{
	if (parts->choices->traits.id == NULL)
		return;
	xml_open(parts->xml, "metadata");
	xml_open(parts->xml, "libosinfo:libosinfo");
	xml_attribute(parts->xml, "xmlns:libosinfo", LIBOSINFO_NAMESPACE);
	xml_leaf(parts->xml, "libosinfo:os", "id", parts->choices->traits.id, NULL);
	xml_close(parts->xml);
	xml_close(parts->xml);
}

static void write_size(const DomainParts *parts)
{
	const uint64_t memory_kib = div_round_up(parts->choices->memory, KIB);
	g_autofree char *memory = g_strdup_printf("%" PRIu64, memory_kib);

	xml_open(parts->xml, "memory");
	xml_attribute(parts->xml, "unit", "KiB");
	xml_content(parts->xml, memory);
	xml_close(parts->xml);
	xml_text_format(parts->xml, "vcpu", "%u", parts->choices->vcpus);
}

static void write_firmware(const DomainParts *parts)
{
	const char *secure = parts->choices->secure_boot ? "yes" : "no";

	if (!parts->choices->uefi || parts->plan->uefi_loader != NULL)
		return;
	/* Both are said even when they are off: a host prefers firmware that enforces signatures,
	 * and a guest that was never signed would not start. */
	xml_open(parts->xml, "firmware");
	xml_leaf(parts->xml, "feature", "enabled", secure, "name", "secure-boot", NULL);
	xml_leaf(parts->xml, "feature", "enabled", secure, "name", "enrolled-keys", NULL);
	xml_close(parts->xml);
}

static void write_os(const DomainParts *parts, bool sysinfo)
{
	const DomainChoices *choices = parts->choices;
	const char *loader = choices->uefi ? parts->plan->uefi_loader : NULL;

	xml_open(parts->xml, "os");
	xml_attribute(parts->xml, "firmware", choices->uefi && loader == NULL ? "efi" : NULL);
	xml_open(parts->xml, "type");
	xml_attribute(parts->xml, "arch", "x86_64");
	xml_attribute(parts->xml, "machine", choices->q35 ? "q35" : "pc");
	xml_content(parts->xml, "hvm");
	xml_close(parts->xml);
	write_firmware(parts);
	if (loader != NULL) {
		xml_open(parts->xml, "loader");
		xml_attribute(parts->xml, "readonly", "yes");
		xml_attribute(parts->xml, "type", "pflash");
		xml_content(parts->xml, loader);
		xml_close(parts->xml);
	}
	if (sysinfo)
		xml_leaf(parts->xml, "smbios", "mode", "sysinfo", NULL);
	xml_close(parts->xml);
}

/* Names of virtual machines of other hypervisors: agents and cloud-init find their platform by
 * them, and would find the one that the VM has left. */
static bool names_a_hypervisor(const char *text)
{
	static const char *const words[] = {"VMware",    "innotek", "VirtualBox",
					    "Microsoft", "Xen",     "Nutanix"};

	for (size_t i = 0; text != NULL && i < G_N_ELEMENTS(words); i++)
		if (strstr(text, words[i]) != NULL)
			return true;
	return false;
}

static bool keeps_vendor(const Vm *vm)
{
	return !names_a_hypervisor(vm->manufacturer) && !names_a_hypervisor(vm->product);
}

static void write_sysinfo_entry(XmlWriter *xml, const char *name, const char *value)
{
	if (value == NULL)
		return;
	g_autofree char *clean = xml_clean_text(value, SMBIOS_MAX_BYTES);
	g_strdelimit(clean, "\n\t", ' ');
	if (*clean == '\0')
		return;
	xml_open(xml, "entry");
	xml_attribute(xml, "name", name);
	xml_content(xml, clean);
	xml_close(xml);
}

/* The uuid entry must be the domain's own: libvirt refuses anything else. */
static void write_sysinfo(const DomainParts *parts, const char *uuid)
{
	const Vm *vm = parts->plan->vm;
	const bool vendor = keeps_vendor(vm);

	xml_open(parts->xml, "sysinfo");
	xml_attribute(parts->xml, "type", "smbios");
	xml_open(parts->xml, "system");
	write_sysinfo_entry(parts->xml, "manufacturer", vendor ? vm->manufacturer : NULL);
	write_sysinfo_entry(parts->xml, "product", vendor ? vm->product : NULL);
	write_sysinfo_entry(parts->xml, "serial", vm->serial_number);
	write_sysinfo_entry(parts->xml, "uuid", uuid);
	xml_close(parts->xml);
	xml_close(parts->xml);
	if (!vendor)
		findings_add(parts->findings, FINDING_NOTE, "domain.smbios-vendor", NULL,
			     "the guest no longer sees the former hypervisor as the maker of its "
			     "machine");
}

static bool has_sysinfo(const Vm *vm, const char *uuid)
{
	return uuid != NULL || vm->serial_number != NULL || vm->manufacturer != NULL ||
	       vm->product != NULL;
}

/* What Windows uses under KVM instead of emulated timers and interrupt controllers. */
static void write_hyperv(XmlWriter *xml)
{
	static const char *const features[] = {"relaxed", "vapic", "vpindex",
					       "runtime", "synic", "stimer"};

	xml_open(xml, "hyperv");
	xml_attribute(xml, "mode", "custom");
	for (size_t i = 0; i < G_N_ELEMENTS(features); i++)
		xml_leaf(xml, features[i], "state", "on", NULL);
	xml_leaf(xml, "spinlocks", "state", "on", "retries", "8191", NULL);
	xml_close(xml);
}

static bool is_kvm(const DomainParts *parts)
{
	return strcmp(parts->plan->virt_type, "kvm") == 0;
}

static void write_features(const DomainParts *parts)
{
	XmlWriter *xml = parts->xml;

	xml_open(xml, "features");
	xml_leaf(xml, "acpi", NULL);
	xml_leaf(xml, "apic", NULL);
	if (parts->choices->windows && is_kvm(parts))
		write_hyperv(xml);
	if (parts->choices->secure_boot)
		xml_leaf(xml, "smm", "state", "on", NULL);
	/* Else QEMU answers on VMware's port, and VMware's tools believe to be at home. */
	xml_leaf(xml, "vmport", "state", "off", NULL);
	if (parts->choices->vcpus > PLAIN_VCPUS_MAX)
		xml_leaf(xml, "ioapic", "driver", "qemu", NULL);
	xml_close(xml);
}

static void write_topology(const DomainParts *parts)
{
	const Vm *vm = parts->plan->vm;
	const uint64_t sockets = MAX(vm->sockets, 1), cores = MAX(vm->cores, 1),
		       threads = MAX(vm->threads, 1);
	uint64_t cpus;

	if (vm->sockets == 0 && vm->cores == 0 && vm->threads == 0)
		return;
	if (!checked_mul(sockets, cores, &cpus) || !checked_mul(cpus, threads, &cpus) ||
	    cpus != parts->choices->vcpus) {
		findings_add(parts->findings, FINDING_WARNING, "domain.topology-lost", NULL,
			     "%u sockets of %u cores of %u threads are not %u CPUs: the VM gets "
			     "that many sockets",
			     vm->sockets, vm->cores, vm->threads, parts->choices->vcpus);
		return;
	}
	g_autofree char *sockets_text = g_strdup_printf("%" PRIu64, sockets);
	g_autofree char *cores_text = g_strdup_printf("%" PRIu64, cores);
	g_autofree char *threads_text = g_strdup_printf("%" PRIu64, threads);
	xml_leaf(parts->xml, "topology", "sockets", sockets_text, "cores", cores_text, "threads",
		 threads_text, NULL);
}

static void write_cpu(const DomainParts *parts)
{
	XmlWriter *xml = parts->xml;

	xml_open(xml, "cpu");
	if (is_kvm(parts)) {
		xml_attribute(xml, "mode", "host-model");
		xml_attribute(xml, "check", "none");
	} else {
		xml_attribute(xml, "mode", "custom");
		xml_attribute(xml, "match", "exact");
		xml_attribute(xml, "check", "none");
		xml_text(xml, "model", CPU_TCG);
	}
	write_topology(parts);
	xml_close(xml);
}

static void write_clock(const DomainParts *parts)
{
	XmlWriter *xml = parts->xml;

	xml_open(xml, "clock");
	xml_attribute(xml, "offset", parts->choices->rtc_local ? "localtime" : "utc");
	xml_leaf(xml, "timer", "name", "rtc", "tickpolicy", "catchup", NULL);
	xml_leaf(xml, "timer", "name", "pit", "tickpolicy", "delay", NULL);
	xml_leaf(xml, "timer", "name", "hpet", "present", "no", NULL);
	if (parts->choices->windows && is_kvm(parts))
		xml_leaf(xml, "timer", "name", "hypervclock", "present", "yes", NULL);
	xml_close(xml);
}

void domain_write_head(const DomainParts *parts)
{
	g_autofree char *uuid = domain_uuid(parts);
	const bool sysinfo = has_sysinfo(parts->plan->vm, uuid);

	write_names(parts, uuid);
	write_title(parts);
	write_metadata(parts);
	write_size(parts);
	if (sysinfo)
		write_sysinfo(parts, uuid);
	write_os(parts, sysinfo);
	write_features(parts);
	write_cpu(parts);
	write_clock(parts);
	xml_text(parts->xml, "on_poweroff", "destroy");
	xml_text(parts->xml, "on_reboot", "restart");
	xml_text(parts->xml, "on_crash", "restart");
}
