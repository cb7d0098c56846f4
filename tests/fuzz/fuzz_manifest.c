/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_manifest.c: any bytes as the manifest of an OVF package. */
#include "fuzz.h"

#include "inventory/manifest.h"
#include "inventory/member_list.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Manifest) manifest = manifest_parse((const char *)bytes, length, &error);

	contract_error(manifest != NULL, error);
	for (guint i = 0; manifest != NULL && i < manifest_count(manifest); i++) {
		const ManifestEntry *entry = manifest_entry(manifest, i);

		contract(member_name_check(entry->name, strlen(entry->name), NULL));
		contract(manifest_lists(manifest, entry->name));
		contract(entry->digest_length == 20 || entry->digest_length == 32 ||
			 entry->digest_length == 64);
	}
	return 0;
}
