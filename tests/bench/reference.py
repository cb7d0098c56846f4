#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""reference.py FOLDER: the reference image of the benchmarks, and the formats made from it.

A disk of 4 GiB with an MBR. Partition 1 (1 MiB to 3 GiB) is ext4 with the files of this system:
programs, libraries, documents, headers, and files that do not compress. Partition 2 (3 to 4 GiB)
is a run of random bytes, a run of written zeroes, text scattered at every other 64 KiB, blocks half
zero and half random, and a hole to the end. About 1.2 GiB are allocated. What is there already is
kept; each file appears complete or not at all.
"""
import os
import random
import shutil
import struct
import subprocess
import sys

MIB = 1 << 20
SECTOR = 512
SIZE = 4096 * MIB
EXT4, MIXED = (1 * MIB, 3072 * MIB), (3072 * MIB, SIZE)
SEED = 4096
# Where the files of the ext4 come from, and how many bytes of each.
TREES = (("/usr/bin", 150 * MIB), ("/usr/lib/x86_64-linux-gnu", 300 * MIB),
         ("/usr/share", 250 * MIB), ("/usr/include", 60 * MIB))
RANDOM_FILES, RANDOM_FILE_SIZE = 15, 8 * MIB
LARGEST_FILE = 60 * MIB
UUID = "5eed5eed-0000-4000-8000-000000004096"

DERIVED = {
    "plain.qcow2": ["-O", "qcow2"],
    "zlib.qcow2": ["-O", "qcow2", "-c"],
    "zstd.qcow2": ["-O", "qcow2", "-c", "-o", "compression_type=zstd"],
    "sparse.vmdk": ["-O", "vmdk", "-o", "subformat=monolithicSparse"],
    "stream.vmdk": ["-O", "vmdk", "-o", "subformat=streamOptimized"],
}


def files_below(tree, rng):
    """Paths of regular files, folder by folder in an order that depends on the seed alone."""
    folders = sorted(os.walk(tree), key=lambda entry: entry[0])
    rng.shuffle(folders)
    for folder, _, names in folders:
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def fill_stage(stage, rng):
    for tree, budget in TREES:
        for path in files_below(tree, rng):
            size = os.path.getsize(path)
            if size > min(LARGEST_FILE, budget):
                continue
            budget -= size
            os.makedirs(stage + os.path.dirname(path), exist_ok=True)
            shutil.copy2(path, stage + path)
    os.makedirs(stage + "/var/random")
    for number in range(RANDOM_FILES):
        with open(f"{stage}/var/random/{number}", "wb") as file:
            file.write(rng.randbytes(RANDOM_FILE_SIZE))


def write_mbr(disk):
    def entry(start, end):
        # CHS fields say "too far", as everybody writes them; 0x83 is Linux.
        return struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", start // SECTOR,
                           (end - start) // SECTOR)

    disk.seek(440)
    disk.write(struct.pack("<IH", SEED, 0) + entry(*EXT4) + entry(*MIXED) + bytes(32) + b"\x55\xaa")


def make_ext4(path, stage):
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", stage, "-L", "reference", "-U", UUID,
                    "-E", f"offset={EXT4[0]},hash_seed={UUID},lazy_itable_init=1,nodiscard",
                    path, f"{(EXT4[1] - EXT4[0]) // 1024}k"], check=True)


def some_text(length):
    text = bytearray()
    for folder, _, names in sorted(os.walk("/usr/include")):
        for name in sorted(names):
            with open(os.path.join(folder, name), "rb") as file:
                text += file.read()
        if len(text) >= length:
            break
    return text


def write_mixed(disk, rng):
    text = some_text(64 * MIB)
    disk.seek(MIXED[0])
    for _ in range(96):
        disk.write(rng.randbytes(MIB))
    disk.write(bytes(96 * MIB))
    for number in range(1024):
        start = number * 65536 % (len(text) - 65536)
        disk.write(text[start:start + 65536])
        disk.seek(65536, os.SEEK_CUR)
    for _ in range(512):
        disk.write(bytes(32768) + rng.randbytes(32768))


def make_raw(path):
    rng = random.Random(SEED)
    stage = path + ".stage"
    shutil.rmtree(stage, ignore_errors=True)
    os.mkdir(stage)
    try:
        fill_stage(stage, rng)
        with open(path, "wb") as disk:
            disk.truncate(SIZE)
        make_ext4(path, stage)
    finally:
        shutil.rmtree(stage)
    with open(path, "r+b") as disk:
        write_mbr(disk)
        write_mixed(disk, rng)


def once(path, make):
    if not os.path.exists(path):
        print(f"making {path}", file=sys.stderr)
        make(path + ".partial")
        os.rename(path + ".partial", path)


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    raw = os.path.join(folder, "disk.raw")
    once(raw, make_raw)
    for name, options in DERIVED.items():
        once(os.path.join(folder, name), lambda path, options=options: subprocess.run(
            ["qemu-img", "convert", "-f", "raw", *options, raw, path], check=True))


if __name__ == "__main__":
    main()
