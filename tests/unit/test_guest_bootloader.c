/* SPDX-License-Identifier: Apache-2.0 */
/* test_guest_bootloader.c: kernel lines of every kind of menu, and which entry is the default. */
#include "convert/guest/bootloader.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#define CONSOLES "console=tty0 console=ttyS0"

static GPtrArray *one_drive(void)
{
	GPtrArray *devices = g_ptr_array_new_with_free_func(block_device_free);

	for (unsigned partition = 1; partition <= 2; partition++) {
		BlockDevice *device = g_new0(BlockDevice, 1);

		device->partition = partition;
		device->uuid = g_strdup_printf("000%u", partition);
		g_ptr_array_add(devices, device);
	}
	return devices;
}

static char *edit(BootTextKind kind, const char *text)
{
	g_autoptr(GPtrArray) devices = one_drive();
	g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) unknown = g_ptr_array_new_with_free_func(g_free);
	BootEdit how = {.devices = devices, .console = CONSOLES, .done = done, .unknown = unknown};

	return boot_text_edit(kind, text, &how);
}

struct edit_case {
	BootTextKind kind;
	char before[200], after[240];
};

ParameterizedTestParameters(guest_bootloader, edits)
{
	static struct edit_case cases[] = {
		{BOOT_TEXT_GRUB, "\tlinux\t/vmlinuz root=/dev/sda1 ro quiet\n\tinitrd /i\n",
		 "\tlinux\t/vmlinuz root=UUID=0001 ro quiet " CONSOLES "\n\tinitrd /i\n"},
		{BOOT_TEXT_GRUB, "linux /vmlinuz root=UUID=x console=ttyS1\n",
		 "linux /vmlinuz root=UUID=x console=ttyS1\n"},
		{BOOT_TEXT_GRUB, "menuentry 'Old (on /dev/sda1)' {\nset root='hd0,msdos1'\n",
		 "menuentry 'Old (on /dev/sda1)' {\nset root='hd0,msdos1'\n"},
		{BOOT_TEXT_GRUB, "linux16 /boot/memtest86+.bin\n",
		 "linux16 /boot/memtest86+.bin\n"},
		{BOOT_TEXT_GRUB, "linuxefi /v root=/dev/mapper/a-b resume=/dev/sda2",
		 "linuxefi /v root=/dev/mapper/a-b resume=UUID=0002 " CONSOLES},
		{BOOT_TEXT_LEGACY,
		 "# kopt=root=/dev/hda1 ro\ntitle x\nkernel /v root=/dev/hda1 ro\n",
		 "# kopt=root=UUID=0001 ro " CONSOLES
		 "\ntitle x\nkernel /v root=UUID=0001 ro " CONSOLES "\n"},
		{BOOT_TEXT_EXTLINUX, "  APPEND root=/dev/sda1 initrd=/i\n",
		 "  APPEND root=UUID=0001 initrd=/i " CONSOLES "\n"},
		{BOOT_TEXT_BLS, "options $kernelopts $tuned_params\n",
		 "options $kernelopts $tuned_params\n"},
		{BOOT_TEXT_BLS, "options root=/dev/sda1 rhgb quiet\n",
		 "options root=UUID=0001 rhgb quiet " CONSOLES "\n"},
		{BOOT_TEXT_DEFAULTS,
		 "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"\"\n",
		 "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"" CONSOLES "\"\n"},
		{BOOT_TEXT_DEFAULTS, "GRUB_CMDLINE_LINUX='resume=/dev/sda2'\n",
		 "GRUB_CMDLINE_LINUX='resume=UUID=0002 " CONSOLES "'\n"},
		{BOOT_TEXT_DEFAULTS, "GRUB_CMDLINE_LINUX=\n",
		 "GRUB_CMDLINE_LINUX=\"" CONSOLES "\"\n"},
		{BOOT_TEXT_DEFAULTS,
		 "GRUB_CMDLINE_LINUX_DEFAULT=\"console=tty0\"\nGRUB_CMDLINE_LINUX=\"a\"\n",
		 "GRUB_CMDLINE_LINUX_DEFAULT=\"console=tty0\"\nGRUB_CMDLINE_LINUX=\"a\"\n"},
		{BOOT_TEXT_CMDLINE, "root=/dev/sda1 ro\n", "root=UUID=0001 ro " CONSOLES "\n"},
		{BOOT_TEXT_GRUB, "", ""},
	};
	return cr_make_param_array(struct edit_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct edit_case *row, guest_bootloader, edits)
{
	g_autofree char *after = edit(row->kind, row->before);

	cr_assert_str_eq(after, row->after, "%s\nbecame\n%s", row->before, after);
	if (row->kind != BOOT_TEXT_DEFAULTS || strstr(after, CONSOLES) != NULL) {
		g_autofree char *again = edit(row->kind, after);

		cr_assert_str_eq(again, after, "a second time: %s", again);
	}
}

static char *grubenv_of(const char *lines)
{
	GString *block = g_string_new("# GRUB Environment Block\n");

	g_string_append(block, lines);
	while (block->len < 1024)
		g_string_append_c(block, '#');
	return g_string_free(block, FALSE);
}

Test(guest_bootloader, grubenv_keeps_its_size)
{
	g_autofree char *block = grubenv_of("kernelopts=root=/dev/sda1 ro\nsaved_entry=x\n");
	g_autofree char *after = edit(BOOT_TEXT_GRUBENV, block);
	g_autofree char *long_line = g_strnfill(980, 'x');
	g_autofree char *long_text = g_strconcat("kernelopts=", long_line, "\n", NULL);
	g_autofree char *full = grubenv_of(long_text);

	cr_assert_eq(strlen(after), 1024u);
	cr_assert(strstr(after, "\nkernelopts=root=UUID=0001 ro " CONSOLES "\nsaved_entry=x\n#"));
	cr_assert_null(edit(BOOT_TEXT_GRUBENV, full), "no room is an answer, not a longer block");
}

static const char debian_menu[] =
	"if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\nelse\n"
	"   set default=\"%s\"\nfi\n"
	"function load_video {\n  insmod vbe\n}\n"
	"menuentry 'Debian GNU/Linux' --class os $menuentry_id_option 'gnulinux-simple' {\n"
	"\tset root='hd0,msdos1'\n\techo\t'Loading Linux ...'\n"
	"\tlinux\t/boot/vmlinuz-6.1 root=UUID=1 ro  quiet\n\tinitrd\t/boot/initrd.img-6.1\n}\n"
	"submenu 'Advanced options for Debian' $menuentry_id_option 'gnulinux-advanced' {\n"
	"\tmenuentry 'Debian, with Linux 6.1' --id 'v6.1' {\n"
	"\t\tlinux\t/boot/vmlinuz-6.1 root=UUID=1\n\t\tinitrd /boot/ucode.img "
	"/boot/initrd.img-6.1\n\t}\n"
	"\tmenuentry 'Debian, with Linux 5.10' --id 'v5.10' {\n"
	"\t\tlinux\t/boot/vmlinuz-5.10 root=UUID=1\n\t\tinitrd /boot/initrd.img-5.10\n\t}\n}\n"
	"menuentry 'UEFI Firmware Settings' {\n\tfwsetup\n}\n"
	"menuentry 'Last' {\n\tlinux /boot/vmlinuz-last\n}\n";

struct default_case {
	char wanted[64], kernel[32];
};

ParameterizedTestParameters(guest_bootloader, defaults)
{
	static struct default_case cases[] = {
		{"0", "/boot/vmlinuz-6.1"},
		{"1>1", "/boot/vmlinuz-5.10"},
		{"1>0", "/boot/vmlinuz-6.1"},
		{"3", "/boot/vmlinuz-last"},
		{"gnulinux-advanced>v5.10", "/boot/vmlinuz-5.10"},
		{"Advanced options for Debian>Debian, with Linux 5.10", "/boot/vmlinuz-5.10"},
		{"Debian GNU/Linux", "/boot/vmlinuz-6.1"},
		{"no such entry", "/boot/vmlinuz-6.1"},
	};
	return cr_make_param_array(struct default_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct default_case *row, guest_bootloader, defaults)
{
	const char *hole = strstr(debian_menu, "%s");
	g_autofree char *text = g_strdup_printf("%.*s%s%s", (int)(hole - debian_menu), debian_menu,
						row->wanted, hole + 2);
	g_autofree char *wanted = boot_default_of(BOOT_TEXT_GRUB, text);
	g_autoptr(GPtrArray) entries = boot_entries_from_grub(text);
	const BootEntry *entry = boot_entry_choose(entries, wanted);

	cr_assert_str_eq(wanted, row->wanted);
	cr_assert_eq(entries->len, 5u);
	cr_assert_str_eq(entry->kernel, row->kernel, "%s: %s", row->wanted, entry->kernel);
}

Test(guest_bootloader, microcode_is_not_the_initramfs)
{
	g_autoptr(GPtrArray) entries = boot_entries_from_grub(debian_menu);
	const BootEntry *entry = g_ptr_array_index(entries, 1);

	cr_assert_str_eq(entry->initrd, "/boot/initrd.img-6.1");
	cr_assert_str_eq(entry->position, "1>0");
	cr_assert_str_eq(entry->id, "v6.1");
}

Test(guest_bootloader, legacy_and_extlinux_menus)
{
	static const char legacy[] = "default=1\ntimeout=5\ntitle One\n\troot (hd0,0)\n"
				     "\tkernel (hd0,0)/vmlinuz-1 ro root=/dev/sda1\n"
				     "\tinitrd /initrd-1.img\ntitle Two\n"
				     "\tkernel /vmlinuz-2 ro\n\tinitrd /initrd-2.img\n";
	static const char extlinux[] = "DEFAULT l0\nLABEL l1\n\tLINUX ../vmlinuz-1\n"
				       "LABEL l0\n\tKERNEL /vmlinuz-0\n"
				       "\tAPPEND initrd=/u.img,/initrd-0 root=/dev/sda1\n";
	g_autofree char *legacy_default = boot_default_of(BOOT_TEXT_LEGACY, legacy);
	g_autoptr(GPtrArray) legacy_entries = boot_entries_from_legacy(legacy);
	g_autofree char *extlinux_default = boot_default_of(BOOT_TEXT_EXTLINUX, extlinux);
	g_autoptr(GPtrArray) extlinux_entries = boot_entries_from_extlinux(extlinux);
	const BootEntry *chosen = boot_entry_choose(legacy_entries, legacy_default);
	const BootEntry *other = boot_entry_choose(extlinux_entries, extlinux_default);

	cr_assert_str_eq(chosen->kernel, "/vmlinuz-2");
	cr_assert_str_eq(((BootEntry *)g_ptr_array_index(legacy_entries, 0))->kernel, "/vmlinuz-1");
	cr_assert_str_eq(other->kernel, "/vmlinuz-0");
	cr_assert_str_eq(other->initrd, "/initrd-0");
}

Test(guest_bootloader, boot_loader_specification)
{
	BootEntry *entry = boot_entry_from_bls("title Rocky 9\nversion 5.14\nlinux /vmlinuz-5.14\n"
					       "initrd /initramfs-5.14.img $tuned_initrd\n"
					       "options root=UUID=1 ro\n",
					       "abc-5.14");

	cr_assert_str_eq(entry->kernel, "/vmlinuz-5.14");
	cr_assert_str_eq(entry->initrd, "/initramfs-5.14.img");
	cr_assert_str_eq(entry->arguments, "root=UUID=1 ro");
	boot_entry_free(entry);
}

struct version_case {
	char older[40], newer[40];
};

ParameterizedTestParameters(guest_bootloader, versions)
{
	static struct version_case cases[] = {
		{"6.1.0-9-amd64", "6.1.0-18-amd64"},
		{"5.14.0-70.el9.x86_64", "5.14.0-362.8.1.el9_3.x86_64"},
		{"4.19", "5.10"},
		{"1.09", "1.10"},
		{"5.14.0", "5.14.0-1"},
		{"2.6.18-8.el5", "2.6.18-398.el5"},
	};
	return cr_make_param_array(struct version_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct version_case *row, guest_bootloader, versions)
{
	cr_assert_lt(version_compare(row->older, row->newer), 0, "%s", row->newer);
	cr_assert_gt(version_compare(row->newer, row->older), 0, "%s", row->newer);
	cr_assert_eq(version_compare(row->newer, row->newer), 0);
}
