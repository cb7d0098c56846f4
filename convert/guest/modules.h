/* SPDX-License-Identifier: Apache-2.0 */
/* modules.h: a kernel's modules from modules.dep and modules.builtin, and what needs what. */
#ifndef V2V_CONVERT_GUEST_MODULES_H
#define V2V_CONVERT_GUEST_MODULES_H

#include <glib.h>
#include <stdbool.h>

typedef struct Modules Modules;

/* Both texts as depmod wrote them; `builtin` may be "" (kernels before 2.6.33). */
Modules *modules_parse(const char *dep, const char *builtin);
void modules_free(Modules *modules); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Modules, modules_free)

/* Names with '-' or '_', without ".ko". */
bool modules_have(const Modules *modules, const char *name); /* as a file or built in */
bool modules_have_builtin(const Modules *modules, const char *name);
/* Path below /lib/modules/VERSION of a module that is a file; NULL: none. Borrowed. */
const char *modules_path(const Modules *modules, const char *name);
/* Adds to `paths` (of borrowed strings) the module and all that it needs, each once. */
void modules_add_closure(const Modules *modules, const char *name, GPtrArray *paths);
/* True when modules.dep names this path ("kernel/drivers/block/virtio_blk.ko"). */
bool modules_have_path(const Modules *modules, const char *path);

#endif
