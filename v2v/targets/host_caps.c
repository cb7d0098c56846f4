/* SPDX-License-Identifier: Apache-2.0 */
/* host_caps.c: libvirt's <domainCapabilities>. */
#include "v2v/targets/host_caps.h"
#include "v2v/targets/xml_query.h"

#include <stdlib.h>
#include <string.h>

static bool lists(xmlDoc *document, const char *xpath, const char *wanted)
{
	g_auto(GStrv) all = xml_query_all(document, NULL, xpath);

	return g_strv_contains((const char *const *)all, wanted);
}

/* The first firmware that does not enforce signatures: it starts every guest. */
static char *plain_loader(xmlDoc *document)
{
	g_auto(GStrv) all = xml_query_all(document, NULL,
					  "/domainCapabilities/os/loader[@supported='yes']/value");

	for (size_t i = 0; all[i] != NULL; i++)
		if (strstr(all[i], "secboot") == NULL && strstr(all[i], ".ms.") == NULL &&
		    strstr(all[i], "secure") == NULL)
			return g_strdup(all[i]);
	return NULL;
}

bool host_caps_parse(HostCaps *caps, const char *xml, GError **error)
{
	g_autoptr(xmlDoc) document = xml_parse(xml, "domain capabilities", error);

	if (document == NULL)
		return false;
	g_autofree char *vcpus = xml_query(document, NULL, "/domainCapabilities/vcpu/@max");
	*caps = (HostCaps){
		.vcpus_max = vcpus != NULL ? (unsigned)strtoul(vcpus, NULL, 10) : 0,
		.efi = lists(document, "/domainCapabilities/os/enum[@name='firmware']/value",
			     "efi"),
		.tpm = lists(document,
			     "/domainCapabilities/devices/tpm[@supported='yes']"
			     "/enum[@name='backendModel']/value",
			     "emulator"),
	};
	if (!caps->efi)
		caps->loader = plain_loader(document);
	return true;
}

void host_caps_clear(HostCaps *caps)
{
	g_clear_pointer(&caps->loader, g_free);
}

void host_caps_check(const HostCaps *caps, const DomainPlan *plan, Findings *findings)
{
	const Vm *vm = plan->vm;
	const bool uefi =
		vm->firmware == FIRMWARE_UEFI || (plan->guest != NULL && plan->guest->uefi);

	if (uefi && !caps->efi && caps->loader == NULL)
		findings_add(findings, FINDING_CRITICAL, "target.no-uefi",
			     "install UEFI firmware for QEMU there (ovmf, edk2-ovmf)",
			     "the VM boots by UEFI, and the target has no firmware for it");
	if (vm->tpm && !caps->tpm)
		findings_add(findings, FINDING_CRITICAL, "target.no-tpm", "install swtpm there",
			     "the VM has a TPM, and the target cannot emulate one");
	if (caps->vcpus_max > 0 && vm->vcpus > caps->vcpus_max)
		findings_add(findings, FINDING_CRITICAL, "target.too-many-vcpus", NULL,
			     "the VM has %u CPUs, the target gives it at most %u", vm->vcpus,
			     caps->vcpus_max);
}
