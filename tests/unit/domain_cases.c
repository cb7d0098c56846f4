/* SPDX-License-Identifier: Apache-2.0 */
/* domain_cases.c: a table of VMs, from the plain to the hostile. */
#include "tests/unit/domain_cases.h"
#include "base/checked.h"

#include <string.h>

static void add_disks(Vm *vm, DiskBus bus, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		VmDisk *disk = vm_add_disk(vm);

		disk->id = g_strdup_printf("vmdisk%u", i + 1);
		disk->bus = bus;
		disk->target = i;
		disk->capacity = GIB;
	}
}

static VmNic *add_nic(Vm *vm, const char *model, const char *network)
{
	VmNic *nic = vm_add_nic(vm);

	nic->mac = g_strdup_printf("00:50:56:aa:bb:%02x", vm->nics->len);
	nic->model = g_strdup(model);
	nic->network = g_strdup(network);
	return nic;
}

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

static void make_guest(DomainCase *made, const char *type, const char *osinfo, bool virtio)
{
	GuestReport *guest = &made->guest;

	set(&guest->type, type);
	set(&guest->osinfo, osinfo);
	set(&guest->arch, "x86_64");
	guest->virtio_blk = guest->virtio_scsi = guest->virtio_net = guest->virtio_rng = virtio;
	guest->virtio_balloon = guest->virtio_console = guest->agent = virtio;
	made->converted = true;
}

static void build_plain(DomainCase *made)
{
	set(&made->vm->uuid, "564D1234-ABCD-EF01-2345-6789ABCDEF01");
	add_disks(made->vm, BUS_SCSI, 1);
	add_nic(made->vm, "VmxNet3", "VM Network");
	make_guest(made, "linux", "debian12", true);
}

static void build_uefi(DomainCase *made)
{
	build_plain(made);
	made->vm->firmware = FIRMWARE_UEFI;
	set(&made->vm->nvram, "vm.nvram");
}

static void build_secure_boot(DomainCase *made)
{
	build_uefi(made);
	made->vm->secure_boot = made->vm->tpm = true;
	made->vm->genid[0] = 0x0123456789abcdef;
	made->vm->genid[1] = 0xfedcba9876543210;
}

static void build_windows(DomainCase *made)
{
	build_secure_boot(made);
	make_guest(made, "windows", "win2k22", true);
	made->guest.virtio_scsi = false;
	made->guest.rtc_local = true;
	made->vm->has_sound = true;
	set(&made->vm->sound_model, "hdaudio");
	set(&made->vm->serial_number, "VMware-56 4d 12 34 ab cd ef 01-23 45 67 89 ab cd ef 01");
	set(&made->vm->manufacturer, "VMware, Inc.");
	set(&made->vm->product, "VMware7,1");
}

static void build_many_disks(DomainCase *made)
{
	build_plain(made);
	add_disks(made->vm, BUS_SCSI, 29);
	made->guest.boot_drive = 27;
	vm_disk(made->vm, 3)->boot_order = 2;
	vm_disk(made->vm, 5)->boot_order = 1;
	vm_nic(made->vm, 0)->boot_order = 3;
}

static void build_no_nics(DomainCase *made)
{
	build_plain(made);
	g_ptr_array_set_size(made->vm->nics, 0);
}

static void build_nine_nics(DomainCase *made)
{
	static const NetworkMap maps[] = {
		{"VM Network", "default", false}, {"DMZ", "br0", true}, {NULL, "lan", false}};

	build_plain(made);
	for (unsigned i = 0; i < 4; i++)
		add_nic(made->vm, "E1000", "DMZ")->disconnected = i == 2;
	for (unsigned i = 0; i < 4; i++)
		add_nic(made->vm, "E1000", "Storage")->boot_order = i;
	made->plan.networks = maps;
	made->plan.network_count = G_N_ELEMENTS(maps);
}

static void build_old_ide(DomainCase *made)
{
	build_plain(made);
	g_ptr_array_set_size(made->vm->disks, 0);
	add_disks(made->vm, BUS_IDE, 5);
	make_guest(made, "windows", "winxp", false);
	vm_add_removable(made->vm)->bus = BUS_IDE;
}

static void build_sata_fallback(DomainCase *made)
{
	build_plain(made);
	add_disks(made->vm, BUS_SATA, 8);
	make_guest(made, "windows", "win10", false);
	for (unsigned i = 0; i < 2; i++)
		set(&vm_add_removable(made->vm)->image, "tools.iso");
	vm_add_removable(made->vm)->floppy = true;
	set(&vm_disk(made->vm, 0)->serial, "6000C29fa37d5b1ee0ad7a4d4c8b2f10");
	set(&vm_disk(made->vm, 1)->serial, "<&>");
}

static void build_virtio_scsi(DomainCase *made)
{
	build_plain(made);
	add_disks(made->vm, BUS_SCSI, 20);
	made->guest.virtio_blk = false;
}

static void build_unconverted(DomainCase *made, const char *controller, DiskBus bus)
{
	VmController *added = vm_add_controller(made->vm);

	add_disks(made->vm, bus, 3);
	added->bus = bus;
	added->model = g_strdup(controller);
	add_nic(made->vm, "VmxNet3", "VM Network");
	add_nic(made->vm, "PCNet32", "VM Network");
	add_nic(made->vm, "SomethingElse", NULL);
}

static void build_unconverted_pvscsi(DomainCase *made)
{
	build_unconverted(made, "VirtualSCSI", BUS_SCSI);
	add_disks(made->vm, BUS_SCSI, 10);
}

static void build_unconverted_lsisas(DomainCase *made)
{
	build_unconverted(made, "lsilogicsas", BUS_SCSI);
	add_disks(made->vm, BUS_SCSI, 7);
}

static void build_unconverted_uefi(DomainCase *made)
{
	build_unconverted(made, "lsilogicsas", BUS_SCSI);
	made->vm->firmware = FIRMWARE_UEFI;
}

static void build_unconverted_lsi(DomainCase *made)
{
	build_unconverted(made, "lsilogic", BUS_SCSI);
}

static void build_unconverted_ide(DomainCase *made)
{
	build_unconverted(made, "PIIX4", BUS_IDE);
	made->vm->has_sound = true;
}

static void build_unconverted_nvme(DomainCase *made)
{
	build_unconverted(made, "vmware.nvme.controller", BUS_NVME);
}

static void build_kvm_source(DomainCase *made)
{
	made->vm->hypervisor = HYPERVISOR_KVM;
	add_disks(made->vm, BUS_VIRTIO, 2);
	VmNic *nic = add_nic(made->vm, "virtio", "br-lan");
	nic->bridged = true;
}

static void build_many_cpus(DomainCase *made)
{
	build_plain(made);
	made->vm->vcpus = 288;
	made->vm->sockets = 4;
	made->vm->cores = 36;
	made->vm->threads = 2;
	made->vm->memory = 6 * TIB;
}

static void build_wrong_topology(DomainCase *made)
{
	build_plain(made);
	made->vm->sockets = made->vm->cores = made->vm->threads = 4000000000;
}

static void build_hostile_name(DomainCase *made)
{
	build_plain(made);
	set(&made->vm->name, "</name><devices>\n\x01\x1b[2J \"'&amp;\xff\xfe\xe2\x80\xae");
	set(&made->vm->annotation, "]]></description><on_crash>preserve</on_crash>\r\n\x02\xc3");
	set(&made->vm->serial_number, "'/><entry name=\"uuid\">\n");
	set(&vm_nic(made->vm, 0)->network, "\"/><source bridge='br0'/>");
	vm_nic(made->vm, 0)->bridged = true;
	set(&vm_nic(made->vm, 0)->mac, "01:00:5e:00:00:01'");
	set(&made->vm->uuid, "not-a-uuid");
	set(&made->guest.osinfo, "../../etc/passwd");
}

static void build_long_strings(DomainCase *made)
{
	g_autofree char *text = g_strnfill(65536, 'x');

	build_plain(made);
	set(&made->vm->name, text);
	set(&made->vm->annotation, text);
	set(&made->vm->serial_number, text);
	set(&made->vm->manufacturer, text);
	set(&vm_nic(made->vm, 0)->network, text);
	set(&vm_disk(made->vm, 0)->serial, text);
}

static void build_says_nothing(DomainCase *made)
{
	made->vm->memory = 0;
	made->vm->vcpus = 0;
	made->vm->firmware = FIRMWARE_UNKNOWN;
}

static const struct {
	const char *name;
	void (*build)(DomainCase *made);
} cases[] = {
	{"plain", build_plain},
	{"uefi", build_uefi},
	{"secure-boot-tpm", build_secure_boot},
	{"windows", build_windows},
	{"30-disks", build_many_disks},
	{"no-nics", build_no_nics},
	{"9-nics", build_nine_nics},
	{"old-ide", build_old_ide},
	{"sata-fallback", build_sata_fallback},
	{"virtio-scsi", build_virtio_scsi},
	{"unconverted-pvscsi", build_unconverted_pvscsi},
	{"unconverted-lsisas", build_unconverted_lsisas},
	{"unconverted-uefi", build_unconverted_uefi},
	{"unconverted-lsi", build_unconverted_lsi},
	{"unconverted-ide", build_unconverted_ide},
	{"unconverted-nvme", build_unconverted_nvme},
	{"kvm-source", build_kvm_source},
	{"288-cpus", build_many_cpus},
	{"wrong-topology", build_wrong_topology},
	{"hostile-name", build_hostile_name},
	{"long-strings", build_long_strings},
	{"says-nothing", build_says_nothing},
};

size_t domain_case_count(void)
{
	return G_N_ELEMENTS(cases);
}

const char *domain_case_name(size_t index)
{
	return cases[index].name;
}

DomainCase *domain_case_new(size_t index, const char *folder, const char *virt_type)
{
	DomainCase *made = g_new0(DomainCase, 1);
	Vm *vm = made->vm = vm_new();

	vm->name = g_strdup(cases[index].name);
	vm->hypervisor = HYPERVISOR_VMWARE;
	vm->memory = GIB;
	vm->vcpus = 2;
	vm->firmware = FIRMWARE_BIOS;
	cases[index].build(made);

	made->name = vm_file_name(vm->name);
	made->disk_paths = g_new0(char *, vm->disks->len + 1);
	for (guint i = 0; i < vm->disks->len; i++)
		made->disk_paths[i] =
			g_strdup_printf("%s/%s-disk%u.img", folder, cases[index].name, i + 1);
	made->plan.vm = vm;
	made->plan.guest = made->converted ? &made->guest : NULL;
	made->plan.name = made->name;
	made->plan.disk_paths = (const char *const *)made->disk_paths;
	made->plan.disk_format = "raw";
	made->plan.virt_type = virt_type;
	return made;
}

DomainCase *domain_case_named(const char *name, const char *folder, const char *virt_type)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		if (strcmp(cases[i].name, name) == 0)
			return domain_case_new(i, folder, virt_type);
	g_assert_not_reached();
}

void domain_case_free(DomainCase *made)
{
	vm_free(made->vm);
	g_free(made->guest.type);
	g_free(made->guest.osinfo);
	g_free(made->guest.arch);
	g_free(made->name);
	g_strfreev(made->disk_paths);
	g_free(made);
}
