/* SPDX-License-Identifier: Apache-2.0 */
/* report.c: what a conversion tells its caller. */
#include "convert/guest/report.h"
#include "convert/guest/inspect.h"

#include <string.h>

enum { MAX_SHOWN = 400 };

static void change_free(gpointer pointer)
{
	GuestChange *change = pointer;

	g_free(change->file);
	g_free(change->what);
	g_free(change->why);
	g_free(change->step);
	g_free(change);
}

GuestReport *guest_report_new(void)
{
	GuestReport *report = g_new0(GuestReport, 1);

	report->changes = g_ptr_array_new_with_free_func(change_free);
	report->findings = findings_new();
	return report;
}

void guest_report_free(GuestReport *report)
{
	if (report == NULL)
		return;
	g_free(report->type);
	g_free(report->distro);
	g_free(report->product);
	g_free(report->osinfo);
	g_free(report->arch);
	g_free(report->hostname);
	g_free(report->package_format);
	g_free(report->root);
	g_free(report->kernel);
	g_ptr_array_unref(report->changes);
	findings_free(report->findings);
	g_free(report);
}

guint guest_report_changes(const GuestReport *report)
{
	return report->changes->len;
}

const GuestChange *guest_report_change(const GuestReport *report, guint index)
{
	return g_ptr_array_index(report->changes, index);
}

static char *shown(const char *text)
{
	return text_for_display(text, strlen(text), MAX_SHOWN);
}

void guest_change(Guest *guest, const char *file, const char *why, const char *format, ...)
{
	GuestChange *change = g_new0(GuestChange, 1);
	va_list args;

	va_start(args, format);
	g_autofree char *what = g_strdup_vprintf(format, args);
	va_end(args);
	change->file = shown(file);
	change->what = shown(what);
	change->why = g_strdup(why);
	change->step = g_strdup(guest->step);
	g_ptr_array_add(guest->report->changes, change);
}

void guest_warn(Guest *guest, const char *id, const char *advice, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *safe = shown(text);

	findings_add(guest->report->findings, FINDING_WARNING, id, advice, "%s", safe);
}
