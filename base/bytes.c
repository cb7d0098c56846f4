/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.c: zero detection. */
#include "base/bytes.h"

#include <string.h>

bool bytes_are_zero(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint64_t sixteen[2];

	/* The first 16 bytes by hand, then the buffer against itself shifted by 16: memcmp is the
	 * fastest loop that the C library has, and most data differs at once. */
	if (length < sizeof(sixteen)) {
		for (size_t i = 0; i < length; i++)
			if (at[i] != 0)
				return false;
		return true;
	}
	memcpy(sixteen, at, sizeof(sixteen));
	if ((sixteen[0] | sixteen[1]) != 0)
		return false;
	return memcmp(at, at + sizeof(sixteen), length - sizeof(sixteen)) == 0;
}
