/* SPDX-License-Identifier: Apache-2.0 */
/* ovf_units.h: numbers and units of an OVF document (DMTF DSP0004, annex C "Programmatic units").
 */
#ifndef V2V_INVENTORY_OVF_UNITS_H
#define V2V_INVENTORY_OVF_UNITS_H

#include "base/error.h"

/* "byte", "byte * 2^20", "byte * 1024", "MegaBytes" (2^20, as all who write it mean): bytes per
 * unit. One factor at most, the power 2 or 10. Empty or NULL: 1. */
bool ovf_units_parse(const char *text, uint64_t *bytes_per_unit, GError **error);

/* Decimal digits alone, at most `max`. */
bool ovf_number_parse(const char *text, uint64_t max, uint64_t *out, GError **error);

/* A number in units, as bytes; at most 2^63-1. */
bool ovf_quantity_parse(const char *number, const char *units, uint64_t *out, GError **error);

#endif
