/* SPDX-License-Identifier: Apache-2.0 */
/* image_target.h: a new image file: written under a partial name, looked at again, then committed.
 */
#ifndef V2V_IMAGE_TARGET_H
#define V2V_IMAGE_TARGET_H

#include "convert/copy.h"
#include "formats/format.h"

typedef struct ImageTarget ImageTarget;

/* Refuses what output_file_new() and the format refuse. */
ImageTarget *image_target_new(const char *path, const FormatDriver *format,
			      const CreateOptions *options, bool force, GError **error);
DiskWriter *image_target_writer(ImageTarget *target);     /* borrowed */
const char *image_target_path(const ImageTarget *target); /* the final one; borrowed */

/* Writes the tables, then opens the image with our own reader and compares its size; with `digests`
 * (may be NULL) also reads all of it back and compares each MiB. */
bool image_target_finish(ImageTarget *target, const DigestMap *digests, const CopyOptions *options,
			 GError **error);
/* Under its final name from here on. Only after finish. */
bool image_target_commit(ImageTarget *target, GError **error);
/* After commit: the path is as it was before. */
void image_target_take_back(ImageTarget *target);
/* Gone without a trace unless committed. NULL is fine. */
void image_target_free(ImageTarget *target);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImageTarget, image_target_free)

#endif
