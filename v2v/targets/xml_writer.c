/* SPDX-License-Identifier: Apache-2.0 */
/* xml_writer.c: libxml2's text writer into memory. */
#include "v2v/targets/xml_writer.h"

#include <libxml/xmlwriter.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

struct XmlWriter {
	xmlBuffer *buffer;     /* owned */
	xmlTextWriterPtr text; /* owned */
	bool failed;           /* sticky: out of memory is the only way to fail */
};

static const xmlChar *xml_string(const char *text)
{
	return (const xmlChar *)text;
}

static void note(XmlWriter *writer, int result)
{
	writer->failed |= result < 0;
}

XmlWriter *xml_writer_new(void)
{
	XmlWriter *writer = g_new0(XmlWriter, 1);

	writer->buffer = xmlBufferCreate();
	writer->text = writer->buffer != NULL ? xmlNewTextWriterMemory(writer->buffer, 0) : NULL;
	if (writer->text == NULL) {
		writer->failed = true;
		return writer;
	}
	note(writer, xmlTextWriterSetIndent(writer->text, 1));
	note(writer, xmlTextWriterSetIndentString(writer->text, xml_string("  ")));
	note(writer, xmlTextWriterStartDocument(writer->text, NULL, "UTF-8", NULL));
	return writer;
}

char *xml_writer_finish(XmlWriter *writer)
{
	char *document = NULL;

	if (writer->text != NULL) {
		note(writer, xmlTextWriterEndDocument(writer->text));
		xmlFreeTextWriter(writer->text); /* flushes into the buffer */
	}
	if (!writer->failed)
		document = g_strdup((const char *)xmlBufferContent(writer->buffer));
	if (writer->buffer != NULL)
		xmlBufferFree(writer->buffer);
	g_free(writer);
	return document;
}

void xml_open(XmlWriter *writer, const char *element)
{
	note(writer, xmlTextWriterStartElement(writer->text, xml_string(element)));
}

void xml_close(XmlWriter *writer)
{
	note(writer, xmlTextWriterEndElement(writer->text));
}

void xml_attribute(XmlWriter *writer, const char *name, const char *value)
{
	if (value == NULL)
		return;
	g_autofree char *clean = xml_clean_text(value, SIZE_MAX);
	note(writer,
	     xmlTextWriterWriteAttribute(writer->text, xml_string(name), xml_string(clean)));
}

void xml_content(XmlWriter *writer, const char *text)
{
	g_autofree char *clean = xml_clean_text(text, SIZE_MAX);

	note(writer, xmlTextWriterWriteString(writer->text, xml_string(clean)));
}

void xml_text(XmlWriter *writer, const char *element, const char *text)
{
	if (text == NULL)
		return;
	g_autofree char *clean = xml_clean_text(text, SIZE_MAX);
	note(writer,
	     xmlTextWriterWriteElement(writer->text, xml_string(element), xml_string(clean)));
}

void xml_text_format(XmlWriter *writer, const char *element, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	xml_text(writer, element, text);
}

void xml_leaf(XmlWriter *writer, const char *element, ...)
{
	va_list args;

	xml_open(writer, element);
	va_start(args, element);
	for (const char *name = va_arg(args, const char *); name != NULL;
	     name = va_arg(args, const char *))
		xml_attribute(writer, name, va_arg(args, const char *));
	va_end(args);
	xml_close(writer);
}

/* Production Char of XML 1.0, less carriage returns: a parser would turn them into line feeds. */
static bool is_xml_char(gunichar c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n';
	return c != 0x7f && !(c >= 0xd800 && c <= 0xdfff) && c != 0xfffe && c != 0xffff;
}

char *xml_clean_text(const char *text, size_t max_bytes)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *clean = g_string_new(NULL);

	for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
		const size_t length = (size_t)(g_utf8_next_char(at) - at);

		if (!is_xml_char(g_utf8_get_char(at)))
			continue;
		if (length > max_bytes - clean->len)
			break;
		g_string_append_len(clean, at, (gssize)length);
	}
	return g_string_free(clean, FALSE);
}
