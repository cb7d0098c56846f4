/* SPDX-License-Identifier: Apache-2.0 */
/* command_migrate.c: v2v migrate --from SOURCE --to TARGET. */
#include "v2v/commands.h"
#include "v2v/copy_arguments.h"
#include "v2v/migration.h"
#include "v2v/report_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct { /* as typed; strings owned */
	CopyArguments copy;
	char *from, *to, *vm, *name, *storage, *virt_type, *ca, *root, *format, *mode, *report;
	char *serial_log;
	char **networks, **bridges;
	gboolean start, dry_run, json, no_guest_conversion, no_verify;
} MigrateArguments;

static const CommandText text = {
	.usage = "--from SOURCE --to TARGET",
	.summary =
		"Brings a virtual machine to KVM: converts its disks and its guest, defines the "
		"domain.\nSOURCE is an OVA, an OVF or a folder with one. TARGET is kvm (the local "
		"libvirt), a libvirt\nURI, qemu:///embed?root=FOLDER (libvirt without a daemon) or "
		"dir:FOLDER (images and XML only).\nOn failure nothing remains at the target.",
	.examples = "  v2v migrate --from vmware.ova --to kvm\n"
		    "  v2v migrate --from vmware.ova --to kvm --dry-run\n"
		    "  v2v migrate --from web.ova --to qemu:///system --storage fast --start \\\n"
		    "              --network 'VM Network:default' --bridge 'DMZ:br1'\n"
		    "  v2v migrate --from export/ --to dir:/srv/vms --format raw --json\n",
	.min_arguments = 0,
	.max_arguments = 0,
};

static bool add_maps(GArray *maps, char **typed, bool bridge, GError **error)
{
	for (; typed != NULL && *typed != NULL; typed++) {
		/* The last colon: names of VMware's networks may hold one, libvirt's hardly. */
		char *colon = strrchr(*typed, ':');
		const NetworkMap map = {
			.from = colon != NULL && colon != *typed ? *typed : NULL,
			.to = colon != NULL ? colon + 1 : *typed,
			.bridge = bridge,
		};

		if (map.to[0] == '\0')
			return fail(error, USAGE, "%s: \"%s\": expected SOURCE:TARGET or TARGET",
				    bridge ? "--bridge" : "--network", *typed);
		if (colon != NULL)
			*colon = '\0';
		g_array_append_val(maps, map);
	}
	return true;
}

static bool resolve_mode(const MigrateArguments *arguments, GError **error)
{
	const char *mode = arguments->mode;

	if (mode == NULL || strcmp(mode, "auto") == 0 || strcmp(mode, "cold") == 0)
		return true;
	return fail(error, UNSUPPORTED, "--mode %s: this source can be migrated cold only", mode);
}

static bool resolve(MigrateArguments *arguments, MigrationRequest *request, GArray *maps,
		    GError **error)
{
	const char *format = arguments->format != NULL ? arguments->format : "qcow2";
	const char *virt_type = arguments->virt_type != NULL ? arguments->virt_type : "auto";

	if (arguments->from == NULL || arguments->to == NULL)
		return fail(error, USAGE,
			    "migrate: --from and --to are needed (see v2v migrate --help)");
	if (arguments->name != NULL && arguments->name[0] == '\0')
		return fail(error, USAGE, "--name: an empty name");
	if (!g_strv_contains((const char *const[]){"auto", "kvm", "qemu", NULL}, virt_type))
		return fail(error, USAGE, "--virt-type: \"%s\": expected kvm, qemu or auto",
			    virt_type);
	request->format = format_find(format);
	if (request->format == NULL || request->format->create == NULL ||
	    !g_strv_contains((const char *const[]){"qcow2", "raw", NULL}, format))
		return fail(error, USAGE, "--format: \"%s\": expected qcow2 or raw", format);
	if (!resolve_mode(arguments, error) ||
	    !copy_arguments_resolve(&arguments->copy, &request->create, &request->threads,
				    &request->rate_limit, error) ||
	    !add_maps(maps, arguments->networks, false, error) ||
	    !add_maps(maps, arguments->bridges, true, error))
		return false;
	request->networks = (const NetworkMap *)(const void *)maps->data;
	request->network_count = maps->len;
	request->virt_type = virt_type;
	request->from = arguments->from;
	request->to = arguments->to;
	request->vm_name = arguments->vm;
	request->new_name = arguments->name;
	request->storage = arguments->storage;
	request->ca_file = arguments->ca;
	request->root = arguments->root;
	if (arguments->serial_log != NULL) { /* QEMU's own folder is another */
		char *absolute = g_canonicalize_filename(arguments->serial_log, NULL);
		g_free(arguments->serial_log);
		arguments->serial_log = absolute;
	}
	request->serial_log = arguments->serial_log;
	request->force = arguments->copy.force;
	request->start = arguments->start;
	request->dry_run = arguments->dry_run;
	request->skip_guest = arguments->no_guest_conversion;
	request->skip_verify = arguments->no_verify;
	return true;
}

/* What stands there now, and the command that comes next. */
static void print_end(const MigrationReport *report)
{
	g_autofree char *uri = g_shell_quote(report->target_uri);
	g_autofree char *name = g_shell_quote(report->name);

	if (report->dry_run) {
		printf("A dry run: nothing was written there.\n");
	} else if (g_str_has_prefix(report->target_uri, "dir:")) {
		g_autofree char *file = g_strconcat(report->name, ".xml", NULL);
		g_autofree char *path = g_build_filename(report->folder, file, NULL);
		g_autofree char *quoted = g_shell_quote(path);

		printf("Done. Define the domain with: virsh define %s\n", quoted);
	} else if (report->started) {
		printf("Done. The domain is running, and keeps running without v2v: "
		       "virsh -c %s domstate %s\n",
		       uri, name);
	} else {
		printf("Done. The domain is off; start it with: virsh -c %s start %s\n", uri, name);
	}
}

/* The migration is over and stays as it is, whatever happens to its report. */
static bool show(const MigrateArguments *arguments, const MigrationReport *report,
		 ProgressDisplay *display, OutputFile *file, GError **error)
{
	g_autoptr(GVariant) variant = g_variant_ref_sink(migration_report_variant(report, display));

	if (arguments->json) {
		cli_print_json(variant);
	} else {
		migration_report_print(report);
		print_end(report);
	}
	if (file != NULL && !report_file_write(file, variant, error))
		return fail_in(error,
			       report->dry_run ? "" : "the VM is migrated, its report is lost: ");
	if (report->blocked)
		return fail(error, REFUSED, "%s: would not be migrated: see the critical findings",
			    report->name);
	return true;
}

static void print_all_findings(const MigrationReport *report)
{
	cli_print_findings(report->findings, FINDING_WARNING);
	cli_print_findings(report->vm->findings, FINDING_WARNING);
	if (report->guest != NULL && report->guest->findings != NULL)
		cli_print_findings(report->guest->findings, FINDING_WARNING);
}

/* A file whose place is the source's own is not for a report, --force or not. */
static bool open_report(const MigrateArguments *arguments, OutputFile **out, GError **error)
{
	struct stat from, report;

	if (arguments->report == NULL)
		return true;
	if (stat(arguments->from, &from) == 0 && stat(arguments->report, &report) == 0 &&
	    from.st_dev == report.st_dev && from.st_ino == report.st_ino)
		return fail(error, REFUSED, "--report %s: this is the source", arguments->report);
	*out = output_file_new(arguments->report, arguments->copy.force, error);
	return *out != NULL || fail_in(error, "--report ");
}

static bool migrate_and_show(const MigrateArguments *arguments, const MigrationRequest *request,
			     OutputFile *file, GError **error)
{
	g_autoptr(Findings) findings = findings_new();
	g_autoptr(MigrationReport) report = migration_run(request, findings, error);

	progress_display_stop(request->display);
	if (report == NULL) {
		cli_print_findings(findings, FINDING_WARNING);
		return false;
	}
	print_all_findings(report);
	return show(arguments, report, request->display, file, error);
}

static bool migrate(MigrateArguments *arguments, GError **error)
{
	g_autoptr(GArray) maps = g_array_new(FALSE, TRUE, sizeof(NetworkMap));
	g_autoptr(OutputFile) file = NULL;
	MigrationRequest request = {.cancel = cli_catch_signals()};

	if (!resolve(arguments, &request, maps, error) || !open_report(arguments, &file, error))
		return false;
	g_autoptr(ProgressDisplay) display =
		progress_display_new(copy_arguments_progress(&arguments->copy));
	request.display = display;
	return migrate_and_show(arguments, &request, file, error);
}

static void arguments_clear(MigrateArguments *a)
{
	char *const strings[] = {a->from, a->to,   a->vm,     a->name, a->storage, a->virt_type,
				 a->ca,   a->root, a->format, a->mode, a->report,  a->serial_log};

	for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
		g_free(strings[i]);
	g_strfreev(a->networks);
	g_strfreev(a->bridges);
	copy_arguments_clear(&a->copy);
}

static GOptionEntry *entries_new(MigrateArguments *a)
{
	const GOptionEntry own[] = {
		{"from", 0, 0, G_OPTION_ARG_FILENAME, &a->from, "Where the VM is", "SOURCE"},
		{"to", 0, 0, G_OPTION_ARG_STRING, &a->to, "Where it goes", "TARGET"},
		{"vm", 0, 0, G_OPTION_ARG_STRING, &a->vm, "Which VM, if the source has several",
		 "NAME"},
		{"name", 0, 0, G_OPTION_ARG_STRING, &a->name,
		 "Name of the domain (default: the VM's)", "NAME"},
		{"mode", 0, 0, G_OPTION_ARG_STRING, &a->mode, "auto or cold", "MODE"},
		{"dry-run", 'n', 0, G_OPTION_ARG_NONE, &a->dry_run,
		 "Say what would happen; write nothing at the target", NULL},
		{"start", 0, 0, G_OPTION_ARG_NONE, &a->start, "Start the domain", NULL},
		{"storage", 0, 0, G_OPTION_ARG_STRING, &a->storage,
		 "Folder or directory pool for the disks", "WHERE"},
		{"format", 0, 0, G_OPTION_ARG_STRING, &a->format, "qcow2 (default) or raw",
		 "FORMAT"},
		{"virt-type", 0, 0, G_OPTION_ARG_STRING, &a->virt_type,
		 "kvm, qemu (emulation) or auto (default)", "TYPE"},
		{"network", 0, 0, G_OPTION_ARG_STRING_ARRAY, &a->networks,
		 "Connect NICs of network SRC to libvirt network DST; without SRC: all others",
		 "[SRC:]DST"},
		{"bridge", 0, 0, G_OPTION_ARG_STRING_ARRAY, &a->bridges,
		 "The same for a bridge of the host", "[SRC:]DST"},
		{"ca", 0, 0, G_OPTION_ARG_FILENAME, &a->ca,
		 "Certificates that a signed OVA is checked against (PEM)", "FILE"},
		{"root", 0, 0, G_OPTION_ARG_STRING, &a->root,
		 "Root device of the guest to convert, if there are several systems", "DEVICE"},
		{"no-guest-conversion", 0, 0, G_OPTION_ARG_NONE, &a->no_guest_conversion,
		 "Leave the guest as it is: no drivers, no configuration", NULL},
		{"no-verify", 0, 0, G_OPTION_ARG_NONE, &a->no_verify,
		 "Do not read the written images back", NULL},
		{"serial-log", 0, 0, G_OPTION_ARG_FILENAME, &a->serial_log,
		 "Let the domain record its serial console there", "FILE"},
		{"report", 0, 0, G_OPTION_ARG_FILENAME, &a->report, "Write the report as JSON",
		 "FILE"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &a->json, "Print the report as JSON", NULL},
		G_OPTION_ENTRY_NULL,
	};

	return copy_arguments_entries(&a->copy, own);
}

ExitStatus command_migrate(int argc, char **argv)
{
	MigrateArguments arguments = {0};
	g_autofree GOptionEntry *entries = entries_new(&arguments);
	g_auto(GStrv) rest = NULL;
	ExitStatus status;

	if (cli_parse(argc, argv, &text, entries, &rest, &status)) {
		GError *error = NULL;

		migrate(&arguments, &error);
		status = cli_finish(error);
	}
	arguments_clear(&arguments);
	return status;
}
