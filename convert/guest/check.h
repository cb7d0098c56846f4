/* SPDX-License-Identifier: Apache-2.0 */
/* check.h: the checks before a conversion counts as done. */
#ifndef V2V_CONVERT_GUEST_CHECK_H
#define V2V_CONVERT_GUEST_CHECK_H

#include "convert/guest/inspect.h"

bool guest_check_fstab(Guest *guest, GError **error);  /* sources are there */
bool guest_check_loader(Guest *guest, GError **error); /* roots of the menu are there */

#endif
