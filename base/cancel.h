/* SPDX-License-Identifier: Apache-2.0 */
/* cancel.h: a request to stop, set by a signal handler or a caller, asked by whoever works long. */
#ifndef V2V_BASE_CANCEL_H
#define V2V_BASE_CANCEL_H

#include "base/error.h"

#include <stdatomic.h>

typedef struct Cancel {
	atomic_bool requested;       /* lock-free: may be set inside a signal handler */
	const struct Cancel *parent; /* borrowed, may be NULL: its request is ours too */
} Cancel;

/* False and an INTERRUPTED error when a stop was asked for. `cancel` may be NULL: never asked. */
static inline bool cancel_check(const Cancel *cancel, GError **error)
{
	for (; cancel != NULL; cancel = cancel->parent)
		if (atomic_load_explicit(&cancel->requested, memory_order_relaxed))
			return fail(error, INTERRUPTED, "interrupted");
	return true;
}

#endif
