/* SPDX-License-Identifier: Apache-2.0 */
/* test_libvirt_daemon.c: the target `kvm` with a libvirtd of the test's own, and with none. */
#include "base/error.h"
#include "tests/unit/target_fixture.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
	char *folder; /* owned */
	GPid pid;     /* of the daemon's script, 0: none */
	int leash;    /* the daemon ends when this is closed */
} Daemon;

static void mount_over(const char *from, const char *to)
{
	cr_assert_eq(g_mkdir_with_parents(to, 0755), 0, "%s", to);
	cr_assert_eq(mount(from, to, NULL, MS_BIND, NULL), 0, "%s", to);
}

/* From here on this process sees `folder` where libvirt's sockets and v2v's own files are. */
static Daemon enter(void)
{
	Daemon daemon = {.folder = g_strdup("/var/tmp/v2v-XXXXXX")};

	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0)
		cr_skip_test("only root has mount namespaces");
	cr_assert_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_not_null(g_mkdtemp_full(daemon.folder, 0755));
	g_autofree char *run_folder = g_build_filename(daemon.folder, "run", NULL);
	g_autofree char *state = g_build_filename(daemon.folder, "v2v", NULL);
	cr_assert_eq(g_mkdir_with_parents(run_folder, 0755), 0);
	cr_assert_eq(g_mkdir_with_parents(state, 0755), 0);
	mount_over(run_folder, "/run/libvirt");
	mount_over(state, "/var/lib/v2v");
	return daemon;
}

static void start(Daemon *daemon)
{
	const char *source = g_getenv("V2V_SOURCE_DIR");
	g_autofree char *script = g_build_filename(source != NULL ? source : ".",
						   "tests/unit/private-libvirtd", NULL);
	const char *const argv[] = {script, daemon->folder, NULL};
	char answer[16] = "";
	int out = -1;

	cr_assert(g_spawn_async_with_pipes(NULL, (char **)(uintptr_t)argv, NULL,
					   G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &daemon->pid,
					   &daemon->leash, &out, NULL, NULL));
	cr_assert(read(out, answer, sizeof(answer) - 1) > 0 && g_str_has_prefix(answer, "ready"),
		  "libvirtd does not start");
	close(out);
}

static void daemon_clear(Daemon *daemon)
{
	const char *const remove[] = {"rm", "-rf", daemon->folder, NULL};

	if (daemon->pid > 0) {
		close(daemon->leash);
		waitpid(daemon->pid, NULL, 0);
	}
	umount2("/run/libvirt", MNT_DETACH);
	umount2("/var/lib/v2v", MNT_DETACH);
	g_free(run(remove));
	g_free(daemon->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Daemon, daemon_clear)

Test(libvirt_daemon, kvm_is_the_daemon_and_its_default_pool, .timeout = 200)
{
	g_auto(Daemon) daemon = enter();

	start(&daemon);
	g_autofree char *images = g_build_filename(daemon.folder, "images", NULL);
	g_autoptr(Target) target = open_target("kvm", NULL, "qemu", false);
	cr_expect_str_eq(target->uri, "qemu:///system");
	cr_expect_str_eq(target->folder, images);
	cr_expect_null(target->note);
	cr_expect_not(target->user_network);
	define_case(target, "secure-boot-tpm");
	define_case(target, "30-disks");
	define_case(target, "9-nics");
}

Test(libvirt_daemon, pools_and_networks, .timeout = 200)
{
	const TargetOptions blocks = {.storage = "blocks", .virt_type = "qemu"};
	g_auto(Daemon) daemon = enter();
	g_autoptr(GError) error = NULL;

	start(&daemon);
	g_autoptr(Target) target = open_target("qemu:///system", "idle", "qemu", false);
	g_autoptr(DomainCase) made = domain_case_named("9-nics", "/tmp", "qemu");
	cr_expect(check_finds(target, &made->plan, 0, "target.pool-inactive"));
	cr_expect(check_finds(target, &made->plan, 0, "target.network-inactive"));
	cr_expect(check_finds(target, &made->plan, 0, "target.no-network"));
	cr_expect(check_finds(target, &made->plan, 0, "target.no-bridge"));
	cr_expect_null(target_open("qemu:///system", &blocks, &error));
	cr_expect(g_error_matches(error, V2V_ERROR, V2V_ERROR_USAGE), "%s", error->message);
}

Test(libvirt_daemon, without_a_daemon_kvm_is_the_embedded_driver, .timeout = 120)
{
	g_auto(Daemon) daemon = enter();
	g_autoptr(Target) target = open_target("kvm", NULL, "qemu", false);

	cr_expect_str_eq(target->uri, "qemu:///embed?root=/var/lib/v2v/libvirt");
	cr_expect_str_eq(target->folder, "/var/lib/v2v/libvirt/images");
	cr_assert_not_null(target->note);
	cr_expect_not_null(strstr(target->note, "no libvirt daemon answers"));
	cr_expect_null(strchr(target->note, '\n'), "one line");
}
