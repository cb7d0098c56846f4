/* SPDX-License-Identifier: Apache-2.0 */
/* network_plan.c: which MAC gets which name, and the files that say so to the guest. */
#include "convert/guest/network.h"

#include <string.h>

enum { VMWARE_FIRST_SLOT = 160, VMWARE_BRIDGES = 32 };

static void binding_free(void *pointer)
{
	NicBinding *binding = pointer;

	g_free(binding->name);
	g_free(binding->mac);
	g_free(binding);
}

void nic_plan_free(NicPlan *plan)
{
	if (plan == NULL)
		return;
	g_ptr_array_unref(plan->bindings);
	g_ptr_array_unref(plan->nameless);
	g_free(plan);
}

/*
 * A number that sorts names the way the firmware of the source handed them out. VMware numbers PCI
 * slots 160, 192, 224, 256 (one per bridge) for the first four NICs, then 161, 193, …: the second
 * function of each bridge.
 */
static guint64 slot_order(const char *name)
{
	const char *digits = name + strcspn(name, "0123456789");
	const guint64 slot = g_ascii_strtoull(digits, NULL, 10);

	if (g_str_has_prefix(name, "ens") && slot >= VMWARE_FIRST_SLOT && slot < 4096)
		return slot % VMWARE_BRIDGES * 4096 + slot;
	return slot;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	const NicName *left = *(const NicName *const *)a, *right = *(const NicName *const *)b;
	const size_t left_stem = strcspn(left->name, "0123456789");
	const size_t right_stem = strcspn(right->name, "0123456789");

	if (left->automatic != right->automatic)
		return left->automatic ? -1 : 1;
	if (left_stem != right_stem || strncmp(left->name, right->name, left_stem) != 0)
		return strcmp(left->name, right->name);
	if (slot_order(left->name) != slot_order(right->name))
		return slot_order(left->name) < slot_order(right->name) ? -1 : 1;
	return strcmp(left->name, right->name);
}

static const NicName *name_for_mac(const GPtrArray *names, const char *mac)
{
	for (guint i = 0; i < names->len; i++) {
		const NicName *name = g_ptr_array_index(names, i);

		if (g_strcmp0(name->mac, mac) == 0)
			return name;
	}
	return NULL;
}

static bool macs_have(const char *const *macs, const char *mac)
{
	for (; macs != NULL && *macs != NULL; macs++) {
		g_autofree char *normal = mac_normalise(*macs);

		if (g_strcmp0(normal, mac) == 0)
			return true;
	}
	return false;
}

static bool name_is_taken(const GPtrArray *bindings, const char *name)
{
	for (guint i = 0; i < bindings->len; i++)
		if (g_strcmp0(((const NicBinding *)g_ptr_array_index(bindings, i))->name, name) ==
		    0)
			return true;
	return false;
}

/* Names whose MAC is not said, or is of a NIC that the machine does not have (any more). */
static GPtrArray *free_names(const GPtrArray *names, const char *const *macs,
			     const GPtrArray *bindings)
{
	GPtrArray *left = g_ptr_array_new();

	for (guint i = 0; i < names->len; i++) {
		NicName *name = g_ptr_array_index(names, i);

		if ((name->mac == NULL || !macs_have(macs, name->mac)) &&
		    !name_is_taken(bindings, name->name))
			g_ptr_array_add(left, name);
	}
	g_ptr_array_sort(left, compare_names);
	return left;
}

static unsigned count_unnamed(const GPtrArray *bindings)
{
	unsigned count = 0;

	for (guint i = 0; i < bindings->len; i++)
		count += ((const NicBinding *)g_ptr_array_index(bindings, i))->name == NULL;
	return count;
}

/* What is left over is matched in order; with one NIC and one name there is nothing to guess. */
static void assign_rest(NicPlan *plan, const GPtrArray *left)
{
	const bool certain = left->len == 1 && count_unnamed(plan->bindings) == 1;
	guint next = 0;

	for (guint i = 0; i < plan->bindings->len; i++) {
		NicBinding *binding = g_ptr_array_index(plan->bindings, i);

		if (binding->name != NULL || next >= left->len)
			continue;
		const NicName *name = g_ptr_array_index(left, next++);

		binding->name = g_strdup(name->name);
		binding->certain = certain;
	}
	for (; next < left->len; next++)
		g_ptr_array_add(plan->nameless,
				g_strdup(((const NicName *)g_ptr_array_index(left, next))->name));
}

NicPlan *nic_plan_new(const GPtrArray *names, const char *const *macs)
{
	NicPlan *plan = g_new0(NicPlan, 1);

	plan->bindings = g_ptr_array_new_with_free_func(binding_free);
	plan->nameless = g_ptr_array_new_with_free_func(g_free);
	for (const char *const *mac = macs; mac != NULL && *mac != NULL; mac++) {
		NicBinding *binding = g_new0(NicBinding, 1);

		binding->mac = mac_normalise(*mac);
		const NicName *name =
			binding->mac != NULL ? name_for_mac(names, binding->mac) : NULL;

		if (name != NULL && !name_is_taken(plan->bindings, name->name)) {
			binding->name = g_strdup(name->name);
			binding->certain = true;
			binding->bound = name->bound;
		}
		if (binding->mac != NULL)
			g_ptr_array_add(plan->bindings, binding);
		else
			binding_free(binding);
	}
	g_autoptr(GPtrArray) left = free_names(names, macs, plan->bindings);

	assign_rest(plan, left);
	for (guint i = plan->bindings->len; i > 0; i--)
		if (((NicBinding *)g_ptr_array_index(plan->bindings, i - 1))->name == NULL)
			g_ptr_array_remove_index(plan->bindings, i - 1);
	return plan;
}

char *nic_link_file(const NicBinding *binding)
{
	return g_strdup_printf("# Keeps the name that this network card had before the migration.\n"
			       "[Match]\nMACAddress=%s\n\n[Link]\nName=%s\n",
			       binding->mac, binding->name);
}

char *nic_udev_rule(const NicBinding *binding)
{
	return g_strdup_printf("SUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", "
			       "ATTR{address}==\"%s\", ATTR{type}==\"1\", NAME=\"%s\"\n",
			       binding->mac, binding->name);
}

/* A rule for a MAC that no NIC has, but for a name that one of ours shall have. */
static bool rule_is_stale(const NicName *rule, const NicPlan *plan, const char *const *macs)
{
	return rule->mac != NULL && !macs_have(macs, rule->mac) &&
	       name_is_taken(plan->bindings, rule->name);
}

static char *rule_without_driver(const char *line)
{
	static const char *const drivers[] = {"vmxnet3", "vmxnet",    "e1000", "e1000e",
					      "pcnet32", "hv_netvsc", "vif",   "xen-netfront"};

	for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++) {
		g_autofree char *wanted = g_strdup_printf("DRIVERS==\"%s\"", drivers[i]);
		const char *at = strstr(line, wanted);

		if (at != NULL)
			return g_strdup_printf("%.*sDRIVERS==\"?*\"%s", (int)(at - line), line,
					       at + strlen(wanted));
	}
	return NULL;
}

char *udev_rules_without_stale(const char *text, const NicPlan *plan, const char *const *macs,
			       GPtrArray *changed)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *out = g_string_new(NULL);

	for (char **line = lines; *line != NULL; line++) {
		g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func(nic_name_free);
		const bool last = line[1] == NULL;

		nic_names_from_udev_rules(*line, "", rules);
		if (rules->len > 0 && rule_is_stale(g_ptr_array_index(rules, 0), plan, macs)) {
			g_ptr_array_add(changed, g_strdup(*line));
			continue;
		}
		g_autofree char *edited = rules->len > 0 ? rule_without_driver(*line) : NULL;

		if (edited != NULL)
			g_ptr_array_add(changed, g_strdup(*line));
		g_string_append(out, edited != NULL ? edited : *line);
		if (!last)
			g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}

char *ifcfg_without_stale_mac(const char *text, const char *const *macs)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *out = g_string_new(NULL);
	bool removed = false;

	for (char **line = lines; *line != NULL; line++) {
		g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(nic_name_free);

		if (g_ascii_strncasecmp(*line, "HWADDR=", 7) == 0) {
			nic_names_from_ifcfg(*line, "ifcfg-any", found);
			const NicName *name = found->len > 0 ? g_ptr_array_index(found, 0) : NULL;

			if (name != NULL && name->mac != NULL && !macs_have(macs, name->mac)) {
				removed = true;
				continue;
			}
		}
		g_string_append(out, *line);
		if (line[1] != NULL)
			g_string_append_c(out, '\n');
	}
	return g_string_free(out, !removed);
}
