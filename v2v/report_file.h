/* SPDX-License-Identifier: Apache-2.0 */
/* report_file.h: a report written to a file, complete or not at all. */
#ifndef V2V_REPORT_FILE_H
#define V2V_REPORT_FILE_H

#include "base/error.h"

bool report_file_write(const char *path, bool force, GVariant *report, GError **error);

#endif
