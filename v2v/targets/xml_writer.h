/* SPDX-License-Identifier: Apache-2.0 */
/* xml_writer.h: libxml2's text writer with the little that our XML needs; whatever text comes in,
 * well-formed XML 1.0 comes out. */
#ifndef V2V_TARGETS_XML_WRITER_H
#define V2V_TARGETS_XML_WRITER_H

#include <glib.h>

typedef struct XmlWriter XmlWriter;

XmlWriter *xml_writer_new(void);
/* The document, owned by the caller; NULL when memory ran out on the way. Frees the writer. */
char *xml_writer_finish(XmlWriter *writer);

void xml_open(XmlWriter *writer, const char *element);
void xml_close(XmlWriter *writer);
/* Text is cleaned by xml_clean_text(). A NULL value writes nothing. */
void xml_attribute(XmlWriter *writer, const char *name, const char *value);
/* Text inside the element that is open. */
void xml_content(XmlWriter *writer, const char *text);
/* <element>text</element> */
void xml_text(XmlWriter *writer, const char *element, const char *text);
void xml_text_format(XmlWriter *writer, const char *element, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
/* <element name='value' …/>: pairs of name and value, ended by NULL; NULL as a value leaves that
 * attribute out. */
void xml_leaf(XmlWriter *writer, const char *element, ...) G_GNUC_NULL_TERMINATED;

/* `text` as valid UTF-8 without the characters that XML 1.0 forbids; at most `max_bytes`. Owned by
 * the caller. */
char *xml_clean_text(const char *text, size_t max_bytes);

#endif
