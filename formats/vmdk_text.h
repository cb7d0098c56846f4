/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_text.h: pieces of a descriptor's text, in place. */
#ifndef V2V_FORMATS_VMDK_TEXT_H
#define V2V_FORMATS_VMDK_TEXT_H

#include "base/error.h"

#include <stddef.h>

/* A piece of a text, borrowed; not terminated. */
typedef struct {
	const char *at, *end;
} Span;

static inline size_t span_length(Span span)
{
	return (size_t)(span.end - span.at);
}

Span span_strip(Span span);                /* without blanks at both ends */
bool span_is(Span span, const char *word); /* whatever the case of ASCII letters */
char *span_show(Span span);                /* safe to show, cut; owned by the caller */

/* The next word of a line, or the text between its quotes. False for a quote without an end. */
bool span_take_field(Span *rest, Span *out);

/* All of the span is the number; nothing around it, no sign, no overflow. */
bool span_parse_decimal(Span span, uint64_t *out);
bool span_parse_hex32(Span span, uint32_t *out); /* 1 to 8 digits */

#endif
