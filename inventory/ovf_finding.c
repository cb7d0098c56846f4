/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_finding.c: findings and errors that quote an OVF document. */
#include "inventory/ovf_finding.h"

#include <stdarg.h>
#include <string.h>

#define TEXT_MAX_BYTES 1000u

void ovf_finding_add(Findings *findings, FindingSeverity severity, const char *id,
		     const char *format, ...)
{
	va_list args;

	if (findings == NULL)
		return;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *safe = text_for_display(text, strlen(text), TEXT_MAX_BYTES);
	findings_add(findings, severity, id, NULL, "%s", safe);
}

void ovf_error_propagate(GError **error, GError *problem)
{
	char *safe = text_for_display(problem->message, strlen(problem->message), TEXT_MAX_BYTES);

	g_free(problem->message);
	problem->message = safe;
	g_propagate_error(error, problem);
}
