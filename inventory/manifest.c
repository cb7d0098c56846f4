/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c: the .mf of an OVF package: a digest per file. */
#include "inventory/manifest.h"

#include "base/checked.h"
#include "inventory/member_list.h"

#include <openssl/evp.h>
#include <string.h>

#define READ_LENGTH ((size_t)MIB)

struct Manifest {
	GPtrArray *entries; /* owned, of ManifestEntry */
};

static const struct {
	const char *name;
	unsigned length; /* bytes */
} algorithms[] = {{"SHA1", 20}, {"SHA256", 32}, {"SHA512", 64}};

static void entry_free(void *pointer)
{
	ManifestEntry *entry = pointer;

	g_free(entry->name);
	g_free(entry);
}

void manifest_free(Manifest *manifest)
{
	if (manifest == NULL)
		return;
	g_ptr_array_unref(manifest->entries);
	g_free(manifest);
}

void manifest_line_clear(ManifestLine *line)
{
	g_clear_pointer(&line->name, g_free);
	g_clear_pointer(&line->hex, g_free);
}

/* "SHA256", "sha-256": the static name, NULL when it is none of ours. */
static const char *find_algorithm(const char *text, size_t length)
{
	g_autofree char *name = g_ascii_strup(text, (gssize)length);

	g_strstrip(name);
	if (g_str_has_prefix(name, "SHA-"))
		memmove(name + 3, name + 4, strlen(name + 4) + 1);
	for (size_t i = 0; i < G_N_ELEMENTS(algorithms); i++)
		if (strcmp(name, algorithms[i].name) == 0)
			return algorithms[i].name;
	return NULL;
}

/* The name may hold parentheses: the last ")" counts. */
bool manifest_line_parse(const char *text, size_t length, ManifestLine *out, GError **error)
{
	const char *open = memchr(text, '(', length);
	const char *close = memrchr(text, ')', length);
	const char *end = text + length;

	*out = (ManifestLine){0};
	if (open == NULL || close == NULL || close < open)
		return fail(error, CORRUPT, "not of the form ALGORITHM(file)= digest");
	out->algorithm = find_algorithm(text, (size_t)(open - text));
	if (out->algorithm == NULL) {
		g_autofree char *shown = text_for_display(text, (size_t)(open - text), 40);
		return fail(error, UNSUPPORTED,
			    "algorithm \"%s\": only SHA1, SHA256 and SHA512 are "
			    "known",
			    shown);
	}
	g_autofree char *rest = g_strndup(close + 1, (size_t)(end - close - 1));
	g_strstrip(rest);
	if (rest[0] != '=')
		return fail(error, CORRUPT, "no '=' behind the file's name");
	g_autofree char *hex = g_strdup(g_strchug(rest + 1));
	if (hex[0] == '\0' || strspn(hex, "0123456789abcdefABCDEF") != strlen(hex))
		return fail(error, CORRUPT, "the digest is not hexadecimal");
	out->name = g_strndup(open + 1, (size_t)(close - open - 1));
	out->hex = g_steal_pointer(&hex);
	return true;
}

static bool add_entry(Manifest *manifest, const ManifestLine *line, GError **error)
{
	const char *name = g_str_has_prefix(line->name, "./") ? line->name + 2 : line->name;
	unsigned length = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(algorithms); i++)
		if (algorithms[i].name == line->algorithm)
			length = algorithms[i].length;
	if (strlen(line->hex) != 2 * length)
		return fail(error, CORRUPT, "%s of %zu hexadecimal digits: there must be %u",
			    line->algorithm, strlen(line->hex), 2 * length);
	if (!member_name_check(name, strlen(name), error))
		return false;
	if (manifest->entries->len >= MEMBER_MAX_COUNT)
		return fail(error, CORRUPT, "more than %u entries", MEMBER_MAX_COUNT);
	ManifestEntry *entry = g_new0(ManifestEntry, 1);
	entry->name = g_strdup(name);
	entry->algorithm = line->algorithm;
	entry->digest_length = length;
	for (unsigned i = 0; i < length; i++)
		entry->digest[i] = (uint8_t)(g_ascii_xdigit_value(line->hex[2 * i]) << 4 |
					     g_ascii_xdigit_value(line->hex[2 * i + 1]));
	g_ptr_array_add(manifest->entries, entry);
	return true;
}

static bool is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!g_ascii_isspace(text[i]))
			return false;
	return true;
}

Manifest *manifest_parse(const char *bytes, size_t length, GError **error)
{
	g_autoptr(Manifest) manifest = g_new0(Manifest, 1);
	const char *end = bytes + length;
	unsigned number = 0;

	manifest->entries = g_ptr_array_new_with_free_func(entry_free);
	if (length > MANIFEST_MAX_BYTES)
		return fail_null(error, CORRUPT, "%zu bytes: the limit is %u", length,
				 MANIFEST_MAX_BYTES);
	for (const char *at = bytes; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = newline != NULL ? newline : end;
		g_auto(ManifestLine) line = {0};

		number++;
		if (!is_blank(at, (size_t)(line_end - at)) &&
		    (!manifest_line_parse(at, (size_t)(line_end - at), &line, error) ||
		     !add_entry(manifest, &line, error)))
			return fail_in_null(error, "line %u: ", number);
		at = newline != NULL ? newline + 1 : end;
	}
	return g_steal_pointer(&manifest);
}

guint manifest_count(const Manifest *manifest)
{
	return manifest->entries->len;
}

const ManifestEntry *manifest_entry(const Manifest *manifest, guint index)
{
	return g_ptr_array_index(manifest->entries, index);
}

bool manifest_lists(const Manifest *manifest, const char *name)
{
	for (guint i = 0; i < manifest->entries->len; i++)
		if (strcmp(manifest_entry(manifest, i)->name, name) == 0)
			return true;
	return false;
}

static bool digest_storage(EVP_MD_CTX *hash, Storage *file, const Cancel *cancel, GError **error)
{
	g_autofree uint8_t *buf = g_malloc(READ_LENGTH);

	for (uint64_t offset = 0; offset < file->size;) {
		const size_t length = (size_t)min_u64(READ_LENGTH, file->size - offset);

		if (!cancel_check(cancel, error) ||
		    !storage_read_at(file, buf, length, offset, error))
			return false;
		if (EVP_DigestUpdate(hash, buf, length) != 1)
			return fail(error, IO, "libcrypto cannot hash");
		offset += length;
	}
	return true;
}

static char *hex_of(const uint8_t *digest, unsigned length)
{
	GString *hex = g_string_new(NULL);

	for (unsigned i = 0; i < length; i++)
		g_string_append_printf(hex, "%02x", digest[i]);
	return g_string_free(hex, FALSE);
}

bool manifest_entry_verify(const ManifestEntry *entry, Storage *file, const Cancel *cancel,
			   GError **error)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	const EVP_MD *kind = EVP_get_digestbyname(entry->algorithm);
	bool ok = hash != NULL && kind != NULL && EVP_DigestInit_ex(hash, kind, NULL) == 1;

	if (!ok)
		ok = fail(error, IO, "libcrypto has no %s", entry->algorithm);
	ok = ok && digest_storage(hash, file, cancel, error);
	if (ok && EVP_DigestFinal_ex(hash, digest, &length) != 1)
		ok = fail(error, IO, "libcrypto cannot hash");
	EVP_MD_CTX_free(hash);
	if (!ok || (length == entry->digest_length &&
		    memcmp(digest, entry->digest, entry->digest_length) == 0))
		return ok;
	g_autofree char *computed = hex_of(digest, length);
	g_autofree char *stated = hex_of(entry->digest, entry->digest_length);
	return fail(error, CORRUPT, "%s: the manifest says %s=%.16s…, the contents have %.16s…",
		    file->name, entry->algorithm, stated, computed);
}
