/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ova.c: any bytes as the tar of an OVA. */
#include "fuzz.h"

#include "base/checked.h"
#include "inventory/tar_index.h"

#include <string.h>

static void check_member(const MemberList *list, const Member *member, uint64_t archive_size)
{
	contract(member_name_check(member->name, strlen(member->name), NULL));
	contract(range_is_inside(member->size, member->offset, archive_size));
	contract(member_list_find(list, member->name) == member); /* no name twice */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Storage) archive = storage_new_memory("fuzz.ova", bytes, length);
	g_autoptr(MemberList) list = tar_index_parse(archive, &error);

	contract_error(list != NULL, error);
	for (guint i = 0; list != NULL && i < member_list_count(list); i++)
		check_member(list, member_list_get(list, i), length);
	return 0;
}
