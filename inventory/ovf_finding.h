/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_finding.h: findings and errors that quote an OVF document. */
#ifndef V2V_INVENTORY_OVF_FINDING_H
#define V2V_INVENTORY_OVF_FINDING_H

#include "base/error.h"
#include "base/finding.h"

/* Like findings_add() without advice; the text is made safe to show. `findings` may be NULL. */
void ovf_finding_add(Findings *findings, FindingSeverity severity, const char *id,
		     const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Hands `problem` over with its text made safe to show: errors quote what the document says. */
void ovf_error_propagate(GError **error, GError *problem);

#endif
