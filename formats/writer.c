/* SPDX-License-Identifier: Apache-2.0 */
/* writer.c: what all writers share. */
#include "formats/writer.h"

void disk_writer_init(DiskWriter *writer, const DiskWriterOps *ops, const char *format,
		      Storage *storage, uint64_t size, size_t unit_size)
{
	writer->ops = ops;
	writer->format = format;
	writer->storage = storage_ref(storage);
	writer->size = size;
	writer->unit_size = unit_size;
	writer->sequential_only = false;
	writer->rewriting = false;
}

void disk_writer_close(DiskWriter *writer)
{
	if (writer == NULL)
		return;
	storage_unref(writer->storage);
	writer->ops->close(writer);
}
