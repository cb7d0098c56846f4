/* SPDX-License-Identifier: Apache-2.0 */
/* output_file.h: a target file that exists complete or not at all. */
#ifndef V2V_FORMATS_OUTPUT_FILE_H
#define V2V_FORMATS_OUTPUT_FILE_H

#include "formats/storage.h"

typedef struct OutputFile OutputFile;

/*
 * Starts `path` as ".NAME.v2v-partial" beside it (O_EXCL, mode 0600, locked). REFUSED when `path`
 * exists and not `force`, or another run holds the lock; a partial file that nobody holds is stale
 * and replaced.
 */
OutputFile *output_file_new(const char *path, bool force, GError **error);
/* Borrowed; writable. */
Storage *output_file_storage(OutputFile *file);
/* Where it stands until committed; for helpers that must open it by name. Borrowed. */
const char *output_file_partial_path(const OutputFile *file);
/* fsync, mode 0666 less the umask, rename (never over an existing file without `force`), fsync of
 * the folder. What it replaces is kept as ".NAME.v2v-replaced" until output_file_free(), where the
 * file system has hard links. On failure everything is as before, with one exception: no hard
 * links, `force`, and the last fsync fails. */
bool output_file_commit(OutputFile *file, GError **error);
/* Takes back what was committed a moment ago, for what belongs to it could not be: removes it and
 * puts what it replaced in its place again. */
void output_file_take_back(OutputFile *file);
/* Removes the partial file unless committed, and what was replaced. NULL is fine. */
void output_file_free(OutputFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OutputFile, output_file_free)

#endif
