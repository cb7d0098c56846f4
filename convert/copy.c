/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c: workers read, decode and encode in parallel; a turnstile gives places in guest order. */
#include "convert/copy.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "convert/copy_plan.h"

#include <string.h>

#define MAX_THREADS 16u

typedef struct {
	Disk *from;
	DiskWriter *to;
	const CopyOptions *options;
	CopyPlan *plan;
	int64_t start_us; /* monotonic */

	GMutex lock; /* of what follows, and of the plan */
	GCond turn_changed;
	uint64_t next_item;  /* number of the item that is handed out next */
	uint64_t turn;       /* number of the item whose units are placed now */
	uint64_t handed_out; /* guest bytes of items with data, for the rate limit */
	CopyCounts counts;
	GError *error; /* owned; the first failure; all workers stop */
} CopyJob;

/* What a worker is at: one item, its bytes, its units. */
typedef struct {
	CopyItem item;
	uint64_t number;
	uint8_t *buf;   /* owned by the worker; item_size bytes */
	size_t present; /* of the item's bytes, what `from` has; a larger target adds zeroes */
	WriteUnit *units[COPY_MAX_UNITS_PER_ITEM];
	size_t unit_count;
	CopyCounts counts; /* of this item */
} Work;

static void job_fail(CopyJob *job, GError *error)
{
	g_mutex_lock(&job->lock);
	if (job->error == NULL)
		job->error = g_steal_pointer(&error);
	g_cond_broadcast(&job->turn_changed);
	g_mutex_unlock(&job->lock);
	g_clear_error(&error);
}

/* Waits until `bytes` of guest data may have been handed out at the rate limit. */
static bool wait_for_rate(const CopyJob *job, uint64_t bytes, GError **error)
{
	const uint64_t limit = job->options->rate_limit;
	const int64_t max_nap_us = 100 * 1000;

	if (limit == 0)
		return true;
	for (;;) {
		const double due = (double)bytes / (double)limit * G_USEC_PER_SEC;
		const int64_t left = job->start_us + (int64_t)due - g_get_monotonic_time();

		if (!cancel_check(job->options->cancel, error))
			return false;
		if (left <= 0)
			return true;
		g_usleep((gulong)MIN(left, max_nap_us));
	}
}

static size_t bytes_present(const Disk *from, const CopyItem *item)
{
	if (item->offset >= from->size)
		return 0;
	return (size_t)min_u64(item->length, from->size - item->offset);
}

/* The next item; false at the end (error unset) or on failure. */
static bool take_item(CopyJob *job, Work *work, GError **error)
{
	uint64_t skipped = 0, handed_out = 0;
	bool more = false;

	if (!cancel_check(job->options->cancel, error))
		return false;
	g_mutex_lock(&job->lock);
	if (job->error == NULL)
		more = copy_plan_next(job->plan, &work->item, &skipped, error);
	if (more) {
		work->number = job->next_item++;
		work->present = bytes_present(job->from, &work->item);
		job->handed_out += work->item.has_data ? work->present : 0;
		handed_out = job->handed_out;
	}
	job->counts.zero_bytes += skipped;
	g_mutex_unlock(&job->lock);
	progress_advance(job->options->progress, skipped);
	return more && wait_for_rate(job, handed_out, error);
}

static bool read_item(CopyJob *job, Work *work, GError **error)
{
	if (work->present > 0 &&
	    !disk_read_at(job->from, work->buf, work->present, work->item.offset, error))
		return false;
	memset(work->buf + work->present, 0, work->item.length - work->present);
	return true;
}

static void digest_item(const CopyJob *job, const Work *work)
{
	DigestMap *digests = job->options->digests;
	const uint64_t end = digests != NULL ? digest_map_size(digests) : 0;

	for (size_t at = 0; at < work->item.length; at += DIGEST_BLOCK_SIZE) {
		const uint64_t offset = work->item.offset + at;

		if (offset < end)
			digest_map_set(digests, offset / DIGEST_BLOCK_SIZE,
				       work->item.has_data ? work->buf + at : NULL,
				       (size_t)min_u64(DIGEST_BLOCK_SIZE, end - offset));
	}
}

static bool encode_item(CopyJob *job, Work *work, GError **error)
{
	const size_t unit_size = job->to->unit_size;

	work->counts = (CopyCounts){0};
	for (size_t at = 0; at < work->item.length; at += unit_size) {
		const size_t length = MIN(unit_size, work->item.length - at);
		const uint8_t *bytes = work->buf + at;
		const size_t present = MIN(length, work->present - MIN(at, work->present));

		if (!work->item.has_data || bytes_are_zero(bytes, length))
			bytes = NULL;
		WriteUnit *unit = job->to->ops->unit_encode(job->to, bytes, length,
							    work->item.offset + at, error);

		if (unit == NULL)
			return false;
		work->units[work->unit_count++] = unit;
		*(bytes != NULL ? &work->counts.data_bytes : &work->counts.zero_bytes) += present;
	}
	return true;
}

/* False when another worker failed meanwhile. */
static bool wait_for_turn(CopyJob *job, const Work *work, GError **error)
{
	g_mutex_lock(&job->lock);
	while (job->turn != work->number && job->error == NULL)
		g_cond_wait(&job->turn_changed, &job->lock);
	const bool go_on = job->error == NULL;
	g_mutex_unlock(&job->lock);
	return go_on || fail(error, INTERRUPTED, "another worker failed");
}

/* Nobody else has this turn: a sequential writer may take its time without the lock. */
static bool place_item(CopyJob *job, Work *work, GError **error)
{
	bool ok = true;

	if (job->to->ops->unit_place == NULL)
		return true;
	if (!wait_for_turn(job, work, error))
		return false;
	for (size_t i = 0; ok && i < work->unit_count; i++)
		ok = job->to->ops->unit_place(job->to, work->units[i], error);
	g_mutex_lock(&job->lock);
	job->turn++;
	g_cond_broadcast(&job->turn_changed);
	g_mutex_unlock(&job->lock);
	return ok;
}

static void count_item(CopyJob *job, const Work *work)
{
	g_mutex_lock(&job->lock);
	job->counts.data_bytes += work->counts.data_bytes;
	job->counts.zero_bytes += work->counts.zero_bytes;
	g_mutex_unlock(&job->lock);
	progress_advance(job->options->progress, work->present);
}

static bool write_item(CopyJob *job, Work *work, GError **error)
{
	for (size_t i = 0; i < work->unit_count; i++)
		if (!job->to->ops->unit_write(job->to, work->units[i], error))
			return false;
	return true;
}

static bool copy_item(CopyJob *job, Work *work, GError **error)
{
	bool ok = !work->item.has_data || read_item(job, work, error);

	if (ok) {
		digest_item(job, work);
		ok = encode_item(job, work, error) && place_item(job, work, error) &&
		     write_item(job, work, error);
	}
	for (size_t i = 0; i < work->unit_count; i++)
		job->to->ops->unit_free(work->units[i]);
	work->unit_count = 0;
	if (ok)
		count_item(job, work);
	return ok;
}

static void *copy_worker(void *pointer)
{
	CopyJob *job = pointer;
	Work work = {.buf = g_malloc(copy_plan_item_size(job->plan))};
	GError *error = NULL;

	while (take_item(job, &work, &error) && copy_item(job, &work, &error))
		;
	if (error != NULL)
		job_fail(job, error);
	g_free(work.buf);
	return NULL;
}

/* No more than there can be items. */
static unsigned thread_count(const CopyJob *job)
{
	const unsigned wanted =
		job->options->threads > 0 ? job->options->threads : g_get_num_processors();
	const uint64_t items = div_round_up(job->to->size, copy_plan_item_size(job->plan));

	return (unsigned)MIN(MIN(wanted, MAX_THREADS), MAX(items, 1));
}

static void run_workers(CopyJob *job)
{
	GThread *threads[MAX_THREADS] = {NULL};
	const unsigned count = thread_count(job);

	/* One worker is this thread: a machine that gives no more threads still copies. */
	for (unsigned i = 1; i < count; i++)
		threads[i] = g_thread_try_new("copy", copy_worker, job, NULL);
	copy_worker(job);
	for (unsigned i = 1; i < count; i++)
		if (threads[i] != NULL)
			g_thread_join(threads[i]);
}

bool copy_disk(Disk *from, DiskWriter *to, const CopyOptions *options, CopyCounts *counts,
	       GError **error)
{
	if (to->size < from->size)
		return fail(error, USAGE,
			    "target of %" PRIu64 " bytes is smaller than the source of %" PRIu64,
			    to->size, from->size);
	g_autoptr(CopyPlan) plan = copy_plan_new(from, to, options);
	CopyJob job = {
		.from = from,
		.to = to,
		.options = options,
		.plan = plan,
		.start_us = g_get_monotonic_time(),
	};
	g_mutex_init(&job.lock);
	g_cond_init(&job.turn_changed);
	to->rewriting = options->changes != NULL;
	run_workers(&job);
	g_cond_clear(&job.turn_changed);
	g_mutex_clear(&job.lock);
	if (counts != NULL)
		*counts = job.counts;
	if (job.error != NULL)
		return g_propagate_error(error, job.error), false;
	return disk_check_unchanged(from, error);
}
