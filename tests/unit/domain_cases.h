/* SPDX-License-Identifier: Apache-2.0 */
/* domain_cases.h: the VMs that every target must be able to write down, define and read back. */
#ifndef V2V_TESTS_DOMAIN_CASES_H
#define V2V_TESTS_DOMAIN_CASES_H

#include "v2v/targets/target.h"

typedef struct {
	Vm *vm;            /* owned */
	GuestReport guest; /* strings owned */
	bool converted;    /* `guest` is part of the plan */
	char *name;        /* owned */
	char **disk_paths; /* owned */
	DomainPlan plan;   /* points into this; raw disks */
} DomainCase;

size_t domain_case_count(void);
const char *domain_case_name(size_t index);
/* The case with disks in `folder`. */
DomainCase *domain_case_new(size_t index, const char *folder, const char *virt_type);
/* The case that is named so. */
DomainCase *domain_case_named(const char *name, const char *folder, const char *virt_type);
void domain_case_free(DomainCase *made);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainCase, domain_case_free)

#endif
