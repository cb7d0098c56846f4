/* SPDX-License-Identifier: Apache-2.0 */
/* test_libvirt_target.c: domains defined, read back, started and taken away by real libvirts: the
 * test driver and the QEMU driver embedded in this process. */
#include "base/error.h"
#include "tests/unit/target_fixture.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
	char *folder; /* owned; made for the test, with the root of the embedded driver */
	Target *target;
} Fixture;

/* Below /var/tmp: QEMU runs as a user of its own, and sockets want short paths. */
static Fixture open_embedded(void)
{
	Fixture fixture = {.folder = g_strdup("/var/tmp/v2v-XXXXXX")};

	cr_assert_not_null(g_mkdtemp_full(fixture.folder, 0755));
	g_autofree char *uri = g_strconcat("qemu:///embed?root=", fixture.folder, NULL);
	fixture.target = open_target(uri, NULL, "qemu", false);
	return fixture;
}

static void fixture_clear(Fixture *fixture)
{
	const char *const argv[] = {"rm", "-rf", fixture->folder, NULL};

	target_close(fixture->target);
	g_free(run(argv));
	g_free(fixture->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

Test(libvirt_target, test_driver_defines_every_case, .timeout = 120)
{
	static const char *const except[] = {NULL};
	g_autoptr(Target) target = open_target("test:///default", "/tmp", "test", false);

	define_all(target, except);
}

Test(libvirt_target, embedded_driver_defines_every_case, .timeout = 120)
{
	/* More than 255 CPUs need KVM; check() says so before. */
	static const char *const except[] = {"288-cpus", NULL};
	g_auto(Fixture) fixture = open_embedded();

	cr_expect(fixture.target->user_network);
	define_all(fixture.target, except);
	g_autoptr(DomainCase) many = domain_case_named("288-cpus", "/", "qemu");
	cr_expect(check_finds(fixture.target, &many->plan, 0, "domain.too-many-vcpus"));
}

Test(libvirt_target, test_driver_checks)
{
	g_autoptr(Target) target = open_target("test:///default", "/tmp", "test", false);
	g_autoptr(DomainCase) made = domain_case_named("9-nics", "/tmp", "test");
	g_autoptr(DomainCase) twin = domain_case_named("uefi", "/tmp", "test");
	g_autofree char *xml = format_domain(made);

	cr_expect(check_finds(target, &made->plan, 0, "target.no-network"), "lan is not there");
	cr_expect(check_finds(target, &made->plan, 0, "target.no-bridge"), "nor is br0");
	cr_expect(check_finds(target, &made->plan, UINT64_MAX, "target.no-space"));
	cr_expect_not(check_finds(target, &twin->plan, 0, "target.no-network"));
	cr_assert(target_define(target, &made->plan, xml, NULL));
	cr_expect(check_finds(target, &twin->plan, 0, "target.uuid-taken"));
	cr_expect(target_rollback(target, made->name, NULL));
	made->plan.name = "test"; /* the driver's own domain, which runs */
	cr_expect(check_finds(target, &made->plan, 0, "target.name-taken"));
}

Test(libvirt_target, pools)
{
	const TargetOptions options = {.storage = "no-such-pool", .virt_type = "test"};
	g_autoptr(Target) target = open_target("test:///default", "default-pool", "test", false);
	g_autoptr(GError) error = NULL;

	cr_expect_str_eq(target->folder, "/default-pool");
	cr_expect_null(target_open("test:///default", &options, &error));
	cr_expect_not_null(strstr(error->message, "no-such-pool"), "%s", error->message);
}

Test(libvirt_target, nothing_remains_of_a_domain_that_libvirt_refuses)
{
	g_auto(Fixture) fixture = open_embedded();
	g_autoptr(DomainCase) made = domain_case_named("plain", "/var/tmp", "qemu");
	g_autoptr(GError) error = NULL;

	fill_plan(made, fixture.target);
	g_autofree char *xml = format_domain(made);
	g_autofree char *broken = g_strdup(xml);
	memcpy(strstr(broken, "q35"), "q3x", 3);
	cr_expect_not(target_define(fixture.target, &made->plan, broken, &error));
	cr_expect(g_str_has_prefix(error->message, "plain: "), "%s", error->message);
	cr_expect_not_null(strstr(error->message, "libvirt: "), "%s", error->message);
	cr_expect_not(check_finds(fixture.target, &made->plan, 0, "target.name-taken"));
}

Test(libvirt_target, force_replaces_and_rollback_restores)
{
	g_autofree char *folder = g_strdup("/var/tmp/v2v-XXXXXX");
	cr_assert_not_null(g_mkdtemp_full(folder, 0755));
	g_autofree char *uri = g_strconcat("qemu:///embed?root=", folder, NULL);
	g_auto(Fixture) fixture = {g_strdup(folder), open_target(uri, NULL, "qemu", true)};
	g_autoptr(DomainCase) first = domain_case_named("plain", "/var/tmp", "qemu");
	g_autoptr(DomainCase) second = domain_case_named("uefi", "/var/tmp", "qemu");
	g_autofree char *path = g_build_filename(folder, "etc/qemu/plain.xml", NULL);
	g_autofree char *replaced = NULL;
	g_autofree char *restored = NULL;

	fill_plan(first, fixture.target);
	fill_plan(second, fixture.target);
	second->plan.name = "plain";
	second->vm->memory *= 2;
	g_autofree char *first_xml = format_domain(first);
	g_autofree char *second_xml = format_domain(second);
	cr_assert(target_define(fixture.target, &first->plan, first_xml, NULL));
	cr_assert(target_define(fixture.target, &second->plan, second_xml, NULL));
	cr_assert(g_file_get_contents(path, &replaced, NULL, NULL));
	cr_expect_not_null(strstr(replaced, "<memory unit='KiB'>2097152</memory>"));
	cr_assert(target_rollback(fixture.target, "plain", NULL));
	cr_assert(g_file_get_contents(path, &restored, NULL, NULL));
	cr_expect_not_null(strstr(restored, "<memory unit='KiB'>1048576</memory>"));
	cr_expect_null(strstr(restored, "firmware='efi'"));
}

/* A boot sector that says so on the first serial port, and halts. */
static void write_boot_disk(const char *path)
{
	static const uint8_t code[] = {
		0x31, 0xc0, 0x8e, 0xd8,       /* xor ax, ax; mov ds, ax */
		0xbe, 0x15, 0x7c,             /* mov si, 0x7c15 */
		0xac, 0x84, 0xc0, 0x74, 0x06, /* lodsb; test al, al; jz halt */
		0xba, 0xf8, 0x03, 0xee,       /* mov dx, 0x3f8; out dx, al */
		0xeb, 0xf5,                   /* jmp lodsb */
		0xf4, 0xeb, 0xfd,             /* halt: hlt; jmp halt */
	};
	static const char text[] = "BOOTED FROM THE FIRST DISK\r\n";
	g_autofree char *disk = g_malloc0(1 << 20);

	cr_assert_eq(sizeof(code), 0x15);
	memcpy(disk, code, sizeof(code));
	memcpy(disk + sizeof(code), text, sizeof(text));
	disk[510] = 0x55;
	disk[511] = (char)0xaa;
	cr_assert(g_file_set_contents(path, disk, 1 << 20, NULL));
	cr_assert_eq(g_chmod(path, 0666), 0);
}

static bool says_within(const char *path, const char *text, int seconds)
{
	for (int i = 0; i < seconds * 10; i++) {
		g_autofree char *log = NULL;

		if (g_file_get_contents(path, &log, NULL, NULL) && strstr(log, text) != NULL)
			return true;
		g_usleep(100000);
	}
	return false;
}

/* The XML as it is, on every kind of disk bus: defined, started, read on the console, stopped,
 * taken away. */
Test(libvirt_target, embedded_driver_boots, .timeout = 300)
{
	static const char *const names[] = {"plain", "virtio-scsi", "old-ide",
					    "unconverted-pvscsi"};
	g_auto(Fixture) fixture = open_embedded();

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(DomainCase) made =
			domain_case_named(names[i], fixture.target->folder, "qemu");
		g_autofree char *log = g_strconcat(fixture.folder, "/", names[i], ".log", NULL);
		g_autoptr(GError) error = NULL;

		for (size_t d = 0; made->disk_paths[d] != NULL; d++)
			write_boot_disk(made->disk_paths[d]);
		made->vm->memory = 64 << 20;
		made->plan.serial_log = log;
		fill_plan(made, fixture.target);
		g_autofree char *xml = format_domain(made);
		cr_assert(target_define(fixture.target, &made->plan, xml, &error), "%s: %s",
			  names[i], error != NULL ? error->message : "");
		cr_assert(target_start(fixture.target, made->name, &error), "%s: %s", names[i],
			  error != NULL ? error->message : "");
		cr_expect(says_within(log, "BOOTED FROM THE FIRST DISK", 60), "%s", names[i]);
		cr_expect(target_stop(fixture.target, made->name, NULL));
		cr_expect(target_stop(fixture.target, made->name, NULL), "stopped twice");
		cr_expect(target_rollback(fixture.target, made->name, NULL));
	}
}

static void define_and_exit(const char *uri)
{
	Target *target = open_target(uri, NULL, "qemu", false);
	g_autoptr(DomainCase) made = domain_case_named("uefi", "/var/tmp", "qemu");

	fill_plan(made, target);
	g_autofree char *xml = format_domain(made);
	_exit(target_define(target, &made->plan, xml, NULL) ? 0 : 1);
}

/* The driver holds its root as long as the process lives that opened it; then others may. */
Test(libvirt_target, definitions_of_the_embedded_driver_stay, .timeout = 120)
{
	g_autofree char *folder = g_strdup("/var/tmp/v2v-XXXXXX");
	int status;

	cr_assert_not_null(g_mkdtemp_full(folder, 0755));
	g_autofree char *uri = g_strconcat("qemu:///embed?root=", folder, NULL);
	const char *const list[] = {"virsh", "-q", "-c", uri, "list", "--all", "--name", NULL};
	const char *const remove[] = {"rm", "-rf", folder, NULL};
	const pid_t child = fork();
	if (child == 0)
		define_and_exit(uri);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0);
	g_autofree char *names = run(list);
	cr_expect_str_eq(g_strstrip(names), "uefi");
	g_free(run(remove));
}

Test(libvirt_target, roots_that_are_none)
{
	static const char *const uris[] = {"qemu:///embed",
					   "qemu:///embed?root=", "qemu:///embed?path=/x"};
	const TargetOptions options = {.virt_type = "qemu"};

	for (size_t i = 0; i < G_N_ELEMENTS(uris); i++) {
		g_autoptr(GError) error = NULL;

		cr_expect_null(target_open(uris[i], &options, &error), "%s", uris[i]);
		cr_expect(g_error_matches(error, V2V_ERROR, V2V_ERROR_USAGE), "%s", uris[i]);
	}
}
