/* SPDX-License-Identifier: Apache-2.0 */
/* member_list.h: the files of a package by name; the only place that judges such names. */
#ifndef V2V_INVENTORY_MEMBER_LIST_H
#define V2V_INVENTORY_MEMBER_LIST_H

#include "base/error.h"

#define MEMBER_MAX_COUNT      10000u
#define MEMBER_NAME_MAX_BYTES 255u

typedef struct {
	char *name;            /* owned; as written, without a leading "./" */
	uint64_t size, offset; /* bytes; where its contents stand in the container */
} Member;

typedef struct MemberList MemberList;

MemberList *member_list_new(void);
void member_list_free(MemberList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MemberList, member_list_free)

/* `name` need not end in NUL. REFUSED for a name that leads elsewhere; CORRUPT for a second member
 * of one name (compared after NFC and case folding), one that is no UTF-8, one member too many. */
bool member_list_add(MemberList *list, const char *name, size_t name_length, uint64_t size,
		     uint64_t offset, GError **error);
guint member_list_count(const MemberList *list);
const Member *member_list_get(const MemberList *list, guint index); /* borrowed */
/* Exact name; NULL when there is none. */
const Member *member_list_find(const MemberList *list, const char *name);

/* A relative name of at most MEMBER_NAME_MAX_BYTES whose parts are neither empty, "." nor ".." and
 * hold no control byte, backslash, colon or text direction override. */
bool member_name_check(const char *name, size_t length, GError **error);
/* True for "._x.ovf": what macOS leaves beside a file. */
bool member_name_is_apple_double(const char *name);
/* ASCII case does not count: ".OVF" is an ".ovf". */
bool member_name_has_suffix(const char *name, const char *suffix);

#endif
