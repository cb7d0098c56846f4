/* SPDX-License-Identifier: Apache-2.0 */
/* nbd_fixture.c: a disk made of a pattern, behind an NBD server. */
#include "nbd_fixture.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <stdatomic.h>

typedef struct {
	Disk base;
	PatternOptions options;
	atomic_uint reads;
} PatternDisk;

/* Differs between neighbouring bytes, sectors and megabytes. */
uint8_t pattern_byte(uint64_t offset)
{
	return (uint8_t)(offset * 31 + (offset >> 9) * 7 + (offset >> 20));
}

static bool pattern_read_at(Disk *disk, void *buf, size_t length, uint64_t offset, GError **error)
{
	PatternDisk *pattern = (PatternDisk *)disk;
	const uint64_t bad = pattern->options.bad_offset;
	uint8_t *bytes = buf;

	if (pattern->options.pause_ms > 0)
		g_usleep(pattern->options.pause_ms * 1000ul);
	if (bad != 0 && offset <= bad && bad - offset < length)
		return fail(error, CORRUPT, "offset 0x%" PRIx64 ": grain is damaged", bad);
	for (size_t i = 0; i < length; i++)
		bytes[i] = pattern_byte(offset + i);
	atomic_fetch_add(&pattern->reads, 1);
	return true;
}

static bool pattern_extent_at(Disk *disk, uint64_t offset, Extent *out, GError **error)
{
	(void)error;
	*out = (Extent){.offset = offset, .length = disk->size - offset, .state = EXTENT_DATA};
	return true;
}

static void pattern_close(Disk *disk)
{
	g_free(disk);
}

static const DiskOps pattern_ops = {
	.read_at = pattern_read_at,
	.extent_at = pattern_extent_at,
	.close = pattern_close,
};

NbdFixture nbd_fixture_new(const PatternOptions *options)
{
	g_autoptr(GError) error = NULL;
	PatternDisk *pattern = g_new0(PatternDisk, 1);
	NbdFixture fixture = {.disk = &pattern->base};

	disk_init(&pattern->base, &pattern_ops, "pattern", "pattern", options->size, 65536);
	pattern->options = *options;
	fixture.folder = g_dir_make_tmp("v2v-nbd-XXXXXX", NULL);
	cr_assert_not_null(fixture.folder);
	g_autofree char *socket = g_build_filename(fixture.folder, "nbd.sock", NULL);
	fixture.uri = g_strdup_printf("nbd+unix:///?socket=%s", socket);
	fixture.server = nbd_export_new(fixture.disk, socket, &error);
	cr_assert(fixture.server != NULL, "%s", error == NULL ? "" : error->message);
	return fixture;
}

unsigned nbd_fixture_reads(const NbdFixture *fixture)
{
	return atomic_load(&((const PatternDisk *)fixture->disk)->reads);
}

void nbd_fixture_clear(NbdFixture *fixture)
{
	static const char *const names[] = {"copy", "copy0", "copy1", "copy2", "copy3", "taken"};

	nbd_export_free(fixture->server);
	disk_close(fixture->disk);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(fixture->folder, names[i], NULL);
		(void)g_unlink(path);
	}
	(void)g_rmdir(fixture->folder);
	g_free(fixture->folder);
	g_free(fixture->uri);
}
