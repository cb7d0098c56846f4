/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h: who works says how far; who shows decides how. */
#ifndef V2V_BASE_PROGRESS_H
#define V2V_BASE_PROGRESS_H

#include <stdint.h>

/* A sink for progress. `advance` is called from many threads at once, often: it must be quick. */
typedef struct Progress {
	/* A phase begins: its name ("copy disk 1/2"), and how many bytes it will be (0: unknown).
	 */
	void (*begin)(struct Progress *progress, const char *phase, uint64_t total);
	/* So many more bytes of the phase are done. */
	void (*advance)(struct Progress *progress, uint64_t bytes);
	void (*end)(struct Progress *progress);
} Progress;

/* Each accepts NULL: nobody looks. */
void progress_begin(Progress *progress, const char *phase, uint64_t total);
void progress_advance(Progress *progress, uint64_t bytes);
void progress_end(Progress *progress);

#endif
