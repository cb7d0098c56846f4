/* SPDX-License-Identifier: Apache-2.0 */
/* spool.h: bytes that come in order, kept in an unlinked file, never more than was allowed. */
#ifndef V2V_INVENTORY_SPOOL_H
#define V2V_INVENTORY_SPOOL_H

#include "inventory/archive_spool.h"

typedef struct {
	Storage *storage;     /* owned */
	uint64_t length;      /* bytes so far */
	uint64_t budget;      /* bytes at most */
	const Cancel *cancel; /* borrowed, may be NULL */
} Spool;

bool spool_open(Spool *spool, const char *name, const SpoolOptions *options, GError **error);
/* REFUSED beyond the budget; INTERRUPTED when asked to stop. */
bool spool_append(Spool *spool, const void *bytes, size_t length, GError **error);
/* Hands the storage over. NULL on failure; the spool is closed either way. */
Storage *spool_finish(Spool *spool, GError **error);
void spool_close(Spool *spool);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Spool, spool_close)

#endif
