/* SPDX-License-Identifier: Apache-2.0 */
/* error.c: the error domain, and text that is safe to show. */
#include "base/error.h"

#include <stdarg.h>

G_DEFINE_QUARK(v2v - error - quark, v2v_error)

bool fail_errno(GError **error, int errnum, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *where = g_strdup_vprintf(format, args);
	va_end(args);
	return fail(error, IO, "%s: %s", where, g_strerror(errnum));
}

static bool is_safe_to_show(gunichar c)
{
	const bool overrides_direction = (c >= 0x202a && c <= 0x202e) ||
					 (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
					 c == 0x200f || c == 0x061c;

	return g_unichar_isprint(c) && !overrides_direction;
}

char *text_for_display(const char *text, size_t length, size_t max_bytes)
{
	GString *out = g_string_new(NULL);
	const char *end = text + length;

	for (const char *at = text; at < end;) {
		const gunichar c = g_utf8_get_char_validated(at, (gssize)(end - at));
		const bool valid = c != (gunichar)-1 && c != (gunichar)-2;
		const char *next = valid ? g_utf8_next_char(at) : at + 1;

		if (out->len >= max_bytes) {
			g_string_append(out, "...");
			break;
		}
		if (valid && is_safe_to_show(c))
			g_string_append_len(out, at, next - at);
		else
			for (const char *byte = at; byte < next; byte++)
				g_string_append_printf(out, "\\x%02x",
						       (unsigned)(unsigned char)*byte);
		at = next;
	}
	return g_string_free(out, FALSE);
}
