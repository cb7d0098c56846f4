/* SPDX-License-Identifier: Apache-2.0 */
/* domain_devices.c: everything in the domain XML that is neither disk nor network card. */
#include "v2v/targets/domain_parts.h"

#include <string.h>

/* A terminal on the first serial port; everything it says goes to a file too when one is named. */
static void write_serial(const DomainParts *parts)
{
	xml_open(parts->xml, "serial");
	xml_attribute(parts->xml, "type", "pty");
	if (parts->plan->serial_log != NULL)
		xml_leaf(parts->xml, "log", "file", parts->plan->serial_log, "append", "off", NULL);
	xml_leaf(parts->xml, "target", "port", "0", NULL);
	xml_close(parts->xml);
	xml_open(parts->xml, "console");
	xml_attribute(parts->xml, "type", "pty");
	if (parts->plan->serial_log != NULL)
		xml_leaf(parts->xml, "log", "file", parts->plan->serial_log, "append", "off", NULL);
	xml_leaf(parts->xml, "target", "type", "serial", "port", "0", NULL);
	xml_close(parts->xml);
}

static void write_agent(const DomainParts *parts)
{
	const DomainPlan *plan = parts->plan;

	if (plan->guest == NULL || !plan->guest->agent)
		return;
	xml_open(parts->xml, "channel");
	xml_attribute(parts->xml, "type", "unix");
	if (plan->socket_folder != NULL) { /* short: a socket's address has 107 bytes */
		g_autofree char *path = g_strdup_printf("%s/agent-%08x", plan->socket_folder,
							g_str_hash(plan->name));
		xml_leaf(parts->xml, "source", "mode", "bind", "path", path, NULL);
	}
	xml_leaf(parts->xml, "target", "type", "virtio", "name", "org.qemu.guest_agent.0", NULL);
	xml_close(parts->xml);
}

static void write_display(const DomainParts *parts)
{
	xml_leaf(parts->xml, "graphics", "type", "vnc", "port", "-1", "autoport", "yes", "listen",
		 "127.0.0.1", NULL);
	xml_open(parts->xml, "video");
	xml_leaf(parts->xml, "model", "type", parts->choices->video, NULL);
	xml_close(parts->xml);
	/* An absolute pointer: with a mouse the viewer's and the guest's pointer drift apart. */
	xml_leaf(parts->xml, "input", "type", "tablet", "bus", "usb", NULL);
}

static void write_sound(const DomainParts *parts)
{
	const Vm *vm = parts->plan->vm;
	static const struct {
		const char *from, *to;
	} same[] = {{"ac97", "ac97"},
		    {"es1370", "es1370"},
		    {"es1371", "es1370"},
		    {"ensoniq1371", "es1370"},
		    {"sb16", "sb16"}};
	const char *model = parts->choices->q35 ? "ich9" : "ich6";

	if (!vm->has_sound)
		return;
	for (size_t i = 0; vm->sound_model != NULL && i < G_N_ELEMENTS(same); i++)
		if (g_ascii_strcasecmp(vm->sound_model, same[i].from) == 0)
			model = same[i].to;
	xml_leaf(parts->xml, "sound", "model", model, NULL);
}

static void write_tpm(const DomainParts *parts)
{
	if (!parts->plan->vm->tpm)
		return;
	xml_open(parts->xml, "tpm");
	xml_attribute(parts->xml, "model", "tpm-crb");
	xml_leaf(parts->xml, "backend", "type", "emulator", "version", "2.0", NULL);
	xml_close(parts->xml);
}

static void write_virtio_extras(const DomainParts *parts)
{
	xml_leaf(parts->xml, "memballoon", "model",
		 parts->choices->virtio_balloon ? "virtio" : "none", NULL);
	if (!parts->choices->virtio_rng)
		return;
	xml_open(parts->xml, "rng");
	xml_attribute(parts->xml, "model", "virtio");
	xml_open(parts->xml, "backend");
	xml_attribute(parts->xml, "model", "random");
	xml_content(parts->xml, "/dev/urandom");
	xml_close(parts->xml);
	xml_close(parts->xml);
}

/* More than 255 CPUs have interrupt numbers that only the remapping of an IOMMU can deliver. */
static void write_iommu(const DomainParts *parts)
{
	if (parts->choices->vcpus <= PLAIN_VCPUS_MAX)
		return;
	xml_open(parts->xml, "iommu");
	xml_attribute(parts->xml, "model", "intel");
	xml_leaf(parts->xml, "driver", "intremap", "on", "eim", "on", NULL);
	xml_close(parts->xml);
}

void domain_write_devices(const DomainParts *parts)
{
	write_serial(parts);
	write_agent(parts);
	write_display(parts);
	write_sound(parts);
	write_tpm(parts);
	write_virtio_extras(parts);
	/* Tells libvirt that the guest's kernel has crashed. Guests without a driver do not see it:
	 * its ACPI status hides it. */
	xml_leaf(parts->xml, "panic", "model", "isa", NULL);
	write_iommu(parts);
}
