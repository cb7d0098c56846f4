/* SPDX-License-Identifier: Apache-2.0 */
/* os_release.c: distributions, their families and their libosinfo names. */
#include "convert/guest/os_release.h"

#include "convert/guest/bootloader.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
	const char *id;
	GuestFamily family;
	const char *osinfo; /* prefix of the libosinfo id */
	bool minor;         /* the id goes on with ".MINOR" */
} Distro;

static const Distro distros[] = {
	{"debian", FAMILY_DEBIAN, "debian", false},
	{"ubuntu", FAMILY_DEBIAN, "ubuntu", true},
	{"linuxmint", FAMILY_DEBIAN, NULL, false},
	{"kali", FAMILY_DEBIAN, NULL, false},
	{"devuan", FAMILY_DEBIAN, NULL, false},
	{"raspbian", FAMILY_DEBIAN, NULL, false},
	{"rhel", FAMILY_RPM, "rhel", true},
	{"centos", FAMILY_RPM, "centos-stream", false},
	{"rocky", FAMILY_RPM, "rocky", false},
	{"almalinux", FAMILY_RPM, "almalinux", false},
	{"ol", FAMILY_RPM, "ol", true},
	{"scientific", FAMILY_RPM, "scientificlinux", true},
	{"fedora", FAMILY_RPM, "fedora", false},
	{"amzn", FAMILY_RPM, NULL, false},
	{"opensuse", FAMILY_RPM, "opensuse", true},
	{"opensuse-leap", FAMILY_RPM, "opensuse", true},
	{"opensuse-tumbleweed", FAMILY_RPM, "opensusetumbleweed", false},
	{"sles", FAMILY_RPM, "sles", false},
	{"sles_sap", FAMILY_RPM, "sles", false},
	{"sled", FAMILY_RPM, "sled", false},
};

static const Distro *distro_named(const char *id)
{
	for (size_t i = 0; i < G_N_ELEMENTS(distros); i++)
		if (g_str_equal(distros[i].id, id))
			return &distros[i];
	return NULL;
}

static GuestFamily family_like(const char *like)
{
	static const struct {
		const char *word;
		GuestFamily family;
	} words[] = {{"debian", FAMILY_DEBIAN}, {"ubuntu", FAMILY_DEBIAN}, {"rhel", FAMILY_RPM},
		     {"fedora", FAMILY_RPM},    {"centos", FAMILY_RPM},    {"suse", FAMILY_RPM}};

	for (size_t i = 0; like != NULL && i < G_N_ELEMENTS(words); i++)
		if (strstr(like, words[i].word) != NULL)
			return words[i].family;
	return FAMILY_UNKNOWN;
}

static void set_version(OsRelease *out, const char *text)
{
	const char *dot = text != NULL ? strchr(text, '.') : NULL;

	out->major = text != NULL ? (int)strtol(text, NULL, 10) : 0;
	out->minor = dot != NULL ? (int)strtol(dot + 1, NULL, 10) : 0;
}

/* Classic CentOS up to 8 has its own ids; libosinfo writes Ubuntu's minor with two digits and
 * SLES' service packs as "sles12sp5". */
static char *osinfo_of(const Distro *distro, const OsRelease *release)
{
	if (distro == NULL || distro->osinfo == NULL || release->major == 0)
		return g_strdup("linux2022");
	if (g_str_equal(distro->id, "opensuse-tumbleweed"))
		return g_strdup(distro->osinfo);
	if (g_str_equal(distro->id, "centos") && release->major < 8)
		return g_strdup_printf("centos%d.%d", release->major,
				       release->major == 7 ? 0 : release->minor);
	if (g_str_equal(distro->id, "centos") && strstr(release->product, "Stream") == NULL)
		return g_strdup_printf("centos%d", release->major);
	if (g_str_equal(distro->id, "ubuntu"))
		return g_strdup_printf("ubuntu%d.%02d", release->major, release->minor);
	if (g_str_has_prefix(distro->osinfo, "sle") && release->minor > 0)
		return g_strdup_printf("%s%dsp%d", distro->osinfo, release->major, release->minor);
	if (distro->minor)
		return g_strdup_printf("%s%d.%d", distro->osinfo, release->major, release->minor);
	return g_strdup_printf("%s%d", distro->osinfo, release->major);
}

void os_release_clear(OsRelease *release)
{
	g_clear_pointer(&release->distro, g_free);
	g_clear_pointer(&release->product, g_free);
	g_clear_pointer(&release->osinfo, g_free);
}

bool os_release_parse(const char *text, OsRelease *out)
{
	g_autofree char *id = boot_variable(text, "ID");
	g_autofree char *like = boot_variable(text, "ID_LIKE");
	g_autofree char *version = boot_variable(text, "VERSION_ID");
	g_autofree char *pretty = boot_variable(text, "PRETTY_NAME");

	if (id == NULL || *id == '\0')
		return false;
	const Distro *distro = distro_named(id);

	*out = (OsRelease){.family = distro != NULL ? distro->family : family_like(like)};
	set_version(out, version);
	out->distro = g_strdup(id);
	out->product = g_strdup(pretty != NULL ? pretty : id);
	out->osinfo = osinfo_of(distro, out); /* reads the product */
	return true;
}

static const char *legacy_id(const char *file, const char *text)
{
	if (strstr(file, "debian_version") != NULL)
		return "debian";
	if (strstr(file, "SuSE-release") != NULL)
		return strstr(text, "Enterprise") != NULL ? "sles" : "opensuse";
	if (strstr(text, "CentOS") != NULL)
		return "centos";
	if (strstr(text, "Scientific") != NULL)
		return "scientific";
	if (strstr(text, "Fedora") != NULL)
		return "fedora";
	return "rhel";
}

bool os_release_parse_legacy(const char *file, const char *text, OsRelease *out)
{
	const size_t digits = strcspn(text, "0123456789");
	const size_t line = strcspn(text, "\r\n");

	if (line == 0)
		return false;
	const Distro *distro = distro_named(legacy_id(file, text));

	*out = (OsRelease){.family = distro->family};
	set_version(out, text + digits);
	out->distro = g_strdup(distro->id);
	out->product = distro->family == FAMILY_DEBIAN
			       ? g_strdup_printf("Debian %.*s", (int)line, text)
			       : g_strndup(text, line);
	out->osinfo = osinfo_of(distro, out);
	return true;
}
