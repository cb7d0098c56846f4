/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h: what all commands share: the table, options, exit statuses, printing. */
#ifndef V2V_CLI_H
#define V2V_CLI_H

#include "base/cancel.h"
#include "base/finding.h"

#include <glib.h>

typedef enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_REFUSED = 3,     /* by a policy or a check: nothing was changed */
	EXIT_INTERRUPTED = 4, /* by a signal: nothing half done was left under a final name */
} ExitStatus;

typedef struct {
	const char *name;
	const char *summary; /* one line, for `v2v --help` */
	/* argv[0] is the command's name. */
	ExitStatus (*run)(int argc, char **argv);
} Command;

/* Ended by one without a name. */
extern const Command commands[];

typedef struct {
	const char *usage;    /* "IN OUT" */
	const char *summary;  /* a sentence */
	const char *examples; /* lines, indented by two blanks */
	int min_arguments, max_arguments;
} CommandText;

/*
 * Parses options into the variables that `entries` point to (--help among them) and leaves the
 * arguments in *arguments (owned, NULL-terminated). False when the command is over: *status says
 * how (help was printed, or a USAGE error).
 */
bool cli_parse(int argc, char **argv, const CommandText *text, const GOptionEntry *entries,
	       char ***arguments, ExitStatus *status);

/* Prints "v2v: TEXT" to standard error and gives the status that goes with the error's code. NULL:
 * EXIT_DONE. Takes the error. */
ExitStatus cli_finish(GError *error);

/* The same for a USAGE error that is made here. */
ExitStatus cli_usage_error(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Prints findings of at least `least` to standard error: "v2v: warning: TEXT (ADVICE)". */
void cli_print_findings(const Findings *findings, FindingSeverity least);

/* "64k", "10M", "1.5G", "512" to bytes; powers of 1024, as qemu-img takes them. */
bool cli_parse_size(const char *text, const char *option, uint64_t *out, GError **error);
/* "4 GiB (4294967296 bytes)". Owned by the caller. */
char *cli_format_size(uint64_t bytes);

/* A GVariant as JSON, indented, ended by a newline. Owned by the caller. */
char *cli_json_text(GVariant *value);
/* The same on standard output, indented, ended by a newline. Takes a floating reference.
 */
void cli_print_json(GVariant *value);

/* SIGINT, SIGTERM and SIGHUP ask for a stop from now on; a second one ends the process at once.
 * SIGPIPE and SIGXFSZ (RLIMIT_FSIZE) become errors of write(2). */
const Cancel *cli_catch_signals(void);

#endif
