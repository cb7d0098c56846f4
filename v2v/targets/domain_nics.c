/* SPDX-License-Identifier: Apache-2.0 */
/* domain_nics.c: network cards in the domain XML, and where they are plugged in. */
#include "v2v/targets/domain_parts.h"

#include <string.h>

#define DEFAULT_NETWORK "default"

/* The map for a network of the source: one that names it, else the one for every other. */
static const NetworkMap *map_for(const DomainPlan *plan, const char *network)
{
	const NetworkMap *rest = NULL;

	for (size_t i = 0; i < plan->network_count; i++) {
		const NetworkMap *map = &plan->networks[i];

		if (map->from == NULL)
			rest = map;
		else if (g_strcmp0(map->from, network) == 0)
			return map;
	}
	return rest;
}

/* The name of a host interface: what the kernel and libvirt's schema both allow. */
static bool is_bridge_name(const char *name)
{
	const size_t length = strlen(name);

	return length > 0 && length < 16 &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-:") ==
		       length;
}

NicSource domain_nic_source(const DomainPlan *plan, guint index)
{
	const VmNic *nic = vm_nic(plan->vm, index);
	const NetworkMap *map = map_for(plan, nic->network);

	if (map != NULL)
		return (NicSource){map->bridge ? "bridge" : "network", map->to};
	if (nic->bridged && nic->network != NULL && is_bridge_name(nic->network))
		return (NicSource){"bridge", nic->network};
	if (plan->user_network)
		return (NicSource){"user", NULL};
	return (NicSource){"network", DEFAULT_NETWORK};
}

/* Nobody has said where this card goes. */
static void find_assumption(const DomainParts *parts, guint index, const NicSource *source)
{
	const char *network = vm_nic(parts->plan->vm, index)->network;
	g_autofree char *shown = text_for_display(network != NULL ? network : "",
						  network != NULL ? strlen(network) : 0, 100);

	if (source->name == NULL)
		findings_add(parts->findings, FINDING_WARNING, "domain.user-network",
			     "name a bridge: --bridge SRC:DST",
			     "network card %u (%s): the target has no virtual networks; QEMU's "
			     "own reaches out, but nobody reaches in",
			     index + 1, shown);
	else
		findings_add(parts->findings, FINDING_NOTE, "domain.network-assumed",
			     "say where it belongs: --network SRC:DST or --bridge SRC:DST",
			     "network card %u (%s): plugged into the network \"%s\"", index + 1,
			     shown, source->name);
}

static void write_source(const DomainParts *parts, guint index)
{
	const NicSource source = domain_nic_source(parts->plan, index);

	xml_attribute(parts->xml, "type", source.kind);
	if (source.name != NULL)
		xml_leaf(parts->xml, "source", source.kind, source.name, NULL);
	if (strcmp(source.kind, "bridge") != 0 &&
	    map_for(parts->plan, vm_nic(parts->plan->vm, index)->network) == NULL)
		find_assumption(parts, index, &source);
}

/* Six hexadecimal bytes, of one station and not of a group, and not all zero. */
static bool is_station_mac(const char *mac)
{
	unsigned sum = 0;

	if (strlen(mac) != 17)
		return false;
	for (size_t i = 0; i < 17; i++) {
		if (i % 3 == 2 ? mac[i] != ':' : !g_ascii_isxdigit(mac[i]))
			return false;
		sum += i % 3 == 2 ? 0 : (unsigned)g_ascii_xdigit_value(mac[i]);
	}
	return sum > 0 && g_ascii_xdigit_value(mac[1]) % 2 == 0;
}

static void write_mac(const DomainParts *parts, guint index)
{
	const char *mac = vm_nic(parts->plan->vm, index)->mac;

	if (mac == NULL)
		return;
	if (is_station_mac(mac)) {
		xml_leaf(parts->xml, "mac", "address", mac, NULL);
		return;
	}
	g_autofree char *shown = text_for_display(mac, strlen(mac), 40);
	findings_add(parts->findings, FINDING_WARNING, "domain.mac-invalid", NULL,
		     "network card %u: %s is not the address of a network card: it gets a new one",
		     index + 1, shown);
}

/* For a guest without virtio: the source's card when QEMU has it and the guest still has the
 * driver (VMware's own went with VMware's tools), else the best that its age allows. */
static const char *fallback_model(const DomainParts *parts, const char *model)
{
	static const struct {
		const char *from, *to;
		bool unconverted_only;
	} same[] = {
		{"e1000e", "e1000e", false},   {"e1000", "e1000", false},
		{"pcnet32", "pcnet", false},   {"vlance", "pcnet", false},
		{"rtl8139", "rtl8139", false}, {"vmxnet3", "vmxnet3", true},
		{"virtio", "virtio", true},
	};

	for (size_t i = 0; model != NULL && i < G_N_ELEMENTS(same); i++)
		if (g_ascii_strcasecmp(model, same[i].from) == 0 &&
		    (parts->plan->guest == NULL || !same[i].unconverted_only))
			return same[i].to;
	return parts->choices->q35 ? "e1000e" : "rtl8139";
}

static void write_model(const DomainParts *parts, guint index)
{
	const char *from = vm_nic(parts->plan->vm, index)->model;
	const char *model = parts->choices->virtio_net ? "virtio" : fallback_model(parts, from);

	xml_leaf(parts->xml, "model", "type", model, NULL);
	if (parts->plan->guest != NULL && !parts->choices->virtio_net)
		findings_add(parts->findings, FINDING_WARNING, "domain.no-virtio-net",
			     "install the virtio drivers in the guest, then change the model",
			     "network card %u: the guest has no virtio driver for it: it is an "
			     "emulated %s, which is slow",
			     index + 1, model);
}

void domain_write_nics(const DomainParts *parts)
{
	const Vm *vm = parts->plan->vm;

	for (guint i = 0; i < vm->nics->len; i++) {
		xml_open(parts->xml, "interface");
		write_source(parts, i);
		write_mac(parts, i);
		write_model(parts, i);
		if (vm_nic(vm, i)->disconnected)
			xml_leaf(parts->xml, "link", "state", "down", NULL);
		domain_write_boot(parts, domain_nic_boot_rank(parts, i));
		xml_close(parts->xml);
	}
}
