/* SPDX-License-Identifier: Apache-2.0 */
/* vm.c: the VM definition's parts, made and freed. */
#include "inventory/vm.h"

#include <string.h>

#define FILE_NAME_MAX_BYTES 200u

static void controller_free(void *pointer)
{
	VmController *controller = pointer;

	g_free(controller->model);
	g_free(controller);
}

static void disk_free(void *pointer)
{
	VmDisk *disk = pointer;

	g_free(disk->id);
	g_free(disk->format);
	g_free(disk->file);
	g_free(disk->serial);
	g_free(disk);
}

static void removable_free(void *pointer)
{
	VmRemovable *removable = pointer;

	g_free(removable->image);
	g_free(removable);
}

static void nic_free(void *pointer)
{
	VmNic *nic = pointer;

	g_free(nic->mac);
	g_free(nic->model);
	g_free(nic->network);
	g_free(nic);
}

Vm *vm_new(void)
{
	Vm *vm = g_new0(Vm, 1);

	vm->controllers = g_ptr_array_new_with_free_func(controller_free);
	vm->disks = g_ptr_array_new_with_free_func(disk_free);
	vm->removables = g_ptr_array_new_with_free_func(removable_free);
	vm->nics = g_ptr_array_new_with_free_func(nic_free);
	vm->findings = findings_new();
	return vm;
}

void vm_free(Vm *vm)
{
	if (vm == NULL)
		return;
	char *const strings[] = {
		vm->name,  vm->uuid,        vm->annotation,   vm->guest_os, vm->guest_arch,
		vm->nvram, vm->sound_model, vm->manufacturer, vm->product,  vm->serial_number};
	for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
		g_free(strings[i]);
	g_ptr_array_unref(vm->controllers);
	g_ptr_array_unref(vm->disks);
	g_ptr_array_unref(vm->removables);
	g_ptr_array_unref(vm->nics);
	findings_free(vm->findings);
	g_free(vm);
}

VmController *vm_add_controller(Vm *vm)
{
	g_ptr_array_add(vm->controllers, g_new0(VmController, 1));
	return vm_controller(vm, vm->controllers->len - 1);
}

VmDisk *vm_add_disk(Vm *vm)
{
	g_ptr_array_add(vm->disks, g_new0(VmDisk, 1));
	return vm_disk(vm, vm->disks->len - 1);
}

VmRemovable *vm_add_removable(Vm *vm)
{
	g_ptr_array_add(vm->removables, g_new0(VmRemovable, 1));
	return vm_removable(vm, vm->removables->len - 1);
}

VmNic *vm_add_nic(Vm *vm)
{
	g_ptr_array_add(vm->nics, g_new0(VmNic, 1));
	return vm_nic(vm, vm->nics->len - 1);
}

VmController *vm_controller(const Vm *vm, guint index)
{
	return g_ptr_array_index(vm->controllers, index);
}

VmDisk *vm_disk(const Vm *vm, guint index)
{
	return g_ptr_array_index(vm->disks, index);
}

VmRemovable *vm_removable(const Vm *vm, guint index)
{
	return g_ptr_array_index(vm->removables, index);
}

VmNic *vm_nic(const Vm *vm, guint index)
{
	return g_ptr_array_index(vm->nics, index);
}

const char *hypervisor_name(Hypervisor hypervisor)
{
	static const char *const names[] = {"unknown", "vmware", "virtualbox", "hyperv",
					    "xen",     "kvm",    "nutanix"};

	return names[hypervisor];
}

const char *disk_bus_name(DiskBus bus)
{
	static const char *const names[] = {"unknown", "ide",    "sata", "scsi",
					    "nvme",    "virtio", "usb",  "floppy"};

	return names[bus];
}

const char *firmware_name(Firmware firmware)
{
	static const char *const names[] = {"unknown", "bios", "uefi"};

	return names[firmware];
}

char *vm_file_name(const char *name)
{
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	GString *out = g_string_new(NULL);

	for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
		const gunichar c = g_utf8_get_char(at);
		const bool first = out->len == 0;
		const bool safe =
			c != '/' && g_unichar_isprint(c) && !(first && (c == '.' || c == '-'));

		if (out->len + 4 > FILE_NAME_MAX_BYTES)
			break;
		g_string_append_unichar(out, safe ? c : '_');
	}
	if (out->len == 0)
		g_string_append_c(out, '_');
	return g_string_free(out, FALSE);
}
