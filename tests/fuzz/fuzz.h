/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h: what each fuzz target defines, and how it says that a contract was broken. */
#ifndef V2V_TESTS_FUZZ_FUZZ_H
#define V2V_TESTS_FUZZ_FUZZ_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Not assert(): it must hold in every build, and the text is what the finder reads. */
#define contract(holds)                                                                            \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			(void)fprintf(stderr, "%s:%d: contract broken: %s\n", __FILE__, __LINE__,  \
				      #holds);                                                     \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Success without an error, failure with one. */
#define contract_error(succeeded, error) contract((succeeded) == ((error) == NULL))

#endif
