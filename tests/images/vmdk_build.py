# SPDX-License-Identifier: Apache-2.0
"""vmdk_build.py: VMDK files byte by byte, with every place noted that a test may want to change."""
import random
import struct
import zlib

SECTOR = 512
GRAIN = 128  # sectors
FLAG_NEWLINES, FLAG_REDUNDANT, FLAG_ZERO, FLAG_STREAM = 1, 2, 4, 0x30000
AT_END = 2**64 - 1

# Offsets in the header.
VERSION, FLAGS, CAPACITY, GRAIN_SIZE, DESC_OFFSET, DESC_SIZE = 4, 8, 12, 20, 28, 36
ENTRIES, RGD, GD, OVERHEAD, UNCLEAN, NEWLINES, COMPRESSION = 44, 48, 56, 64, 72, 73, 77
FIELDS = {'version': (VERSION, 'I'), 'flags': (FLAGS, 'I'), 'capacity': (CAPACITY, 'Q'),
          'grain size': (GRAIN_SIZE, 'Q'), 'descriptor offset': (DESC_OFFSET, 'Q'),
          'descriptor size': (DESC_SIZE, 'Q'), 'entries': (ENTRIES, 'I'), 'rgd': (RGD, 'Q'),
          'gd': (GD, 'Q'), 'overhead': (OVERHEAD, 'Q'), 'compression': (COMPRESSION, 'H')}

DDB = '\n# The Disk Data Base\n#DDB\n\nddb.virtualHWVersion = "4"\nddb.adapterType = "lsilogic"\n'


def descriptor(create_type, extents, cid='12345678', parent='ffffffff', hint=None, ddb=DDB, more=''):
    hint = f'parentFileNameHint="{hint}"\n' if hint is not None else ''
    kind = f'createType="{create_type}"\n' if create_type is not None else ''
    text = (f'# Disk DescriptorFile\nversion=1\nCID={cid}\nparentCID={parent}\n{kind}{hint}{more}'
            '\n# Extent description\n')
    return text + ''.join(line + '\n' for line in extents) + ddb


def guest_bytes(length, seed=1):
    """Bytes that deflate makes about half as long."""
    rng = random.Random(seed)
    return bytes(rng.choices(b'abcdefghijklmnop', k=length))


def pad(data, unit=SECTOR):
    return data + bytes(-len(data) % unit)


class Image(bytearray):
    """A sparse extent file; `grains` says where each one's entry and bytes are."""

    def patch(self, offset, kind, *values):
        struct.pack_into('<' + kind, self, offset, *values)
        return self

    def get(self, offset, kind):
        return struct.unpack_from('<' + kind, self, offset)[0]


def header(capacity, grain, flags, version, text, rgd, gd, overhead, descriptor_sectors):
    raw = struct.pack('<4sIIQQQQIQQQB4sH', b'KDMV', version, flags, capacity, grain,
                      1 if text is not None else 0, descriptor_sectors if text is not None else 0,
                      512, rgd, gd, overhead, 0, b'\n \r\n', 1 if flags & FLAG_STREAM else 0)
    return pad(raw)


def embedded(capacity, stream, name='self.vmdk', **more):
    return descriptor('streamOptimized' if stream else 'monolithicSparse',
                      [f'RW {capacity} SPARSE "{name}"'], **more)


def tables_of(capacity, grain):
    return -(-capacity // (512 * grain))


def sparse(capacity, grains, grain=GRAIN, flags=3, version=1, text=None, zero=(), embed=True,
           order=None):
    """monolithicSparse: `grains` is {number: bytes}, `zero` the numbers of zeroed grains, `order`
    the order in which they stand in the file."""
    if text is None and embed:
        text = embedded(capacity, False)
    count = tables_of(capacity, grain)
    directory_sectors = -(-count * 4 // SECTOR)
    rgd = 21
    rgt = rgd + directory_sectors
    gd = rgt + count * 4
    gt = gd + directory_sectors
    overhead = -(-(gt + count * 4) // grain) * grain
    img = Image(header(capacity, grain, flags, version, text, rgd, gd, overhead, 20))
    img += (text or '').encode().ljust(20 * SECTOR, b'\0')
    for first in (rgt, gt):
        img += pad(struct.pack(f'<{count}I', *[first + 4 * i for i in range(count)]))
        img += bytes(count * 4 * SECTOR)
    img += bytes(overhead * SECTOR - len(img))
    img.gd, img.rgd = gd * SECTOR, rgd * SECTOR
    img.entry = lambda n: gt * SECTOR + n * 4
    img.redundant_entry = lambda n: rgt * SECTOR + n * 4
    img.place = {}
    for n in order or sorted(grains):
        img.place[n] = len(img)
        for at in (img.entry(n), img.redundant_entry(n)):
            img.patch(at, 'I', len(img) // SECTOR)
        img += grains[n]
        img += bytes(-len(img) % SECTOR)
    for n in zero:
        for at in (img.entry(n), img.redundant_entry(n)):
            img.patch(at, 'I', 1)
    return img


def stream(capacity, grains, grain=GRAIN, footer=True, version=3, text=None, order=None,
           compress=lambda n, b: zlib.compress(b, 6)):
    """streamOptimized: grain directory at the end, with a footer or known to the header."""
    if text is None:
        text = embedded(capacity, True)
    flags = FLAG_NEWLINES | FLAG_STREAM
    count = tables_of(capacity, grain)
    img = Image(header(capacity, grain, flags, version, text, 0, AT_END, 128, 20))
    img += text.encode().ljust(20 * SECTOR, b'\0')
    img += bytes(128 * SECTOR - len(img))
    entries = [0] * (count * 512)
    img.place = {}
    for n in order or sorted(grains):
        packed = compress(n, grains[n])
        entries[n] = len(img) // SECTOR
        img.place[n] = len(img)
        img += pad(struct.pack('<QI', n * grain, len(packed)) + packed)
    directory = []
    starts = {}
    for t in range(count):
        part = entries[t * 512:(t + 1) * 512]
        if not any(part):
            directory.append(0)
            continue
        img += pad(struct.pack('<QII', 4, 0, 1))
        directory.append(len(img) // SECTOR)
        starts[t] = len(img)
        img += struct.pack('<512I', *part)
    img.entry = lambda n: starts[n // 512] + n % 512 * 4
    img += pad(struct.pack('<QII', -(-count * 4 // SECTOR), 0, 2))
    img.gd = len(img)
    img += pad(struct.pack(f'<{count}I', *directory))
    if footer:
        img += pad(struct.pack('<QII', 1, 0, 3))
        img.footer = len(img)
        img += header(capacity, grain, flags, version, text, 0, img.gd // SECTOR, 128, 20)
    else:
        img.patch(GD, 'Q', img.gd // SECTOR)
    img += bytes(SECTOR)
    return img


def guest_of(capacity, grains, grain=GRAIN):
    """What a guest reads."""
    out = bytearray(capacity * SECTOR)
    for n, data in grains.items():
        at = n * grain * SECTOR
        out[at:at + grain * SECTOR] = data[:len(out) - at]
    return bytes(out)
