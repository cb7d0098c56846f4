/* SPDX-License-Identifier: Apache-2.0 */
/* domain_boot.c: what the firmware tries, in which order. */
#include "v2v/targets/domain_parts.h"

/* How many disks and network cards, the boot disk aside, the source boots before the one at
 * (`order`, `slot`); slots count the disks first, then the network cards. */
static unsigned booted_before(const DomainParts *parts, unsigned order, guint slot)
{
	const Vm *vm = parts->plan->vm;
	unsigned before = 0;

	for (guint i = 0; i < vm->disks->len + vm->nics->len; i++) {
		const bool disk = i < vm->disks->len;
		const unsigned other = disk ? vm_disk(vm, i)->boot_order
					    : vm_nic(vm, i - vm->disks->len)->boot_order;

		if (other == 0 || (disk && i == parts->choices->boot_disk))
			continue;
		before += other < order || (other == order && i < slot);
	}
	return before;
}

unsigned domain_disk_boot_rank(const DomainParts *parts, guint disk)
{
	const unsigned order = vm_disk(parts->plan->vm, disk)->boot_order;

	if (disk == parts->choices->boot_disk)
		return 1;
	return order == 0 ? 0 : 2 + booted_before(parts, order, disk);
}

unsigned domain_nic_boot_rank(const DomainParts *parts, guint nic)
{
	const Vm *vm = parts->plan->vm;
	const unsigned order = vm_nic(vm, nic)->boot_order;
	const unsigned first = vm->disks->len > 0 ? 2 : 1;

	return order == 0 ? 0 : first + booted_before(parts, order, vm->disks->len + nic);
}

void domain_write_boot(const DomainParts *parts, unsigned rank)
{
	g_autofree char *order = g_strdup_printf("%u", rank);

	if (rank > 0)
		xml_leaf(parts->xml, "boot", "order", order, NULL);
}
