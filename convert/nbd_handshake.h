/* SPDX-License-Identifier: Apache-2.0 */
/* nbd_handshake.h: what server and client agree on before the first request. */
#ifndef V2V_CONVERT_NBD_HANDSHAKE_H
#define V2V_CONVERT_NBD_HANDSHAKE_H

#include "formats/disk.h"

/* What a client may ask for at once; more is answered with EINVAL. */
#define NBD_MAX_REQUEST (32u * 1024 * 1024)

typedef struct {
	bool no_zeroes;  /* the reply to EXPORT_NAME ends without padding */
	bool structured; /* reads are answered in structured replies */
	bool going;      /* the handshake is over, requests follow */
} NbdAgreement;

/* Offers `disk` as the default export on `fd`. False: the connection is over. */
bool nbd_shake_hands(int fd, const Disk *disk, NbdAgreement *out);

#endif
