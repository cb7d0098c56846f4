/* SPDX-License-Identifier: Apache-2.0 */
/* domain_compare.c: two domain XMLs, by what matters to the guest. */
#include "v2v/targets/domain_compare.h"
#include "base/checked.h"
#include "base/error.h"
#include "v2v/targets/xml_query.h"

#include <string.h>

/* Single values; what we leave out, libvirt chooses. */
static const struct {
	const char *what, *xpath;
} values[] = {
	{"name", "/domain/name"},
	{"UUID", "/domain/uuid"},
	{"generation id", "/domain/genid"},
	{"number of CPUs", "/domain/vcpu"},
	{"firmware", "/domain/os/@firmware"},
	{"loader", "/domain/os/loader"},
	{"secure boot", "/domain/os/firmware/feature[@name='secure-boot']/@enabled"},
	{"SMBIOS serial number", "/domain/sysinfo/system/entry[@name='serial']"},
	{"clock", "/domain/clock/@offset"},
};

/* Devices, each told from its siblings by a key, and what must be the same about it. */
static const char *const disk_parts[] = {
	"source/@file", "target/@bus", "driver/@type", "serial", "boot/@order", "@device", NULL};
static const char *const nic_parts[] = {"@type",       "source/@network", "source/@bridge",
					"model/@type", "link/@state",     "boot/@order",
					NULL};

typedef struct {
	const char *what, *xpath, *key;
	const char *const *parts;
} Devices;

static const Devices devices[] = {
	{"disk", "/domain/devices/disk", "target/@dev", disk_parts},
	{"network card", "/domain/devices/interface", "mac/@address", nic_parts},
};

static bool compare_text(const char *what, const char *asked, const char *got, GError **error)
{
	if (asked == NULL || g_strcmp0(asked, got) == 0)
		return true;
	return fail(error, IO, "libvirt changed the %s: \"%s\" was asked for, \"%s\" came back",
		    what, asked, got != NULL ? got : "nothing");
}

static bool compare_values(xmlDoc *asked, xmlDoc *got, GError **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
		g_autofree char *ours = xml_query(asked, NULL, values[i].xpath);
		g_autofree char *theirs = xml_query(got, NULL, values[i].xpath);

		if (!compare_text(values[i].what, ours, theirs, error))
			return false;
	}
	return true;
}

/* Both in KiB; libvirt may round up to what QEMU can give. */
static bool compare_memory(xmlDoc *asked, xmlDoc *got, GError **error)
{
	g_autofree char *ours = xml_query(asked, NULL, "/domain/memory");
	g_autofree char *theirs = xml_query(got, NULL, "/domain/memory");
	const guint64 wanted = ours != NULL ? g_ascii_strtoull(ours, NULL, 10) : 0;
	const guint64 given = theirs != NULL ? g_ascii_strtoull(theirs, NULL, 10) : 0;

	if (given >= wanted && given - wanted < 4 * KIB)
		return true;
	return fail(error, IO,
		    "libvirt changed the memory: %" G_GUINT64_FORMAT
		    " KiB were asked for, %" G_GUINT64_FORMAT " KiB came back",
		    wanted, given);
}

static xmlNode *node_with_key(xmlDoc *document, GPtrArray *nodes, const char *xpath,
			      const char *key)
{
	for (guint i = 0; i < nodes->len; i++) {
		g_autofree char *other = xml_query(document, nodes->pdata[i], xpath);

		if (g_strcmp0(other, key) == 0)
			return nodes->pdata[i];
	}
	return NULL;
}

static bool compare_device(xmlDoc *asked, xmlNode *ours, xmlDoc *got, xmlNode *theirs,
			   const Devices *kind, GError **error)
{
	for (size_t i = 0; kind->parts[i] != NULL; i++) {
		g_autofree char *wanted = xml_query(asked, ours, kind->parts[i]);
		g_autofree char *given = xml_query(got, theirs, kind->parts[i]);

		if (!compare_text(kind->parts[i], wanted, given, error))
			return false;
	}
	return true;
}

/* A device without a key of ours (a card without MAC) is only counted. */
static bool compare_devices(xmlDoc *asked, xmlDoc *got, const Devices *kind, GError **error)
{
	g_autoptr(GPtrArray) ours = xml_query_nodes(asked, kind->xpath);
	g_autoptr(GPtrArray) theirs = xml_query_nodes(got, kind->xpath);

	if (ours->len != theirs->len)
		return fail(error, IO, "libvirt changed the %ss: %u were asked for, %u came back",
			    kind->what, ours->len, theirs->len);
	for (guint i = 0; i < ours->len; i++) {
		g_autofree char *key = xml_query(asked, ours->pdata[i], kind->key);
		xmlNode *same =
			key != NULL ? node_with_key(got, theirs, kind->key, key) : theirs->pdata[i];

		if (same == NULL)
			return fail(error, IO, "libvirt lost the %s %s", kind->what, key);
		if (!compare_device(asked, ours->pdata[i], got, same, kind, error))
			return fail_in(error, "%s %s: ", kind->what, key != NULL ? key : "");
	}
	return true;
}

bool domain_compare(const char *asked, const char *got, GError **error)
{
	g_autoptr(xmlDoc) ours = xml_parse(asked, "the domain that was asked for", error);
	g_autoptr(xmlDoc) theirs =
		ours != NULL ? xml_parse(got, "the domain that came back", error) : NULL;

	if (theirs == NULL || !compare_values(ours, theirs, error) ||
	    !compare_memory(ours, theirs, error))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(devices); i++)
		if (!compare_devices(ours, theirs, &devices[i], error))
			return false;
	return true;
}
