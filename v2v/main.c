/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: the program: picks a command. */
#include "v2v/cli.h"
#include "v2v/commands.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static void print_overview(void)
{
	puts("Usage: v2v COMMAND [OPTION...]\n\n"
	     "Moves virtual machines to KVM and converts disk images.\n\nCommands:");
	for (const Command *command = commands; command->name != NULL; command++)
		printf("  %-10s %s\n", command->name, command->summary);
	puts("\nv2v COMMAND --help shows options and examples; man v2v has the whole story.\n"
	     "Exit status: 0 done, 1 failed, 2 usage, 3 refused by a check, 4 interrupted.");
}

/* What was printed has arrived, or the command did not do what it was asked for. */
static int finish_output(int status)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || status != EXIT_DONE)
		return status;
	perror("v2v: standard output");
	return EXIT_FAILED;
}

/* A VMDK may be split into thousands of files, all open at once; the usual limit of 1024 is there
 * for programs that use select(2). */
static void raise_open_files_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* who needs more meets EMFILE */
	}
}

int main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	raise_open_files_limit();
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_overview();
		return argc < 2 ? EXIT_USAGE : EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("v2v " V2V_VERSION);
		return EXIT_DONE;
	}
	for (const Command *command = commands; command->name != NULL; command++)
		if (strcmp(argv[1], command->name) == 0)
			return finish_output((int)command->run(argc - 1, argv + 1));
	return (int)cli_usage_error("\"%s\" is not a command (see v2v --help)", argv[1]);
}
