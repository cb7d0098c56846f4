/* SPDX-License-Identifier: Apache-2.0 */
/* vmdk_text.c: words, quotes and numbers of a descriptor's lines. */
#include "formats/vmdk_text.h"

#include "base/checked.h"

#include <string.h>

#define SHOWN_MAX 80u

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

Span span_strip(Span span)
{
	while (span.at < span.end && is_blank(*span.at))
		span.at++;
	while (span.at < span.end && is_blank(span.end[-1]))
		span.end--;
	return span;
}

bool span_is(Span span, const char *word)
{
	return span_length(span) == strlen(word) &&
	       g_ascii_strncasecmp(span.at, word, span_length(span)) == 0;
}

char *span_show(Span span)
{
	return text_for_display(span.at, span_length(span), SHOWN_MAX);
}

bool span_take_field(Span *rest, Span *out)
{
	*rest = span_strip(*rest);
	const bool quoted = rest->at < rest->end && *rest->at == '"';
	const char *at = quoted ? rest->at + 1 : rest->at;

	out->at = at;
	while (at < rest->end && (quoted ? *at != '"' : !is_blank(*at)))
		at++;
	out->end = at;
	rest->at = quoted && at < rest->end ? at + 1 : at;
	return !quoted || at < rest->end;
}

bool span_parse_decimal(Span span, uint64_t *out)
{
	uint64_t value = 0;

	for (const char *at = span.at; at < span.end; at++)
		if (!g_ascii_isdigit(*at) || !checked_mul(value, 10, &value) ||
		    !checked_add(value, (uint64_t)(*at - '0'), &value))
			return false;
	*out = value;
	return span.at < span.end;
}

bool span_parse_hex32(Span span, uint32_t *out)
{
	uint32_t value = 0;

	for (const char *at = span.at; at < span.end; at++) {
		if (!g_ascii_isxdigit(*at))
			return false;
		value = value << 4 | (uint32_t)g_ascii_xdigit_value(*at);
	}
	*out = value;
	return span_length(span) >= 1 && span_length(span) <= 8;
}
