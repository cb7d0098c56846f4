/* SPDX-License-Identifier: Apache-2.0 */
/* variant.h: facts for JSON: text made safe, numbers, findings. */
#ifndef V2V_VARIANT_H
#define V2V_VARIANT_H

#include "base/finding.h"

#include <stdint.h>

/* Nothing is added for NULL. Invalid UTF-8 is replaced: JSON has none. */
void variant_add_text(GVariantBuilder *builder, const char *key, const char *text);
void variant_add_bytes(GVariantBuilder *builder, const char *key, uint64_t bytes);
/* An aa{sv} (floating) of id, severity, text, advice. */
GVariant *variant_of_findings(const Findings *findings);

#endif
