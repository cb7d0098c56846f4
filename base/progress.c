/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c: the wrappers that accept nobody looking. */
#include "base/progress.h"

#include <stddef.h>

void progress_begin(Progress *progress, const char *phase, uint64_t total)
{
	if (progress != NULL)
		progress->begin(progress, phase, total);
}

void progress_advance(Progress *progress, uint64_t bytes)
{
	if (progress != NULL && bytes > 0)
		progress->advance(progress, bytes);
}

void progress_end(Progress *progress)
{
	if (progress != NULL)
		progress->end(progress);
}
