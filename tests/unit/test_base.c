/* SPDX-License-Identifier: Apache-2.0 */
/* test_base.c: checked arithmetic, zero detection, text that is safe to show. */
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"

#include <criterion/criterion.h>
#include <string.h>

Test(checked, ranges_do_not_wrap)
{
	cr_assert(range_is_inside(1, 9, 10));
	cr_assert(range_is_inside(0, 10, 10));
	cr_assert_not(range_is_inside(2, 9, 10));
	cr_assert_not(range_is_inside(UINT64_MAX, 2, 10));
	cr_assert_not(range_is_inside(2, UINT64_MAX, 10));
	cr_assert(ranges_overlap(10, 0, 1, 9));
	cr_assert_not(ranges_overlap(10, 0, 1, 10));
	cr_assert_not(ranges_overlap(0, 5, 10, 0));
}

Test(bytes, one_set_bit_is_found_wherever_it_is)
{
	uint8_t buf[300] = {0};

	for (size_t length = 0; length <= sizeof(buf); length++)
		cr_assert(bytes_are_zero(buf, length));
	for (size_t i = 0; i < sizeof(buf); i++) {
		buf[i] = 1;
		cr_assert_not(bytes_are_zero(buf, sizeof(buf)), "byte %zu", i);
		cr_assert(bytes_are_zero(buf, i), "before byte %zu", i);
		buf[i] = 0;
	}
}

Test(text, control_bytes_and_overrides_are_escaped)
{
	static const char hostile[] = "a\x1b[31m\n\xe2\x80\xae\xff z";
	g_autofree char *shown = text_for_display(hostile, sizeof(hostile) - 1, 100);
	g_autofree char *cut = text_for_display("abcdefgh", 8, 4);

	cr_assert_str_eq(shown, "a\\x1b[31m\\x0a\\xe2\\x80\\xae\\xff z");
	cr_assert_str_eq(cut, "abcd...");
}
