/* SPDX-License-Identifier: Apache-2.0 */
/* second_reader_qcow.c: reads an image with libqcow and with formats/, compares every byte.
 * Exit status: 0 equal, 1 different (the first offset is printed), 2 libqcow cannot, 3 we cannot.
 */
#include "base/checked.h"
#include "formats/format.h"

#include <libqcow.h>
#include <stdio.h>
#include <string.h>

enum { EQUAL, DIFFERENT, THEY_CANNOT, WE_CANNOT };

/* Of no cluster size a divisor: reads begin and end inside clusters. */
#define PIECE_SIZE 99991u

static int libqcow_says(libqcow_error_t **error)
{
	char text[1024] = "";

	libqcow_error_sprint(*error, text, sizeof(text));
	libqcow_error_free(error);
	printf("libqcow: %.*s\n", (int)strcspn(text, "\n"), text);
	return THEY_CANNOT;
}

static int compare_piece(libqcow_file_t *file, Disk *disk, size_t length, uint64_t offset)
{
	static uint8_t ours[PIECE_SIZE], theirs[PIECE_SIZE]; /* one thread */
	g_autoptr(GError) error = NULL;
	libqcow_error_t *their_error = NULL;

	if (!disk_read_at(disk, ours, length, offset, &error)) {
		printf("%s\n", error->message);
		return WE_CANNOT;
	}
	if (libqcow_file_read_buffer_at_offset(file, theirs, length, (off64_t)offset,
					       &their_error) != (ssize_t)length)
		return libqcow_says(&their_error);
	for (size_t i = 0; i < length; i++)
		if (ours[i] != theirs[i]) {
			printf("guest offset 0x%" PRIx64 ": 0x%02x, libqcow reads 0x%02x\n",
			       offset + i, ours[i], theirs[i]);
			return DIFFERENT;
		}
	return EQUAL;
}

static int compare(libqcow_file_t *file, Disk *disk)
{
	libqcow_error_t *error = NULL;
	size64_t size = 0;
	int status = EQUAL;

	if (libqcow_file_get_media_size(file, &size, &error) != 1)
		return libqcow_says(&error);
	if (size != disk->size) {
		printf("size %" PRIu64 ", libqcow says %" PRIu64 "\n", disk->size, size);
		return DIFFERENT;
	}
	for (uint64_t at = 0; at < size && status == EQUAL; at += PIECE_SIZE)
		status = compare_piece(file, disk, (size_t)min_u64(PIECE_SIZE, size - at), at);
	return status;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	libqcow_error_t *their_error = NULL;
	libqcow_file_t *file = NULL;

	if (argc != 2)
		return WE_CANNOT;
	g_autoptr(Disk) disk = image_open_path(argv[1], "qcow2", NULL, NULL, &error);
	if (disk == NULL) {
		printf("%s\n", error->message);
		return WE_CANNOT;
	}
	if (libqcow_file_initialize(&file, &their_error) != 1)
		return libqcow_says(&their_error);
	const int status =
		libqcow_file_open(file, argv[1], libqcow_get_access_flags_read(), &their_error) == 1
			? compare(file, disk)
			: libqcow_says(&their_error);
	libqcow_file_close(file, NULL);
	libqcow_file_free(&file, NULL);
	return status;
}
