/* SPDX-License-Identifier: Apache-2.0 */
/* member_list.c: the files of a package by name; the only place that judges such names. */
#include "inventory/member_list.h"

#include <string.h>

#define NAME_SHOWN_BYTES 80u

struct MemberList {
	GPtrArray *members;  /* owned, of Member */
	GHashTable *by_name; /* borrowed name -> borrowed Member */
	GHashTable *folded;  /* owned folded name -> borrowed Member */
};

static void member_free(void *pointer)
{
	Member *member = pointer;

	g_free(member->name);
	g_free(member);
}

MemberList *member_list_new(void)
{
	MemberList *list = g_new0(MemberList, 1);

	list->members = g_ptr_array_new_with_free_func(member_free);
	list->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	list->folded = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return list;
}

void member_list_free(MemberList *list)
{
	if (list == NULL)
		return;
	g_hash_table_unref(list->folded);
	g_hash_table_unref(list->by_name);
	g_ptr_array_unref(list->members);
	g_free(list);
}

/* What a case-insensitive or normalising file system would take for the same file. */
static char *name_fold(const char *name)
{
	g_autofree char *composed = g_utf8_normalize(name, -1, G_NORMALIZE_NFC);
	g_autofree char *folded = g_utf8_casefold(composed, -1);

	return g_utf8_normalize(folded, -1, G_NORMALIZE_NFC);
}

static bool is_forbidden(gunichar c)
{
	const bool overrides_direction = (c >= 0x202a && c <= 0x202e) ||
					 (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
					 c == 0x200f || c == 0x061c;

	return g_unichar_iscntrl(c) || c == '\\' || c == ':' || overrides_direction;
}

static const char *part_fault(const char *part, size_t length)
{
	if (length == 0)
		return "has an empty part";
	if (length == 1 && part[0] == '.')
		return "has the part \".\"";
	if (length == 2 && part[0] == '.' && part[1] == '.')
		return "leads outside the package";
	return NULL;
}

static const char *name_fault(const char *name, size_t length)
{
	if (length == 0)
		return "is empty";
	if (length > MEMBER_NAME_MAX_BYTES)
		return "is too long: the limit is 255 bytes";
	if (name[0] == '/')
		return "is absolute";
	if (!g_utf8_validate_len(name, length, NULL))
		return "is not UTF-8 text";
	for (const char *at = name; at < name + length; at = g_utf8_next_char(at))
		if (is_forbidden(g_utf8_get_char(at)))
			return "holds a control character, a backslash or a colon";
	for (const char *part = name;;) {
		const char *slash = memchr(part, '/', (size_t)(name + length - part));
		const char *end = slash != NULL ? slash : name + length;
		const char *fault = part_fault(part, (size_t)(end - part));

		if (fault != NULL || slash == NULL)
			return fault;
		part = slash + 1;
	}
}

bool member_name_check(const char *name, size_t length, GError **error)
{
	const char *fault = name_fault(name, length);

	if (fault == NULL)
		return true;
	g_autofree char *shown = text_for_display(name, length, NAME_SHOWN_BYTES);
	return fail(error, REFUSED, "name \"%s\" of %zu bytes %s", shown, length, fault);
}

bool member_name_is_apple_double(const char *name)
{
	const char *slash = strrchr(name, '/');

	return g_str_has_prefix(slash != NULL ? slash + 1 : name, "._");
}

bool member_name_has_suffix(const char *name, const char *suffix)
{
	const size_t length = strlen(name), suffix_length = strlen(suffix);

	return length > suffix_length &&
	       g_ascii_strcasecmp(name + length - suffix_length, suffix) == 0;
}

bool member_list_add(MemberList *list, const char *name, size_t name_length, uint64_t size,
		     uint64_t offset, GError **error)
{
	if (name_length > 2 && name[0] == '.' && name[1] == '/') { /* "tar cf x.ova ./vm.ovf" */
		name += 2;
		name_length -= 2;
	}
	if (!member_name_check(name, name_length, error))
		return false;
	if (list->members->len >= MEMBER_MAX_COUNT)
		return fail(error, CORRUPT, "more than %u members", MEMBER_MAX_COUNT);

	g_autofree char *own = g_strndup(name, name_length);
	g_autofree char *folded = name_fold(own);
	const Member *twin = g_hash_table_lookup(list->folded, folded);
	if (twin != NULL)
		return fail(error, CORRUPT, "two members of one name: \"%s\" and \"%s\"",
			    twin->name, own);

	Member *member = g_new0(Member, 1);
	*member = (Member){g_steal_pointer(&own), size, offset};
	g_ptr_array_add(list->members, member);
	g_hash_table_insert(list->by_name, member->name, member);
	g_hash_table_insert(list->folded, g_steal_pointer(&folded), member);
	return true;
}

guint member_list_count(const MemberList *list)
{
	return list->members->len;
}

const Member *member_list_get(const MemberList *list, guint index)
{
	return g_ptr_array_index(list->members, index);
}

const Member *member_list_find(const MemberList *list, const char *name)
{
	return g_hash_table_lookup(list->by_name, name);
}
