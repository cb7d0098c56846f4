/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt_target.h: the parts of the target libvirt: libvirt_open.c, libvirt_check.c, libvirt.c.
 * Beside inventory/libvirt.c only they know libvirt. */
#ifndef V2V_TARGETS_LIBVIRT_TARGET_H
#define V2V_TARGETS_LIBVIRT_TARGET_H

#include "v2v/targets/host_caps.h"
#include "v2v/targets/target.h"

#include <libvirt/libvirt.h>

G_DEFINE_AUTO_CLEANUP_FREE_FUNC(virDomainPtr, virDomainFree, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(virNetworkPtr, virNetworkFree, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(virStoragePoolPtr, virStoragePoolFree, NULL)

typedef struct { /* runs what the embedded driver asks for */
	GThread *thread;
	int stop; /* atomic */
} EventLoop;

typedef struct {
	Target base;
	virConnectPtr connection;
	virConnectPtr networks; /* where networks are asked for; NULL: nowhere */
	EventLoop *loop;        /* owned; NULL: a daemon does the work */
	char *root;             /* owned; of the embedded driver */
	char *pool;             /* owned; the pool that `folder` belongs to, NULL: none */
	bool local, force;
	bool kvm_works; /* or was not asked, for nobody wants it */
	HostCaps caps;
	bool caps_known;
	char *defined;  /* owned; UUID of the domain that define() made */
	char *replaced; /* owned; XML of the domain that stood in its place */
} LibvirtTarget;

/* Connects, chooses the folder and the virt type; `libvirt` is zeroed but for base.ops and force.
 */
bool libvirt_connect(LibvirtTarget *libvirt, const char *uri, const TargetOptions *options,
		     GError **error);
/* Frees all but base. */
void libvirt_disconnect(LibvirtTarget *libvirt);

bool libvirt_check(Target *target, const DomainPlan *plan, uint64_t needed, Findings *findings,
		   GError **error);

/* A user's own daemon, "qemu:///session". */
bool libvirt_is_session(const Target *target);
/* Always false; the text is what libvirt said last on this thread. */
bool fail_libvirt(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
