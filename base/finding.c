/* SPDX-License-Identifier: Apache-2.0 */
/* finding.c: the list of findings. */
#include "base/finding.h"

#include <stdarg.h>

struct Findings {
	GMutex lock;
	GPtrArray *list; /* owned, of Finding */
};

static void finding_free(void *pointer)
{
	Finding *finding = pointer;

	g_free(finding->id);
	g_free(finding->text);
	g_free(finding->advice);
	g_free(finding);
}

Findings *findings_new(void)
{
	Findings *findings = g_new0(Findings, 1);

	g_mutex_init(&findings->lock);
	findings->list = g_ptr_array_new_with_free_func(finding_free);
	return findings;
}

void findings_free(Findings *findings)
{
	if (findings == NULL)
		return;
	g_ptr_array_unref(findings->list);
	g_mutex_clear(&findings->lock);
	g_free(findings);
}

void findings_add(Findings *findings, FindingSeverity severity, const char *id, const char *advice,
		  const char *format, ...)
{
	Finding *finding = g_new0(Finding, 1);
	va_list args;

	va_start(args, format);
	finding->text = g_strdup_vprintf(format, args);
	va_end(args);
	finding->id = g_strdup(id);
	finding->advice = g_strdup(advice);
	finding->severity = severity;
	g_mutex_lock(&findings->lock);
	g_ptr_array_add(findings->list, finding);
	g_mutex_unlock(&findings->lock);
}

void findings_add_all(Findings *findings, const Findings *from)
{
	for (guint i = 0; i < findings_count(from); i++) {
		const Finding *finding = findings_get(from, i);

		findings_add(findings, finding->severity, finding->id, finding->advice, "%s",
			     finding->text);
	}
}

guint findings_count(const Findings *findings)
{
	return findings->list->len;
}

const Finding *findings_get(const Findings *findings, guint index)
{
	return g_ptr_array_index(findings->list, index);
}

bool findings_block(const Findings *findings)
{
	for (guint i = 0; i < findings->list->len; i++)
		if (findings_get(findings, i)->severity == FINDING_CRITICAL)
			return true;
	return false;
}

const char *finding_severity_name(FindingSeverity severity)
{
	switch (severity) {
	case FINDING_NOTE:
		return "note";
	case FINDING_WARNING:
		return "warning";
	case FINDING_CRITICAL:
		return "critical";
	}
	g_assert_not_reached();
}
