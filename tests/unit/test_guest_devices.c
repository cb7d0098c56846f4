/* SPDX-License-Identifier: Apache-2.0 */
/* test_guest_devices.c: names of disks in a guest's fstab, crypttab and kernel lines. */
#include "convert/guest/block_devices.h"
#include "convert/guest/fstab.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

static void add(GPtrArray *devices, unsigned drive, unsigned partition, const char *type,
		const char *uuid, const char *part_uuid)
{
	BlockDevice *device = g_new0(BlockDevice, 1);

	device->drive = drive;
	device->partition = partition;
	device->device = g_strdup_printf("/dev/sd%c%u", 'a' + (int)drive, partition);
	device->type = g_strdup(type);
	device->uuid = g_strdup(uuid);
	device->part_uuid = g_strdup(part_uuid);
	g_ptr_array_add(devices, device);
}

static GPtrArray *two_drives(void)
{
	GPtrArray *devices = g_ptr_array_new_with_free_func(block_device_free);

	add(devices, 0, 1, "ext4", "aaaa-0001", "p1");
	add(devices, 0, 2, "swap", "aaaa-0002", "p2");
	add(devices, 0, 3, "crypto_LUKS", "aaaa-0003", "p3");
	add(devices, 0, 4, NULL, NULL, "p4");
	add(devices, 1, 1, "xfs", "bbbb-0001", "q1");
	return devices;
}

struct name_case {
	char name[32];
	int drive, partition; /* -1: no name of a disk */
};

ParameterizedTestParameters(guest_devices, names)
{
	static struct name_case cases[] = {
		{"/dev/sda", 0, 0},
		{"/dev/sda1", 0, 1},
		{"/dev/hdb12", 1, 12},
		{"/dev/xvdc3", 2, 3},
		{"/dev/vdz", 25, 0},
		{"/dev/sdaa1", 26, 1},
		{"/dev/nvme0n1", 0, 0},
		{"/dev/nvme1n1p3", 1, 3},
		{"/dev/cciss/c0d1p2", 1, 2},
		{"/dev/sd", -1, -1},
		{"/dev/sda0", -1, -1},
		{"/dev/sda1x", -1, -1},
		{"/dev/sda99999999999999999999", -1, -1},
		{"/dev/sdzzzzzzzz1", -1, -1},
		{"/dev/nvme0n2p1", -1, -1},
		{"/dev/nvme0n1p", -1, -1},
		{"/dev/sr0", -1, -1},
		{"/dev/mapper/vg-root", -1, -1},
		{"sda1", -1, -1},
	};
	return cr_make_param_array(struct name_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct name_case *row, guest_devices, names)
{
	unsigned drive = 77, partition = 77;
	const bool parsed =
		block_device_name_parse(row->name, strlen(row->name), &drive, &partition);

	cr_assert_eq(parsed, row->drive >= 0, "%s", row->name);
	if (parsed) {
		cr_assert_eq((int)drive, row->drive, "%s: drive %u", row->name, drive);
		cr_assert_eq((int)partition, row->partition, "%s: part %u", row->name, partition);
	}
}

struct replace_case {
	char before[128], after[160];
	unsigned done, unknown;
};

ParameterizedTestParameters(guest_devices, replace)
{
	static struct replace_case cases[] = {
		{"root=/dev/sda1 ro quiet", "root=UUID=aaaa-0001 ro quiet", 1, 0},
		{"RESUME=/dev/sda2\n", "RESUME=UUID=aaaa-0002\n", 1, 0},
		{"a=\"root=/dev/sda1 resume=/dev/hda2\"",
		 "a=\"root=UUID=aaaa-0001 resume=UUID=aaaa-0002\"", 2, 0},
		{"root=/dev/sdb1", "root=UUID=bbbb-0001", 1, 0},
		{"root=/dev/sda4", "root=PARTUUID=p4", 1, 0},
		{"root=/dev/sdc1 x", "root=/dev/sdc1 x", 0, 1},
		{"root=/dev/mapper/vg-root", "root=/dev/mapper/vg-root", 0, 0},
		{"root=/dev/sda1x", "root=/dev/sda1x", 0, 0},
		{"cryptdevice=/dev/sda3:root", "cryptdevice=UUID=aaaa-0003:root", 1, 0},
		{"'Debian (on /dev/sda1)'", "'Debian (on /dev/sda1)'", 0, 0},
		{"/mnt/dev/sda1 /dev/", "/mnt/dev/sda1 /dev/", 0, 0},
		{"", "", 0, 0},
	};
	return cr_make_param_array(struct replace_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct replace_case *row, guest_devices, replace)
{
	g_autoptr(GPtrArray) devices = two_drives();
	g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) unknown = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *after = block_devices_replace(devices, row->before, done, unknown);

	cr_assert_str_eq(after, row->after);
	cr_assert_eq(done->len, row->done, "%s: %u done", row->before, done->len);
	cr_assert_eq(unknown->len, row->unknown, "%s: %u unknown", row->before, unknown->len);
}

Test(guest_fstab, only_the_names_that_change_are_touched)
{
	static const char before[] = "# /etc/fstab: static\n"
				     "/dev/sda1\t/               ext4    errors=remount-ro 0 1\n"
				     "/dev/sda2 none            swap    sw              0       0\n"
				     "\n"
				     "  /dev/sdb1   /data\\040one  xfs  defaults  0 2\n"
				     "UUID=cccc /home ext4 defaults 0 2\n"
				     "/dev/mapper/vg-var /var ext4 defaults 0 2\n"
				     "/dev/vg/opt /opt ext4 defaults 0 2\n"
				     "/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0\n"
				     "#/dev/sda1 /old ext4 defaults 0 0\n"
				     "proc /proc proc defaults 0 0\n"
				     "/dev/sdd1 /gone ext4 nofail 0 0";
	static const char expected[] =
		"# /etc/fstab: static\n"
		"UUID=aaaa-0001\t/               ext4    errors=remount-ro 0 1\n"
		"UUID=aaaa-0002 none            swap    sw              0       0\n"
		"\n"
		"  UUID=bbbb-0001   /data\\040one  xfs  defaults  0 2\n"
		"UUID=cccc /home ext4 defaults 0 2\n"
		"/dev/mapper/vg-var /var ext4 defaults 0 2\n"
		"/dev/vg/opt /opt ext4 defaults 0 2\n"
		"/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0\n"
		"#/dev/sda1 /old ext4 defaults 0 0\n"
		"proc /proc proc defaults 0 0\n"
		"/dev/sdd1 /gone ext4 nofail 0 0";
	g_autoptr(GPtrArray) devices = two_drives();
	g_auto(TableEdit) edit;

	table_edit_init(&edit);
	g_autofree char *after =
		fstab_use_uuids(before, devices, g_ptr_array_index(devices, 0), &edit);

	cr_assert_str_eq(after, expected);
	cr_assert_eq(edit.done->len, 3u);
	cr_assert_eq(edit.unknown->len, 1u);
	cr_assert_str_eq(g_ptr_array_index(edit.unknown, 0), "/dev/sdd1 (/gone)");
	g_autofree char *again = fstab_use_uuids(after, devices, NULL, &edit);

	cr_assert_str_eq(again, after, "a second conversion changes nothing");
}

/* A name that is not on the disk that it should be on must not be taken for what is there now. */
Test(guest_fstab, a_name_with_another_file_system_stays)
{
	g_autoptr(GPtrArray) devices = two_drives();
	g_auto(TableEdit) edit;

	table_edit_init(&edit);
	g_autofree char *after =
		fstab_use_uuids("/dev/sdb1 /data ext4 defaults 0 0\n", devices, NULL, &edit);

	cr_assert_str_eq(after, "/dev/sdb1 /data ext4 defaults 0 0\n");
	cr_assert_eq(edit.unknown->len, 1u);
}

/* The root is known from inspection, whatever its line calls it. */
Test(guest_fstab, the_root_is_what_was_found)
{
	g_autoptr(GPtrArray) devices = two_drives();
	g_auto(TableEdit) edit;

	table_edit_init(&edit);
	g_autofree char *after = fstab_use_uuids(
		"/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part1 / ext4 x 0 1\n", devices,
		g_ptr_array_index(devices, 0), &edit);

	cr_assert_str_eq(after, "UUID=aaaa-0001 / ext4 x 0 1\n");
}

Test(guest_fstab, links_by_id_are_found_by_number_and_type)
{
	g_autoptr(GPtrArray) devices = two_drives();
	g_auto(TableEdit) edit;

	table_edit_init(&edit);
	g_autofree char *after =
		fstab_use_uuids("/dev/disk/by-id/scsi-36000c29-part2 swap swap defaults 0 0\n"
				"/dev/disk/by-id/scsi-36000c30-part1 /data xfs defaults 0 0\n"
				"/dev/disk/by-id/scsi-36000c30-part1 /any auto defaults 0 0\n",
				devices, NULL, &edit);

	/* two first partitions: the last line could be either */
	cr_assert_str_eq(after, "UUID=aaaa-0002 swap swap defaults 0 0\n"
				"UUID=bbbb-0001 /data xfs defaults 0 0\n"
				"/dev/disk/by-id/scsi-36000c30-part1 /any auto defaults 0 0\n");
}

Test(guest_fstab, crypttab_gets_the_luks_uuid)
{
	g_autoptr(GPtrArray) devices = two_drives();
	g_auto(TableEdit) edit;

	table_edit_init(&edit);
	g_autofree char *after =
		crypttab_use_uuids("# name source key\nsda3_crypt /dev/sda3 none luks\n"
				   "cswap /dev/sda4 /dev/urandom swap\nx UUID=1 none\n",
				   devices, &edit);

	cr_assert_str_eq(after, "# name source key\nsda3_crypt UUID=aaaa-0003 none luks\n"
				"cswap PARTUUID=p4 /dev/urandom swap\nx UUID=1 none\n");
	cr_assert_eq(edit.done->len, 2u);
}

Test(guest_fstab, entries_are_read_with_escapes_undone)
{
	g_autoptr(GPtrArray) entries =
		fstab_parse("a /x\\040y ext4 ro,noauto 0 0\n# c\nshort line\nb /z xfs\n");
	const FstabEntry *first = g_ptr_array_index(entries, 0);
	const FstabEntry *second = g_ptr_array_index(entries, 1);

	cr_assert_eq(entries->len, 2u);
	cr_assert_str_eq(first->point, "/x y");
	cr_assert_str_eq(first->options, "ro,noauto");
	cr_assert_str_eq(second->options, "");
}
