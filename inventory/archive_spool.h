/* SPDX-License-Identifier: Apache-2.0 */
/* archive_spool.h: compressed packages and disk files, unpacked once into an unlinked file. */
#ifndef V2V_INVENTORY_ARCHIVE_SPOOL_H
#define V2V_INVENTORY_ARCHIVE_SPOOL_H

#include "base/cancel.h"
#include "formats/storage.h"
#include "inventory/member_list.h"

typedef struct {
	const char *folder; /* NULL: $TMPDIR or /var/tmp */
	const Cancel *cancel;
	uint64_t budget; /* bytes; more is REFUSED; 0: what the folder has free */
} SpoolOptions;

/* All of a gzip file, also of several members; checksums and lengths are verified. */
Storage *archive_spool_gzip(Storage *file, const SpoolOptions *options, GError **error);
/* All of an xz file; its checks are verified. */
Storage *archive_spool_xz(Storage *file, const SpoolOptions *options, GError **error);
/* The files of a zip, one behind the other; *members says where. Anything but regular, unencrypted
 * files is REFUSED. */
Storage *archive_spool_zip(Storage *file, const SpoolOptions *options, MemberList **members,
			   GError **error);

#endif
