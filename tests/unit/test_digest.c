/* SPDX-License-Identifier: Apache-2.0 */
/* test_digest.c: the tree against the words of RFC 6962, with another SHA-256; the text form. */
#include "base/bytes.h"
#include "base/checked.h"
#include "convert/digest.h"
#include "formats/disk.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

typedef struct {
	const void *bytes;
	size_t length;
} Leaf;

/* GLib's own SHA-256 over one byte and two parts. */
static void hash(int prefix, const void *a, size_t a_length, const void *b, size_t b_length,
		 uint8_t out[DIGEST_LENGTH])
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	const uint8_t first = (uint8_t)prefix;
	gsize length = DIGEST_LENGTH;

	if (prefix >= 0)
		g_checksum_update(sum, &first, 1);
	g_checksum_update(sum, a, (gssize)a_length);
	g_checksum_update(sum, b, (gssize)b_length);
	g_checksum_get_digest(sum, out, &length);
	g_checksum_free(sum);
}

/* MTH(D[n]) as RFC 6962, section 2.1 writes it. */
static void tree_hash(const Leaf *leaves, size_t count, uint8_t out[DIGEST_LENGTH])
{
	uint8_t left[DIGEST_LENGTH], right[DIGEST_LENGTH];
	size_t k = 1;

	if (count == 1) {
		hash(0, leaves[0].bytes, leaves[0].length, "", 0, out);
		return;
	}
	while (k * 2 < count)
		k *= 2;
	tree_hash(leaves, k, left);
	tree_hash(leaves + k, count - k, right);
	hash(1, left, sizeof(left), right, sizeof(right), out);
}

static char *hex(const uint8_t digest[DIGEST_LENGTH])
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < DIGEST_LENGTH; i++)
		g_string_append_printf(text, "%02x", digest[i]);
	return g_string_free(text, FALSE);
}

/* The vectors that Certificate Transparency publishes for that section. */
Test(digest, the_reference_of_this_test_meets_the_published_vectors)
{
	static const Leaf leaves[] = {
		{"", 0},
		{"\x00", 1},
		{"\x10", 1},
		{"\x20\x21", 2},
		{"\x30\x31", 2},
		{"\x40\x41\x42\x43", 4},
		{"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
		{"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16},
	};
	static const char *const roots[] = {
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	uint8_t root[DIGEST_LENGTH];

	for (size_t i = 0; i < G_N_ELEMENTS(leaves); i++) {
		tree_hash(leaves, i + 1, root);
		g_autofree char *text = hex(root);
		cr_expect_str_eq(text, roots[i], "%zu leaves", i + 1);
	}
}

struct map_case {
	char blocks[40];      /* 'x' data, '0' zero */
	uint32_t last_length; /* bytes of the last block */
};

ParameterizedTestParameters(digest, roots)
{
	static struct map_case cases[] = {
		{"x", DIGEST_BLOCK_SIZE},
		{"0", DIGEST_BLOCK_SIZE},
		{"x", 1},
		{"0", 1},
		{"0", 511},
		{"xx", DIGEST_BLOCK_SIZE},
		{"00", DIGEST_BLOCK_SIZE},
		{"00", 777},
		{"x0", 777},
		{"0x", 777},
		{"xxxxx", DIGEST_BLOCK_SIZE},
		{"00000000", DIGEST_BLOCK_SIZE},
		{"00000000", 4096},
		{"000000000", 4096},
		{"x0000000000000000", DIGEST_BLOCK_SIZE},
		{"0000x00000000000000000000000x00", 512},
		{"00000000000000000000000000000000", DIGEST_BLOCK_SIZE},
	};

	return cr_make_param_array(struct map_case, cases, G_N_ELEMENTS(cases));
}

static DigestMap *map_of(const struct map_case *row, uint8_t digests[][DIGEST_LENGTH])
{
	const size_t count = strlen(row->blocks);
	DigestMap *map = digest_map_new((count - 1) * DIGEST_BLOCK_SIZE + row->last_length);
	g_autofree uint8_t *block = g_malloc(DIGEST_BLOCK_SIZE);

	for (size_t i = 0; i < count; i++) {
		const size_t length = i + 1 < count ? DIGEST_BLOCK_SIZE : row->last_length;

		memset(block, row->blocks[i] == 'x' ? (int)(i + 1) : 0, length);
		hash(-1, block, length, "", 0, digests[i]);
		if (row->blocks[i] == 'x' || i % 2 == 0) /* zeroes may be set, or left out */
			digest_map_set(map, i, block, length);
	}
	return map;
}

ParameterizedTest(struct map_case *row, digest, roots)
{
	uint8_t digests[40][DIGEST_LENGTH], sealed[8 + DIGEST_LENGTH], expected[DIGEST_LENGTH],
		root[DIGEST_LENGTH];
	g_autoptr(DigestMap) map = map_of(row, digests);
	const size_t count = strlen(row->blocks);
	Leaf leaves[40];

	for (size_t i = 0; i < count; i++)
		leaves[i] = (Leaf){digests[i], DIGEST_LENGTH};
	put_be64(sealed, digest_map_size(map));
	tree_hash(leaves, count, sealed + 8);
	hash(2, sealed, sizeof(sealed), "", 0, expected);
	digest_map_root(map, root);
	cr_expect_arr_eq(root, expected, DIGEST_LENGTH, "%s, last of %u bytes", row->blocks,
			 row->last_length);

	g_autofree char *text = digest_map_format(map);
	g_autoptr(GError) error = NULL;
	g_autoptr(DigestMap) again = digest_map_parse(text, strlen(text), &error);
	uint64_t block;
	cr_assert_not_null(again, "%s: %s", row->blocks, error != NULL ? error->message : "");
	cr_expect(digest_map_equal(map, again, &block), "%s", row->blocks);
	/* No proper part of the text is a map. */
	for (size_t length = 0; length + 1 < strlen(text); length++) {
		g_autoptr(DigestMap) cut = digest_map_parse(text, length, NULL);
		cr_assert_null(cut, "%s cut to %zu", row->blocks, length);
	}
}

Test(digest, the_first_block_that_differs_is_named)
{
	g_autoptr(DigestMap) a = digest_map_new(5 * MIB);
	g_autoptr(DigestMap) b = digest_map_new(5 * MIB);
	g_autoptr(DigestMap) longer = digest_map_new(6 * MIB);
	g_autofree uint8_t *block = g_malloc0(MIB);
	uint64_t index;

	cr_expect(digest_map_equal(a, b, &index));
	cr_expect_not(digest_map_equal(a, longer, &index));
	block[MIB - 1] = 1;
	digest_map_set(a, 3, block, MIB);
	cr_expect_not(digest_map_equal(a, b, &index));
	cr_expect_eq(index, 3);
	digest_map_set(b, 3, block, MIB);
	cr_expect(digest_map_equal(a, b, &index));
	digest_map_set(b, 1, block, MIB);
	cr_expect_not(digest_map_equal(a, b, &index));
	cr_expect_eq(index, 1);
}

struct text_case {
	char text[200];
	char message[40];
};

#define ROOT64 "0000000000000000000000000000000000000000000000000000000000000000"

ParameterizedTestParameters(digest, bad_texts)
{
	static struct text_case cases[] = {
		{"", "not a digest map"},
		{"v2v-digests 2 0 " ROOT64 "\n", "not a digest map"},
		{"v2v-digests 1 -1 " ROOT64 "\n0\n", "not a digest map"},
		{"v2v-digests 1 1 xyz\n0\n", "no root"},
		{"v2v-digests 1 1 " ROOT64, "no root"},
		{"v2v-digests 1 99999999999999999999999 " ROOT64 "\n0\n", "exceeds 64 TiB"},
		{"v2v-digests 1 70368744177664 " ROOT64 "\n0\n", "more than has lines"},
		{"v2v-digests 1 1 " ROOT64 "\n1\n", "line 2: not a digest"},
		{"v2v-digests 1 1 " ROOT64 "\n0\n", "root digest differs"},
		{"v2v-digests 1 1 " ROOT64 "\n0\n0\n", "line 3: more than"},
	};

	return cr_make_param_array(struct text_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct text_case *row, digest, bad_texts)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DigestMap) map = digest_map_parse(row->text, strlen(row->text), &error);

	cr_expect_null(map, "%s", row->text);
	cr_expect(error != NULL && error->code == V2V_ERROR_CORRUPT &&
			  strstr(error->message, row->message) != NULL,
		  "%s: %s", row->text, error != NULL ? error->message : "");
}

/* 2^26 leaves one by one would take half a minute. */
Test(digest, the_root_of_a_large_empty_disk_is_quick)
{
	g_autoptr(DigestMap) map = digest_map_new(DISK_MAX_SIZE - 1);
	const gint64 start = g_get_monotonic_time();
	uint8_t root[DIGEST_LENGTH];

	digest_map_root(map, root);
	cr_expect_lt(g_get_monotonic_time() - start, 5 * G_USEC_PER_SEC);
}
