/* SPDX-License-Identifier: Apache-2.0 */
/* variant.h: facts for JSON: text made safe, numbers. */
#ifndef V2V_VARIANT_H
#define V2V_VARIANT_H

#include <glib.h>
#include <stdint.h>

/* Nothing is added for NULL. Invalid UTF-8 is replaced: JSON has none. */
void variant_add_text(GVariantBuilder *builder, const char *key, const char *text);
void variant_add_bytes(GVariantBuilder *builder, const char *key, uint64_t bytes);

#endif
