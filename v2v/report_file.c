/* SPDX-License-Identifier: Apache-2.0 */
/* report_file.c: JSON through an output file. */
#include "v2v/report_file.h"

#include "v2v/cli.h"

#include <string.h>

bool report_file_write(OutputFile *file, GVariant *report, GError **error)
{
	g_autofree char *json = cli_json_text(report);

	return storage_write_at(output_file_storage(file), json, strlen(json), 0, error) &&
	       output_file_commit(file, error);
}
