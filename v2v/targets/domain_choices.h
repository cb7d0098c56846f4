/* SPDX-License-Identifier: Apache-2.0 */
/* domain_choices.h: what the target's VM is made of, decided once from the Vm and its guest. */
#ifndef V2V_TARGETS_DOMAIN_CHOICES_H
#define V2V_TARGETS_DOMAIN_CHOICES_H

#include "v2v/targets/osinfo.h"
#include "v2v/targets/target.h"

/* Beside virtio-scsi: the SCSI controllers of other hypervisors that QEMU has too. */
typedef enum { SCSI_VIRTIO, SCSI_PVSCSI, SCSI_LSISAS } ScsiModel;

typedef struct {
	OsTraits traits;
	bool q35; /* else i440fx */
	bool uefi, secure_boot;
	bool windows;
	bool virtio_net, virtio_rng, virtio_balloon, virtio_console;
	bool rtc_local;
	ScsiModel scsi;    /* of all disks on BUS_SCSI */
	DiskBus *disk_bus; /* owned; per disk: VIRTIO, SCSI, SATA or IDE */
	size_t boot_disk;  /* index; 0 when there are no disks */
	const char *video; /* "virtio" or "vga" */
	unsigned vcpus;    /* 1 or more */
	uint64_t memory;   /* bytes, not 0 */
} DomainChoices;

/* What had to be guessed or cannot be had goes into `findings`. */
void domain_choices_make(DomainChoices *choices, const DomainPlan *plan, Findings *findings);
void domain_choices_clear(DomainChoices *choices);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DomainChoices, domain_choices_clear)

/* Beyond this, x86 needs an interrupt controller that only KVM and q35 offer. */
#define PLAIN_VCPUS_MAX 255u

/* How many drives an IDE bus takes: two channels of two. */
#define IDE_DRIVES 4u

#endif
