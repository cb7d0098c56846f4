/* SPDX-License-Identifier: Apache-2.0 */
/* copy_arguments.h: the options that every command that copies has. */
#ifndef V2V_COPY_ARGUMENTS_H
#define V2V_COPY_ARGUMENTS_H

#include "formats/writer.h"
#include "v2v/progress_display.h"

typedef struct { /* as GOption fills them; strings owned, copy_arguments_clear() */
	int threads;
	char *rate_limit;
	char *compress; /* "zlib", "zstd:3" */
	char *cluster_size;
	gboolean force, quiet, machine_readable;
} CopyArguments;

/* GOption entries for all of them, in `arguments`; owned by the caller (g_free). */
GOptionEntry *copy_arguments_entries(CopyArguments *arguments, const GOptionEntry *before);

/* What they mean, bounds checked. create->compression is borrowed from `arguments`. */
bool copy_arguments_resolve(CopyArguments *arguments, CreateOptions *create, unsigned *threads,
			    uint64_t *rate_limit, GError **error);
ProgressMode copy_arguments_progress(const CopyArguments *arguments);
void copy_arguments_clear(CopyArguments *arguments);

#endif
