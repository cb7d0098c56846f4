/* SPDX-License-Identifier: Apache-2.0 */
/* kvm_probe.c: asks /dev/kvm without waiting for it for ever. */
#include "v2v/targets/kvm_probe.h"

#include <fcntl.h>
#include <glib.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_WITHIN_MS 2000
#define KVM_STABLE_API   12 /* the only version there is since Linux 2.6.22 */

/* Intel's and AMD's virtualization as the kernel lists it. There are kernels that offer /dev/kvm on
 * a virtual processor that has neither, and what is started there does not always run. */
static bool processor_virtualizes(void)
{
	g_autofree char *text = NULL;

	if (!g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL))
		return false;
	g_auto(GStrv) words = g_strsplit_set(text, " \t\n", -1);
	return g_strv_contains((const char *const *)words, "vmx") ||
	       g_strv_contains((const char *const *)words, "svm");
}

/* In the child, which may get stuck: it holds no file of ours meanwhile. Only calls that are safe
 * after fork() in a process with threads. */
static _Noreturn void ask(int answer)
{
	if (dup2(answer, STDIN_FILENO) < 0)
		_exit(1);
	close_range(STDIN_FILENO + 1, ~0u, 0);
	const int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	const char usable = kvm >= 0 && ioctl(kvm, KVM_GET_API_VERSION, 0) == KVM_STABLE_API;

	_exit(write(STDIN_FILENO, &usable, 1) == 1 ? 0 : 1);
}

/* Ends the child; one that the kernel does not let go is left to the system. */
static void reap(pid_t child)
{
	kill(child, SIGKILL);
	for (int i = 0; i < 20 && waitpid(child, NULL, WNOHANG) == 0; i++)
		poll(NULL, 0, 10);
}

bool kvm_is_usable(void)
{
	char usable = 0;
	int pipe_ends[2];

	if (!processor_virtualizes() || access("/dev/kvm", R_OK | W_OK) != 0 ||
	    pipe2(pipe_ends, O_CLOEXEC) != 0)
		return false;
	const pid_t child = fork();
	if (child == 0)
		ask(pipe_ends[1]);
	close(pipe_ends[1]);
	if (child > 0) {
		struct pollfd answer = {.fd = pipe_ends[0], .events = POLLIN};

		if (poll(&answer, 1, ANSWER_WITHIN_MS) != 1 || read(pipe_ends[0], &usable, 1) != 1)
			usable = 0;
		reap(child);
	}
	close(pipe_ends[0]);
	return usable == 1;
}
