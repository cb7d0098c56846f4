/* SPDX-License-Identifier: Apache-2.0 */
/* drivers.h: the format drivers, for registry.c alone. */
#ifndef V2V_FORMATS_DRIVERS_H
#define V2V_FORMATS_DRIVERS_H

#include "formats/format.h"

extern const FormatDriver raw_format;
extern const FormatDriver vmdk_format;
extern const FormatDriver qcow2_format;

#endif
