/* SPDX-License-Identifier: Apache-2.0 */
/* target_fixture.h: what the tests of targets share; each asserts that it succeeds. */
#ifndef V2V_TESTS_TARGET_FIXTURE_H
#define V2V_TESTS_TARGET_FIXTURE_H

#include "tests/unit/domain_cases.h"

/* Runs a command; its standard output, owned by the caller. */
char *run(const char *const *argv);
Target *open_target(const char *uri, const char *storage, const char *virt_type, bool force);
/* What a target says that the plan must say. */
void fill_plan(DomainCase *made, const Target *target);
char *format_domain(const DomainCase *made);
/* Does target_check() find this? */
bool check_finds(Target *target, const DomainPlan *plan, uint64_t needed, const char *id);
/* Defines a case and takes it back; define() itself reads back and compares. */
void define_case(Target *target, const char *name);
void define_all(Target *target, const char *const *except);

#endif
