/* SPDX-License-Identifier: Apache-2.0 */
/* tar_index.c: where the members of a tar archive stand; nothing is extracted. */
#include "inventory/tar_index.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "inventory/tar_header.h"

#include <string.h>

/* Each member may bring a pax header and a GNU long name; folders count too. */
#define HEADER_MAX_COUNT   (4u * MEMBER_MAX_COUNT)
#define EXTENDED_MAX_BYTES (64u * 1024u)

typedef struct {
	Storage *archive;
	MemberList *members;
	uint64_t offset;      /* of the header at hand */
	TarOverrides pending; /* for the next member */
} TarWalk;

static void overrides_clear(TarOverrides *overrides)
{
	g_free(overrides->path);
	*overrides = (TarOverrides){0};
}

/* The contents of a pax header or a GNU long name, with a NUL behind. */
static char *read_extended(TarWalk *walk, const TarHeader *header, GError **error)
{
	if (header->size > EXTENDED_MAX_BYTES)
		return fail_null(error, CORRUPT,
				 "extended header of %" PRIu64 " bytes: the limit is %u",
				 header->size, EXTENDED_MAX_BYTES);
	g_autofree char *text = g_malloc0((size_t)header->size + 1);
	if (header->size > 0 && !storage_read_at(walk->archive, text, (size_t)header->size,
						 walk->offset + TAR_BLOCK_SIZE, error))
		return NULL;
	return g_steal_pointer(&text);
}

static bool walk_extended(TarWalk *walk, const TarHeader *header, GError **error)
{
	TarOverrides global = {0};
	g_autofree char *text = read_extended(walk, header, error);

	if (text == NULL)
		return false;
	if (header->type == TAR_PAX_GLOBAL)
		return tar_pax_parse(text, (size_t)header->size, true, &global, error);
	if (header->type == TAR_PAX)
		return tar_pax_parse(text, (size_t)header->size, false, &walk->pending, error);
	if (walk->pending.path != NULL)
		return fail(error, CORRUPT, "two long names for one member");
	const size_t length = strnlen(text, (size_t)header->size);
	if (length + 1 < header->size)
		return fail(error, REFUSED, "long name holds a NUL byte");
	walk->pending.path = g_strndup(text, length);
	return true;
}

static bool walk_member(TarWalk *walk, const TarHeader *header, GError **error)
{
	const char *name = walk->pending.path != NULL ? walk->pending.path : header->name;
	bool ok = true;

	if (header->type == TAR_REGULAR)
		ok = member_list_add(walk->members, name, strlen(name), header->size,
				     walk->offset + TAR_BLOCK_SIZE, error);
	overrides_clear(&walk->pending);
	return ok;
}

/* One header and what belongs to it; moves on behind its contents. */
static bool walk_header(TarWalk *walk, const TarHeaderBytes *raw, GError **error)
{
	TarHeader header;
	const uint64_t rest = walk->archive->size - walk->offset - TAR_BLOCK_SIZE;

	if (!tar_header_parse(raw, &header, error))
		return false;
	const bool is_member = header.type == TAR_REGULAR || header.type == TAR_FOLDER;
	if (is_member && walk->pending.has_size)
		header.size = walk->pending.size;
	if (header.type == TAR_FOLDER && header.size != 0)
		return fail(error, CORRUPT, "folder with %" PRIu64 " bytes of contents",
			    header.size);
	/* The padding to a whole block counts: what follows a cut member is never there. */
	if (header.size > rest || round_up(header.size, TAR_BLOCK_SIZE) > rest) {
		g_autofree char *shown = text_for_display(header.name, strlen(header.name), 80);
		return fail(error, CORRUPT,
			    "member \"%s\": size=%" PRIu64 ": only %" PRIu64
			    " bytes are left, the archive is cut",
			    shown, header.size, rest);
	}
	if (!(is_member ? walk_member(walk, &header, error) : walk_extended(walk, &header, error)))
		return false;
	walk->offset += TAR_BLOCK_SIZE + round_up(header.size, TAR_BLOCK_SIZE);
	return true;
}

static bool walk_archive(TarWalk *walk, GError **error)
{
	for (unsigned count = 0; count < HEADER_MAX_COUNT; count++) {
		TarHeaderBytes raw;

		if (walk->archive->size - walk->offset < TAR_BLOCK_SIZE)
			return fail(error, CORRUPT,
				    "end of file where a header or the end marker "
				    "belongs: the archive is cut");
		if (!storage_read_at(walk->archive, &raw, sizeof(raw), walk->offset, error))
			return false;
		if (bytes_are_zero(&raw, sizeof(raw))) {
			if (walk->pending.path == NULL && !walk->pending.has_size)
				return true;
			return fail(error, CORRUPT, "extended header without a member behind it");
		}
		if (!walk_header(walk, &raw, error))
			return false;
	}
	return fail(error, CORRUPT, "more than %u headers", HEADER_MAX_COUNT);
}

MemberList *tar_index_parse(Storage *archive, GError **error)
{
	g_autoptr(MemberList) members = member_list_new();
	TarWalk walk = {.archive = archive, .members = members};
	const bool ok = walk_archive(&walk, error);

	overrides_clear(&walk.pending);
	if (!ok)
		return fail_in_null(error, "offset 0x%" PRIx64 ": ", walk.offset);
	return g_steal_pointer(&members);
}
