/* SPDX-License-Identifier: Apache-2.0 */
/* report.h: the report before it is handed out. */
#ifndef V2V_CONVERT_GUEST_REPORT_H
#define V2V_CONVERT_GUEST_REPORT_H

#include "convert/guest/guest.h"

GuestReport *guest_report_new(void);

#endif
