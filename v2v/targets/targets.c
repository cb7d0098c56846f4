/* SPDX-License-Identifier: Apache-2.0 */
/* targets.c: the list of targets, and the one place that tests for what a target cannot. */
#include "base/error.h"
#include "v2v/targets/domain_parts.h"
#include "v2v/targets/drivers.h"

#include <string.h>

const TargetDriver *const target_drivers[] = {
	&libvirt_target_driver,
	&dir_target_driver,
	NULL,
};

/* The best bidder for `uri`, NULL when nobody bids. */
static const TargetDriver *driver_for(const char *uri)
{
	const TargetDriver *best = NULL;
	int best_bid = 0;

	for (size_t i = 0; target_drivers[i] != NULL; i++) {
		const int bid = target_drivers[i]->probe(uri);

		if (bid > best_bid) {
			best = target_drivers[i];
			best_bid = bid;
		}
	}
	return best;
}

Target *target_open(const char *uri, const TargetOptions *options, GError **error)
{
	const TargetDriver *driver = driver_for(uri);

	if (driver == NULL) {
		g_autofree char *shown = text_for_display(uri, strlen(uri), 200);
		return fail_null(error, USAGE,
				 "%s: not a target; use kvm (the local libvirt), a libvirt URI, "
				 "qemu:///embed?root=DIR or dir:PATH",
				 shown);
	}
	Target *target = driver->open(uri, options, error);
	if (target != NULL)
		target->driver = driver;
	return target;
}

void target_close(Target *target)
{
	if (target == NULL)
		return;
	g_free(target->uri);
	g_free(target->folder);
	g_free(target->virt_type);
	g_free(target->note);
	g_free(target->uefi_loader);
	g_free(target->socket_folder);
	target->ops->close(target);
}

bool target_check(Target *target, const DomainPlan *plan, uint64_t needed, Findings *findings,
		  GError **error)
{
	domain_find_blockers(plan, findings);
	return target->ops->check == NULL ||
	       target->ops->check(target, plan, needed, findings, error);
}

bool target_define(Target *target, const DomainPlan *plan, const char *xml, GError **error)
{
	return target->ops->define(target, plan, xml, error);
}

bool target_start(Target *target, const char *name, GError **error)
{
	if (target->ops->start == NULL)
		return fail(error, UNSUPPORTED, "%s: cannot start a VM there", target->uri);
	return target->ops->start(target, name, error);
}

bool target_stop(Target *target, const char *name, GError **error)
{
	if (target->ops->stop == NULL)
		return fail(error, UNSUPPORTED, "%s: cannot stop a VM there", target->uri);
	return target->ops->stop(target, name, error);
}

bool target_rollback(Target *target, const char *name, GError **error)
{
	return target->ops->rollback(target, name, error);
}
