/* SPDX-License-Identifier: Apache-2.0 */
/* report_file.c: JSON through an output file. */
#include "v2v/report_file.h"

#include "formats/output_file.h"
#include "v2v/cli.h"

#include <string.h>

bool report_file_write(const char *path, bool force, GVariant *report, GError **error)
{
	g_autofree char *json = cli_json_text(report);
	g_autoptr(OutputFile) file = output_file_new(path, force, error);

	return file != NULL &&
	       storage_write_at(output_file_storage(file), json, strlen(json), 0, error) &&
	       output_file_commit(file, error);
}
