/* SPDX-License-Identifier: Apache-2.0 */
/* domain_xml.c: the libvirt domain XML of a plan. */
#include "base/checked.h"
#include "v2v/targets/domain_parts.h"

#include <string.h>

/* XML carries `text` unchanged, on one line. */
static bool is_plain_line(const char *text)
{
	g_autofree char *clean = xml_clean_text(text, SIZE_MAX);

	return *text != '\0' && strcmp(text, clean) == 0 && strpbrk(text, "\n\t") == NULL;
}

static bool check_plan(const DomainPlan *plan, GError **error)
{
	g_autofree char *shown = text_for_display(plan->name, strlen(plan->name), 100);

	if (!is_plain_line(plan->name) || strchr(plan->name, '/') != NULL)
		return fail(error, USAGE,
			    "domain name \"%s\": may not be empty, nor contain a slash or control "
			    "characters",
			    shown);
	for (guint i = 0; i < plan->vm->disks->len; i++) {
		const char *path = plan->disk_paths[i];

		if (!g_path_is_absolute(path) || !is_plain_line(path)) {
			g_autofree char *path_shown = text_for_display(path, strlen(path), 400);
			return fail(error, USAGE,
				    "disk path \"%s\": not an absolute path that XML can carry",
				    path_shown);
		}
	}
	return true;
}

static bool is_x86(const char *arch)
{
	static const char *const names[] = {"x86_64", "amd64", "i386", "i486",
					    "i586",   "i686",  "x86"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (arch == NULL || g_ascii_strcasecmp(arch, names[i]) == 0)
			return true;
	return false;
}

void domain_find_blockers(const DomainPlan *plan, Findings *findings)
{
	const char *arch = plan->guest != NULL && plan->guest->arch != NULL ? plan->guest->arch
									    : plan->vm->guest_arch;

	if (!is_x86(arch)) {
		g_autofree char *shown = text_for_display(arch, strlen(arch), 40);
		findings_add(findings, FINDING_CRITICAL, "domain.arch-unsupported", NULL,
			     "the VM is for %s processors: only x86 VMs are written", shown);
	}
	if (plan->vm->vcpus > PLAIN_VCPUS_MAX && strcmp(plan->virt_type, "qemu") == 0)
		findings_add(findings, FINDING_CRITICAL, "domain.too-many-vcpus",
			     "use KVM, or fewer CPUs",
			     "the VM has %u CPUs: QEMU without KVM takes at most %u",
			     plan->vm->vcpus, PLAIN_VCPUS_MAX);
}

/* Things of the source that have no place in the XML. */
static void find_losses(const DomainParts *parts)
{
	const Vm *vm = parts->plan->vm;

	if (vm->nvram != NULL)
		findings_add(parts->findings, FINDING_WARNING, "domain.nvram-lost",
			     "boot entries that the guest needs beside the fallback loader must "
			     "be made again",
			     "the source's UEFI variables are not carried over: the VM starts with "
			     "fresh ones");
	if (vm->tpm)
		findings_add(parts->findings, FINDING_WARNING, "domain.tpm-state-lost",
			     "have the recovery keys at hand, or suspend BitLocker before",
			     "the VM gets a new, empty TPM: what the guest sealed to the old one "
			     "stays sealed");
	if (vm->video_memory > 16 * MIB)
		findings_add(parts->findings, FINDING_NOTE, "domain.video-memory", NULL,
			     "the display has its usual video memory, not %" PRIu64 " MiB",
			     vm->video_memory / (uint64_t)MIB);
}

char *domain_xml_format(const DomainPlan *plan, Findings *findings, GError **error)
{
	g_auto(DomainChoices) choices = {0};

	if (!check_plan(plan, error))
		return NULL;
	domain_choices_make(&choices, plan, findings);

	const DomainParts parts = {
		.xml = xml_writer_new(), .plan = plan, .choices = &choices, .findings = findings};
	xml_open(parts.xml, "domain");
	xml_attribute(parts.xml, "type", plan->virt_type);
	domain_write_head(&parts);
	xml_open(parts.xml, "devices");
	domain_write_disks(&parts);
	domain_write_nics(&parts);
	domain_write_devices(&parts);
	xml_close(parts.xml);
	xml_close(parts.xml);
	domain_find_blockers(plan, findings);
	find_losses(&parts);

	char *document = xml_writer_finish(parts.xml);
	if (document == NULL)
		return fail_null(error, IO, "domain XML: out of memory");
	return document;
}
