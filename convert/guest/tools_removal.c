/* SPDX-License-Identifier: Apache-2.0 */
/* tools_removal.c: what the old hypervisor's makers put into the guest goes, or is put to sleep. */
#include "convert/guest/packages.h"
#include "convert/guest/step.h"

#include <string.h>

enum { REMOVE_SECONDS = 900 };

typedef struct {
	const char *hypervisor; /* as GuestJob.source */
	const char *title;
	const char *packages[12]; /* shell patterns */
	const char *programs[4];  /* one of them is there when the tools are, packaged or not */
	const char *services[8];  /* systemd units and SysV scripts, without ".service" */
	const char *modules[8];   /* kernel modules of theirs, not of the kernel itself */
} Tools;

static const Tools all_tools[] = {
	{.hypervisor = "vmware",
	 .title = "VMware Tools",
	 .packages = {"open-vm-tools", "open-vm-tools-*", "vmware-tools-*", "VMwareTools",
		      "kmod-vmware-tools*", "vmware-open-vm-tools*", "open-vm-dkms",
		      "xserver-xorg-video-vmware"},
	 .programs = {"/usr/bin/vmtoolsd", "/usr/sbin/vmtoolsd",
		      "/usr/bin/vmware-uninstall-tools.pl"},
	 .services = {"vmtoolsd", "open-vm-tools", "vgauthd", "vgauth", "vmware-tools",
		      "vmware-tools-thinprint", "run-vmblock\\x2dfuse.mount"},
	 .modules = {"vmhgfs", "vmblock", "vmxnet", "vmmemctl", "vmsync"}},
	{.hypervisor = "virtualbox",
	 .title = "VirtualBox Guest Additions",
	 .packages = {"virtualbox-guest-*", "virtualbox-ose-guest-*"},
	 .programs = {"/usr/sbin/VBoxService", "/usr/bin/VBoxClient"},
	 .services = {"vboxadd", "vboxadd-service", "vboxadd-x11", "vboxservice",
		      "virtualbox-guest-utils"},
	 .modules = {"vboxguest", "vboxsf", "vboxvideo"}},
	{.hypervisor = "hyperv",
	 .title = "Hyper-V daemons",
	 .packages = {"hyperv-daemons", "hyperv-daemons-license", "hypervkvpd", "hypervvssd",
		      "hypervfcopyd", "hyperv-tools", "hyper-v", "microsoft-hyper-v",
		      "kmod-microsoft-hyper-v", "hv-kvp-daemon-init"},
	 .programs = {"/usr/sbin/hypervkvpd", "/usr/sbin/hv_kvp_daemon"},
	 .services = {"hypervkvpd", "hypervvssd", "hypervfcopyd", "hv-kvp-daemon", "hv-vss-daemon",
		      "hv-fcopy-daemon"}},
	{.hypervisor = "xen",
	 .title = "Xen guest tools",
	 .packages = {"xe-guest-utilities*", "xen-guest-agent", "citrix-guest-agent"},
	 .programs = {"/usr/sbin/xe-daemon", "/usr/sbin/xen-guest-agent"},
	 .services = {"xe-daemon", "xe-linux-distribution", "xen-guest-agent"}},
};

static const char why_tools[] = "it talks to a hypervisor that is not there any more";

static bool is_wanted(const Guest *guest, const Tools *tools)
{
	return guest->job->source == NULL || g_str_equal(guest->job->source, tools->hypervisor);
}

static bool has_program(Guest *guest, const Tools *tools)
{
	for (size_t i = 0; i < G_N_ELEMENTS(tools->programs) && tools->programs[i] != NULL; i++)
		if (edits_exists(guest->edits, tools->programs[i]))
			return true;
	return false;
}

static bool load_dpkg(Guest *guest, GError **error)
{
	if (guest->packages != NULL)
		return true;
	g_autofree char *status =
		edits_need(guest->edits, "/var/lib/dpkg/status", DPKG_STATUS_MAX, error);

	if (status == NULL)
		return false;
	guest->packages = packages_parse_dpkg(status);
	return true;
}

static void list_packages(Guest *guest, const GPtrArray *names)
{
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *package =
			g_strconcat("package ", g_ptr_array_index(names, i), NULL);

		guest_change(guest, package, why_tools, "removed");
	}
}

/* The package manager with `options` (NULL-terminated) and the names. */
static bool run_removal(Guest *guest, const char *const *options, const GPtrArray *names,
			GError **error)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);

	for (; *options != NULL; options++)
		g_ptr_array_add(arguments, g_strdup(*options));
	for (guint i = 0; i < names->len; i++)
		g_ptr_array_add(arguments, g_strdup(g_ptr_array_index(names, i)));
	g_ptr_array_add(arguments, NULL);
	return appliance_run(guest->appliance, REMOVE_SECONDS,
			     (const char *const *)arguments->pdata, NULL, error);
}

static bool remove_debian(Guest *guest, const Tools *tools, bool *removed, GError **error)
{
	/* Purged, so that no settings and no service links stay. The disk is an overlay: dpkg need
	 * not sync each file. */
	static const char *const options[] = {"env",     "DEBIAN_FRONTEND=noninteractive",
					      "dpkg",    "--force-unsafe-io",
					      "--purge", NULL};
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);

	if (!load_dpkg(guest, error))
		return false;
	g_autoptr(GPtrArray) names = packages_removable(guest->packages, tools->packages, kept);

	if (names->len > 0 && !guest->job->dry_run && !run_removal(guest, options, names, error))
		return false;
	list_packages(guest, names);
	for (guint i = 0; i < kept->len; i++)
		guest_warn(guest, "guest.tools-kept", NULL, "package %s stays, put to sleep",
			   (const char *)g_ptr_array_index(kept, i));
	*removed = kept->len == 0 && names->len > 0;
	return true;
}

/* Names of installed packages that match; asked of the guest's own rpm, whose database has had many
 * formats. */
static GPtrArray *rpm_names(Guest *guest, const Tools *tools, GError **error)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *output = NULL;

	g_ptr_array_add(arguments, g_strdup("rpm"));
	g_ptr_array_add(arguments, g_strdup("-qa"));
	g_ptr_array_add(arguments, g_strdup("--queryformat=%{NAME}\\n"));
	for (size_t i = 0; i < G_N_ELEMENTS(tools->packages) && tools->packages[i] != NULL; i++)
		g_ptr_array_add(arguments, g_strdup(tools->packages[i]));
	g_ptr_array_add(arguments, NULL);
	if (!appliance_run(guest->appliance, REMOVE_SECONDS, (const char *const *)arguments->pdata,
			   &output, error))
		return NULL;
	g_auto(GStrv) lines = g_strsplit(output, "\n", -1);

	for (char **line = lines; *line != NULL; line++)
		if (**line != '\0' && **line != '-' && strchr(*line, ' ') == NULL)
			g_ptr_array_add(names, g_strdup(*line));
	return g_steal_pointer(&names);
}

static bool remove_rpm(Guest *guest, const Tools *tools, bool *removed, GError **error)
{
	static const char *const options[] = {"rpm", "-e", "--allmatches", NULL};
	static const char *const without_scripts[] = {"rpm", "-e", "--allmatches", "--noscripts",
						      NULL};
	g_autoptr(GPtrArray) names = rpm_names(guest, tools, error);
	g_autoptr(GError) first = NULL;

	if (names == NULL)
		return false;
	/* rpm itself refuses when something else needs them. A scriptlet that cannot run in the
	 * appliance is no reason to keep them. */
	if (names->len > 0 && !guest->job->dry_run && !run_removal(guest, options, names, &first) &&
	    !run_removal(guest, without_scripts, names, error))
		return false;
	list_packages(guest, names);
	*removed = names->len > 0;
	return true;
}

static void mask_service(Guest *guest, const char *name)
{
	static const char *const folders[] = {"/usr/lib/systemd/system/", "/lib/systemd/system/",
					      "/etc/systemd/system/", "/etc/init.d/",
					      "/run/systemd/generator/"};
	const bool has_suffix = strrchr(name, '.') != NULL;
	g_autofree char *unit = g_strconcat(name, has_suffix ? "" : ".service", NULL);
	g_autofree char *mask = g_strconcat("/etc/systemd/system/", unit, NULL);
	bool there = false;

	for (size_t i = 0; i < G_N_ELEMENTS(folders) && !there; i++) {
		const bool script = g_str_has_suffix(folders[i], "init.d/");
		g_autofree char *path = g_strconcat(folders[i], script ? name : unit, NULL);

		there = edits_exists(guest->edits, path);
	}
	if (!there)
		return;
	edits_link(guest->edits, mask, "/dev/null");
	guest_change(guest, mask, why_tools, "service masked");
}

/* Without systemd: the script stays, its start links go. */
static void unlink_sysv(Guest *guest, const char *name)
{
	g_autofree char *pattern = g_strconcat("S??", name, NULL);

	for (unsigned level = 1; level <= 5; level++) {
		g_autofree char *folder = g_strdup_printf("/etc/rc%u.d", level);
		g_autoptr(GPtrArray) links = edits_list(guest->edits, folder, pattern);

		for (guint i = 0; i < links->len; i++) {
			edits_remove(guest->edits, g_ptr_array_index(links, i));
			guest_change(guest, g_ptr_array_index(links, i), why_tools,
				     "start link removed");
		}
	}
}

static void blacklist_modules(Guest *guest, const Tools *tools)
{
	g_autofree char *path = g_strdup_printf("/etc/modprobe.d/v2v-%s.conf", tools->hypervisor);
	g_autoptr(GString) text = g_string_new("# Drivers of a hypervisor that is not there any "
					       "more.\n");

	if (tools->modules[0] == NULL)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(tools->modules) && tools->modules[i] != NULL; i++)
		g_string_append_printf(text, "blacklist %s\n", tools->modules[i]);
	edits_set(guest->edits, path, text->str);
	guest_change(guest, path, why_tools, "drivers of %s are not loaded", tools->title);
}

/* What no package manager takes out (tar archives, packages that others need) stays, asleep. */
static void put_to_sleep(Guest *guest, const Tools *tools)
{
	for (size_t i = 0; i < G_N_ELEMENTS(tools->services) && tools->services[i] != NULL; i++) {
		if (guest->systemd)
			mask_service(guest, tools->services[i]);
		else
			unlink_sysv(guest, tools->services[i]);
	}
	blacklist_modules(guest, tools);
}

static bool remove_one(Guest *guest, const Tools *tools, GError **error)
{
	const bool debian = guest->release.family == FAMILY_DEBIAN;
	const bool there = has_program(guest, tools);
	g_autoptr(GError) cause = NULL;
	bool removed = false;

	/* rpm takes long to start under emulation: only when there is something to find. */
	const bool ok = debian  ? remove_debian(guest, tools, &removed, &cause)
			: there ? remove_rpm(guest, tools, &removed, &cause)
				: true;

	if (!appliance_check(guest->appliance, error))
		return false;
	if (!ok)
		guest_warn(guest, "guest.tools-kept",
			   "remove the package in the guest when it runs",
			   "%s could not be removed and was put to sleep instead: %s", tools->title,
			   cause->message);
	if (!there || (ok && removed && !has_program(guest, tools)) ||
	    (removed && guest->job->dry_run))
		return true;
	put_to_sleep(guest, tools);
	return true;
}

static bool apply_tools(Guest *guest, GError **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(all_tools); i++)
		if (is_wanted(guest, &all_tools[i]) && !remove_one(guest, &all_tools[i], error))
			return false;
	return edits_write(guest->edits, error);
}

const GuestStep step_tools = {.name = "hypervisor tools", .runs = true, .apply = apply_tools};
