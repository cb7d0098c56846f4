/* SPDX-License-Identifier: Apache-2.0 */
/* xml_strict.c: XML from strangers: one document in memory, no network, no entities, no DTD. */
#include "inventory/xml_strict.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>

typedef struct {
	unsigned depth, nodes;
	GError *refusal; /* ours: stops the parser */
	GError *fault;   /* the parser's first */
} Guard;

static bool guard_count(Guard *guard, int namespace_count, int attribute_count, GError **error)
{
	const unsigned attributes = (unsigned)namespace_count + (unsigned)attribute_count;

	guard->depth++;
	guard->nodes += 1 + attributes;
	if (guard->depth > XML_MAX_DEPTH)
		return fail(error, CORRUPT, "depth of elements: the limit is %u", XML_MAX_DEPTH);
	if (attributes > XML_MAX_ATTRIBUTES)
		return fail(error, CORRUPT, "%u attributes in one element: the limit is %u",
			    attributes, XML_MAX_ATTRIBUTES);
	if (guard->nodes > XML_MAX_NODES)
		return fail(error, CORRUPT, "number of elements and attributes: the limit is %u",
			    XML_MAX_NODES);
	return true;
}

static bool guard_check_element(Guard *guard, const xmlChar *uri, int namespace_count,
				int attribute_count, const xmlChar **attributes, GError **error)
{
	static const char *const xinclude[] = {"http://www.w3.org/2001/XInclude",
					       "http://www.w3.org/2003/XInclude"};

	if (!guard_count(guard, namespace_count, attribute_count, error))
		return false;
	for (size_t i = 0; uri != NULL && i < G_N_ELEMENTS(xinclude); i++)
		if (strcmp((const char *)uri, xinclude[i]) == 0)
			return fail(error, REFUSED, "XInclude is not accepted");
	/* Five pointers per attribute: name, prefix, URI, value, end of value. */
	for (int i = 0; i < attribute_count; i++) {
		const ptrdiff_t length = attributes[5 * i + 4] - attributes[5 * i + 3];

		if (length > (ptrdiff_t)XML_MAX_ATTRIBUTE_BYTES)
			return fail(error, CORRUPT,
				    "attribute \"%s\" of %zu bytes: the limit is %u",
				    (const char *)attributes[5 * i], (size_t)length,
				    XML_MAX_ATTRIBUTE_BYTES);
	}
	return true;
}

static void guard_stop(xmlParserCtxt *parser, Guard *guard)
{
	g_prefix_error(&guard->refusal, "line %d: ", xmlSAX2GetLineNumber(parser));
	xmlStopParser(parser);
}

/* The signature is libxml2's. */
static void on_start_element(void *context, const xmlChar *name, const xmlChar *prefix,
			     const xmlChar *uri, int namespace_count, const xmlChar **namespaces,
			     int attribute_count, int defaulted_count, const xmlChar **attributes)
{
	xmlParserCtxt *parser = context;
	Guard *guard = parser->_private;

	if (guard->refusal != NULL)
		return;
	if (!guard_check_element(guard, uri, namespace_count, attribute_count, attributes,
				 &guard->refusal)) {
		guard_stop(parser, guard);
		return;
	}
	xmlSAX2StartElementNs(parser, name, prefix, uri, namespace_count, namespaces,
			      attribute_count, defaulted_count, attributes);
}

static void on_end_element(void *context, const xmlChar *name, const xmlChar *prefix,
			   const xmlChar *uri)
{
	xmlParserCtxt *parser = context;
	Guard *guard = parser->_private;

	guard->depth--;
	xmlSAX2EndElementNs(parser, name, prefix, uri);
}

/* Called for "<!DOCTYPE name" before anything inside it is looked at. */
static void on_doctype(void *context, const xmlChar *name, const xmlChar *external_id,
		       const xmlChar *system_id)
{
	xmlParserCtxt *parser = context;
	Guard *guard = parser->_private;

	(void)name;
	(void)external_id;
	(void)system_id;
	if (guard->refusal != NULL)
		return;
	(void)fail(&guard->refusal, REFUSED,
		   "DOCTYPE: document types and entities are not accepted");
	guard_stop(parser, guard);
}

static void on_error(void *context, xmlErrorPtr problem)
{
	xmlParserCtxt *parser = context;
	Guard *guard = parser->_private;

	if (guard->fault != NULL || problem->level < XML_ERR_ERROR || problem->message == NULL)
		return;
	g_autofree char *text = text_for_display(problem->message, strlen(problem->message), 200);
	if (g_str_has_suffix(text, "\\x0a"))
		text[strlen(text) - 4] = '\0';
	(void)fail(&guard->fault, CORRUPT, "line %d: not well-formed XML: %s", problem->line, text);
}

/* Errors of libxml2's encoders know no parser: without this they would go to stderr. */
static void on_stray_error(void *context, xmlErrorPtr problem)
{
	(void)context;
	(void)problem;
}

static xmlParserInput *on_resolve_entity(void *context, const xmlChar *public_id,
					 const xmlChar *system_id)
{
	(void)context;
	(void)public_id;
	(void)system_id;
	return NULL; /* never another file */
}

static void install_guard(xmlParserCtxt *parser, Guard *guard)
{
	xmlCtxtUseOptions(parser, XML_PARSE_NONET);
	parser->_private = guard;
	parser->sax->startElementNs = on_start_element;
	parser->sax->endElementNs = on_end_element;
	parser->sax->internalSubset = on_doctype;
	parser->sax->externalSubset = NULL;
	parser->sax->resolveEntity = on_resolve_entity;
	parser->sax->comment = NULL;
	parser->sax->processingInstruction = NULL;
	parser->sax->serror = on_error;
}

static xmlDoc *finish(xmlParserCtxt *parser, Guard *guard, GError **error)
{
	g_autoptr(xmlDoc) document = g_steal_pointer(&parser->myDoc);
	const bool is_good =
		parser->wellFormed && document != NULL && xmlDocGetRootElement(document) != NULL;

	if (guard->refusal != NULL)
		g_propagate_error(error, g_steal_pointer(&guard->refusal));
	else if (!is_good && guard->fault != NULL)
		g_propagate_error(error, g_steal_pointer(&guard->fault));
	else if (!is_good)
		(void)fail(error, CORRUPT, "line 1: not well-formed XML");
	else
		return g_steal_pointer(&document);
	return NULL;
}

xmlDoc *xml_parse_strict(const char *bytes, size_t length, GError **error)
{
	Guard guard = {0};

	if (length == 0 || length > XML_MAX_BYTES)
		return fail_null(error, CORRUPT, "line 1: %zu bytes: the limit is 1 to %u", length,
				 XML_MAX_BYTES);
	xmlParserCtxt *parser = xmlCreateMemoryParserCtxt(bytes, (int)length);
	if (parser == NULL)
		return fail_null(error, IO, "line 1: no memory for the XML parser");
	install_guard(parser, &guard);
	/* Both are of this thread alone. */
	xmlStructuredErrorFunc previous = xmlStructuredError;
	void *previous_context = xmlStructuredErrorContext;
	xmlSetStructuredErrorFunc(NULL, on_stray_error);
	xmlParseDocument(parser);
	xmlSetStructuredErrorFunc(previous_context, previous);
	xmlDoc *document = finish(parser, &guard, error);
	xmlFreeParserCtxt(parser);
	g_clear_error(&guard.fault);
	g_clear_error(&guard.refusal);
	return document;
}
