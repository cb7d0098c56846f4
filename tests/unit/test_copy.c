/* SPDX-License-Identifier: Apache-2.0 */
/* test_copy.c: same bytes and same order by any number of threads; failures, deltas, limits. */
#include "base/checked.h"
#include "convert/copy.h"
#include "convert/verify.h"
#include "formats/format.h"
#include "map_disk.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#define BLOCK (128 * KIB)
/* 33 blocks: not a whole number of MiB; runs shorter and longer than an item; zeroes in data. */
static const char map_text[] = "DD..ZZZZDDDDDDDDDDDD........NDdDD";

/* A writer that keeps what it is told, in the order in which it is told. */
typedef struct {
	DiskWriter base;
	GMutex lock;
	GArray *placed; /* of uint64_t: guest offsets */
	uint8_t *bytes; /* size */
	gint units;     /* made and not freed */
	bool placing;
	uint64_t fail_encode, fail_place, fail_write; /* guest offset; UINT64_MAX: never */
	Cancel *cancel_at_first_write;
} Recorder;

struct WriteUnit {
	Recorder *recorder;
	const uint8_t *bytes;
	size_t length;
	uint64_t offset;
	bool placed;
};

static WriteUnit *record_encode(DiskWriter *writer, const void *buf, size_t length, uint64_t offset,
				GError **error)
{
	Recorder *recorder = (Recorder *)writer;
	WriteUnit *unit = g_new0(WriteUnit, 1);

	g_assert(offset % writer->unit_size == 0 && length <= writer->unit_size);
	if (offset == recorder->fail_encode) {
		g_free(unit);
		return fail_null(error, IO, "encode");
	}
	*unit = (WriteUnit){recorder, buf, length, offset, false};
	g_atomic_int_inc(&recorder->units);
	return unit;
}

static bool record_place(DiskWriter *writer, WriteUnit *unit, GError **error)
{
	Recorder *recorder = (Recorder *)writer;

	g_mutex_lock(&recorder->lock);
	g_assert(!recorder->placing);
	recorder->placing = true;
	g_mutex_unlock(&recorder->lock);
	g_thread_yield();
	g_array_append_val(recorder->placed, unit->offset);
	unit->placed = true;
	g_mutex_lock(&recorder->lock);
	recorder->placing = false;
	g_mutex_unlock(&recorder->lock);
	return unit->offset != recorder->fail_place || fail(error, IO, "place");
}

static bool record_write(DiskWriter *writer, WriteUnit *unit, GError **error)
{
	Recorder *recorder = (Recorder *)writer;

	g_assert(unit->placed);
	if (unit->offset == recorder->fail_write)
		return fail(error, IO, "write");
	if (recorder->cancel_at_first_write != NULL)
		atomic_store(&recorder->cancel_at_first_write->requested, true);
	if (unit->bytes != NULL)
		memcpy(recorder->bytes + unit->offset, unit->bytes, unit->length);
	else
		memset(recorder->bytes + unit->offset, 0, unit->length);
	return true;
}

static void record_free(WriteUnit *unit)
{
	g_atomic_int_add(&unit->recorder->units, -1);
	g_free(unit);
}

static const DiskWriterOps record_ops = {
	.unit_encode = record_encode,
	.unit_place = record_place,
	.unit_write = record_write,
	.unit_free = record_free,
};

/* Filled with 0xee: what is not written shows. */
static Recorder *recorder_new(uint64_t size, size_t unit_size)
{
	Recorder *recorder = g_new0(Recorder, 1);

	recorder->base = (DiskWriter){.ops = &record_ops, .size = size, .unit_size = unit_size};
	g_mutex_init(&recorder->lock);
	recorder->placed = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	recorder->bytes = g_malloc((gsize)size);
	memset(recorder->bytes, 0xee, (size_t)size);
	recorder->fail_encode = recorder->fail_place = recorder->fail_write = UINT64_MAX;
	return recorder;
}

static void recorder_free(Recorder *recorder)
{
	cr_expect_eq(recorder->units, 0, "%d units were not freed", recorder->units);
	g_array_unref(recorder->placed);
	g_mutex_clear(&recorder->lock);
	g_free(recorder->bytes);
	g_free(recorder);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recorder, recorder_free)

static uint8_t *bytes_of(Disk *disk)
{
	uint8_t *bytes = g_malloc((gsize)disk->size);

	cr_assert(disk_read_at(disk, bytes, (size_t)disk->size, 0, NULL));
	return bytes;
}

struct shape_case {
	char name[32];
	uint64_t size;   /* of the source; 0: of the map */
	uint64_t longer; /* the target */
	uint32_t unit_size;
};

ParameterizedTestParameters(copy, shapes)
{
	static struct shape_case cases[] = {
		{"units of 64 KiB", 0, 0, 64 * 1024},
		{"units of 1 MiB", 0, 0, 1024 * 1024},
		{"units of 2 MiB", 0, 0, 2048 * 1024},
		{"odd size", 33 * 128 * 1024 - 777, 0, 64 * 1024},
		{"odd size, larger target", 33 * 128 * 1024 - 777, 777, 64 * 1024},
		{"much larger target", 0, 5 * 1024 * 1024 + 1, 64 * 1024},
		{"one byte", 1, 0, 64 * 1024},
	};

	return cr_make_param_array(struct shape_case, cases, G_N_ELEMENTS(cases));
}

/* What is not handed to the writer is zeroes of the empty image. */
static void expect_copied(const struct shape_case *row, const Recorder *recorder, Disk *disk,
			  unsigned threads)
{
	g_autofree uint8_t *expected = bytes_of(disk);
	g_autofree bool *written = g_new0(bool, recorder->base.size / row->unit_size + 1);

	for (guint i = 0; i < recorder->placed->len; i++) {
		const uint64_t offset = g_array_index(recorder->placed, uint64_t, i);

		cr_assert(i == 0 || offset > g_array_index(recorder->placed, uint64_t, i - 1),
			  "%s, %u threads: out of order", row->name, threads);
		written[offset / row->unit_size] = true;
	}
	for (uint64_t i = 0; i < recorder->base.size; i++) {
		const uint8_t got = written[i / row->unit_size] ? recorder->bytes[i] : 0;

		cr_assert_eq(got, i < disk->size ? expected[i] : 0, "%s, %u threads, byte %" PRIu64,
			     row->name, threads, i);
	}
}

ParameterizedTest(struct shape_case *row, copy, shapes)
{
	static const unsigned thread_counts[] = {1, 2, 3, 8, 16, 0};
	g_autofree char *first_root = NULL;
	guint first_placed = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(thread_counts); i++) {
		g_autoptr(Disk) disk = map_disk_new(map_text, BLOCK, 1, row->size);
		g_autoptr(Recorder) recorder =
			recorder_new(disk->size + row->longer, row->unit_size);
		g_autoptr(DigestMap) digests = digest_map_new(disk->size);
		const CopyOptions options = {.threads = thread_counts[i], .digests = digests};
		CopyCounts counts;

		cr_assert(copy_disk(disk, &recorder->base, &options, &counts, NULL));
		expect_copied(row, recorder, disk, thread_counts[i]);
		cr_expect_eq(counts.data_bytes + counts.zero_bytes, disk->size, "%s", row->name);
		g_autofree char *root = digest_map_root_text(digests);
		if (i == 0) {
			first_root = g_steal_pointer(&root);
			first_placed = recorder->placed->len;
			continue;
		}
		cr_expect_str_eq(root, first_root, "%s", row->name);
		cr_expect_eq(recorder->placed->len, first_placed, "%s", row->name);
	}
}

Test(copy, counts_say_what_takes_space)
{
	g_autoptr(Disk) disk = map_disk_new("DDNN....ZZZZZZZZ", BLOCK, 1, 0);
	g_autoptr(Recorder) recorder = recorder_new(disk->size, BLOCK);
	CopyCounts counts;

	cr_assert(copy_disk(disk, &recorder->base, &(CopyOptions){0}, &counts, NULL));
	cr_expect_eq(counts.data_bytes, 2 * BLOCK);
	cr_expect_eq(counts.zero_bytes, 14 * BLOCK);
}

Test(copy, a_target_that_is_too_small_is_a_usage_error)
{
	g_autoptr(Disk) disk = map_disk_new("DD", BLOCK, 1, 0);
	g_autoptr(Recorder) recorder = recorder_new(disk->size - 1, BLOCK);
	g_autoptr(GError) error = NULL;

	cr_expect_not(copy_disk(disk, &recorder->base, &(CopyOptions){0}, NULL, &error));
	cr_expect_eq(error->code, V2V_ERROR_USAGE);
}

/* Wherever it fails, the first error comes out, nobody waits for ever, nothing leaks. */
Test(copy, fails_at_each_place_and_each_step, .timeout = 60)
{
	for (unsigned threads = 1; threads <= 8; threads *= 2)
		for (unsigned step = 0; step < 4; step++)
			for (uint64_t at = 8; at < 32; at += 3) {
				g_autoptr(Disk) disk = map_disk_new(map_text, BLOCK, 1, 0);
				g_autoptr(Recorder) recorder = recorder_new(disk->size, 64 * KIB);
				g_autoptr(GError) error = NULL;
				const CopyOptions options = {.threads = threads};
				uint64_t *const offsets[] = {&recorder->fail_encode,
							     &recorder->fail_place,
							     &recorder->fail_write};

				if (step < 3)
					*offsets[step] = at * BLOCK;
				else
					map_disk_fail_at(disk, at);
				if (at >= 20 && at < 28) /* a hole there: nothing to encode */
					continue;
				cr_assert_not(
					copy_disk(disk, &recorder->base, &options, NULL, &error),
					"step %u at %" PRIu64, step, at);
				cr_assert_eq(error->code, V2V_ERROR_IO, "%s", error->message);
			}
}

Test(copy, stops_when_asked)
{
	g_autoptr(Disk) disk = map_disk_new(map_text, BLOCK, 1, 0);
	g_autoptr(Recorder) recorder = recorder_new(disk->size, 64 * KIB);
	g_autoptr(GError) error = NULL;
	Cancel cancel = {.requested = false};
	const CopyOptions options = {.threads = 2, .cancel = &cancel};

	recorder->cancel_at_first_write = &cancel;
	cr_expect_not(copy_disk(disk, &recorder->base, &options, NULL, &error));
	cr_expect_eq(error->code, V2V_ERROR_INTERRUPTED);
	cr_expect_lt(recorder->placed->len, disk->size / (64 * KIB));
	g_clear_error(&error);
	cr_expect_not(copy_disk(disk, &recorder->base, &options, NULL, &error));
	cr_expect_eq(error->code, V2V_ERROR_INTERRUPTED);
}

Test(copy, stops_while_it_looks_for_data_in_a_disk_without_any)
{
	g_autofree char *map = g_malloc(200001);
	Cancel cancel = {.requested = true};
	const CopyOptions options = {.threads = 1, .cancel = &cancel};

	for (size_t i = 0; i < 200000; i++)
		map[i] = i % 2 != 0 ? 'Z' : '.';
	map[200000] = '\0';
	g_autoptr(Disk) disk = map_disk_new(map, 512, 1, 0);
	g_autoptr(Recorder) recorder = recorder_new(disk->size, 64 * KIB);
	cr_expect_not(copy_disk(disk, &recorder->base, &options, NULL, NULL));
	cr_expect_lt(map_disk_looks(disk), 10);
}

Test(copy, keeps_to_the_rate_limit)
{
	g_autoptr(Disk) disk = map_disk_new("DDDDDDDDDDDDDDDDZZZZZZZZ", BLOCK, 1, 0);
	g_autoptr(Recorder) recorder = recorder_new(disk->size, 64 * KIB);
	const CopyOptions options = {.threads = 4, .rate_limit = 5 * MIB};
	const gint64 start = g_get_monotonic_time();

	cr_assert(copy_disk(disk, &recorder->base, &options, NULL, NULL));
	const double seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
	cr_expect_geq(seconds, 0.39, "2 MiB of data at 5 MiB/s: %.2f s", seconds);
	cr_expect_lt(seconds, 5);
}

/* Over an older image, the changes alone, zeroes too; the rest stays. */
Test(copy, a_delta_writes_what_changed_and_nothing_else)
{
	g_autoptr(Disk) base = map_disk_new("DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD", BLOCK, 1, 0);
	g_autoptr(Disk) overlay = map_disk_new("........Z.......ZZZZZZZZD......N", BLOCK, 2, 0);
	g_autofree uint8_t *old = bytes_of(base);
	g_autoptr(Storage) file = storage_new_spool("target", NULL, NULL);
	const CreateOptions create = {.size = base->size};
	g_autoptr(DiskWriter) writer = format_find("raw")->create(file, &create, NULL);
	g_autofree uint8_t *got = g_malloc((gsize)base->size);
	g_autoptr(GArray) changes = NULL;
	CopyCounts counts;

	cr_assert(copy_disk(base, writer, &(CopyOptions){0}, NULL, NULL));
	overlay->backing = g_steal_pointer(&base);
	changes = copy_layer_changes(overlay, NULL);
	cr_assert_eq(changes->len, 3, "neighbours are one: %u", changes->len);
	const CopyOptions options = {.threads = 3, .changes = changes};
	cr_assert(copy_disk(overlay, writer, &options, &counts, NULL));
	cr_expect_eq(counts.data_bytes, 6 * BLOCK, "items of two blocks: 8, 24 and 30");
	cr_expect_eq(counts.zero_bytes, 8 * BLOCK, "16 to 23");
	g_autofree uint8_t *new = bytes_of(overlay);
	cr_assert(storage_read_at(file, got, (size_t)overlay->size, 0, NULL));
	cr_expect_arr_eq(got, new, overlay->size);
	cr_expect_arr_eq(got, old, MIB, "the first MiB was not touched");
}

/* Two changes in a disk of many small extents: no walk to its end for each. */
Test(copy, a_delta_looks_only_at_its_own_places)
{
	g_autofree char *map = g_malloc(200001);
	g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(Extent));
	const Extent change[] = {{.offset = 0, .length = 512},
				 {.offset = 50 * MIB, .length = 2 * MIB}};
	const CopyOptions options = {.threads = 1, .changes = changes};

	for (size_t i = 0; i < 200000; i++)
		map[i] = i % 2 != 0 ? 'Z' : '.';
	map[200000] = '\0';
	g_array_append_vals(changes, change, 2);
	g_autoptr(Disk) disk = map_disk_new(map, 512, 1, 0);
	g_autoptr(Recorder) recorder = recorder_new(disk->size, 64 * KIB);
	cr_assert(copy_disk(disk, &recorder->base, &options, NULL, NULL));
	cr_expect_eq(recorder->placed->len, 36, "a quarter of a MiB, and two MiB");
	cr_expect_lt(map_disk_looks(disk), 3 * 3 * 2048);
}

Test(verify, finds_what_differs_and_what_follows_the_end)
{
	g_autoptr(Disk) disk = map_disk_new(map_text, BLOCK, 1, 0);
	g_autoptr(Disk) other = map_disk_new("DD..ZZZZDDDDDDDDDDDDD.......NDdDD", BLOCK, 1, 0);
	g_autoptr(Disk) zeroes_after =
		map_disk_new("DD..ZZZZDDDDDDDDDDDD........NDdDDN.Z", BLOCK, 1, 0);
	g_autoptr(Disk) data_after =
		map_disk_new("DD..ZZZZDDDDDDDDDDDD........NDdDDNND", BLOCK, 1, 0);
	g_autoptr(Disk) shorter = map_disk_new("DD..", BLOCK, 1, 0);
	g_autoptr(Recorder) recorder = recorder_new(disk->size, 64 * KIB);
	g_autoptr(DigestMap) digests = digest_map_new(disk->size);
	CopyOptions options = {.digests = digests};
	g_autoptr(GError) error = NULL;

	cr_assert(copy_disk(disk, &recorder->base, &options, NULL, NULL));
	options.digests = NULL;
	cr_expect(verify_disk(disk, digests, &options, NULL));
	cr_expect(verify_disk(zeroes_after, digests, &options, NULL));
	cr_expect_not(verify_disk(shorter, digests, &options, NULL));
	cr_expect_not(verify_disk(data_after, digests, &options, NULL));
	cr_expect_not(verify_disk(other, digests, &options, &error));
	cr_expect_str_eq(error->message, "guest bytes at offset 2097152 differ from the source");
}
