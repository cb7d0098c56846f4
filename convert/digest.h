/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h: a SHA-256 per MiB of guest bytes plus one root: what verify and resume stand on. */
#ifndef V2V_CONVERT_DIGEST_H
#define V2V_CONVERT_DIGEST_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define DIGEST_LENGTH 32u
#define DIGEST_BLOCK_SIZE                                                                          \
	(1024u * 1024u) /* guest bytes per digest; the last block may be shorter */

typedef struct DigestMap DigestMap;

/* `size` is that of a disk: at most DISK_MAX_SIZE. All blocks are zero. */
DigestMap *digest_map_new(uint64_t size);
uint64_t digest_map_size(const DigestMap *map); /* guest bytes */
void digest_map_free(DigestMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DigestMap, digest_map_free)

/* Block `index` of the disk; NULL bytes mean that it is all zeroes. Safe for different blocks at
 * once. */
void digest_map_set(DigestMap *map, uint64_t index, const void *bytes, size_t length);
/* The root of the Merkle tree over the blocks: leaves H(0x00 || digest), nodes H(0x01 || left ||
 * right) as RFC 6962 §2.1, then H(0x02 || size as 64-bit big-endian || root). */
void digest_map_root(const DigestMap *map, uint8_t root[DIGEST_LENGTH]);
/* The root in hexadecimal; owned by the caller. */
char *digest_map_root_text(const DigestMap *map);
/* False when sizes or a block differ; *block is the first that does. */
bool digest_map_equal(const DigestMap *a, const DigestMap *b, uint64_t *block);
/* Text, one line a block: "v2v-digests 1 SIZE ROOT", then "HEX" or "0" for a zero block. */
char *digest_map_format(const DigestMap *map);
DigestMap *digest_map_parse(const char *text, size_t length, GError **error);

#endif
