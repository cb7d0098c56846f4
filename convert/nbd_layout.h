/* SPDX-License-Identifier: Apache-2.0 */
/* nbd_layout.h: the NBD protocol on the wire, as far as a read-only server needs it; big-endian.
 * https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md */
#ifndef V2V_CONVERT_NBD_LAYOUT_H
#define V2V_CONVERT_NBD_LAYOUT_H

#include <assert.h>
#include <stdint.h>

#define NBD_MAGIC         UINT64_C(0x4e42444d41474943) /* "NBDMAGIC" */
#define NBD_OPTION_MAGIC  UINT64_C(0x49484156454f5054) /* "IHAVEOPT" */
#define NBD_REPLY_MAGIC   UINT64_C(0x0003e889045565a9) /* of the reply to an option */
#define NBD_REQUEST_MAGIC 0x25609513u
#define NBD_SIMPLE_MAGIC  0x67446698u /* of a simple reply to a request */
#define NBD_CHUNK_MAGIC   0x668e33efu /* of a chunk of a structured reply */

/* Handshake flags, the same bits both ways. */
#define NBD_FIXED_NEWSTYLE 0x1u
#define NBD_NO_ZEROES      0x2u

/* Transmission flags. */
#define NBD_HAS_FLAGS      0x001u
#define NBD_READ_ONLY      0x002u
#define NBD_SEND_DF        0x080u /* NBD_CMD_FLAG_DF may be sent */
#define NBD_CAN_MULTI_CONN 0x100u

#define NBD_CMD_FLAG_DF 0x4u /* the reply to a read must not be fragmented */

enum {
	NBD_OPT_EXPORT_NAME = 1,
	NBD_OPT_ABORT = 2,
	NBD_OPT_LIST = 3,
	NBD_OPT_INFO = 6,
	NBD_OPT_GO = 7,
	NBD_OPT_STRUCTURED_REPLY = 8,
};

#define NBD_REP_ACK         1u
#define NBD_REP_SERVER      2u
#define NBD_REP_INFO        3u
#define NBD_REP_ERR_UNSUP   0x80000001u
#define NBD_REP_ERR_INVALID 0x80000003u
#define NBD_REP_ERR_UNKNOWN 0x80000006u

enum {
	NBD_INFO_EXPORT = 0,
	NBD_INFO_BLOCK_SIZE = 3,
};

enum {
	NBD_CMD_READ = 0,
	NBD_CMD_WRITE = 1,
	NBD_CMD_DISC = 2,
	NBD_CMD_TRIM = 4,
	NBD_CMD_WRITE_ZEROES = 6,
};

#define NBD_CHUNK_DONE        0x1u /* the last chunk of its reply */
#define NBD_CHUNK_OFFSET_DATA 1u
#define NBD_CHUNK_ERROR       0x8001u

#define NBD_EPERM  1u
#define NBD_EIO    5u
#define NBD_ENOMEM 12u
#define NBD_EINVAL 22u

typedef struct {
	uint8_t magic[8], option_magic[8], flags[2];
} NbdGreetingBytes;
static_assert(sizeof(NbdGreetingBytes) == 18, "byte arrays only: no padding");

typedef struct { /* `length` bytes follow */
	uint8_t magic[8], option[4], length[4];
} NbdOptionBytes;
static_assert(sizeof(NbdOptionBytes) == 16, "byte arrays only: no padding");

typedef struct { /* `length` bytes follow */
	uint8_t magic[8], option[4], type[4], length[4];
} NbdOptionReplyBytes;
static_assert(sizeof(NbdOptionReplyBytes) == 20, "byte arrays only: no padding");

typedef struct { /* the answer to NBD_OPT_EXPORT_NAME; without `zeroes` if NBD_NO_ZEROES */
	uint8_t size[8], flags[2], zeroes[124];
} NbdExportBytes;
static_assert(sizeof(NbdExportBytes) == 134, "byte arrays only: no padding");

typedef struct {
	uint8_t type[2], size[8], flags[2];
} NbdInfoExportBytes;
static_assert(sizeof(NbdInfoExportBytes) == 12, "byte arrays only: no padding");

typedef struct {
	uint8_t type[2], minimum[4], preferred[4], maximum[4];
} NbdInfoBlockSizeBytes;
static_assert(sizeof(NbdInfoBlockSizeBytes) == 14, "byte arrays only: no padding");

typedef struct {
	uint8_t magic[4], flags[2], type[2], cookie[8], offset[8], length[4];
} NbdRequestBytes;
static_assert(sizeof(NbdRequestBytes) == 28, "byte arrays only: no padding");

typedef struct { /* the bytes read follow when `error` is 0 */
	uint8_t magic[4], error[4], cookie[8];
} NbdSimpleReplyBytes;
static_assert(sizeof(NbdSimpleReplyBytes) == 16, "byte arrays only: no padding");

typedef struct { /* `length` bytes follow */
	uint8_t magic[4], flags[2], type[2], cookie[8], length[4];
} NbdChunkBytes;
static_assert(sizeof(NbdChunkBytes) == 20, "byte arrays only: no padding");

typedef struct {
	uint8_t error[4], message_length[2];
} NbdChunkErrorBytes;
static_assert(sizeof(NbdChunkErrorBytes) == 6, "byte arrays only: no padding");

#endif
