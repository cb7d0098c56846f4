/* SPDX-License-Identifier: Apache-2.0 */
/* test_domain_xml.c: the domain XML against libvirt's own schema, and what it must say. */
#include "base/error.h"
#include "tests/unit/domain_cases.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
	Findings *findings;
	char *xml;
} Formatted;

static Formatted format(DomainCase *made)
{
	g_autoptr(GError) error = NULL;
	Formatted out = {.findings = findings_new()};

	out.xml = domain_xml_format(&made->plan, out.findings, &error);
	cr_assert_not_null(out.xml, "%s: %s", made->name, error != NULL ? error->message : "");
	return out;
}

static void formatted_clear(Formatted *formatted)
{
	findings_free(formatted->findings);
	g_free(formatted->xml);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Formatted, formatted_clear)

static bool found(const Formatted *formatted, const char *id)
{
	for (guint i = 0; i < findings_count(formatted->findings); i++)
		if (strcmp(findings_get(formatted->findings, i)->id, id) == 0)
			return true;
	return false;
}

static bool says(const Formatted *formatted, const char *text)
{
	return strstr(formatted->xml, text) != NULL;
}

/* The verdict of virt-xml-validate(1); its text into `out`, owned by the caller. */
static bool is_valid(const char *xml, char **out)
{
	g_autofree char *path = NULL;
	g_autofree char *written = NULL;
	int status = -1;
	const int fd = g_file_open_tmp("domain-XXXXXX.xml", &path, NULL);
	const char *const argv[] = {"virt-xml-validate", path, "domain", NULL};

	cr_assert(fd >= 0 && g_close(fd, NULL) && g_file_set_contents(path, xml, -1, NULL));
	const bool ran = g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL, G_SPAWN_SEARCH_PATH,
				      NULL, NULL, &written, out, &status, NULL);
	g_unlink(path);
	cr_assert(ran, "virt-xml-validate does not run: install libvirt-clients");
	return g_spawn_check_wait_status(status, NULL);
}

Test(domain_xml, schema)
{
	for (size_t i = 0; i < domain_case_count(); i++) {
		g_autoptr(DomainCase) made = domain_case_new(i, "/var/lib/images", "kvm");
		g_auto(Formatted) formatted = format(made);
		g_autofree char *verdict = NULL;

		cr_expect(is_valid(formatted.xml, &verdict), "%s: %s\n%s", domain_case_name(i),
			  verdict, formatted.xml);
	}
}

Test(domain_xml, schema_of_plan_options)
{
	g_autoptr(DomainCase) made = domain_case_named("secure-boot-tpm", "/a b/'&", "qemu");
	g_autofree char *verdict = NULL;

	made->plan.user_network = true;
	made->plan.uefi_loader = "/usr/share/OVMF/OVMF_CODE_4M.fd";
	made->plan.serial_log = "/tmp/serial.log";
	made->plan.socket_folder = "/var/lib/v2v";
	g_auto(Formatted) formatted = format(made);
	cr_expect(is_valid(formatted.xml, &verdict), "%s\n%s", verdict, formatted.xml);
	cr_expect(says(&formatted, "<interface type=\"user\">"));
	cr_expect(says(&formatted, "<log file=\"/tmp/serial.log\" append=\"off\"/>"));
	cr_expect(says(&formatted, "OVMF_CODE_4M.fd</loader>"));
	cr_expect_not(says(&formatted, "firmware=\"efi\""));
	cr_expect(found(&formatted, "domain.user-network"));
	cr_expect(found(&formatted, "domain.secure-boot-lost"));
}

/* What a case must say, and what not; "" is said by everything. */
static const struct {
	const char *name, *virt_type, *text, *absent, *finding;
} rows[] = {
	{"plain", "kvm", "<uuid>564d1234-abcd-ef01-2345-6789abcdef01</uuid>", "<topology", NULL},
	{"plain", "kvm", "<cpu mode=\"host-model\" check=\"none\"", "Nehalem", NULL},
	{"plain", "qemu", "<model>Nehalem</model>", "host-model", NULL},
	{"plain", "kvm", "machine=\"q35\"", "hyperv", "domain.network-assumed"},
	{"plain", "kvm", "<libosinfo:os id=\"http://debian.org/debian/12\"/>", "secure-boot", NULL},
	{"plain", "kvm", "<entry name=\"uuid\">564d1234-abcd-ef01-2345-6789abcdef01</entry>",
	 "<title>", NULL},
	{"plain", "kvm", "<vmport state=\"off\"/>", "<tpm", NULL},
	{"plain", "kvm", "name=\"org.qemu.guest_agent.0\"", "type=\"scsi\"", NULL},
	{"plain", "kvm", "<mac address=\"00:50:56:aa:bb:01\"/>", "e1000", NULL},
	{"uefi", "kvm", "<feature enabled=\"no\" name=\"secure-boot\"/>", "<smm",
	 "domain.nvram-lost"},
	{"secure-boot-tpm", "kvm", "<feature enabled=\"yes\" name=\"enrolled-keys\"/>",
	 "enabled=\"no\"", "domain.tpm-state-lost"},
	{"secure-boot-tpm", "kvm", "<genid>01234567-89ab-cdef-fedc-ba9876543210</genid>", "<loader",
	 NULL},
	{"windows", "kvm", "<stimer state=\"on\"/>", "VMware,", "domain.smbios-vendor"},
	{"windows", "kvm", "<timer name=\"hypervclock\" present=\"yes\"/>", "offset=\"utc\"", NULL},
	{"windows", "qemu", "<sound model=\"ich9\"/>", "hyperv", NULL},
	{"30-disks", "kvm", "<target dev=\"vdad\" bus=\"virtio\"/>", "vdae", NULL},
	{"no-nics", "kvm", "", "<interface", NULL},
	{"9-nics", "kvm", "<source bridge=\"br0\"/>", "DMZ", NULL},
	{"9-nics", "kvm", "<source network=\"lan\"/>", "Storage", NULL},
	{"9-nics", "kvm", "<link state=\"down\"/>", "domain.", NULL},
	{"old-ide", "kvm", "machine=\"pc\"", "usb-xhci", "domain.no-virtio-disk"},
	{"old-ide", "kvm", "<target dev=\"hdc\" bus=\"ide\"/>", "virtio", "domain.no-virtio-net"},
	{"sata-fallback", "kvm", "<target dev=\"sdk\" bus=\"sata\"/>", "bus=\"virtio\"",
	 "domain.cdrom-medium-lost"},
	{"sata-fallback", "kvm", "<serial>6000C29fa37d5b1ee0ad7a4d4c8b2f10</serial>", "floppy",
	 "domain.disk-serial-cut"},
	{"sata-fallback", "kvm", "<model type=\"e1000e\"/>", "tools.iso",
	 "domain.disk-serial-lost"},
	{"sata-fallback", "kvm", "", "", "domain.floppy-lost"},
	{"virtio-scsi", "kvm", "<controller type=\"scsi\" index=\"0\" model=\"virtio-scsi\"/>",
	 "index=\"1\"", NULL},
	{"unconverted-pvscsi", "kvm", "index=\"0\" model=\"vmpvscsi\"", "bus=\"virtio\"",
	 "domain.guest-not-converted"},
	{"unconverted-pvscsi", "kvm", "<model type=\"vmxnet3\"/>", "virtio\"", NULL},
	{"unconverted-lsisas", "kvm", "model=\"lsisas1068\"", "bus=\"sata\"", NULL},
	{"unconverted-lsi", "kvm", "bus=\"sata\"", "bus=\"scsi\"",
	 "domain.disk-controller-changed"},
	{"unconverted-ide", "kvm", "bus=\"ide\"", "q35", NULL},
	{"unconverted-nvme", "kvm", "bus=\"sata\"", "bus=\"nvme", "domain.disk-controller-changed"},
	{"kvm-source", "kvm", "<source bridge=\"br-lan\"/>", "sata", NULL},
	{"288-cpus", "kvm", "<topology sockets=\"4\" cores=\"36\" threads=\"2\"/>", "no-such",
	 NULL},
	{"288-cpus", "kvm", "<driver intremap=\"on\" eim=\"on\"/>", "no-such", NULL},
	{"288-cpus", "qemu", "", "no-such", "domain.too-many-vcpus"},
	{"wrong-topology", "kvm", "<vcpu>2</vcpu>", "<topology", "domain.topology-lost"},
	{"hostile-name", "kvm", "<title>&lt;/name&gt;&lt;devices&gt; [2J &quot;'&amp;amp;",
	 "</name><devices", "domain.uuid-invalid"},
	{"hostile-name", "kvm", "<source network=\"default\"/>", "preserve</on_crash>",
	 "domain.mac-invalid"},
	{"long-strings", "kvm", "xxxx</description>", "no-such", "domain.description-cut"},
	{"says-nothing", "kvm", "<memory unit=\"KiB\">2097152</memory>", "<disk",
	 "domain.memory-assumed"},
	{"says-nothing", "kvm", "<vcpu>1</vcpu>", "efi", "domain.firmware-assumed"},
};

static void check_row(size_t row, const Formatted *formatted)
{
	const char *name = rows[row].name;

	cr_expect(says(formatted, rows[row].text), "%s: no %s in\n%s", name, rows[row].text,
		  formatted->xml);
	cr_expect(*rows[row].absent == '\0' || !says(formatted, rows[row].absent),
		  "%s: there is %s in\n%s", name, rows[row].absent, formatted->xml);
	cr_expect(rows[row].finding == NULL || found(formatted, rows[row].finding),
		  "%s: no finding %s", name, rows[row].finding);
}

/* Each case is formatted once: libosinfo's database takes a third of a second. */
Test(domain_xml, says)
{
	bool done[G_N_ELEMENTS(rows)] = {false};

	for (size_t first = 0; first < G_N_ELEMENTS(rows); first++) {
		if (done[first])
			continue;
		g_autoptr(DomainCase) made =
			domain_case_named(rows[first].name, "/images", rows[first].virt_type);
		g_auto(Formatted) formatted = format(made);

		for (size_t i = first; i < G_N_ELEMENTS(rows); i++) {
			if (strcmp(rows[i].name, rows[first].name) != 0 ||
			    strcmp(rows[i].virt_type, rows[first].virt_type) != 0)
				continue;
			check_row(i, &formatted);
			done[i] = true;
		}
	}
}

/* The boot disk first, then what the source boots, in its order. */
Test(domain_xml, boot_order)
{
	g_autoptr(DomainCase) made = domain_case_named("30-disks", "/images", "kvm");
	g_auto(Formatted) formatted = format(made);
	const char *const devices[] = {"dev=\"vdab\"", "dev=\"vdf\"", "dev=\"vdd\"", "<mac"};

	for (unsigned i = 0; i < G_N_ELEMENTS(devices); i++) {
		const char *at = strstr(formatted.xml, devices[i]);
		g_autofree char *order = g_strdup_printf("<boot order=\"%u\"/>", i + 1);
		const char *boot = at != NULL ? strstr(at, "<boot order=") : NULL;

		cr_assert_not_null(boot, "%s", devices[i]);
		cr_expect(g_str_has_prefix(boot, order), "%s: %.20s", devices[i], boot);
	}
}

Test(domain_xml, refuses_names_that_are_none)
{
	static const char *const names[] = {"", "a/b", "a\nb", "\x01", "\xff"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(DomainCase) made = domain_case_named("plain", "/images", "kvm");
		g_autoptr(Findings) findings = findings_new();
		g_autoptr(GError) error = NULL;

		made->plan.name = names[i];
		cr_expect_null(domain_xml_format(&made->plan, findings, &error), "row %zu", i);
		cr_expect(g_error_matches(error, V2V_ERROR, V2V_ERROR_USAGE), "row %zu", i);
	}
}

Test(domain_xml, refuses_a_disk_path_that_xml_cannot_carry)
{
	static const char *const folders[] = {"relative", "/a\x01", "/a\nb"};

	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autoptr(DomainCase) made = domain_case_named("plain", folders[i], "kvm");
		g_autoptr(Findings) findings = findings_new();
		g_autoptr(GError) error = NULL;

		cr_expect_null(domain_xml_format(&made->plan, findings, &error), "row %zu", i);
		cr_expect(g_error_matches(error, V2V_ERROR, V2V_ERROR_USAGE), "row %zu", i);
	}
}

Test(domain_xml, same_plan_same_bytes)
{
	g_autoptr(DomainCase) made = domain_case_named("windows", "/images", "kvm");
	g_auto(Formatted) first = format(made);
	g_auto(Formatted) second = format(made);

	cr_expect_str_eq(first.xml, second.xml);
}

Test(domain_xml, other_processors_block)
{
	g_autoptr(DomainCase) made = domain_case_named("plain", "/images", "kvm");

	g_free(made->guest.arch);
	made->guest.arch = g_strdup("aarch64");
	g_auto(Formatted) formatted = format(made);
	cr_expect(found(&formatted, "domain.arch-unsupported"));
	cr_expect(findings_block(formatted.findings));
}
