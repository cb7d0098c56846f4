#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""qcow2_hostile.py: images that lie. Row numbers are those of docs/formats/qcow2.md."""
import os
import random
import struct

import qcow2_suite as suite
from qcow2_image import *

FOLDER = suite.path("hostile")
os.mkdir(FOLDER)
SECRET = suite.path("host_secret")
with open(SECRET, "wb") as secret:
    secret.write(b"canary " * 1000)

GOOD = contents_digest(pattern("data"))


def refuse(name, image, expected, also_opened=()):
    path = image.save(os.path.join(FOLDER, "image.qcow2"))
    suite.refused(name, path, expected, also_opened=also_opened)
    os.unlink(path)


def accept(name, image, expected=GOOD, warning=None):
    path = image.save(os.path.join(FOLDER, "image.qcow2"))
    suite.accepted(name, path, expected, warning)
    os.unlink(path)


def names_of_other_files():
    refuse("1 backing file is a file of the host", Image().backing(SECRET, "raw"),
           r'image\.qcow2: backing image: .*host_secret.*(absolute|outside)')
    refuse("2 the same without a format", Image().backing(SECRET), r"backing image: .*host_secret")
    for name in ('json:{"driver":"raw","file":{"driver":"file","filename":"%s"}}' % SECRET,
                 "nbd://127.0.0.1/x", "ssh://h/x", "fd:0", "http://h/x", "host_device:/dev/sda"):
        refuse(f"3 7 backing {name[:12]}", Image().backing(name, "raw"), r"backing image: .*")
    for name in ("/dev/sda", "/proc/self/fd/0", "../host_secret", "a/../../host_secret"):
        refuse(f"7 backing {name}", Image().backing(name, "raw"), r"backing image: .*")
    os.symlink("/etc/shadow", os.path.join(FOLDER, "link"))
    refuse("7 backing is a symlink to /etc/shadow", Image().backing("link", "raw"),
           r"backing image: ")
    os.unlink(os.path.join(FOLDER, "link"))
    os.mkfifo(os.path.join(FOLDER, "fifo"))
    refuse("7 backing is a FIFO", Image().backing("fifo", "raw"), r"backing image: .*regular",
           also_opened=["fifo"])  # not for reading: only to look what it is
    os.unlink(os.path.join(FOLDER, "fifo"))
    path = SECRET.encode()
    refuse("4 data file is a file of the host",
           Image().put64(INCOMPATIBLE, 4).extensions((DATA_FILE, path)),
           r'offset 0x48: .*bit 2 \(external data file ".*host_secret"\): unsupported')
    refuse("5 data file bit without its name", Image().put64(INCOMPATIBLE, 4),
           r'offset 0x48: .*bit 2 \(external data file ""\): unsupported')
    refuse("8 backing offset far away", Image().put64(BACKING_OFFSET, 0xffffffffffff),
           r"offset 0x8: backing_file_offset=0xffffffffffff: not between")
    refuse("8 backing offset inside the header", Image().put64(BACKING_OFFSET, 40),
           r"offset 0x8: backing_file_offset=0x28: not between")
    for length in (0xffffffff, 1024):
        refuse(f"8 backing name of {length} bytes", Image().backing("x").put32(BACKING_SIZE, length),
               rf"offset 0x10: backing_file_size={length}: exceeds 1023")
    refuse("8 backing name past its cluster",
           Image().put64(BACKING_OFFSET, CLUSTER - 2).put32(BACKING_SIZE, 3),
           r"offset 0x10: backing_file_size=3: exceeds 2")
    refuse("8 NUL in the backing name", Image().backing(b"a\0b"),
           r"offset 0x1000: backing file name: holds a NUL byte")
    refuse("8 control bytes in the backing name", Image().backing("a\n\x1b[31mb"),
           r"backing image: ")
    refuse("8 backing format that is no name", Image().backing("b", "raw\x07" + "x" * 40),
           r"backing format .*: not a format's name")
    Image().save(os.path.join(FOLDER, "below"))
    refuse("8 unknown backing format", Image().backing("below", "nonsense"),
           r'below: declared "nonsense": no image format that is known', also_opened=["below"])
    refuse("2 a qcow2 that is called raw", Image().backing("below", "raw"),
           r"declared raw but begins like qcow2", also_opened=["below"])
    with open(os.path.join(FOLDER, "below"), "wb") as below:
        below.write(b"no format at all " * 1000)
    refuse("2 no format, and none to be seen: never taken for raw", Image().backing("below"),
           r"no known image format", also_opened=["below"])
    os.unlink(os.path.join(FOLDER, "below"))


def save_chain(links):
    for name, below in links:
        Image().entry(0, 0).backing(below, "qcow2").save(os.path.join(FOLDER, name))


def chains():
    refuse("6 backing is the image itself", Image().backing("image.qcow2", "qcow2"),
           r"backing chain comes back", also_opened=["image.qcow2"])
    save_chain([("b", "image.qcow2")])
    refuse("6 A to B to A", Image().backing("b", "qcow2"), r"backing chain comes back",
           also_opened=["b", "image.qcow2"])
    save_chain([(f"c{i}", f"c{i + 1}") for i in range(1000)])
    suite.refused("6 chain of 1000", os.path.join(FOLDER, "c0"), r"deeper than 64 images",
                  also_opened=[f"c{i}" for i in range(65)])
    for name in os.listdir(FOLDER):
        os.unlink(os.path.join(FOLDER, name))


def header_numbers():
    for bits in (0, 8, 22, 31, 32, 63, 64, 255, 0xffffffff):
        refuse(f"9 cluster_bits {bits}", Image().put32(CLUSTER_BITS, bits),
               rf"offset 0x14: cluster_bits={bits}: not within 9 to 21")
    for size in (2**62, 2**63, 2**64 - 1):
        refuse(f"10 size {size}", Image().put64(DISK_SIZE, size),
               rf"offset 0x18: size={size}: exceeds the \d+ bytes")
    for count in (0xffffffff, 0x400001):
        refuse(f"13 l1_size {count}", Image().put32(L1_SIZE, count),
               rf"offset 0x24: l1_size={count}: exceeds 4194304 entries")
    refuse("14 l1_size too small", Image(size=2**40),
           r"offset 0x24: l1_size=1: too small for size=1099511627776, which needs 2048")
    refuse("14 l1_size 0", Image().put32(L1_SIZE, 0), r"offset 0x24: l1_size=0: too small")
    refuse("13 L1 table longer than the file", Image().put32(L1_SIZE, 0x400000),
           r"offset 0x28: L1 table offset=0x30000: its 33554432 bytes end past the end")
    refuse("15 L1 offset misaligned", Image().put64(L1_OFFSET, 0x30001),
           r"offset 0x28: L1 table offset=0x30001: not a multiple of the cluster size 65536")
    for offset in (0x60000, 1 << 55, 0xffffffffffff0000):
        refuse(f"15 L1 offset {offset:#x} past the end", Image().put64(L1_OFFSET, offset),
               rf"offset 0x28: L1 table offset={offset:#x}: its 8 bytes end past the end")
    refuse("15 L1 offset 0", Image().put64(L1_OFFSET, 0),
           r"offset 0x28: L1 table offset=0x0: inside the header's cluster")
    refuse("15 L1 offset inside the header's cluster", Image().put64(L1_OFFSET, 512),
           r"offset 0x28: L1 table offset=0x200: not a multiple")
    for version in (1, 4, 0, 0xffffffff):
        refuse(f"27 version {version}", Image().put32(4, version),
               rf"offset 0x4: version={version}: unsupported")
    for order in (7, 255, 0xffffffff):
        refuse(f"28 refcount_order {order}", Image().put32(REFCOUNT_ORDER, order),
               rf"offset 0x60: refcount_order={order}: exceeds 6")
    for length in (0, 72, 103, 105, 65544, 0xfffffff8, 0xffffffff):
        refuse(f"28 header_length {length}", Image().put32(HEADER_LENGTH, length),
               rf"offset 0x64: header_length={length}: not a multiple of 8 from 104")
    for count in (0, 129, 0xffffffff):
        refuse(f"31 refcount_table_clusters {count}", Image().put32(RT_CLUSTERS, count),
               rf"offset 0x38: refcount_table_clusters={count}: not within 1 to 128")
    refuse("31 refcount table misaligned", Image().put64(RT_OFFSET, 0x10008),
           r"offset 0x30: refcount table offset=0x10008: not a multiple")
    for offset in (0x60000, 1 << 62):
        refuse(f"31 refcount table at {offset:#x}", Image().put64(RT_OFFSET, offset),
               rf"offset 0x30: refcount table offset={offset:#x}: its 65536 bytes end past")
    refuse("30 nb_snapshots 2^32-1", Image().put32(SNAPSHOTS, 0xffffffff),
           r"offset 0x3c: nb_snapshots=4294967295: exceeds 65536")
    accept("30 65535 snapshots with a garbage table: not looked at",
           Image().put32(SNAPSHOTS, 65535).put64(SNAPSHOTS_OFFSET, 0x7777))
    for method in (1, 2, 3, 0xffffffff):
        refuse(f"37 crypt_method {method}", Image().put32(CRYPT, method),
               rf"offset 0x20: crypt_method={method} \(.*\): encryption: unsupported")
    refuse("37 LUKS header past the end",
           Image().put32(CRYPT, 2).extensions((LUKS_HEADER, struct.pack(">QQ", 1 << 50, 1 << 20))),
           r"offset 0x20: crypt_method=2 \(LUKS\)")


def sizes():
    odd = Image(size=1000001)
    accept("11 size 1000001", odd, contents_digest(pattern("data"), size=1000001))
    last = Image(size=15 * CLUSTER + 100, clusters=7).entry(15, 6 * CLUSTER - CLUSTER)
    accept("11 the last cluster in part, beside a cluster twice", last,
           contents_digest(pattern("data"), bytes(14 * CLUSTER), pattern("data"),
                           size=15 * CLUSTER + 100))
    accept("12 size 0", Image(size=0), contents_digest(size=0))
    accept("12 size 0 without an L1 table", Image(size=0).put32(L1_SIZE, 0).put64(L1_OFFSET, 0),
           contents_digest(size=0))
    short = Image(size=15 * CLUSTER + 100, clusters=7).entry(15, 6 * CLUSTER)
    short.bytes[6 * CLUSTER:] = pattern("tail")
    accept("11 file that ends where the guest does", short.cut(6 * CLUSTER + 100),
           contents_digest(pattern("data"), bytes(14 * CLUSTER), pattern("tail"),
                           size=15 * CLUSTER + 100))
    refuse("11 one byte less", short.cut(6 * CLUSTER + 99), r"past the end of the file")


def features():
    names = struct.pack(">BB46s", 0, 40, b"time \x1b[31mtravel")
    refuse("24 unknown incompatible bit 40", Image().put64(INCOMPATIBLE, 1 << 40),
           r"offset 0x48: incompatible_features=0x10000000000: bit 40 \(unknown\): unsupported")
    refuse("24 the same, named", Image().put64(INCOMPATIBLE, 1 << 40)
           .extensions((FEATURE_NAMES, names)), r"bit 40 \(time \\x1b\[31mtravel\): unsupported")
    refuse("24 bit 63", Image().put64(INCOMPATIBLE, 1 << 63), r"bit 63 \(unknown\)")
    refuse("25 corrupt bit", Image().put64(INCOMPATIBLE, 2), r"bit 1 \(corrupt\): refused")
    accept("26 dirty bit", Image().put64(INCOMPATIBLE, 1), warning="was not closed properly")
    accept("26 dirty bit with bad refcounts",
           Image().put64(INCOMPATIBLE, 1).put64(REFCOUNT_TABLE + 8, 0x123456789),
           warning="was not closed properly")
    refuse("23 extended L2 entries", Image().put64(INCOMPATIBLE, 16),
           r"offset 0x48: .*bit 4 \(extended L2 entries\): unsupported")
    refuse("23 extended L2 entries with clusters of 8 KiB",
           Image().put64(INCOMPATIBLE, 16).put32(CLUSTER_BITS, 13), r"bit 4 \(extended L2")
    accept("24 unknown compatible and autoclear bits",
           Image().put64(COMPATIBLE, 1 << 41).put64(AUTOCLEAR, 1 << 42))
    accept("24 features of version 3 in version 2", Image(version=2).put64(INCOMPATIBLE, 0))


def extensions():
    refuse("29 extension of 2^31 bytes", Image().extensions((0x1234, b"")).put32(108, 0x7fffffff),
           r"offset 0x6c: length=2147483647 of header extension 0x00001234: exceeds the 65424")
    refuse("29 extension past cluster 0", Image().extensions((0x1234, b"")).put32(108, 65425),
           r"offset 0x6c: length=65425 of header extension 0x00001234: exceeds")
    many = Image()
    for at in range(104, CLUSTER, 8):
        many.put(at, ">II", 0x1234, 0)
    refuse("29 thousands of extensions", many, r"more than 1024 header extensions")
    refuse("29 backing format twice",
           Image().extensions((BACKING_FORMAT, b"raw"), (BACKING_FORMAT, b"raw")),
           r"offset 0x78: header extension type=0xe2792aca: comes twice")
    accept("29 unknown extension", Image().extensions((0x1234, b"hello")))
    accept("39 bitmaps: 2^32-1 of them, not used",
           Image().extensions((BITMAPS, struct.pack(">IIQQ", 0xffffffff, 0, 1 << 63, 1 << 62))))


def l1_entries():
    refuse("16 L1[0] points to the L1 table", Image().put64(L1, L1 | COPIED),
           r"offset 0x30000: (L1 table overlaps L2 table|L2 table overlaps L1 table)")
    for bit in list(range(0, 9)) + list(range(56, 63)):
        refuse(f"17 L1 bit {bit}", Image().put64(L1, L2 | COPIED | 1 << bit),
               r"offset 0x30000: L1 entry 0=0x[0-9a-f]{16}: reserved bits set")
    refuse("16 L1[0] misaligned", Image().put64(L1, L2 + 512 | COPIED), r"not a multiple")
    refuse("16 L1[0] past the end", Image().put64(L1, 0x60000 | COPIED),
           r"offset 0x30000: L1 entry 0=0x8000000000060000: past the end of the file")
    refuse("16 L1[0] says copied and points nowhere", Image().put64(L1, COPIED),
           r"allocated at offset 0")
    for name, offset in (("refcount table", REFCOUNT_TABLE), ("refcount block", REFCOUNT_BLOCK)):
        refuse(f"16 L1[0] points to the {name}", Image().put64(L1, offset), rf"overlaps {name}|"
               rf"{name} overlaps")
    twice = Image(size=2 * 8192 * CLUSTER).put32(L1_SIZE, 2).put64(L1 + 8, L2 | COPIED)
    refuse("36 two L1 entries to one L2 table", twice,
           r"offset 0x30008: L1 entry 1=0x8000000000040000: overlaps the L2 table of the entry")
    apart = Image(size=3 * 8192 * CLUSTER).put32(L1_SIZE, 3).put64(L1 + 16, L2 | COPIED)
    refuse("36 two L1 entries apart to one L2 table", apart,
           r"offset 0x40000: L2 table overlaps L2 table")
    bomb = Image(size=2**41).put32(L1_SIZE, 4096)
    for i in range(4096):
        bomb.put64(L1 + 8 * i, L2 | COPIED)
    refuse("36 2 TiB in 384 KiB", bomb, r"offset 0x30008: L1 entry 1=.*: overlaps the L2 table")
    huge = small_clusters(0).put64(DISK_SIZE, 1 << 37).put32(L1_SIZE, 1 << 22)
    path = huge.put64(L1_OFFSET, 4096).save(os.path.join(FOLDER, "image.qcow2"))
    with open(path, "ab") as file:  # in pieces: a child counts our memory as its own
        for _ in range(1 << 10):
            file.write(struct.pack(">Q", 2048 | COPIED) * (1 << 12))
    suite.refused("36 32 MiB of L1 entries to one L2 table", path,
                  r"offset 0x1008: L1 entry 1=.*overlaps the L2 table")
    os.unlink(path)
    refuse("31 refcount block misaligned", Image().put64(REFCOUNT_TABLE, REFCOUNT_BLOCK + 8),
           r"offset 0x10000: refcount table entry 0=0x0000000000020008: not a multiple")
    refuse("31 refcount block past the end", Image().put64(REFCOUNT_TABLE + 8, 1 << 60),
           r"offset 0x10008: refcount table entry 1=0x1000000000000000: past the end")


def l2_entries():
    where = r"offset 0x40000: L2 entry=0x[0-9a-f]{16} for guest offset 0x0: "
    for bit in list(range(1, 9)) + list(range(56, 62)):
        refuse(f"17 L2 bit {bit}", Image().entry(0, DATA | COPIED | 1 << bit),
               where + "reserved bits set")
    for offset in (0x60000, 1 << 40, (1 << 56) - CLUSTER):
        refuse(f"18 data at {offset:#x}, past the end", Image().entry(0, offset | COPIED),
               where + "past the end of the file")
        refuse(f"18 zero cluster at {offset:#x}", Image().entry(0, offset | COPIED | ZERO),
               where + "past the end of the file")
    refuse("19 data at 0x200", Image().entry(0, 0x200 | COPIED), where + "not a multiple")
    refuse("19 data at 0", Image().entry(0, COPIED), where + "allocated at offset 0")
    for name, offset in (("refcount table", REFCOUNT_TABLE), ("L2 table", L2), ("L1 table", L1),
                         ("refcount block", REFCOUNT_BLOCK)):
        refuse(f"20 data in the {name}", Image().entry(0, offset | COPIED),
               where + rf"overlaps metadata \({name}\)")
        refuse(f"20 compressed data in the {name}", Image().entry(0, offset + 9 | COMPRESSED),
               where + rf"overlaps metadata \({name}\)")
    refuse("20 compressed data in the header", Image().entry(0, 300 | COMPRESSED),
           where + r"overlaps metadata \(header\)")
    refuse("20 compressed data at 0", Image().entry(0, COMPRESSED),
           where + r"overlaps metadata \(header\)")
    accept("21 one cluster twice", Image().entry(1, DATA | COPIED),
           contents_digest(pattern("data"), pattern("data")))
    refuse("22 zero flag in version 2", Image(version=2).entry(0, ZERO),
           where + "zero flag set in a version 2 image")
    accept("22 zero flag in version 3", Image().entry(0, DATA | COPIED | ZERO), contents_digest())
    refuse("17 the last entry is looked at, too", Image().entry(15, 1 << 60),
           r"offset 0x40078: L2 entry=0x1000000000000000 for guest offset 0xf0000: reserved")
    accept("17 entries behind the disk are not", Image().entry(16, 1 << 60))


def compressed_clusters():
    stream = deflate(pattern("data"))
    where = rf"offset 0x{DATA:x}: compressed cluster for guest offset 0x0: "
    accept("35 compressed", Image().compressed(stream))
    refuse("32 compression type without its bit",
           Image().put32(HEADER_LENGTH, 112).put(COMPRESSION, "B", 1),
           r"offset 0x68: compression_type=1: contradicts")
    refuse("32 compression type 7", Image().put64(INCOMPATIBLE, 8).put32(HEADER_LENGTH, 112)
           .put(COMPRESSION, "B", 7), r"offset 0x68: compression_type=7: unsupported")
    refuse("32 compression bit, header of 104 bytes", Image().put64(INCOMPATIBLE, 8),
           r"offset 0x68: compression_type=0: contradicts")
    refuse("33 garbage", Image().compressed(b"\xff" * 4096), where + "damaged deflate stream")
    refuse("33 ends early", Image().compressed(deflate(pattern("data", 1000))),
           where + "deflate stream yields 1000 of 65536 bytes")
    refuse("33 cut in the middle", Image().compressed(stream[:len(stream) // 2], sectors=0),
           where + "damaged deflate stream")
    accept("34 yields more than a cluster",
           Image().compressed(deflate(pattern("data", CLUSTER + 5000))))
    accept("34 yields much more", Image().compressed(deflate(pattern("data") + bytes(1 << 24))))
    accept("35 sector count at its largest, past the end",
           Image().compressed(stream, sectors=255))
    refuse("35 past the end and not complete",
           Image().compressed(stream, offset=DATA, sectors=255).cut(DATA + len(stream) // 2),
           where)
    refuse("35 compressed data past the end", Image().entry(0, COMPRESSED | 0x60000),
           r"offset 0x40000: L2 entry=.* past the end of the file")
    refuse("17 compressed data with offset bits 9 to 55 of clusters of 512 bytes",
           small_clusters(COMPRESSED | 1 << 57 | 0x1000), r"reserved bits set")
    refuse("33 zstd: garbage", Image().put64(INCOMPATIBLE, 8)
           .put32(HEADER_LENGTH, 112).put(COMPRESSION, "B", 1).compressed(b"\xff" * 4096),
           where + "damaged zstd stream")


def small_clusters(entry):
    """Clusters of 512 bytes: header, refcount table, block, L1, L2, data in six of them."""
    image = Image()
    image.cut(0)
    image.bytes.extend(bytes(4096))
    image.put(0, ">4sI", b"QFI\xfb", 3).put32(CLUSTER_BITS, 9).put64(DISK_SIZE, 512)
    image.put32(L1_SIZE, 1).put64(L1_OFFSET, 1536).put64(RT_OFFSET, 512).put32(RT_CLUSTERS, 1)
    image.put32(REFCOUNT_ORDER, 4).put32(HEADER_LENGTH, 104).put64(512, 1024)
    return image.put64(1536, 2048 | COPIED).put64(2048, entry)


def cuts():
    for length in (0, 1, 4, 23, 71):
        refuse(f"38 file of {length} bytes", Image().cut(length),
               r"ends inside the header of 72" if length >= 8 else r".")
    refuse("38 cut inside the header of version 3", Image().cut(103), r"ends inside the header")
    refuse("38 cut inside the L1 table", Image().cut(L1 + 4), r"L1 table offset=0x30000: its 8")
    refuse("38 cut at two thirds", Image().cut(6 * CLUSTER * 2 // 3), r"past the end of the file")
    refuse("38 cut inside the data", Image().cut(DATA + 1000), r"past the end of the file")


def random_damage():
    """One to four bytes of header and tables changed: refused in one line, or read without a word;
    never a crash, a hang or another file."""
    chance = random.Random(2)
    problem = None
    for _ in range(400):
        image = Image().backing("below", "raw") if chance.random() < 0.3 else Image()
        image.compressed(deflate(pattern("data")), index=1)
        for _ in range(chance.randint(1, 4)):
            start, length = chance.choice([(0, 120), (REFCOUNT_TABLE, 16), (L1, 16), (L2, 64)])
            image.bytes[start + chance.randrange(length)] = chance.choice([0, 1, 2, 127, 128, 255])
        path = image.save(os.path.join(FOLDER, "image.qcow2"))
        result = suite.image_tool("map", path, "-")
        if result.status != 0 and not 10 <= result.status <= 15 or len(result.lines()) > 1:
            problem = problem or suite.problem_of(result)
    suite.row("random damage to header and tables, 400 images", problem)


accept("the image that all others are made from", Image())
accept("the same in version 2", Image(version=2))
for group in (names_of_other_files, chains, header_numbers, sizes, features, extensions,
              l1_entries, l2_entries, compressed_clusters, cuts, random_damage):
    group()
suite.done()
