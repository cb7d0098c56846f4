/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c: digests of blocks, their Merkle root, and their text. */
#include "convert/digest.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "formats/disk.h"

#include <openssl/evp.h>
#include <string.h>

#define DIGEST_TEXT_MAGIC "v2v-digests 1 "
/* Levels of a tree over DISK_MAX_SIZE: 2^26 blocks. */
#define DIGEST_MAX_LEVELS 27u

struct DigestMap {
	uint64_t size, block_count;
	uint8_t (*blocks)[DIGEST_LENGTH]; /* owned; meaningless where is_zero */
	uint8_t *is_zero; /* owned; a byte each, so that neighbours can be set at once */
};

static void sha256(const void *bytes, size_t length, uint8_t out[DIGEST_LENGTH])
{
	const int ok = EVP_Digest(bytes, length, out, NULL, EVP_sha256(), NULL);

	g_assert(ok == 1); /* only memory can be short, and then GLib aborts too */
}

static uint64_t block_length(const DigestMap *map, uint64_t index)
{
	return min_u64(DIGEST_BLOCK_SIZE, map->size - index * DIGEST_BLOCK_SIZE);
}

DigestMap *digest_map_new(uint64_t size)
{
	DigestMap *map = g_new0(DigestMap, 1);

	g_assert(size <= DISK_MAX_SIZE);
	map->size = size;
	map->block_count = div_round_up(size, DIGEST_BLOCK_SIZE);
	map->blocks = g_malloc_n((gsize)map->block_count + 1, DIGEST_LENGTH);
	map->is_zero = g_malloc((gsize)map->block_count + 1);
	memset(map->is_zero, 1, (size_t)map->block_count);
	return map;
}

uint64_t digest_map_size(const DigestMap *map)
{
	return map->size;
}

void digest_map_free(DigestMap *map)
{
	if (map == NULL)
		return;
	g_free(map->blocks);
	g_free(map->is_zero);
	g_free(map);
}

void digest_map_set(DigestMap *map, uint64_t index, const void *bytes, size_t length)
{
	g_assert(index < map->block_count && length == block_length(map, index));
	map->is_zero[index] = bytes == NULL || bytes_are_zero(bytes, length);
	if (!map->is_zero[index])
		sha256(bytes, length, map->blocks[index]);
}

static void zero_block_digest(size_t length, uint8_t out[DIGEST_LENGTH])
{
	g_autofree uint8_t *zeroes = g_malloc0(length);

	sha256(zeroes, length, out);
}

/* What the tree of a mostly empty disk consists of is hashed once: the leaf of a zero last block,
 * and the roots over 2^n full zero blocks. */
typedef struct {
	const DigestMap *map;
	uint8_t last[DIGEST_LENGTH], zeroes[DIGEST_MAX_LEVELS][DIGEST_LENGTH];
} TreeInput;

static void hash_leaf(const uint8_t block[DIGEST_LENGTH], uint8_t out[DIGEST_LENGTH])
{
	uint8_t leaf[1 + DIGEST_LENGTH] = {0x00};

	memcpy(leaf + 1, block, DIGEST_LENGTH);
	sha256(leaf, sizeof(leaf), out);
}

static void hash_node(const uint8_t left[DIGEST_LENGTH], const uint8_t right[DIGEST_LENGTH],
		      uint8_t out[DIGEST_LENGTH])
{
	uint8_t node[1 + 2 * DIGEST_LENGTH] = {0x01};

	memcpy(node + 1, left, DIGEST_LENGTH);
	memcpy(node + 1 + DIGEST_LENGTH, right, DIGEST_LENGTH);
	sha256(node, sizeof(node), out);
}

static void tree_input_fill(TreeInput *input, const DigestMap *map)
{
	uint8_t block[DIGEST_LENGTH];

	input->map = map;
	zero_block_digest(DIGEST_BLOCK_SIZE, block);
	hash_leaf(block, input->zeroes[0]);
	for (size_t i = 1; i < DIGEST_MAX_LEVELS; i++)
		hash_node(input->zeroes[i - 1], input->zeroes[i - 1], input->zeroes[i]);
	zero_block_digest((size_t)block_length(map, map->block_count - 1), block);
	hash_leaf(block, input->last);
}

/* All `count` blocks are zero and full. */
static bool all_zero(const DigestMap *map, uint64_t count, uint64_t first)
{
	const bool has_short_block =
		map->size % DIGEST_BLOCK_SIZE != 0 && first + count == map->block_count;

	return !has_short_block && memchr(map->is_zero + first, 0, (size_t)count) == NULL;
}

static void tree_root(const TreeInput *input, uint64_t count, uint64_t first,
		      uint8_t out[DIGEST_LENGTH])
{
	const DigestMap *map = input->map;
	uint8_t left_root[DIGEST_LENGTH], right_root[DIGEST_LENGTH];
	uint64_t left = 1;

	if (is_power_of_two(count) && all_zero(map, count, first)) {
		memcpy(out, input->zeroes[__builtin_ctzll(count)], DIGEST_LENGTH);
		return;
	}
	if (count == 1 && map->is_zero[first]) {
		memcpy(out, input->last, DIGEST_LENGTH);
		return;
	}
	if (count == 1) {
		hash_leaf(map->blocks[first], out);
		return;
	}
	while (left < count - left) /* the largest power of two below count */
		left *= 2;
	tree_root(input, left, first, left_root);
	tree_root(input, count - left, first + left, right_root);
	hash_node(left_root, right_root, out);
}

void digest_map_root(const DigestMap *map, uint8_t root[DIGEST_LENGTH])
{
	uint8_t sealed[1 + 8 + DIGEST_LENGTH] = {0x02};
	TreeInput input;

	put_be64(sealed + 1, map->size);
	if (map->block_count == 0) {
		sha256("", 0, sealed + 9);
	} else {
		tree_input_fill(&input, map);
		tree_root(&input, map->block_count, 0, sealed + 9);
	}
	sha256(sealed, sizeof(sealed), root);
}

bool digest_map_equal(const DigestMap *a, const DigestMap *b, uint64_t *block)
{
	*block = MIN(a->block_count, b->block_count);
	for (uint64_t i = 0; i < *block; i++) {
		const bool equal =
			a->is_zero[i] == b->is_zero[i] &&
			(a->is_zero[i] || memcmp(a->blocks[i], b->blocks[i], DIGEST_LENGTH) == 0);

		if (!equal)
			*block = i;
	}
	return a->size == b->size && *block == a->block_count;
}

static void append_hex(GString *text, const uint8_t digest[DIGEST_LENGTH])
{
	for (size_t i = 0; i < DIGEST_LENGTH; i++)
		g_string_append_printf(text, "%02x", digest[i]);
}

char *digest_map_root_text(const DigestMap *map)
{
	GString *text = g_string_new(NULL);
	uint8_t root[DIGEST_LENGTH];

	digest_map_root(map, root);
	append_hex(text, root);
	return g_string_free(text, FALSE);
}

char *digest_map_format(const DigestMap *map)
{
	GString *text = g_string_new(NULL);
	g_autofree char *root = digest_map_root_text(map);

	g_string_append_printf(text, DIGEST_TEXT_MAGIC "%" PRIu64 " %s\n", map->size, root);
	for (uint64_t i = 0; i < map->block_count; i++) {
		if (map->is_zero[i])
			g_string_append_c(text, '0');
		else
			append_hex(text, map->blocks[i]);
		g_string_append_c(text, '\n');
	}
	return g_string_free(text, FALSE);
}

static bool parse_hex(const char *text, size_t length, uint8_t out[DIGEST_LENGTH])
{
	if (length != 2 * DIGEST_LENGTH)
		return false;
	for (size_t i = 0; i < DIGEST_LENGTH; i++) {
		const int high = g_ascii_xdigit_value(text[2 * i]);
		const int low = g_ascii_xdigit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* "v2v-digests 1 SIZE ROOT": leaves *rest behind the line. */
static DigestMap *parse_first_line(const char *text, const char **rest, uint8_t root[DIGEST_LENGTH],
				   GError **error)
{
	const size_t magic_length = strlen(DIGEST_TEXT_MAGIC);
	char *after_size;

	if (strncmp(text, DIGEST_TEXT_MAGIC, magic_length) != 0 ||
	    !g_ascii_isdigit(text[magic_length]))
		return fail_null(error, CORRUPT, "line 1: not a digest map");
	const uint64_t size = g_ascii_strtoull(text + magic_length, &after_size, 10);
	const char *line_end = strchr(after_size, '\n');
	if (size > DISK_MAX_SIZE)
		return fail_null(error, CORRUPT, "line 1: size=%" PRIu64 ": exceeds 64 TiB", size);
	if (*after_size != ' ' || line_end == NULL ||
	    !parse_hex(after_size + 1, (size_t)(line_end - after_size - 1), root))
		return fail_null(error, CORRUPT, "line 1: no root digest");
	*rest = line_end + 1;
	/* A line holds at least "0\n": a short text cannot ask for a large map. */
	if (strlen(*rest) / 2 < div_round_up(size, DIGEST_BLOCK_SIZE))
		return fail_null(error, CORRUPT, "line 1: size=%" PRIu64 ": more than has lines",
				 size);
	return digest_map_new(size);
}

DigestMap *digest_map_parse(const char *bytes, size_t length, GError **error)
{
	g_autofree char *text = g_strndup(bytes, length);
	uint8_t expected[DIGEST_LENGTH], actual[DIGEST_LENGTH];
	const char *at;
	g_autoptr(DigestMap) map = parse_first_line(text, &at, expected, error);

	if (map == NULL)
		return NULL;
	for (uint64_t i = 0; i < map->block_count; i++) {
		const char *end = strchr(at, '\n');

		map->is_zero[i] = end == at + 1 && at[0] == '0';
		if (end == NULL ||
		    (!map->is_zero[i] && !parse_hex(at, (size_t)(end - at), map->blocks[i])))
			return fail_null(error, CORRUPT, "line %" PRIu64 ": not a digest", i + 2);
		at = end + 1;
	}
	if (*at != '\0')
		return fail_null(error, CORRUPT, "line %" PRIu64 ": more than size=%" PRIu64 " has",
				 map->block_count + 2, map->size);
	digest_map_root(map, actual);
	if (memcmp(actual, expected, DIGEST_LENGTH) != 0)
		return fail_null(error, CORRUPT, "root digest differs from that of the lines");
	return g_steal_pointer(&map);
}
