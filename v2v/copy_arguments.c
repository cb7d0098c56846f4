/* SPDX-License-Identifier: Apache-2.0 */
/* copy_arguments.c: threads, rate limit, compression, cluster size, progress. */
#include "v2v/copy_arguments.h"

#include "v2v/cli.h"

#include <string.h>

#define MAX_THREADS 16

GOptionEntry *copy_arguments_entries(CopyArguments *a, const GOptionEntry *before)
{
	const GOptionEntry shared[] = {
		{"compress", 'c', 0, G_OPTION_ARG_STRING, &a->compress,
		 "Compress the target: zlib or zstd, optionally :LEVEL", "METHOD"},
		{"cluster-size", 0, 0, G_OPTION_ARG_STRING, &a->cluster_size,
		 "Cluster size of the target (512 to 2M)", "SIZE"},
		{"threads", 0, 0, G_OPTION_ARG_INT, &a->threads,
		 "Worker threads, 1 to 16 (default: one per processor)", "N"},
		{"rate-limit", 0, 0, G_OPTION_ARG_STRING, &a->rate_limit,
		 "At most so many bytes of guest data a second", "SIZE"},
		{"force", 0, 0, G_OPTION_ARG_NONE, &a->force, "Replace an existing target", NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &a->quiet, "No progress", NULL},
		{"machine-readable", 0, 0, G_OPTION_ARG_NONE, &a->machine_readable,
		 "Progress as JSON lines, also on a terminal", NULL},
	};
	GArray *all = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

	for (; before->long_name != NULL; before++)
		g_array_append_val(all, *before);
	g_array_append_vals(all, shared, G_N_ELEMENTS(shared));
	return (GOptionEntry *)(void *)g_array_free(all, FALSE);
}

static bool resolve_compression(CopyArguments *arguments, CreateOptions *create, GError **error)
{
	char *colon = arguments->compress != NULL ? strchr(arguments->compress, ':') : NULL;

	if (colon != NULL) {
		uint64_t level;

		if (!g_ascii_string_to_unsigned(colon + 1, 10, 1, 22, &level, NULL))
			return fail(error, USAGE, "--compress: level \"%s\": not in 1 to 22",
				    colon + 1);
		create->compression_level = (int)level;
		*colon = '\0';
	}
	create->compression = arguments->compress;
	return true;
}

bool copy_arguments_resolve(CopyArguments *arguments, CreateOptions *create, unsigned *threads,
			    uint64_t *rate_limit, GError **error)
{
	uint64_t cluster_size = 0;

	*rate_limit = 0;
	if (arguments->threads < 0 || arguments->threads > MAX_THREADS)
		return fail(error, USAGE, "--threads: %d: not in 1 to %d", arguments->threads,
			    MAX_THREADS);
	*threads = (unsigned)arguments->threads;
	if (arguments->rate_limit != NULL &&
	    !cli_parse_size(arguments->rate_limit, "--rate-limit", rate_limit, error))
		return false;
	if (arguments->cluster_size != NULL &&
	    !cli_parse_size(arguments->cluster_size, "--cluster-size", &cluster_size, error))
		return false;
	if (cluster_size > 2u * 1024 * 1024)
		return fail(error, USAGE, "--cluster-size: %" PRIu64 ": exceeds 2M", cluster_size);
	create->cluster_size = (uint32_t)cluster_size;
	return resolve_compression(arguments, create, error);
}

ProgressMode copy_arguments_progress(const CopyArguments *arguments)
{
	if (arguments->machine_readable)
		return PROGRESS_JSON;
	return arguments->quiet ? PROGRESS_NONE : PROGRESS_AUTO;
}

void copy_arguments_clear(CopyArguments *arguments)
{
	g_free(arguments->rate_limit);
	g_free(arguments->compress);
	g_free(arguments->cluster_size);
}
