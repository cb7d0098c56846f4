/* SPDX-License-Identifier: Apache-2.0 */
/* drivers.h: the source drivers that exist; inventory/sources.c lists them. */
#ifndef V2V_INVENTORY_DRIVERS_H
#define V2V_INVENTORY_DRIVERS_H

#include "inventory/source.h"

extern const SourceDriver ova_source_driver;

#endif
