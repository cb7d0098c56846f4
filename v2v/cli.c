/* SPDX-License-Identifier: Apache-2.0 */
/* cli.c: options, exit statuses, printing. */
#include "v2v/cli.h"

#include "base/checked.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static GOptionContext *context_new(const CommandText *text, const GOptionEntry *entries,
				   gboolean *help)
{
	const GOptionEntry help_entry[] = {
		{"help", 'h', 0, G_OPTION_ARG_NONE, help, "Show this help", NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autofree char *description = g_strdup_printf("Examples:\n%s", text->examples);
	GOptionContext *context = g_option_context_new(text->usage);

	g_option_context_set_help_enabled(context, FALSE);
	g_option_context_set_summary(context, text->summary);
	g_option_context_set_description(context, description);
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_add_main_entries(context, help_entry, NULL);
	return context;
}

static void print_help(GOptionContext *context, const char *command)
{
	g_autofree char *program = g_strdup_printf("v2v %s", command);

	g_set_prgname(program);
	g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);
	fputs(help, stdout);
}

bool cli_parse(int argc, char **argv, const CommandText *text, const GOptionEntry *entries,
	       char ***arguments, ExitStatus *status)
{
	gboolean help = FALSE;
	g_autoptr(GOptionContext) context = context_new(text, entries, &help);
	g_auto(GStrv) args = g_new0(char *, (gsize)argc + 1);
	g_autoptr(GError) error = NULL;

	for (int i = 0; i < argc; i++)
		args[i] = g_strdup(argv[i]);
	if (!g_option_context_parse_strv(context, &args, &error)) {
		*status = cli_usage_error("%s: %s (see v2v %s --help)", argv[0], error->message,
					  argv[0]);
		return false;
	}
	if (help) {
		print_help(context, argv[0]);
		*status = EXIT_DONE;
		return false;
	}
	const int count = (int)g_strv_length(args) - 1;
	if (count < text->min_arguments || count > text->max_arguments) {
		*status = cli_usage_error("%s: expected %s (see v2v %s --help)", argv[0],
					  text->usage, argv[0]);
		return false;
	}
	*arguments = g_strdupv(args + 1);
	return true;
}

static ExitStatus status_of(const GError *error)
{
	if (error->domain != V2V_ERROR)
		return EXIT_FAILED;
	switch ((V2vError)error->code) {
	case V2V_ERROR_USAGE:
		return EXIT_USAGE;
	case V2V_ERROR_REFUSED:
		return EXIT_REFUSED;
	case V2V_ERROR_INTERRUPTED:
		return EXIT_INTERRUPTED;
	case V2V_ERROR_IO:
	case V2V_ERROR_CORRUPT:
	case V2V_ERROR_UNSUPPORTED:
		return EXIT_FAILED;
	}
	return EXIT_FAILED;
}

ExitStatus cli_finish(GError *error)
{
	if (error == NULL)
		return EXIT_DONE;
	/* One line, whatever came into the text on the way. */
	g_autofree char *line = text_for_display(error->message, strlen(error->message), 4096);
	const ExitStatus status = status_of(error);

	fprintf(stderr, "v2v: %s\n", line);
	g_error_free(error);
	return status;
}

ExitStatus cli_usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	GError *error = g_error_new_valist(V2V_ERROR, V2V_ERROR_USAGE, format, args);
	va_end(args);
	return cli_finish(error);
}

void cli_print_findings(const Findings *findings, FindingSeverity least)
{
	for (guint i = 0; i < findings_count(findings); i++) {
		const Finding *finding = findings_get(findings, i);

		if (finding->severity < least)
			continue;
		g_autofree char *text =
			text_for_display(finding->text, strlen(finding->text), 2048);
		fprintf(stderr, "v2v: %s: %s", finding_severity_name(finding->severity), text);
		if (finding->advice != NULL)
			fprintf(stderr, " (%s)", finding->advice);
		fputc('\n', stderr);
	}
}

bool cli_parse_size(const char *text, const char *option, uint64_t *out, GError **error)
{
	static const char suffixes[] = "kMGTPE";
	char *end;
	const double number = g_ascii_strtod(text, &end);
	double bytes = number;

	if (end == text || !isfinite(number) || number < 0)
		return fail(error, USAGE, "%s: \"%s\" is not a size such as 64k or 1.5G", option,
			    text);
	if (*end != '\0') {
		const char *suffix = strchr(suffixes, *end == 'K' ? 'k' : *end);

		if (suffix == NULL || end[1] != '\0')
			return fail(error, USAGE,
				    "%s: \"%s\": unknown unit, expected one of k M G T P E", option,
				    text);
		bytes = ldexp(number, 10 * (int)(suffix - suffixes + 1));
	}
	if (bytes >= 0x1p63)
		return fail(error, USAGE, "%s: \"%s\" is too large", option, text);
	*out = (uint64_t)bytes;
	return true;
}

char *cli_format_size(uint64_t bytes)
{
	g_autofree char *rounded = g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);

	return g_strdup_printf("%s (%" PRIu64 " bytes)", rounded, bytes);
}

char *cli_json_text(GVariant *value)
{
	JsonNode *node = json_gvariant_serialize(value);
	g_autofree char *text = json_to_string(node, TRUE);

	json_node_unref(node);
	return g_strconcat(text, "\n", NULL);
}

void cli_print_json(GVariant *value)
{
	g_autoptr(GVariant) sunk = g_variant_ref_sink(value);
	g_autofree char *text = cli_json_text(sunk);

	fputs(text, stdout);
}
