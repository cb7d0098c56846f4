/* SPDX-License-Identifier: Apache-2.0 */
/* report_file.h: a report as JSON, in a file that is complete or not there at all. */
#ifndef V2V_REPORT_FILE_H
#define V2V_REPORT_FILE_H

#include "formats/output_file.h"

/* Into a file that was begun before the work that it reports on: what refuses it should do so then.
 */
bool report_file_write(OutputFile *file, GVariant *report, GError **error);

#endif
