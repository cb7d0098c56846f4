/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h: reads a disk and compares it with a digest map. */
#ifndef V2V_CONVERT_VERIFY_H
#define V2V_CONVERT_VERIFY_H

#include "convert/copy.h"

/* Threads, rate limit, cancel and progress as in a copy. False and an IO error that names the first
 * MiB that differs. */
bool verify_disk(Disk *disk, const DigestMap *expected, const CopyOptions *options, GError **error);

#endif
