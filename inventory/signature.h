/* SPDX-License-Identifier: Apache-2.0 */
/* signature.h: the .cert of an OVF package: a signature over the .mf and who made it. */
#ifndef V2V_INVENTORY_SIGNATURE_H
#define V2V_INVENTORY_SIGNATURE_H

#include "base/error.h"
#include "base/finding.h"

#define SIGNATURE_MAX_BYTES (1024u * 1024u)

typedef struct {
	const char *cert; /* contents of the .cert */
	size_t cert_length;
	const char *manifest; /* contents of the .mf, byte for byte */
	size_t manifest_length;
	const char *manifest_name; /* the name that the .cert must sign */
	const char *ca_file;       /* PEM; NULL: the system's store */
} SignatureInput;

/* CORRUPT when the signature is not that of the manifest. With `ca_file` REFUSED when the signer is
 * not trusted by it; without one an unknown or self-signed signer is a warning in `findings`. */
bool signature_verify(const SignatureInput *input, Findings *findings, GError **error);

#endif
