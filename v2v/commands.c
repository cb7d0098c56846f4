/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c: the one list of commands. */
#include "v2v/commands.h"

const Command commands[] = {
	{"migrate", "a virtual machine to KVM", command_migrate},
	{"inspect", "what virtual machines a source holds", command_inspect},
	{"convert", "one disk image to another format", command_convert},
	{"info", "what a disk image is", command_info},
	{NULL, NULL, NULL},
};
