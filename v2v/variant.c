/* SPDX-License-Identifier: Apache-2.0 */
/* variant.c: facts for JSON. */
#include "v2v/variant.h"

void variant_add_text(GVariantBuilder *builder, const char *key, const char *text)
{
	if (text == NULL)
		return;
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_variant_builder_add(builder, "{sv}", key, g_variant_new_string(valid));
}

void variant_add_bytes(GVariantBuilder *builder, const char *key, uint64_t bytes)
{
	g_variant_builder_add(builder, "{sv}", key, g_variant_new_uint64(bytes));
}
