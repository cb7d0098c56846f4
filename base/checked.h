/* SPDX-License-Identifier: Apache-2.0 */
/* checked.h: arithmetic on numbers from files; false (or a refusal) instead of wrapping around. */
#ifndef V2V_BASE_CHECKED_H
#define V2V_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

#define SECTOR_SIZE 512u
#define KIB         (1024ull)
#define MIB         (1024ull * KIB)
#define GIB         (1024ull * MIB)
#define TIB         (1024ull * GIB)

static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}

static inline bool checked_mul(uint64_t a, uint64_t b, uint64_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

/* True when [offset, offset + length) lies inside [0, size). Length 0 is inside when offset <=
 * size. */
static inline bool range_is_inside(uint64_t length, uint64_t offset, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/* True when the two ranges share a byte; neither may wrap around. */
static inline bool ranges_overlap(uint64_t length_a, uint64_t offset_a, uint64_t length_b,
				  uint64_t offset_b)
{
	return length_a > 0 && length_b > 0 && offset_a < offset_b + length_b &&
	       offset_b < offset_a + length_a;
}

static inline bool is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static inline uint64_t div_round_up(uint64_t value, uint64_t unit)
{
	return value / unit + (value % unit != 0);
}

static inline uint64_t round_down(uint64_t value, uint64_t unit)
{
	return value - value % unit;
}

/* The caller knows that the result fits: sizes bounded before. */
static inline uint64_t round_up(uint64_t value, uint64_t unit)
{
	return div_round_up(value, unit) * unit;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#endif
