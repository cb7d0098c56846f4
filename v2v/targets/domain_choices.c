/* SPDX-License-Identifier: Apache-2.0 */
/* domain_choices.c: machine, buses and devices by what the guest can drive. */
#include "v2v/targets/domain_choices.h"
#include "base/checked.h"

#include <string.h>

#define ASSUMED_MEMORY (2 * GIB)

static bool ide_disk(const Vm *vm)
{
	for (guint i = 0; i < vm->disks->len; i++)
		if (vm_disk(vm, i)->bus == BUS_IDE)
			return true;
	return false;
}

/*
 * q35 unless the guest is too old for it: PCI Express, SATA, and the only chipset with secure boot
 * or interrupts for more than 255 CPUs.
 * On it, virtio devices speak virtio 1.0 only, so that a Linux guest must know that too. An
 * unconverted guest keeps the IDE controller that it was installed on, and only i440fx has one.
 */
static bool wants_q35(const DomainPlan *plan, const DomainChoices *choices)
{
	const GuestReport *guest = plan->guest;

	if (choices->secure_boot || plan->vm->vcpus > PLAIN_VCPUS_MAX)
		return true;
	if (guest == NULL)
		return choices->uefi || !ide_disk(plan->vm);
	if (choices->traits.known)
		return choices->traits.q35 && (choices->windows || choices->traits.virtio_1);
	return choices->windows ? guest->major >= 6 : true;
}

static void choose_firmware(DomainChoices *choices, const DomainPlan *plan, Findings *findings)
{
	const Vm *vm = plan->vm;

	choices->uefi = vm->firmware == FIRMWARE_UEFI || (vm->firmware == FIRMWARE_UNKNOWN &&
							  plan->guest != NULL && plan->guest->uefi);
	choices->secure_boot = choices->uefi && vm->secure_boot && plan->uefi_loader == NULL;
	if (vm->firmware == FIRMWARE_UNKNOWN && plan->guest == NULL)
		findings_add(findings, FINDING_WARNING, "domain.firmware-assumed", NULL,
			     "neither the source nor the guest says which firmware it boots "
			     "by: BIOS is assumed");
	if (vm->secure_boot && !choices->secure_boot)
		findings_add(findings, FINDING_WARNING, "domain.secure-boot-lost", NULL,
			     "the VM has no secure boot any more: %s",
			     choices->uefi ? "the target does not describe its firmware"
					   : "it boots by BIOS");
}

static bool known_model(const char *model, const char *part)
{
	if (model == NULL)
		return false;
	g_autofree char *lower = g_ascii_strdown(model, -1);
	return strstr(lower, part) != NULL;
}

/* The bus for an unconverted guest: the controller it knows, or SATA. */
static DiskBus kept_bus(DomainChoices *choices, const Vm *vm, DiskBus bus)
{
	const bool kvm = vm->hypervisor == HYPERVISOR_KVM;

	if (bus == BUS_VIRTIO)
		return BUS_VIRTIO;
	if (bus == BUS_IDE)
		return choices->q35 ? BUS_SATA : BUS_IDE;
	if (bus != BUS_SCSI)
		return BUS_SATA;
	for (guint i = 0; i < vm->controllers->len; i++) {
		const VmController *controller = vm_controller(vm, i);

		if (controller->bus != BUS_SCSI)
			continue;
		choices->scsi = kvm || known_model(controller->model, "virtio-scsi") ? SCSI_VIRTIO
				: known_model(controller->model, "pvscsi") ||
						known_model(controller->model, "virtualscsi")
					? SCSI_PVSCSI
					: SCSI_LSISAS;
		if (choices->scsi != SCSI_LSISAS || known_model(controller->model, "sas"))
			return BUS_SCSI;
		return BUS_SATA;
	}
	return BUS_SATA;
}

static DiskBus converted_bus(const DomainChoices *choices, const GuestReport *guest)
{
	if (guest->virtio_blk)
		return BUS_VIRTIO;
	if (guest->virtio_scsi)
		return BUS_SCSI;
	return choices->q35 ? BUS_SATA : BUS_IDE;
}

/* Only four drives fit on IDE, CD-ROMs among them; the rest goes to SATA. */
static void limit_ide(DomainChoices *choices, const Vm *vm)
{
	unsigned used = 0;

	for (guint i = 0; i < vm->removables->len; i++)
		used += !vm_removable(vm, i)->floppy;
	used = MIN(used, IDE_DRIVES - 1);
	for (guint i = 0; i < vm->disks->len; i++)
		if (choices->disk_bus[i] == BUS_IDE && used++ >= IDE_DRIVES)
			choices->disk_bus[i] = BUS_SATA;
}

static void choose_buses(DomainChoices *choices, const DomainPlan *plan, Findings *findings)
{
	const Vm *vm = plan->vm;

	choices->disk_bus = g_new0(DiskBus, vm->disks->len + 1);
	for (guint i = 0; i < vm->disks->len; i++) {
		const DiskBus bus = vm_disk(vm, i)->bus;

		choices->disk_bus[i] = plan->guest != NULL ? converted_bus(choices, plan->guest)
							   : kept_bus(choices, vm, bus);
		if (plan->guest == NULL && choices->disk_bus[i] != bus)
			findings_add(findings, FINDING_WARNING, "domain.disk-controller-changed",
				     "convert the guest, or check that it boots",
				     "disk %u moves from %s to %s: QEMU has no such controller "
				     "as the source's",
				     i + 1, disk_bus_name(bus),
				     disk_bus_name(choices->disk_bus[i]));
	}
	limit_ide(choices, vm);
	if (plan->guest != NULL && !plan->guest->virtio_blk && !plan->guest->virtio_scsi)
		findings_add(findings, FINDING_WARNING, "domain.no-virtio-disk",
			     "install the virtio drivers in the guest, then change the bus",
			     "the guest has no virtio disk driver: its disks are on %s, which is "
			     "slow",
			     choices->q35 ? "SATA" : "IDE");
}

/* Where the guest's boot loader is; else where the source boots first. */
static size_t choose_boot_disk(const DomainPlan *plan)
{
	const Vm *vm = plan->vm;
	size_t best = 0;
	unsigned best_order = 0;

	if (plan->guest != NULL && plan->guest->boot_drive < vm->disks->len)
		return plan->guest->boot_drive;
	for (guint i = 0; i < vm->disks->len; i++) {
		const unsigned order = vm_disk(vm, i)->boot_order;

		if (order > 0 && (best_order == 0 || order < best_order)) {
			best = i;
			best_order = order;
		}
	}
	return best;
}

static void choose_size(DomainChoices *choices, const DomainPlan *plan, Findings *findings)
{
	const Vm *vm = plan->vm;

	choices->memory = vm->memory;
	choices->vcpus = vm->vcpus;
	if (vm->memory == 0) {
		choices->memory = ASSUMED_MEMORY;
		findings_add(findings, FINDING_WARNING, "domain.memory-assumed", NULL,
			     "the source does not say how much memory the VM has: %" PRIu64
			     " MiB are assumed",
			     (uint64_t)(ASSUMED_MEMORY / MIB));
	}
	if (vm->vcpus == 0) {
		choices->vcpus = 1;
		findings_add(findings, FINDING_WARNING, "domain.vcpus-assumed", NULL,
			     "the source does not say how many CPUs the VM has: 1 is assumed");
	}
}

void domain_choices_make(DomainChoices *choices, const DomainPlan *plan, Findings *findings)
{
	const GuestReport *guest = plan->guest;
	const Vm *vm = plan->vm;
	const bool kvm = guest == NULL && vm->hypervisor == HYPERVISOR_KVM;

	*choices = (DomainChoices){
		.traits = osinfo_find(guest != NULL ? guest->osinfo : NULL),
		.windows = guest != NULL && g_strcmp0(guest->type, "windows") == 0,
		.virtio_net = kvm || (guest != NULL && guest->virtio_net),
		.virtio_rng = kvm || (guest != NULL && guest->virtio_rng),
		.virtio_balloon = kvm || (guest != NULL && guest->virtio_balloon),
		.virtio_console = kvm || (guest != NULL && guest->virtio_console),
		.rtc_local = guest != NULL ? guest->rtc_local : vm->rtc_local,
		.boot_disk = choose_boot_disk(plan),
	};
	if (guest == NULL && vm->hypervisor != HYPERVISOR_KVM)
		findings_add(findings, FINDING_WARNING, "domain.guest-not-converted",
			     "leave --no-guest-conversion out",
			     "the guest is not converted: the VM gets the devices nearest to "
			     "those of the source, and may not boot");
	choose_firmware(choices, plan, findings);
	choices->q35 = wants_q35(plan, choices);
	choose_buses(choices, plan, findings);
	choices->video = choices->traits.virtio_gpu ? "virtio" : "vga";
	choose_size(choices, plan, findings);
}

void domain_choices_clear(DomainChoices *choices)
{
	os_traits_clear(&choices->traits);
	g_clear_pointer(&choices->disk_bus, g_free);
}
