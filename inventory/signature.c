/* SPDX-License-Identifier: Apache-2.0 */
/* signature.c: the .cert of an OVF package: a signature over the .mf and who made it. */
#include "inventory/signature.h"

#include "inventory/manifest.h"
#include "inventory/ovf_finding.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#define CERTIFICATE_MAX_COUNT 16
#define NAME_SHOWN_BYTES      200u

static void certificates_free(STACK_OF(X509) * certificates)
{
	sk_X509_pop_free(certificates, X509_free);
}

/* The signer's certificate comes first, those above it may follow. */
static STACK_OF(X509) * read_certificates(const SignatureInput *input, GError **error)
{
	BIO *bio = BIO_new_mem_buf(input->cert, (int)input->cert_length);
	STACK_OF(X509) *certificates = sk_X509_new_null();

	while (bio != NULL && sk_X509_num(certificates) < CERTIFICATE_MAX_COUNT) {
		X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

		if (certificate == NULL)
			break;
		sk_X509_push(certificates, certificate);
	}
	ERR_clear_error(); /* the end of the file is one to libcrypto */
	BIO_free(bio);
	if (sk_X509_num(certificates) > 0)
		return certificates;
	certificates_free(certificates);
	return fail_null(error, CORRUPT, "there is no PEM certificate");
}

/* The first line that is not blank. */
static bool read_line(const SignatureInput *input, ManifestLine *line, GError **error)
{
	const char *at = input->cert, *end = input->cert + input->cert_length;

	while (at < end && g_ascii_isspace(*at))
		at++;
	const char *newline = memchr(at, '\n', (size_t)(end - at));
	const char *line_end = newline != NULL ? newline : end;
	if (!manifest_line_parse(at, (size_t)(line_end - at), line, error))
		return fail_in(error, "signature: ");
	if (strcmp(line->name, input->manifest_name) == 0)
		return true;
	g_autofree char *shown = text_for_display(line->name, strlen(line->name), NAME_SHOWN_BYTES);
	return fail(error, CORRUPT, "the signature is for \"%s\", not for \"%s\"", shown,
		    input->manifest_name);
}

static bool check_signature(const SignatureInput *input, const ManifestLine *line, X509 *signer,
			    GError **error)
{
	g_autofree uint8_t *signature = g_malloc(strlen(line->hex) / 2 + 1);
	const size_t length = strlen(line->hex) / 2;
	EVP_PKEY *key = X509_get0_pubkey(signer);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	for (size_t i = 0; i < length; i++)
		signature[i] = (uint8_t)(g_ascii_xdigit_value(line->hex[2 * i]) << 4 |
					 g_ascii_xdigit_value(line->hex[2 * i + 1]));
	const bool good =
		key != NULL && context != NULL && strlen(line->hex) % 2 == 0 &&
		EVP_DigestVerifyInit(context, NULL, EVP_get_digestbyname(line->algorithm), NULL,
				     key) == 1 &&
		EVP_DigestVerify(context, signature, length, (const unsigned char *)input->manifest,
				 input->manifest_length) == 1;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	if (good)
		return true;
	return fail(error, CORRUPT,
		    "the %s signature is not that of the manifest: one of the two "
		    "was changed",
		    line->algorithm);
}

static X509_STORE *open_store(const SignatureInput *input, GError **error)
{
	X509_STORE *store = X509_STORE_new();
	const bool ok = input->ca_file != NULL ? X509_STORE_load_file(store, input->ca_file) == 1
					       : X509_STORE_set_default_paths(store) == 1;

	ERR_clear_error();
	if (ok)
		return store;
	X509_STORE_free(store);
	return fail_null(error, USAGE, "%s: no certificates in PEM form can be read from it",
			 input->ca_file != NULL ? input->ca_file : "the system's certificates");
}

/* X509_V_OK or why not. An appliance outlives its certificate: dates are judged apart. */
static int check_chain(X509_STORE *store, STACK_OF(X509) * certificates)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	int result = X509_V_ERR_UNSPECIFIED;

	if (X509_STORE_CTX_init(context, store, sk_X509_value(certificates, 0), certificates) ==
	    1) {
		X509_STORE_CTX_set_flags(context, X509_V_FLAG_NO_CHECK_TIME);
		result = X509_verify_cert(context) == 1 ? X509_V_OK
							: X509_STORE_CTX_get_error(context);
	}
	X509_STORE_CTX_free(context);
	ERR_clear_error();
	return result;
}

static char *subject_of(X509 *certificate)
{
	char *line = X509_NAME_oneline(X509_get_subject_name(certificate), NULL, 0);
	char *shown = text_for_display(line, strlen(line), NAME_SHOWN_BYTES);

	OPENSSL_free(line);
	return shown;
}

static bool check_trust(const SignatureInput *input, STACK_OF(X509) * certificates,
			Findings *findings, GError **error)
{
	X509 *signer = sk_X509_value(certificates, 0);
	g_autofree char *subject = subject_of(signer);
	X509_STORE *store = open_store(input, error);

	if (store == NULL)
		return false;
	const int result = check_chain(store, certificates);
	X509_STORE_free(store);
	if (result != X509_V_OK && input->ca_file != NULL)
		return fail(error, REFUSED, "signed by \"%s\", which %s does not vouch for: %s",
			    subject, input->ca_file, X509_verify_cert_error_string(result));
	if (result != X509_V_OK)
		ovf_finding_add(findings, FINDING_WARNING, "ovf.signer-unknown",
				"the signature is good, but nobody vouches for its signer \"%s\": "
				"%s (say --ca FILE)",
				subject, X509_verify_cert_error_string(result));
	if (X509_cmp_current_time(X509_get0_notAfter(signer)) < 0)
		ovf_finding_add(findings, FINDING_WARNING, "ovf.certificate-expired",
				"the certificate of the signer \"%s\" has expired", subject);
	return true;
}

bool signature_verify(const SignatureInput *input, Findings *findings, GError **error)
{
	g_auto(ManifestLine) line = {0};

	if (input->cert_length > SIGNATURE_MAX_BYTES)
		return fail(error, CORRUPT, "%zu bytes: the limit is %u", input->cert_length,
			    SIGNATURE_MAX_BYTES);
	if (!read_line(input, &line, error))
		return false;
	STACK_OF(X509) *certificates = read_certificates(input, error);
	if (certificates == NULL)
		return false;
	const bool ok = check_signature(input, &line, sk_X509_value(certificates, 0), error) &&
			check_trust(input, certificates, findings, error);
	certificates_free(certificates);
	return ok;
}
