/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_system.c: one VirtualSystem as a Vm: identity, guest OS, firmware; devices elsewhere. */
#include "inventory/ovf_document.h"
#include "inventory/ovf_finding.h"
#include "inventory/ovf_xml.h"

#include <string.h>

/* Sections that say nothing a converted VM could lose. */
static const char *const silent_sections[] = {
	"Info",
	"Name",
	"OperatingSystemSection",
	"VirtualHardwareSection",
	"AnnotationSection",
	"ProductSection",
	"EulaSection",
	"InstallSection",
	"BootOrderSection",
	"Machine",
	"StorageSection",
	"TagBasedPlacementSection",
	"IpAssignmentSection",
	"GuestCustomizationSection",
	"SnapshotSection",
};

static bool is_true(const char *text)
{
	return text != NULL && (g_ascii_strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

static Hypervisor hypervisor_of_type(const char *type)
{
	static const struct {
		const char *prefix;
		Hypervisor hypervisor;
	} known[] = {
		{"vmx-", HYPERVISOR_VMWARE},      {"virtualbox", HYPERVISOR_VIRTUALBOX},
		{"xen", HYPERVISOR_XEN},          {"hvm-", HYPERVISOR_XEN},
		{"kvm", HYPERVISOR_KVM},          {"qemu", HYPERVISOR_KVM},
		{"nutanix", HYPERVISOR_NUTANIX},  {"ahv", HYPERVISOR_NUTANIX},
		{"microsoft", HYPERVISOR_HYPERV}, {"hyper-v", HYPERVISOR_HYPERV},
	};
	g_auto(GStrv) words = g_strsplit_set(type, " ,\t\r\n", -1);

	for (char **word = words; *word != NULL; word++)
		for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
			if (g_ascii_strncasecmp(*word, known[i].prefix, strlen(known[i].prefix)) ==
			    0)
				return known[i].hypervisor;
	return HYPERVISOR_UNKNOWN;
}

/* What the declared namespaces say, where VirtualSystemType says nothing. */
static Hypervisor hypervisor_of_namespaces(const xmlNode *root)
{
	for (const xmlNs *ns = root->nsDef; ns != NULL; ns = ns->next) {
		const char *uri = ns->href != NULL ? (const char *)ns->href : "";

		if (strstr(uri, "nutanix") != NULL)
			return HYPERVISOR_NUTANIX;
		if (strcmp(uri, OVF_NAMESPACE_VBOX) == 0)
			return HYPERVISOR_VIRTUALBOX;
		if (strcmp(uri, OVF_NAMESPACE_VMWARE) == 0)
			return HYPERVISOR_VMWARE;
	}
	return HYPERVISOR_UNKNOWN;
}

/* Sections may be alternatives: the first that names a hypervisor we know, else the first. */
static const xmlNode *choose_hardware(const OvfSystem *system, Vm *vm)
{
	const xmlNode *chosen = ovf_xml_first(system->node, "VirtualHardwareSection");
	unsigned count = 0;

	for (const xmlNode *section = chosen; section != NULL;
	     section = ovf_xml_next(section, "VirtualHardwareSection")) {
		const xmlNode *system_node = ovf_xml_first(section, "System");
		g_autofree char *type =
			system_node != NULL ? ovf_xml_child_text(system_node, "VirtualSystemType")
					    : NULL;

		count++;
		if (type != NULL && vm->hypervisor == HYPERVISOR_UNKNOWN) {
			vm->hypervisor = hypervisor_of_type(type);
			if (vm->hypervisor != HYPERVISOR_UNKNOWN)
				chosen = section;
		}
	}
	if (count > 1)
		ovf_finding_add(vm->findings, FINDING_NOTE, "ovf.hardware-section-chosen",
				"%u alternative VirtualHardwareSections: the one of line %ld is "
				"taken",
				count, xmlGetLineNo(chosen));
	return chosen;
}

static void describe_guest_os(const OvfSystem *system, Vm *vm)
{
	const xmlNode *section = ovf_xml_first(system->node, "OperatingSystemSection");

	if (section == NULL)
		return;
	vm->guest_os = ovf_xml_attribute(section, "osType");
	if (vm->guest_os == NULL)
		vm->guest_os = ovf_xml_child_text(section, "OSType");
	if (vm->guest_os == NULL)
		vm->guest_os = ovf_xml_attribute(section, "id");
	if (vm->guest_os != NULL &&
	    (g_str_has_prefix(vm->guest_os, "arm") || g_str_has_suffix(vm->guest_os, "_arm64")))
		vm->guest_arch = g_strdup("aarch64");
}

static char *canonical_uuid(const char *text)
{
	GString *out = g_string_new(NULL);

	for (; text != NULL && *text != '\0'; text++)
		if (g_ascii_isxdigit(*text))
			g_string_append_c(out, g_ascii_tolower(*text));
	g_autofree char *hex = g_string_free(out, FALSE);
	if (strlen(hex) != 32)
		return NULL;
	return g_strdup_printf("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
			       hex + 20);
}

static void describe_identity(const xmlNode *hardware, Vm *vm)
{
	const xmlNode *system_node = ovf_xml_first(hardware, "System");
	g_autofree char *config = ovf_xml_config(hardware, "uuid");
	g_autofree char *bios = ovf_xml_config(hardware, "uuid.bios");
	g_autofree char *guid = NULL, *identifier = NULL;

	if (system_node != NULL) {
		guid = ovf_xml_child_text(system_node, "BIOSGUID");
		identifier = ovf_xml_child_text(system_node, "VirtualSystemIdentifier");
	}
	const char *const candidates[] = {config, bios, guid};
	for (size_t i = 0; vm->uuid == NULL && i < G_N_ELEMENTS(candidates); i++)
		vm->uuid = canonical_uuid(candidates[i]);
	/* An identifier is free text: only what has a UUID's very form is one. */
	if (vm->uuid == NULL && identifier != NULL && g_uuid_string_is_valid(identifier))
		vm->uuid = canonical_uuid(identifier);
}

static void describe_firmware(const OvfDocument *document, const xmlNode *hardware, Vm *vm)
{
	g_autofree char *firmware = ovf_xml_config(hardware, "firmware");
	g_autofree char *secure = ovf_xml_config(hardware, "bootOptions.efiSecureBootEnabled");
	g_autofree char *nvram = ovf_xml_config(hardware, "nvram");
	const char *file_id = nvram != NULL ? strstr(nvram, "/file/") : NULL;

	if (firmware != NULL && g_ascii_strcasecmp(firmware, "efi") == 0)
		vm->firmware = FIRMWARE_UEFI;
	else if (firmware != NULL && g_ascii_strcasecmp(firmware, "bios") == 0)
		vm->firmware = FIRMWARE_BIOS;
	else if (firmware != NULL)
		ovf_finding_add(vm->findings, FINDING_WARNING, "ovf.unknown-firmware",
				"firmware \"%s\" is not known: found out from the disk", firmware);
	vm->secure_boot = is_true(secure);

	const OvfFile *file =
		file_id != NULL ? ovf_find_file(document, file_id + strlen("/file/")) : NULL;
	/* Without a word from the VM, an .nvram file can only be its own when it is alone. */
	for (guint i = 0; file == NULL && document->systems->len == 1 && i < document->files->len;
	     i++)
		if (g_str_has_suffix(ovf_file(document, i)->href, ".nvram"))
			file = ovf_file(document, i);
	if (file != NULL)
		vm->nvram = g_strdup(file->href);
	else if (file_id != NULL)
		ovf_finding_add(vm->findings, FINDING_WARNING, "ovf.nvram-missing",
				"nvram=\"%s\": no such file: UEFI variables start empty", nvram);
}

/* Switches of the source that a Vm has no word for. */
static void report_settings(const xmlNode *hardware, Vm *vm)
{
	static const char *const keys[] = {
		"cpuHotAddEnabled",  "memoryHotAddEnabled", "nestedHVEnabled",   "flags.vbsEnabled",
		"flags.vvtdEnabled", "sevEnabled",          "virtualSMCPresent",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autofree char *value = ovf_xml_config(hardware, keys[i]);

		if (is_true(value))
			ovf_finding_add(vm->findings, FINDING_NOTE, "ovf.setting-ignored",
					"the setting %s is not carried over", keys[i]);
	}
}

static void report_sections(const OvfSystem *system, Vm *vm)
{
	for (const xmlNode *node = system->node->children; node != NULL; node = node->next) {
		bool known = node->type != XML_ELEMENT_NODE || ovf_xml_is_optional(node);

		for (size_t i = 0; !known && i < G_N_ELEMENTS(silent_sections); i++)
			known = ovf_xml_is(node, silent_sections[i]);
		if (!known)
			ovf_finding_add(vm->findings, FINDING_WARNING, "ovf.section-ignored",
					"line %ld: section %s is not understood and is left out",
					xmlGetLineNo(node), (const char *)node->name);
	}
}

static void report_options(const OvfDocument *document, Vm *vm)
{
	if (document->options->len < 2)
		return;
	g_autofree char **ids = g_new0(char *, document->options->len + 1);
	for (guint i = 0; i < document->options->len; i++)
		ids[i] = g_ptr_array_index(document->options, i);
	g_autofree char *all = g_strjoinv(", ", ids);
	ovf_finding_add(vm->findings, FINDING_NOTE, "ovf.deployment-option",
			"deployment option \"%s\" is taken, of: %s", ids[0], all);
}

Vm *ovf_system_describe(const OvfDocument *document, const OvfSystem *system, GError **error)
{
	g_autoptr(Vm) vm = vm_new();
	const xmlNode *hardware = choose_hardware(system, vm);
	const xmlNode *annotation = ovf_xml_first(system->node, "AnnotationSection");
	const xmlNode *machine = ovf_xml_first(system->node, "Machine");

	if (hardware == NULL)
		return fail_null(error, CORRUPT,
				 "line %ld: VirtualSystem \"%s\" has no VirtualHardwareSection",
				 xmlGetLineNo(system->node), system->id);
	if (vm->hypervisor == HYPERVISOR_UNKNOWN)
		vm->hypervisor = hypervisor_of_namespaces(document->root);
	vm->name = g_strdup(system->name != NULL ? system->name : system->id);
	if (annotation != NULL)
		vm->annotation = ovf_xml_child_text(annotation, "Annotation");
	describe_guest_os(system, vm);
	describe_identity(hardware, vm);
	describe_firmware(document, hardware, vm);
	report_options(document, vm);
	report_sections(system, vm);
	report_settings(hardware, vm);
	if (!ovf_hardware_describe(document, hardware, vm, error))
		return NULL;
	if (machine != NULL && !ovf_vbox_describe(machine, vm, error))
		return NULL;
	return g_steal_pointer(&vm);
}
