/* SPDX-License-Identifier: Apache-2.0 */
/* signals.c: the one mutable global: what a signal handler can reach. */
#include "v2v/cli.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static Cancel cancel;

static void on_signal(int number)
{
	if (!atomic_exchange(&cancel.requested, true))
		return;
	/* Asked twice: the partial file stays, but never under a final name. */
	signal(number, SIG_DFL);
	raise(number);
}

const Cancel *cli_catch_signals(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigemptyset(&action.sa_mask);
	action.sa_flags = SA_RESTART;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return &cancel;
}
