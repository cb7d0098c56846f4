# SPDX-License-Identifier: Apache-2.0
"""qcow2_image.py: the smallest qcow2 images, made byte by byte so that they can be made wrong."""
import hashlib
import random
import struct
import zlib

CLUSTER = 65536
REFCOUNT_TABLE, REFCOUNT_BLOCK, L1, L2, DATA = (i * CLUSTER for i in range(1, 6))
COPIED, COMPRESSED, ZERO = 1 << 63, 1 << 62, 1
BACKING_FORMAT, FEATURE_NAMES, BITMAPS, DATA_FILE = 0xe2792aca, 0x6803f857, 0x23852875, 0x44415441
LUKS_HEADER = 0x0537be77
SIZE = 16 * CLUSTER

BACKING_OFFSET, BACKING_SIZE, CLUSTER_BITS, DISK_SIZE, CRYPT = 8, 16, 20, 24, 32
L1_SIZE, L1_OFFSET, RT_OFFSET, RT_CLUSTERS, SNAPSHOTS, SNAPSHOTS_OFFSET = 36, 40, 48, 56, 60, 64
INCOMPATIBLE, COMPATIBLE, AUTOCLEAR, REFCOUNT_ORDER, HEADER_LENGTH, COMPRESSION = \
    72, 80, 88, 96, 100, 104


def pattern(seed, length=CLUSTER):
    """Bytes that no other seed has; the second half of a cluster compresses well."""
    piece = random.Random(seed).randbytes(CLUSTER // 2)
    return ((piece + piece[:64] * (len(piece) // 64)) * (length // CLUSTER + 1))[:length]


def deflate(contents):
    coder = zlib.compressobj(6, zlib.DEFLATED, -12)
    return coder.compress(contents) + coder.flush()


class Image:
    """Header, refcounts, L1 and L2 in one cluster each; guest cluster 0 is pattern("data")."""

    def __init__(self, version=3, size=SIZE, clusters=6):
        self.bytes = bytearray(clusters * CLUSTER)
        self.put(0, ">4sI", b"QFI\xfb", version)
        self.put32(CLUSTER_BITS, 16)
        self.put64(DISK_SIZE, size)
        self.put32(L1_SIZE, 1)
        self.put64(L1_OFFSET, L1)
        self.put64(RT_OFFSET, REFCOUNT_TABLE)
        self.put32(RT_CLUSTERS, 1)
        if version == 3:
            self.put32(REFCOUNT_ORDER, 4)
            self.put32(HEADER_LENGTH, 104)
        self.put64(REFCOUNT_TABLE, REFCOUNT_BLOCK)
        for i in range(clusters):
            self.put(REFCOUNT_BLOCK + 2 * i, ">H", 1)
        self.put64(L1, L2 | COPIED)
        self.entry(0, DATA | COPIED)
        self.bytes[DATA:DATA + CLUSTER] = pattern("data")

    def put(self, offset, layout, *values):
        struct.pack_into(layout, self.bytes, offset, *values)
        return self

    def put32(self, offset, value):
        return self.put(offset, ">I", value)

    def put64(self, offset, value):
        return self.put(offset, ">Q", value)

    def entry(self, index, value):
        return self.put64(L2 + 8 * index, value)

    def extensions(self, *sections, header_length=104):
        """(type, contents) after the header, then the end."""
        at = header_length
        for kind, contents in sections:
            self.put(at, ">II", kind, len(contents))
            self.bytes[at + 8:at + 8 + len(contents)] = contents
            at += 8 + (len(contents) + 7) // 8 * 8
        return self.put64(at, 0)

    def backing(self, name, image_format=None):
        name = name if isinstance(name, bytes) else name.encode()
        if image_format:
            self.extensions((BACKING_FORMAT, image_format.encode()))
        self.bytes[4096:4096 + len(name)] = name
        return self.put64(BACKING_OFFSET, 4096).put32(BACKING_SIZE, len(name))

    def compressed(self, stream, index=0, offset=DATA, sectors=None):
        """Guest cluster `index` is this stream; `sectors` beyond the first as they should be."""
        self.bytes[offset:offset + CLUSTER] = bytes(CLUSTER)
        self.bytes[offset:offset + len(stream)] = stream
        if sectors is None:
            sectors = (offset % 512 + len(stream) - 1) // 512
        return self.entry(index, COMPRESSED | sectors << 54 | offset)

    def cut(self, length):
        del self.bytes[length:]
        return self

    def save(self, path):
        with open(path, "wb") as file:
            file.write(self.bytes)
        return path


def contents_digest(*clusters, size=SIZE):
    """Of a disk that begins with these clusters and is zero otherwise."""
    contents = b"".join(clusters)[:size]
    return hashlib.sha256(contents + bytes(size - len(contents))).hexdigest()
