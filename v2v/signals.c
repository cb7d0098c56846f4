/* SPDX-License-Identifier: Apache-2.0 */
/* signals.c: the one mutable global: what a signal handler can reach. */
#include "v2v/cli.h"

#include <signal.h>
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
	static const int asking[] = {SIGINT, SIGTERM};
	/* Said by write(2) as well, and then there is somebody to clean up. */
	static const int ignored[] = {SIGPIPE, SIGXFSZ};
	struct sigaction action = {.sa_flags = SA_RESTART};
	struct sigaction before;

	sigemptyset(&action.sa_mask);
	action.sa_handler = on_signal;
	for (size_t i = 0; i < G_N_ELEMENTS(asking); i++)
		sigaction(asking[i], &action, NULL);
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) /* nohup */
		sigaction(SIGHUP, &action, NULL);
	action.sa_handler = SIG_IGN;
	for (size_t i = 0; i < G_N_ELEMENTS(ignored); i++)
		sigaction(ignored[i], &action, NULL);
	return &cancel;
}
