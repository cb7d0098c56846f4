/* SPDX-License-Identifier: Apache-2.0 */
/* target_fixture.c: opening targets, asking them, defining all cases there. */
#include "tests/unit/target_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

char *run(const char *const *argv)
{
	char *out = NULL;
	int status = -1;
	g_autofree char *errors = NULL;

	cr_assert(g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
			       NULL, &out, &errors, &status, NULL),
		  "%s does not run", argv[0]);
	cr_assert(g_spawn_check_wait_status(status, NULL), "%s: %s", argv[0], errors);
	return out;
}

Target *open_target(const char *uri, const char *storage, const char *virt_type, bool force)
{
	const TargetOptions options = {storage, virt_type, force};
	g_autoptr(GError) error = NULL;
	Target *target = target_open(uri, &options, &error);

	cr_assert_not_null(target, "%s: %s", uri, error != NULL ? error->message : "");
	return target;
}

void fill_plan(DomainCase *made, const Target *target)
{
	made->plan.user_network = target->user_network;
	made->plan.uefi_loader = target->uefi_loader;
	made->plan.socket_folder = target->socket_folder;
}

char *format_domain(const DomainCase *made)
{
	g_autoptr(Findings) findings = findings_new();
	g_autoptr(GError) error = NULL;
	char *xml = domain_xml_format(&made->plan, findings, &error);

	cr_assert_not_null(xml, "%s", error != NULL ? error->message : "");
	return xml;
}

bool check_finds(Target *target, const DomainPlan *plan, uint64_t needed, const char *id)
{
	g_autoptr(Findings) findings = findings_new();
	bool found = false;

	cr_assert(target_check(target, plan, needed, findings, NULL));
	for (guint i = 0; i < findings_count(findings); i++)
		found |= strcmp(findings_get(findings, i)->id, id) == 0;
	return found;
}

static void expect_ok(bool ok, const char *name, const GError *error, const char *xml)
{
	cr_expect(ok, "%s: %s\n%s", name, error != NULL ? error->message : "", xml);
}

void define_case(Target *target, const char *name)
{
	g_autoptr(DomainCase) made = domain_case_named(name, target->folder, target->virt_type);
	g_autoptr(GError) error = NULL;

	fill_plan(made, target);
	if (check_finds(target, &made->plan, 0, "target.no-tpm")) {
		g_printerr("# SKIP the TPM of %s: swtpm is not installed\n", name);
		made->vm->tpm = false;
	}
	g_autofree char *xml = format_domain(made);
	expect_ok(target_define(target, &made->plan, xml, &error), name, error, xml);
	cr_expect(check_finds(target, &made->plan, 0, "target.name-taken"), "%s", name);
	expect_ok(target_rollback(target, made->name, &error), name, error, xml);
	cr_expect_not(check_finds(target, &made->plan, 0, "target.name-taken"), "%s", name);
}

void define_all(Target *target, const char *const *except)
{
	for (size_t i = 0; i < domain_case_count(); i++)
		if (!g_strv_contains(except, domain_case_name(i)))
			define_case(target, domain_case_name(i));
}
