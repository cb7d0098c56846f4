/* SPDX-License-Identifier: Apache-2.0 */
/* leak_check.c: LeakSanitizer at the end of each test: Criterion ends its workers by _exit(), where
 * the sanitizer would not look. Linked with --wrap; run-suite sees the runner's status. */
#include <sanitizer/lsan_interface.h>
#include <stdlib.h>

void __real_criterion_internal_test_main(void (*test)(void));
void __wrap_criterion_internal_test_main(void (*test)(void));

void __wrap_criterion_internal_test_main(void (*test)(void))
{
	__real_criterion_internal_test_main(test);
	if (__lsan_do_recoverable_leak_check() != 0)
		abort();
}
