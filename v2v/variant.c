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

GVariant *variant_of_findings(const Findings *findings)
{
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
	for (guint i = 0; i < findings_count(findings); i++) {
		const Finding *finding = findings_get(findings, i);
		GVariantBuilder facts;

		g_variant_builder_init(&facts, G_VARIANT_TYPE_VARDICT);
		variant_add_text(&facts, "id", finding->id);
		variant_add_text(&facts, "severity", finding_severity_name(finding->severity));
		variant_add_text(&facts, "text", finding->text);
		variant_add_text(&facts, "advice", finding->advice);
		g_variant_builder_add_value(&list, g_variant_builder_end(&facts));
	}
	return g_variant_builder_end(&list);
}
