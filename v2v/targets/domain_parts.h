/* SPDX-License-Identifier: Apache-2.0 */
/* domain_parts.h: the parts that domain_xml_format() puts together. */
#ifndef V2V_TARGETS_DOMAIN_PARTS_H
#define V2V_TARGETS_DOMAIN_PARTS_H

#include "v2v/targets/domain_choices.h"
#include "v2v/targets/xml_writer.h"

typedef struct { /* everything borrowed */
	XmlWriter *xml;
	const DomainPlan *plan;
	const DomainChoices *choices;
	Findings *findings;
} DomainParts;

typedef struct {          /* where a network card is plugged in */
	const char *kind; /* "network", "bridge", "user" */
	const char *name; /* borrowed from the plan; NULL for "user" */
} NicSource;

NicSource domain_nic_source(const DomainPlan *plan, guint nic);

/* What no choice of devices can mend; critical findings. */
void domain_find_blockers(const DomainPlan *plan, Findings *findings);

/* Name to CPU and clock: what stands before <devices>. */
void domain_write_head(const DomainParts *parts);
/* Disks, empty CD-ROM drives, and the controllers they need. */
void domain_write_disks(const DomainParts *parts);
void domain_write_nics(const DomainParts *parts);
/* Display, console, agent channel, random numbers, TPM and so on. */
void domain_write_devices(const DomainParts *parts);

/* Place in the boot order of a disk or a network card, from 1; 0: not booted from. The guest's boot
 * disk is first, then what the source lists, in its order. */
unsigned domain_disk_boot_rank(const DomainParts *parts, guint disk);
unsigned domain_nic_boot_rank(const DomainParts *parts, guint nic);
/* <boot order='N'/> unless `rank` is 0. */
void domain_write_boot(const DomainParts *parts, unsigned rank);

#endif
