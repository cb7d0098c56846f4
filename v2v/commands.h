/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h: the commands, for the table in commands.c. */
#ifndef V2V_COMMANDS_H
#define V2V_COMMANDS_H

#include "v2v/cli.h"

ExitStatus command_convert(int argc, char **argv);
ExitStatus command_info(int argc, char **argv);
ExitStatus command_inspect(int argc, char **argv);
ExitStatus command_migrate(int argc, char **argv);

#endif
