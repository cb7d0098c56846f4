/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt_open.c: which libvirt, which folder, KVM or not. */
#include "base/error.h"
#include "v2v/targets/embed_root.h"
#include "v2v/targets/kvm_probe.h"
#include "v2v/targets/libvirt_target.h"
#include "v2v/targets/xml_query.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_FOLDER "/var/lib/libvirt/images"

/* libvirt prints every error unless it is told where else to send it. */
static void ignore_error(void *closure, virErrorPtr error)
{
	(void)closure;
	(void)error;
}

/* Errors come to us as errors. Its log, which the embedded driver would write to standard error, is
 * for whoever sets LIBVIRT_LOG_OUTPUTS; libvirt reads that once, at its first call. */
static void quieten_libvirt(void)
{
	g_setenv("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null", FALSE);
	virSetErrorFunc(NULL, ignore_error);
}

bool fail_libvirt(GError **error, const char *format, ...)
{
	const char *message = virGetLastErrorMessage();
	g_autofree char *shown = text_for_display(message, strlen(message), 1000);
	va_list args;

	va_start(args, format);
	g_autofree char *where = g_strdup_vprintf(format, args);
	va_end(args);
	return fail(error, IO, "%s: libvirt: %s", where, shown);
}

bool libvirt_is_session(const Target *target)
{
	return strstr(target->uri, ":///session") != NULL;
}

static void wake_up(int timer, void *closure)
{
	(void)timer;
	(void)closure;
}

static void *event_loop_run(void *pointer)
{
	EventLoop *loop = pointer;

	while (g_atomic_int_get(&loop->stop) == 0)
		virEventRunDefaultImpl();
	return NULL;
}

/* The embedded driver lives on an event loop of its process; libvirt has one per process. */
static EventLoop *event_loop_start(void)
{
	static gsize registered = 0;

	if (g_once_init_enter(&registered)) {
		virEventRegisterDefaultImpl();
		g_once_init_leave(&registered, 1);
	}
	EventLoop *loop = g_new0(EventLoop, 1);
	loop->thread = g_thread_new("libvirt-events", event_loop_run, loop);
	return loop;
}

static void event_loop_stop(EventLoop *loop)
{
	if (loop == NULL)
		return;
	g_atomic_int_set(&loop->stop, 1);
	const int timer = virEventAddTimeout(0, wake_up, NULL, NULL);
	g_thread_join(loop->thread);
	if (timer >= 0)
		virEventRemoveTimeout(timer);
	g_free(loop);
}

static bool is_local(const char *uri)
{
	g_autoptr(GUri) parsed = g_uri_parse(uri, G_URI_FLAGS_NONE, NULL);
	const char *host = parsed != NULL ? g_uri_get_host(parsed) : NULL;

	return host == NULL || *host == '\0';
}

static bool connect_embedded(LibvirtTarget *libvirt, GError **error)
{
	libvirt->root = embed_root_of(libvirt->base.uri, error);
	if (libvirt->root == NULL || !embed_root_prepare(libvirt->root, error))
		return false;
	libvirt->base.socket_folder = g_strdup(libvirt->root);
	libvirt->loop = event_loop_start();
	libvirt->connection = virConnectOpen(libvirt->base.uri);
	if (libvirt->connection == NULL)
		return fail_libvirt(error, "%s", libvirt->base.uri);
	/* Networks are another daemon's: the embedded driver asks it when it starts a domain. */
	libvirt->networks =
		virConnectOpenReadOnly(geteuid() == 0 ? "network:///system" : "network:///session");
	return true;
}

static bool connect_daemon(LibvirtTarget *libvirt, GError **error)
{
	libvirt->connection = virConnectOpen(libvirt->base.uri);
	if (libvirt->connection == NULL)
		return fail_libvirt(error, "%s", libvirt->base.uri);
	libvirt->networks = libvirt->connection;
	return true;
}

/* "kvm": the daemon of this host, or else the embedded driver; base.note says which and why. */
static bool connect_kvm(LibvirtTarget *libvirt, GError **error)
{
	g_autoptr(GError) absent = NULL;

	libvirt->base.uri = g_strdup(geteuid() == 0 ? "qemu:///system" : "qemu:///session");
	if (connect_daemon(libvirt, &absent))
		return true;
	g_autofree char *root = embed_root_default();
	g_free(libvirt->base.uri);
	libvirt->base.uri = embed_root_uri(root);
	libvirt->base.note = g_strdup_printf(
		"no libvirt daemon answers (%s): using the embedded driver; see its VMs with "
		"virsh -c '%s' list --all",
		absent->message, libvirt->base.uri);
	return connect_embedded(libvirt, error) ||
	       fail_in(error, "no libvirt daemon answers (%s), and the embedded driver cannot: ",
		       absent->message);
}

static bool connect_to(LibvirtTarget *libvirt, const char *uri, GError **error)
{
	if (strcmp(uri, "kvm") == 0)
		return connect_kvm(libvirt, error);
	libvirt->base.uri = g_strdup(uri);
	if (g_str_has_prefix(uri, "qemu:///embed"))
		return connect_embedded(libvirt, error);
	g_autoptr(GError) cause = NULL;
	if (connect_daemon(libvirt, &cause))
		return true;
	return fail(error, IO, "%s%s", cause->message,
		    is_local(uri) ? "; is the daemon running? --to kvm does without it" : "");
}

/* The folder of a pool that keeps its volumes as files; NULL when it is of another kind. */
static char *pool_folder(virStoragePoolPtr pool)
{
	static const char *const kinds[] = {"dir", "fs", "netfs", NULL};
	char *text = virStoragePoolGetXMLDesc(pool, 0);
	g_autoptr(xmlDoc) document = text != NULL ? xml_parse(text, "storage pool", NULL) : NULL;

	free(text);
	if (document == NULL)
		return NULL;
	g_autofree char *kind = xml_query(document, NULL, "/pool/@type");
	if (kind == NULL || !g_strv_contains(kinds, kind))
		return NULL;
	return xml_query(document, NULL, "/pool/target/path");
}

static bool use_pool(LibvirtTarget *libvirt, const char *name, GError **error)
{
	g_auto(virStoragePoolPtr) pool = virStoragePoolLookupByName(libvirt->connection, name);

	if (pool == NULL)
		return fail_libvirt(error, "--storage %s: neither a folder nor a pool", name);
	libvirt->base.folder = pool_folder(pool);
	if (libvirt->base.folder == NULL)
		return fail(error, USAGE, "--storage %s: not a pool of files (dir, fs or netfs)",
			    name);
	libvirt->pool = g_strdup(name);
	return true;
}

/* Without --storage: the pool "default", or the folder that libvirt itself would use. */
static bool use_default_folder(LibvirtTarget *libvirt, GError **error)
{
	if (!libvirt->local)
		return fail(error, USAGE,
			    "%s: on another host; name a folder with --storage that both hosts see "
			    "under the same path",
			    libvirt->base.uri);
	if (libvirt->root != NULL) {
		libvirt->base.folder = g_build_filename(libvirt->root, "images", NULL);
		if (g_mkdir_with_parents(libvirt->base.folder, 0755) != 0)
			return fail_errno(error, errno, "%s", libvirt->base.folder);
		return true;
	}
	if (use_pool(libvirt, "default", NULL))
		return true;
	libvirt->base.folder =
		libvirt_is_session(&libvirt->base)
			? g_build_filename(g_get_user_data_dir(), "libvirt", "images", NULL)
			: g_strdup(SYSTEM_FOLDER);
	return true;
}

static bool choose_folder(LibvirtTarget *libvirt, const char *storage, GError **error)
{
	if (storage == NULL)
		return use_default_folder(libvirt, error);
	if (strchr(storage, '/') == NULL && libvirt->root == NULL &&
	    !g_file_test(storage, G_FILE_TEST_IS_DIR))
		return use_pool(libvirt, storage, error);
	libvirt->base.folder = g_canonicalize_filename(storage, NULL);
	return true;
}

static bool read_caps(LibvirtTarget *libvirt, const char *virt_type)
{
	char *text = virConnectGetDomainCapabilities(libvirt->connection, NULL, "x86_64", "q35",
						     virt_type, 0);

	host_caps_clear(&libvirt->caps);
	libvirt->caps_known = text != NULL && host_caps_parse(&libvirt->caps, text, NULL);
	free(text);
	return libvirt->caps_known;
}

/* libvirt says that KVM is there when its device is; on this host we ask the device itself. */
static void choose_virt_type(LibvirtTarget *libvirt, const char *wanted)
{
	libvirt->kvm_works = g_strcmp0(wanted, "qemu") == 0 || !libvirt->local || kvm_is_usable();
	if (wanted == NULL || strcmp(wanted, "auto") == 0) {
		const bool kvm = libvirt->kvm_works && read_caps(libvirt, "kvm");

		libvirt->base.virt_type = g_strdup(kvm ? "kvm" : "qemu");
		if (kvm)
			return;
	} else {
		libvirt->base.virt_type = g_strdup(wanted);
	}
	read_caps(libvirt, libvirt->base.virt_type);
}

static bool has_default_network(LibvirtTarget *libvirt)
{
	g_auto(virNetworkPtr) network =
		libvirt->networks != NULL ? virNetworkLookupByName(libvirt->networks, "default")
					  : NULL;

	return network != NULL;
}

bool libvirt_connect(LibvirtTarget *libvirt, const char *uri, const TargetOptions *options,
		     GError **error)
{
	Target *target = &libvirt->base;

	quieten_libvirt();
	if (!connect_to(libvirt, uri, error))
		return false;
	libvirt->local = is_local(target->uri);
	if (!choose_folder(libvirt, options->storage, error))
		return false;
	choose_virt_type(libvirt, options->virt_type);
	target->uefi_loader = g_strdup(libvirt->caps.loader);
	/* A user's own daemon has no networks unless he made some. */
	target->user_network = libvirt->networks == NULL ||
			       (libvirt_is_session(target) && !has_default_network(libvirt));
	return true;
}

void libvirt_disconnect(LibvirtTarget *libvirt)
{
	if (libvirt->networks != NULL && libvirt->networks != libvirt->connection)
		virConnectClose(libvirt->networks);
	if (libvirt->connection != NULL)
		virConnectClose(libvirt->connection);
	event_loop_stop(libvirt->loop);
	host_caps_clear(&libvirt->caps);
	g_free(libvirt->root);
	g_free(libvirt->pool);
	g_free(libvirt->defined);
	g_free(libvirt->replaced);
}
