/* SPDX-License-Identifier: Apache-2.0 */
/* finding.h: what a person must know before or after a migration, as a list. */
#ifndef V2V_BASE_FINDING_H
#define V2V_BASE_FINDING_H

#include <glib.h>
#include <stdbool.h>

typedef enum {
	FINDING_NOTE,     /* good to know */
	FINDING_WARNING,  /* something changes or gets lost */
	FINDING_CRITICAL, /* blocks: nothing is copied */
} FindingSeverity;

typedef struct {
	char *id; /* owned; stable, for scripts: "ovf.disk-capacity-differs" */
	FindingSeverity severity;
	char *text;   /* owned; one sentence, safe to show */
	char *advice; /* owned, may be NULL: what the user can do */
} Finding;

typedef struct Findings Findings; /* an ordered list; adding is safe from many threads */

Findings *findings_new(void);
void findings_free(Findings *findings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Findings, findings_free)

/* `advice` may be NULL. */
void findings_add(Findings *findings, FindingSeverity severity, const char *id, const char *advice,
		  const char *format, ...) G_GNUC_PRINTF(5, 6);
/* Copies of all that `from` holds, at the end of `findings`. */
void findings_add_all(Findings *findings, const Findings *from);
guint findings_count(const Findings *findings);
const Finding *findings_get(const Findings *findings, guint index); /* borrowed */
bool findings_block(const Findings *findings);                      /* holds a CRITICAL one */
const char *finding_severity_name(FindingSeverity severity); /* "note", "warning", "critical" */

#endif
