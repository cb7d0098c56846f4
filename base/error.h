/* SPDX-License-Identifier: Apache-2.0 */
/* error.h: every failure of ours is a GError of one domain; its code decides the exit status. */
#ifndef V2V_BASE_ERROR_H
#define V2V_BASE_ERROR_H

#include <glib.h>
#include <inttypes.h>
#include <stdbool.h>

typedef enum {
	V2V_ERROR_USAGE,       /* the caller asked for something that makes no sense */
	V2V_ERROR_IO,          /* the system or the network said no; trying again may help */
	V2V_ERROR_CORRUPT,     /* the input contradicts its own format */
	V2V_ERROR_UNSUPPORTED, /* valid, but not something we can do; the text says what instead */
	V2V_ERROR_REFUSED,     /* possible, but a policy or a check forbids it; names the option */
	V2V_ERROR_INTERRUPTED, /* stopped by a signal or by the caller */
} V2vError;

#define V2V_ERROR (v2v_error_quark())
GQuark v2v_error_quark(void);

/*
 * return fail(error, CORRUPT, "L1 size %u", n);  macros, so that compilers see the constant.
 * Text: lower case, no full stop. An error about bytes of a file names offset, field and value:
 * "offset 0x28: L1 table offset=0x30001: not a multiple of the cluster size"; who knows the file's
 * name prepends it with fail_in().
 */
#define fail(error, code, ...)                                                                     \
	(g_set_error((error), V2V_ERROR, V2V_ERROR_##code, __VA_ARGS__), false)
#define fail_null(error, code, ...)                                                                \
	(g_set_error((error), V2V_ERROR, V2V_ERROR_##code, __VA_ARGS__), NULL)
/* return fail_in(error, "%s: ", path);  the caller adds where. */
#define fail_in(error, ...)      (g_prefix_error((error), __VA_ARGS__), false)
#define fail_in_null(error, ...) (g_prefix_error((error), __VA_ARGS__), NULL)

/* An IO error that ends in the text of errno: "target.qcow2: write of 65536 bytes at offset 4096:
 * No space left on device". Always false. */
bool fail_errno(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* `text` with control bytes, bidirectional overrides and invalid UTF-8 written as \xNN, cut to
 * `max_bytes`: what comes from an image or a definition goes through this before a person or a
 * terminal sees it. Owned by the caller. */
char *text_for_display(const char *text, size_t length, size_t max_bytes);

#endif
