/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_vbox.c: what VirtualBox's own <vbox:Machine> says beyond OVF. */
#include "base/checked.h"
#include "inventory/ovf_document.h"
#include "inventory/ovf_units.h"
#include "inventory/ovf_xml.h"

#include <string.h>

static bool attribute_is(const xmlNode *node, const char *name, const char *value)
{
	g_autofree char *text = node != NULL ? ovf_xml_attribute(node, name) : NULL;

	return text != NULL && g_ascii_strcasecmp(text, value) == 0;
}

static void describe_uuid(const xmlNode *machine, Vm *vm)
{
	g_autofree char *uuid = ovf_xml_attribute(machine, "uuid");
	const size_t length = uuid != NULL ? strlen(uuid) : 0;

	if (vm->uuid != NULL || length < 2 || uuid[0] != '{' || uuid[length - 1] != '}')
		return;
	g_autofree char *inner = g_ascii_strdown(uuid + 1, (gssize)length - 2);
	if (g_uuid_string_is_valid(inner))
		vm->uuid = g_steal_pointer(&inner);
}

static void describe_firmware(const xmlNode *hardware, Vm *vm)
{
	const xmlNode *firmware = ovf_xml_first(hardware, "Firmware");
	const xmlNode *secure = ovf_xml_find(hardware, "SecureBoot");
	const xmlNode *tpm = ovf_xml_find(hardware, "TrustedPlatformModule");
	g_autofree char *type = firmware != NULL ? ovf_xml_attribute(firmware, "type") : NULL;

	/* "EFI", "EFI32", "EFI64", "EFIDUAL"; without a word it is a BIOS. */
	if (type != NULL && g_ascii_strncasecmp(type, "EFI", 3) == 0)
		vm->firmware = FIRMWARE_UEFI;
	else if (vm->firmware == FIRMWARE_UNKNOWN)
		vm->firmware = FIRMWARE_BIOS;
	vm->secure_boot = vm->secure_boot || attribute_is(secure, "enabled", "true");
	vm->tpm = vm->tpm || (tpm != NULL && !attribute_is(tpm, "type", "None"));
}

static void describe_devices(const xmlNode *hardware, Vm *vm)
{
	const xmlNode *audio = ovf_xml_first(hardware, "AudioAdapter");
	const xmlNode *display = ovf_xml_first(hardware, "Display");
	const xmlNode *uart = ovf_xml_first(hardware, "UART");
	g_autofree char *video = display != NULL ? ovf_xml_attribute(display, "VRAMSize") : NULL;
	uint64_t mib = 0;

	vm->rtc_local = attribute_is(ovf_xml_first(hardware, "RTC"), "localOrUTC", "local");
	if (attribute_is(audio, "enabled", "true")) {
		vm->has_sound = true;
		g_free(vm->sound_model);
		vm->sound_model = ovf_xml_attribute(audio, "controller");
	}
	if (video != NULL && ovf_number_parse(video, 64 * KIB, &mib, NULL))
		vm->video_memory = mib * MIB;
	for (const xmlNode *port = uart != NULL ? ovf_xml_first(uart, "Port") : NULL; port != NULL;
	     port = ovf_xml_next(port, "Port"))
		vm->has_serial_port = vm->has_serial_port || attribute_is(port, "enabled", "true");
}

/* The items give no MAC; the enabled adapters stand here in the same order. */
static bool describe_macs(const xmlNode *hardware, Vm *vm, GError **error)
{
	const xmlNode *network = ovf_xml_first(hardware, "Network");
	guint index = 0;

	for (const xmlNode *node = network != NULL ? ovf_xml_first(network, "Adapter") : NULL;
	     node != NULL && index < vm->nics->len; node = ovf_xml_next(node, "Adapter")) {
		g_autofree char *mac = ovf_xml_attribute(node, "MACAddress");
		g_autofree char *parsed = NULL;
		VmNic *nic = vm_nic(vm, index);

		if (!attribute_is(node, "enabled", "true"))
			continue;
		if (mac != NULL && !ovf_mac_parse(mac, &parsed, error))
			return fail_in(error,
				       "line %ld: Adapter: MACAddress: ", xmlGetLineNo(node));
		if (nic->mac == NULL)
			nic->mac = g_steal_pointer(&parsed);
		nic->disconnected = attribute_is(node, "cable", "false");
		index++;
	}
	return true;
}

bool ovf_vbox_describe(const xmlNode *machine, Vm *vm, GError **error)
{
	const xmlNode *hardware = ovf_xml_first(machine, "Hardware");

	describe_uuid(machine, vm);
	if (hardware == NULL)
		return true;
	describe_firmware(hardware, vm);
	describe_devices(hardware, vm);
	return describe_macs(hardware, vm, error);
}
