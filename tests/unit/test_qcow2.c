/* SPDX-License-Identifier: Apache-2.0 */
/* test_qcow2.c: the pure parts of the qcow2 driver, and any number in any field of the header. */
#include "base/bytes.h"
#include "base/checked.h"
#include "formats/format.h"
#include "formats/qcow2_codec.h"
#include "formats/qcow2_entry.h"
#include "formats/qcow2_extensions.h"
#include "formats/qcow2_metadata.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

/* Clusters of 512 bytes: header, refcount table, refcount block, L1, L2, data. */
#define IMAGE_CLUSTER 512u
#define IMAGE_SIZE    (6u * IMAGE_CLUSTER)

static void make_image(uint8_t bytes[IMAGE_SIZE])
{
	memset(bytes, 0, IMAGE_SIZE - IMAGE_CLUSTER);
	memset(bytes + IMAGE_SIZE - IMAGE_CLUSTER, 0xa5, IMAGE_CLUSTER);
	put_be32(bytes, QCOW2_MAGIC);
	put_be32(bytes + 4, 3);
	put_be32(bytes + 20, 9);
	put_be64(bytes + 24, 4096);
	put_be32(bytes + 36, 1);
	put_be64(bytes + 40, 3 * IMAGE_CLUSTER);
	put_be64(bytes + 48, IMAGE_CLUSTER);
	put_be32(bytes + 56, 1);
	put_be32(bytes + 96, 4);
	put_be32(bytes + 100, QCOW2_V3_HEADER_LENGTH);
	put_be64(bytes + IMAGE_CLUSTER, 2 * IMAGE_CLUSTER);
	put_be64(bytes + 3 * IMAGE_CLUSTER, 4 * IMAGE_CLUSTER | QCOW2_ENTRY_COPIED);
	put_be64(bytes + 4 * IMAGE_CLUSTER, 5 * IMAGE_CLUSTER | QCOW2_ENTRY_COPIED);
}

Test(qcow2_entry, compressed_clusters_come_back)
{
	for (unsigned bits = QCOW2_MIN_CLUSTER_BITS; bits <= QCOW2_MAX_CLUSTER_BITS; bits++) {
		const uint64_t limit = qcow2_compressed_offset_limit(bits);
		const uint64_t offsets[] = {1u << bits,  (1u << bits) + 511, 0xffffffff,
					    5 * GIB + 7, limit / 3,          limit - 1};
		const uint32_t lengths[] = {1, 64, 511, 512, (1u << bits) - 1};

		for (size_t i = 0; i < G_N_ELEMENTS(offsets); i++)
			for (size_t j = 0; j < G_N_ELEMENTS(lengths); j++) {
				const uint64_t entry =
					qcow2_entry_of_compressed(offsets[i], lengths[j], bits);
				const Qcow2Cluster cluster = qcow2_entry_decode(entry, bits);
				const uint64_t end = offsets[i] + lengths[j];

				cr_assert_eq(cluster.kind, QCOW2_CLUSTER_COMPRESSED);
				cr_assert_eq(cluster.file_offset, offsets[i], "bits %u", bits);
				cr_assert_eq(cluster.file_offset + cluster.length,
					     round_up(end, SECTOR_SIZE), "bits %u", bits);
				cr_assert_null(qcow2_entry_problem(entry, bits, 3));
			}
	}
}

struct entry_case {
	char name[48]; /* an array: rows move to another process, a pointer crashes there */
	uint64_t entry;
	unsigned bits, version;
	Qcow2ClusterKind kind;
	char problem[48]; /* "": none */
};

ParameterizedTestParameters(qcow2_entry, decode)
{
	static struct entry_case cases[] = {
		{"nothing", 0, 16, 3, QCOW2_CLUSTER_UNALLOCATED, ""},
		{"plain", 0x8000000000050000, 16, 3, QCOW2_CLUSTER_PLAIN, ""},
		{"plain, shared", 0x50000, 16, 3, QCOW2_CLUSTER_PLAIN, ""},
		{"plain, highest", 0x80ffffffffff0000, 16, 3, QCOW2_CLUSTER_PLAIN, ""},
		{"zero", 1, 16, 3, QCOW2_CLUSTER_ZERO, ""},
		{"zero, preallocated", 0x8000000000050001, 16, 3, QCOW2_CLUSTER_ZERO, ""},
		{"zero in version 2", 1, 16, 2, QCOW2_CLUSTER_ZERO,
		 "zero flag set in a version 2 image"},
		{"bit 1", 0x50002, 16, 3, QCOW2_CLUSTER_PLAIN, "reserved bits set"},
		{"bit 8", 0x50100, 16, 3, QCOW2_CLUSTER_PLAIN, "reserved bits set"},
		{"bit 61", 0x2000000000050000, 16, 3, QCOW2_CLUSTER_PLAIN, "reserved bits set"},
		{"misaligned", 0x50200, 16, 3, QCOW2_CLUSTER_PLAIN,
		 "not a multiple of the cluster size"},
		{"zero, misaligned", 0x50201, 16, 3, QCOW2_CLUSTER_ZERO,
		 "not a multiple of the cluster size"},
		{"aligned for smaller clusters", 0x50200, 9, 3, QCOW2_CLUSTER_PLAIN, ""},
		{"copied, at 0", 0x8000000000000000, 16, 3, QCOW2_CLUSTER_UNALLOCATED,
		 "allocated at offset 0"},
		{"compressed", 0x4000000000050003, 16, 3, QCOW2_CLUSTER_COMPRESSED, ""},
		{"compressed, bit 56 is of the length", 0x4100000000050003, 16, 3,
		 QCOW2_CLUSTER_COMPRESSED, ""},
		{"compressed, bit 56 is reserved", 0x4100000000050003, 9, 3,
		 QCOW2_CLUSTER_COMPRESSED, "reserved bits set"},
	};
	return cr_make_param_array(struct entry_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct entry_case *row, qcow2_entry, decode)
{
	const char *problem = qcow2_entry_problem(row->entry, row->bits, row->version);

	cr_assert_eq(qcow2_entry_decode(row->entry, row->bits).kind, row->kind, "%s", row->name);
	cr_assert_str_eq(problem != NULL ? problem : "", row->problem, "%s", row->name);
}

Test(qcow2_header, of_a_small_image)
{
	uint8_t bytes[IMAGE_SIZE];
	g_auto(Qcow2Header) header = {0};

	make_image(bytes);
	cr_assert(qcow2_header_parse(bytes, IMAGE_CLUSTER, IMAGE_SIZE, &header, NULL));
	cr_assert_eq(header.version, 3);
	cr_assert_eq(header.size, 4096);
	cr_assert_eq(header.l1_offset, 1536);
	cr_assert_eq(header.refcount_bits, 16);
	cr_assert_null(header.backing_name);
	cr_assert_eq(qcow2_header_bytes_wanted(bytes, IMAGE_SIZE), IMAGE_CLUSTER);
	put_be32(bytes + 20, 21);
	cr_assert_eq(qcow2_header_bytes_wanted(bytes, 4 * MIB), 2 * MIB);
	put_be32(bytes + 20, 0xffffffff);
	cr_assert_eq(qcow2_header_bytes_wanted(bytes, IMAGE_SIZE), QCOW2_FULL_HEADER_LENGTH);
}

Test(qcow2_header, backing_name_and_format)
{
	uint8_t bytes[IMAGE_SIZE];
	g_auto(Qcow2Header) header = {0};

	make_image(bytes);
	put_be32(bytes + 104, QCOW2_EXTENSION_BACKING_FORMAT);
	put_be32(bytes + 108, 3);
	memcpy(bytes + 112, "rawXXXXX", 8); /* padding is not looked at */
	memcpy(bytes + 500, "base.img....", 12);
	put_be64(bytes + 8, 500);
	put_be32(bytes + 16, 8);
	cr_assert(qcow2_header_parse(bytes, IMAGE_CLUSTER, IMAGE_SIZE, &header, NULL));
	cr_assert_str_eq(header.backing_name, "base.img");
	cr_assert_str_eq(header.backing_format, "raw");
}

/* Extensions may fill the cluster to its last byte, or leave less than one more needs. */
Test(qcow2_extensions, without_an_end)
{
	uint8_t area[24 + 5] = {0};
	Qcow2Extensions extensions;

	put_be32(area, 0x1234);
	put_be32(area + 4, 16);
	cr_assert(qcow2_extensions_parse(area, 24, 104, &extensions, NULL));
	cr_assert(qcow2_extensions_parse(area, 29, 104, &extensions, NULL));
	put_be32(area + 4, 13); /* padding that the area has no room for */
	cr_assert(qcow2_extensions_parse(area, 21, 104, &extensions, NULL));
	put_be32(area + 4, 14);
	cr_assert_not(qcow2_extensions_parse(area, 21, 104, &extensions, NULL));
}

Test(qcow2_metadata, gaps_and_names)
{
	g_autoptr(Qcow2Metadata) metadata = qcow2_metadata_new(12);
	Qcow2Gap gap = {0, 0};

	qcow2_metadata_add(metadata, QCOW2_HOLDS_L2, 4096, 0x9000);
	qcow2_metadata_add(metadata, QCOW2_HOLDS_HEADER, 4096, 0);
	qcow2_metadata_add(metadata, QCOW2_HOLDS_L1, 4097, 0x3000); /* two clusters */
	cr_assert(qcow2_metadata_seal(metadata, NULL));
	cr_assert_str_eq(qcow2_metadata_at(metadata, 17, &gap), "header");
	cr_assert_null(qcow2_metadata_at(metadata, 0x1001, &gap));
	cr_assert_eq(gap.to, 0x3000);
	cr_assert_str_eq(qcow2_metadata_at(metadata, 0x3000, &gap), "L1 table");
	cr_assert_str_eq(qcow2_metadata_at(metadata, 0x4fff, &gap), "L1 table");
	cr_assert_null(qcow2_metadata_at(metadata, 0x5000, &gap));
	cr_assert_null(qcow2_metadata_at(metadata, 0x8fff, &gap));
	cr_assert_str_eq(qcow2_metadata_at(metadata, 0x9000, &gap), "L2 table");
	cr_assert_null(qcow2_metadata_at(metadata, UINT64_MAX - 1, &gap));
}

Test(qcow2_metadata, overlap)
{
	g_autoptr(Qcow2Metadata) metadata = qcow2_metadata_new(12);
	g_autoptr(GError) error = NULL;

	qcow2_metadata_add(metadata, QCOW2_HOLDS_REFCOUNT_TABLE, 3 * 4096, 0x1000);
	qcow2_metadata_add(metadata, QCOW2_HOLDS_L2, 4096, 0x3000);
	cr_assert_not(qcow2_metadata_seal(metadata, &error));
	cr_assert_str_eq(error->message, "offset 0x3000: refcount table overlaps L2 table");
}

struct codec_case {
	Qcow2Compression compression;
	size_t length;
};

ParameterizedTestParameters(qcow2_codec, round_trip)
{
	static struct codec_case cases[] = {
		{QCOW2_ZLIB, 512},   {QCOW2_ZSTD, 512},     {QCOW2_ZLIB, 65536},
		{QCOW2_ZSTD, 65536}, {QCOW2_ZLIB, 2097152}, {QCOW2_ZSTD, 2097152},
	};
	return cr_make_param_array(struct codec_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct codec_case *row, qcow2_codec, round_trip)
{
	g_autoptr(Qcow2Compressors) pool = qcow2_compressors_new(row->compression, 1);
	Qcow2Compressor *compressor = qcow2_compressor_take(pool, NULL);
	g_autofree uint8_t *bytes = g_malloc(row->length), *back = g_malloc(row->length);
	g_autofree uint8_t *packed = g_malloc0(row->length + 100);
	GRand *random = g_rand_new_with_seed(1);

	for (size_t i = 0; i < row->length; i++)
		bytes[i] = i % 512 < 200 ? (uint8_t)g_rand_int(random) : (uint8_t)(i / 512);
	g_rand_free(random);
	const size_t length =
		qcow2_compress(compressor, packed, row->length - 1, bytes, row->length);
	cr_assert_gt(length, 0);
	/* What stands behind the stream does not matter; a stream cut short does. */
	memset(packed + length, 0xff, 100);
	cr_assert(
		qcow2_decompress(row->compression, back, row->length, packed, length + 100, NULL));
	cr_assert_arr_eq(back, bytes, row->length);
	for (size_t cut = 0; cut < length; cut += 1 + length / 50) {
		g_autofree uint8_t *exact = g_memdup2(packed, cut);
		cr_assert_not(
			qcow2_decompress(row->compression, back, row->length, exact, cut, NULL));
	}
	cr_assert_eq(qcow2_compress(compressor, packed, length / 2, bytes, row->length), 0);
	qcow2_compressor_give(pool, compressor);
}

/* Opens and reads all of it. NULL: all went well. */
static GError *read_all(const uint8_t *bytes, size_t length)
{
	g_autoptr(Storage) storage = storage_new_memory("image", bytes, length);
	const OpenOptions options = {.layer_only = true};
	GError *error = NULL;
	g_autoptr(Disk) disk = image_open(storage, "qcow2", &options, &error);
	g_autofree uint8_t *buf = g_malloc(4096);
	Extent extent;

	/* Far beyond what the file holds there is nothing new to see. */
	for (uint64_t at = 0; disk != NULL && at < disk->size && at < 64 * KIB;
	     at += extent.length) {
		if (!disk_extent_at(disk, at, &extent, &error) ||
		    !disk_read_at(disk, buf, (size_t)min_u64(4096, disk->size - at), at, &error))
			break;
		cr_assert_eq(extent.offset, at);
		cr_assert_gt(extent.length, 0);
		cr_assert_leq(extent.length, disk->size - at);
	}
	return error;
}

/* A refusal says where: "image: offset 0x..." */
static void check_refusal(const GError *error, const char *what, uint64_t value)
{
	if (error == NULL)
		return;
	cr_assert_eq(error->domain, V2V_ERROR);
	cr_assert(strstr(error->message, "image: offset ") == error->message ||
			  strstr(error->message, "guest offset") != NULL,
		  "%s = %" PRIx64 ": %s", what, value, error->message);
}

static void put_field(uint8_t *bytes, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		bytes[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

Test(qcow2_open, any_number_in_any_field, .timeout = 60)
{
	static const struct {
		char name[24];
		unsigned offset, width;
	} fields[] = {
		{"version", 4, 4},
		{"backing_file_offset", 8, 8},
		{"backing_file_size", 16, 4},
		{"cluster_bits", 20, 4},
		{"size", 24, 8},
		{"crypt_method", 32, 4},
		{"l1_size", 36, 4},
		{"l1_table_offset", 40, 8},
		{"refcount_table_offset", 48, 8},
		{"refcount_table_clusters", 56, 4},
		{"nb_snapshots", 60, 4},
		{"snapshots_offset", 64, 8},
		{"incompatible_features", 72, 8},
		{"refcount_order", 96, 4},
		{"header_length", 100, 4},
		{"extension type", 104, 4},
		{"extension length", 108, 4},
		{"refcount table entry", 512, 8},
		{"L1 entry", 1536, 8},
		{"L2 entry", 2048, 8},
		{"L2 entry 7", 2048 + 56, 8},
	};
	static const uint64_t near[] = {0,          512,        1024,       1536,       2048,
					2560,       IMAGE_SIZE, 4096,       1u << 16,   1u << 22,
					1ull << 31, 1ull << 32, 1ull << 55, 1ull << 56, 1ull << 61,
					1ull << 62, 1ull << 63};
	uint8_t good[IMAGE_SIZE], bytes[IMAGE_SIZE];
	unsigned refused = 0, read = 0;

	make_image(good);
	for (size_t f = 0; f < G_N_ELEMENTS(fields); f++)
		for (size_t i = 0; i < 3 * G_N_ELEMENTS(near); i++) {
			const uint64_t value = near[i / 3] + i % 3 - 1;

			memcpy(bytes, good, IMAGE_SIZE);
			put_field(bytes + fields[f].offset, value, fields[f].width);
			g_autoptr(GError) error = read_all(bytes, IMAGE_SIZE);
			check_refusal(error, fields[f].name, value);
			*(error != NULL ? &refused : &read) += 1;
		}
	cr_assert_gt(refused, 500, "%u refused", refused);
	cr_assert_gt(read, 50, "%u read", read);
}

Test(qcow2_open, random_damage, .timeout = 60)
{
	GRand *random = g_rand_new_with_seed(3);
	uint8_t good[IMAGE_SIZE], bytes[IMAGE_SIZE];

	make_image(good);
	for (int round = 0; round < 20000; round++) {
		memcpy(bytes, good, IMAGE_SIZE);
		for (int i = g_rand_int_range(random, 1, 4); i > 0; i--) {
			const int start = g_rand_int_range(random, 0, 5) * (int)IMAGE_CLUSTER;

			bytes[start + g_rand_int_range(random, 0, 120)] =
				(uint8_t)(1u << g_rand_int_range(random, 0, 9));
		}
		const size_t length = g_rand_boolean(random)
					      ? IMAGE_SIZE
					      : (size_t)g_rand_int_range(random, 8, IMAGE_SIZE);
		g_autoptr(GError) error = read_all(bytes, length);
		cr_assert(error == NULL || error->domain == V2V_ERROR);
	}
	g_rand_free(random);
}
