/* SPDX-License-Identifier: Apache-2.0 */
/* test_tar_index.c: headers, pax records and member names; whole archives are in tests/inventory.
 */
#include "inventory/tar_header.h"
#include "inventory/tar_index.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

static void put_checksum(TarHeaderBytes *raw)
{
	const uint8_t *bytes = (const uint8_t *)raw;
	unsigned sum = 0;

	memset(raw->checksum, ' ', sizeof(raw->checksum));
	for (size_t i = 0; i < sizeof(*raw); i++)
		sum += bytes[i];
	snprintf((char *)raw->checksum, sizeof(raw->checksum), "%06o", sum & 0777777u);
}

static TarHeaderBytes make_header(const char *name, const char *size)
{
	TarHeaderBytes raw = {.type = '0'};

	memcpy(raw.name, name, strlen(name));
	memcpy(raw.size, size, strlen(size));
	memcpy(raw.magic, "ustar", 6);
	put_checksum(&raw);
	return raw;
}

struct size_case {
	char field[13];
	bool good;
	uint64_t expected;
};

ParameterizedTestParameters(tar_header, size)
{
	static struct size_case cases[] = {
		{"00000000000", true, 0},
		{"00000001750", true, 1000},
		{"77777777777", true, 077777777777},
		{"777777777777", true, 0777777777777}, /* no room for an end: full field */
		{"   1750 ", true, 1000},
		{"1750", true, 1000},
		{"", false, 0},
		{"           ", false, 0},
		{"12345678", false, 0}, /* 8 is no octal digit */
		{"1750x", false, 0},
		{"-1", false, 0},
		{"0x10", false, 0},
		{"17 50", false, 0},
		{"\x80", true, 0},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", false, 0},
		{"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", false, 0},
		{"\xc0\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01", false, 0},
	};
	return cr_make_param_array(struct size_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct size_case *row, tar_header, size)
{
	TarHeaderBytes raw = make_header("x", "");
	g_autoptr(GError) error = NULL;
	TarHeader header;

	memcpy(raw.size, row->field, sizeof(raw.size));
	put_checksum(&raw);
	cr_assert_eq(tar_header_parse(&raw, &header, &error), row->good, "size \"%s\": %s",
		     row->field, error != NULL ? error->message : "accepted");
	if (row->good)
		cr_assert_eq(header.size, row->expected, "size \"%s\" is %" PRIu64, row->field,
			     header.size);
}

Test(tar_header, every_changed_byte_is_noticed)
{
	const TarHeaderBytes good = make_header("disk1.vmdk", "00000001000");
	TarHeader header;

	cr_assert(tar_header_parse(&good, &header, NULL));
	for (size_t i = 0; i < sizeof(good); i++) {
		TarHeaderBytes bad = good;

		((uint8_t *)&bad)[i] ^= 0x01;
		const bool is_end_of_checksum = i == 155; /* NUL or blank: says nothing */
		cr_assert(is_end_of_checksum || !tar_header_parse(&bad, &header, NULL), "byte %zu",
			  i);
	}
}

struct pax_case {
	char records[64];
	bool good;
	char path[24];
	int64_t size; /* -1: none */
};

ParameterizedTestParameters(tar_header, pax)
{
	static struct pax_case cases[] = {
		{"", true, "", -1},
		{"10 path=x\n", true, "x", -1},
		{"10 size=5\n", true, "", 5},
		{"10 path=x\n10 size=5\n", true, "x", 5},
		{"13 path=a=b\n\n", true, "a=b\n", -1},
		{"14 comment=hi\n", true, "", -1},
		{"10 path=x\n10 path=y\n", false, "", -1},
		{"9 path=x\n", true, "x", -1}, /* two lengths fit */
		{"8 path=x\n", false, "", -1},
		{"11 path=x\n", false, "", -1},
		{"99999999999999999999 path=x\n", false, "", -1},
		{"-10 path=x\n", false, "", -1},
		{"path=x\n", false, "", -1},
		{"5 x\n", false, "", -1},
		{"3 \n", false, "", -1},
		{"10 size=x\n", false, "", -1},
		{"9 size=\n", false, "", -1},
		{"28 size=9223372036854775807\n", true, "", INT64_MAX},
		{"28 size=9223372036854775808\n", false, "", -1},
		{"14 linkpath=x\n", false, "", -1},
		{"22 GNU.sparse.major=1\n", false, "", -1},
	};
	return cr_make_param_array(struct pax_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct pax_case *row, tar_header, pax)
{
	TarOverrides overrides = {0};
	g_autoptr(GError) error = NULL;
	const bool ok =
		tar_pax_parse(row->records, strlen(row->records), false, &overrides, &error);

	cr_assert_eq(ok, row->good, "\"%s\": %s", row->records,
		     error != NULL ? error->message : "accepted");
	if (ok) {
		cr_assert_str_eq(overrides.path != NULL ? overrides.path : "", row->path);
		cr_assert_eq(overrides.has_size ? (int64_t)overrides.size : -1, row->size);
	}
	g_free(overrides.path);
}

struct name_case {
	char name[64];
	bool good;
};

ParameterizedTestParameters(member_name, check)
{
	static struct name_case cases[] = {
		{"disk1.vmdk", true},
		{"disks/disk 1 (2).vmdk", true},
		{"sun..vhw.ovf", true},
		{"...", true},
		{"虚拟机,fgdr@$%@测试-1.vmdk", true},
		{"", false},
		{"/x", false},
		{"x/", false},
		{"a//b", false},
		{".", false},
		{"..", false},
		{"../x", false},
		{"a/..", false},
		{"a/./b", false},
		{"a\\b", false},
		{"C:x", false},
		{"a\nb", false},
		{"a\x7f", false},
		{"\xc3", false},
		{"\xe2\x80\xaegnp.exe", false}, /* U+202E */
		{"\xc2\x85", false},            /* U+0085, a control character */
	};
	return cr_make_param_array(struct name_case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(struct name_case *row, member_name, check)
{
	g_autoptr(GError) error = NULL;

	cr_assert_eq(member_name_check(row->name, strlen(row->name), &error), row->good, "%s: %s",
		     row->name, error != NULL ? error->message : "accepted");
}

Test(member_list, twins_are_found_by_what_file_systems_take_for_one)
{
	g_autoptr(MemberList) list = member_list_new();

	cr_assert(member_list_add(list, "Straße", strlen("Straße"), 1, 0, NULL));
	cr_assert(member_list_add(list, "dïsk", strlen("dïsk"), 1, 0, NULL));
	cr_assert_not(member_list_add(list, "STRASSE", strlen("STRASSE"), 1, 0, NULL));
	cr_assert_not(member_list_add(list, "DI\xcc\x88SK", 6, 1, 0, NULL));
	cr_assert_not(member_list_add(list, "./dïsk", strlen("./dïsk"), 1, 0, NULL));
	cr_assert_eq(member_list_count(list), 2);
	cr_assert_null(member_list_find(list, "STRASSE"));
	cr_assert_eq(member_list_find(list, "Straße")->size, 1);
}

/* An archive of one member, its blocks and the end marker. */
static GByteArray *make_archive(void)
{
	static const uint8_t zeroes[1024];
	const TarHeaderBytes header = make_header("a.ovf", "00000000005");
	GByteArray *archive = g_byte_array_new();

	g_byte_array_append(archive, (const uint8_t *)&header, sizeof(header));
	g_byte_array_append(archive, (const uint8_t *)"hello", 5);
	g_byte_array_append(archive, zeroes, 507);
	g_byte_array_append(archive, zeroes, sizeof(zeroes));
	return archive;
}

Test(tar_index, says_where_members_stand)
{
	g_autoptr(GByteArray) bytes = make_archive();
	g_autoptr(Storage) storage = storage_new_memory("a.tar", bytes->data, bytes->len);
	g_autoptr(MemberList) members = tar_index_parse(storage, NULL);

	cr_assert_not_null(members);
	cr_assert_eq(member_list_count(members), 1);
	cr_assert_eq(member_list_get(members, 0)->offset, 512);
	cr_assert_eq(member_list_get(members, 0)->size, 5);
}

Test(tar_index, every_cut_before_the_end_marker_is_refused)
{
	g_autoptr(GByteArray) bytes = make_archive();

	for (size_t length = 0; length <= bytes->len; length++) {
		g_autoptr(Storage) storage = storage_new_memory("a.tar", bytes->data, length);
		g_autoptr(GError) error = NULL;
		g_autoptr(MemberList) members = tar_index_parse(storage, &error);

		cr_assert_eq(members != NULL, length >= 3 * TAR_BLOCK_SIZE, "cut to %zu", length);
		cr_assert_eq(error == NULL, members != NULL);
	}
}
