/* SPDX-License-Identifier: Apache-2.0 */
/* test_guest_settings.c: packages, kernel modules, release files and driver settings of a guest. */
#include "convert/guest/drivers_text.h"
#include "convert/guest/lvm_text.h"
#include "convert/guest/modules.h"
#include "convert/guest/os_release.h"
#include "convert/guest/packages.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

static const char status[] =
	"Package: open-vm-tools\nStatus: install ok installed\nDepends: libc6 (>= 2.3), "
	"libmspack0\n"
	"Description: tools\n more text\n Depends: not a field\n\n"
	"Package: open-vm-tools-desktop\nStatus: install ok installed\n"
	"Depends: open-vm-tools (>= 2:12)\n\n"
	"Package: libc6\nStatus: install ok installed\n\n"
	"Package: old\nStatus: deinstall ok config-files\nDepends: open-vm-tools\n\n"
	"Package: either\nStatus: install ok installed\nDepends: open-vm-tools | libc6\n";

static char *joined(GPtrArray *list)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < list->len; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
				       (char *)g_ptr_array_index(list, i));
	return g_string_free(text, FALSE);
}

static const char *const vmware[] = {"open-vm-tools", "open-vm-tools-*", NULL};

Test(guest_packages, what_nothing_needs_can_go)
{
	g_autoptr(GHashTable) packages = packages_parse_dpkg(status);
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) going = packages_removable(packages, vmware, kept);
	g_autofree char *names = joined(going);

	cr_assert_eq(g_hash_table_size(packages), 4u);
	cr_assert_str_eq(names, "open-vm-tools open-vm-tools-desktop");
	cr_assert_eq(kept->len, 0u);
}

/* What must stay keeps what it needs, through any number of steps. */
Test(guest_packages, what_something_needs_stays)
{
	g_autofree char *more = g_strconcat(status,
					    "\nPackage: server\nStatus: install ok installed\n"
					    "Pre-Depends: open-vm-tools-desktop\n",
					    NULL);
	g_autoptr(GHashTable) packages = packages_parse_dpkg(more);
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) going = packages_removable(packages, vmware, kept);
	g_autofree char *stays = joined(kept);

	cr_assert_eq(going->len, 0u);
	cr_assert(strstr(stays, "open-vm-tools-desktop (needed by server)"), "%s", stays);
	cr_assert(strstr(stays, "open-vm-tools (needed by open-vm-tools-desktop)"), "%s", stays);
}

Test(guest_modules, closure_and_names)
{
	g_autoptr(Modules) modules = modules_parse(
		"kernel/drivers/block/virtio_blk.ko.xz: kernel/drivers/virtio/virtio_ring.ko.xz "
		"kernel/drivers/virtio/virtio.ko.xz\n"
		"kernel/drivers/virtio/virtio_ring.ko.xz: kernel/drivers/virtio/virtio.ko.xz\n"
		"kernel/drivers/virtio/virtio.ko.xz:\n"
		"/lib/modules/2.6.18/kernel/drivers/net/virtio-net.ko:\n"
		"../../evil.ko:\n",
		"kernel/drivers/virtio/virtio_pci.ko\n");
	g_autoptr(GPtrArray) paths = g_ptr_array_new();

	modules_add_closure(modules, "virtio_blk", paths);
	modules_add_closure(modules, "virtio-blk", paths);
	modules_add_closure(modules, "virtio_pci", paths);
	cr_assert_eq(paths->len, 3u);
	cr_assert_str_eq(g_ptr_array_index(paths, 0), "kernel/drivers/block/virtio_blk.ko.xz");
	cr_assert(modules_have(modules, "virtio-pci"));
	cr_assert(modules_have_builtin(modules, "virtio_pci"));
	cr_assert_not(modules_have_builtin(modules, "virtio_blk"));
	cr_assert_str_eq(modules_path(modules, "virtio_net"), "kernel/drivers/net/virtio-net.ko");
	cr_assert_not(modules_have(modules, "evil"));
}

struct release_case {
	char file[24], text[160];
	char distro[20], osinfo[24];
	GuestFamily family;
};

ParameterizedTestParameters(guest_release, files)
{
	static struct release_case cases[] = {
		{"",
		 "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n",
		 "debian", "debian12", FAMILY_DEBIAN},
		{"", "ID=ubuntu\nVERSION_ID=\"22.04\"\nID_LIKE=debian\n", "ubuntu", "ubuntu22.04",
		 FAMILY_DEBIAN},
		{"", "ID=\"rocky\"\nVERSION_ID=\"9.3\"\nID_LIKE=\"rhel centos fedora\"\n", "rocky",
		 "rocky9", FAMILY_RPM},
		{"", "ID=\"rhel\"\nVERSION_ID=\"8.6\"\n", "rhel", "rhel8.6", FAMILY_RPM},
		{"", "ID=\"sles\"\nVERSION_ID=\"15.4\"\n", "sles", "sles15sp4", FAMILY_RPM},
		{"", "ID=unheard-of\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=3\n", "unheard-of",
		 "linux2022", FAMILY_DEBIAN},
		{"", "ID=\"centos\"\nPRETTY_NAME=\"CentOS Stream 9\"\nVERSION_ID=9\n", "centos",
		 "centos-stream9", FAMILY_RPM},
		{"", "ID=\"centos\"\nPRETTY_NAME=\"CentOS Linux 8\"\nVERSION_ID=8\n", "centos",
		 "centos8", FAMILY_RPM},
		{"", "ID=arch\n", "arch", "linux2022", FAMILY_UNKNOWN},
		{"/etc/redhat-release", "CentOS release 6.10 (Final)\n", "centos", "centos6.10",
		 FAMILY_RPM},
		{"/etc/redhat-release", "Red Hat Enterprise Linux Server release 5.11 (Tikanga)\n",
		 "rhel", "rhel5.11", FAMILY_RPM},
		{"/etc/debian_version", "7.11\n", "debian", "debian7", FAMILY_DEBIAN},
		{"/etc/SuSE-release", "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\n",
		 "sles", "sles11", FAMILY_RPM},
	};
	return cr_make_param_array(struct release_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct release_case *row, guest_release, files)
{
	OsRelease release = {0};
	const bool ok = row->file[0] == '\0'
				? os_release_parse(row->text, &release)
				: os_release_parse_legacy(row->file, row->text, &release);

	cr_assert(ok, "%s", row->text);
	cr_assert_str_eq(release.distro, row->distro);
	cr_assert_str_eq(release.osinfo, row->osinfo, "%s: %s", row->text, release.osinfo);
	cr_assert_eq(release.family, row->family, "%s", row->distro);
	os_release_clear(&release);
}

Test(guest_drivers, aliases_of_modprobe)
{
	g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *after = modprobe_use_virtio("alias eth0 vmxnet3\n"
						     "alias\teth1\te1000\n"
						     "alias scsi_hostadapter mptbase\n"
						     "alias scsi_hostadapter1 ata_piix\n"
						     "alias snd-card-0 snd-ens1371\n"
						     "options foo alias=eth0\n",
						     done);

	cr_assert_str_eq(after, "alias eth0 virtio_net\nalias eth1 virtio_net\n"
				"alias scsi_hostadapter virtio_blk\n"
				"alias snd-card-0 snd-ens1371\noptions foo alias=eth0\n");
	cr_assert_eq(done->len, 4u);
}

Test(guest_drivers, xorg_and_units)
{
	g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *after = xorg_use_modesetting(
		"Section \"Device\"\n\tDriver \"vmware\" # x\n\tVendorName \"vmware\"\n", done);
	g_autoptr(GPtrArray) folders = unit_install_folders(
		"[Unit]\nWantedBy=no.target\n[Install]\nWantedBy=multi-user.target a.device\n"
		"RequiredBy=x.target\nWantedBy=../evil\n");
	g_autofree char *names = joined(folders);

	cr_assert_str_eq(after, "Section \"Device\"\n\tDriver \"modesetting\" # x\n"
				"\tVendorName \"vmware\"\n");
	cr_assert_eq(done->len, 1u);
	cr_assert_str_eq(names, "multi-user.target.wants a.device.wants x.target.requires");
}

struct lvm_case {
	char before[100], after[130];
};

ParameterizedTestParameters(guest_lvm, filters)
{
	static struct lvm_case cases[] = {
		{"  filter = [ \"a|^/dev/sda2$|\", \"r|.*|\" ]\n",
		 "  filter = [ \"a|^/dev/vd|\", \"a|^/dev/sda2$|\", \"r|.*|\" ]\n"},
		{"global_filter=[\"a|/dev/sd|\",\"r|.*|\"]",
		 "global_filter=[ \"a|^/dev/vd|\", \"a|/dev/sd|\",\"r|.*|\"]"},
		{"\tfilter = [ \"a|.*|\" ]\n", "\tfilter = [ \"a|.*|\" ]\n"},
		{"# filter = [ \"a|/dev/sda|\", \"r|.*|\" ]",
		 "# filter = [ \"a|/dev/sda|\", \"r|.*|\" ]"},
		{"filter = [ \"a|/dev/vd|\", \"a|/dev/sd|\", \"r|.*|\" ]",
		 "filter = [ \"a|/dev/vd|\", \"a|/dev/sd|\", \"r|.*|\" ]"},
		{"filters_are_fun = [ \"a|/dev/sd|\", \"r|.*|\" ]",
		 "filters_are_fun = [ \"a|/dev/sd|\", \"r|.*|\" ]"},
	};
	return cr_make_param_array(struct lvm_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct lvm_case *row, guest_lvm, filters)
{
	g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *after = lvm_filters_accept_virtio(row->before, done);

	cr_assert_str_eq(after, row->after);
	cr_assert_eq(done->len, !g_str_equal(row->before, row->after), "%s", row->before);
}
