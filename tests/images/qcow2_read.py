#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""qcow2_read.py: images that qemu-img and qemu-io made, read as QEMU and libqcow read them."""
import json
import os
import random
import struct
import subprocess

import qcow2_suite as suite
from qcow2_suite import path, read_problem

CLUSTERS = [512 << i for i in range(13)]
SIZE = 6 * 1024 * 1024 + 3 * 512
RAW = suite.guest_contents(path("guest.raw"), SIZE, 1)


def qemu_io(image, *commands):
    arguments = [part for command in commands for part in ("-c", command)]
    output = subprocess.run(["qemu-io", "-f", "qcow2", *arguments, image], check=True,
                            capture_output=True, text=True).stdout
    assert "rror" not in output, output


def as_qemu_reads(name, image, libqcow=False):
    problem = read_problem(image, suite.qemu_digest(image))
    if problem is None and libqcow:
        problem = suite.libqcow_problem(image)
    suite.row(name, problem)


def odd_size(image, size):
    """QEMU cuts a last part of a sector off, so the size is put in by hand."""
    with open(image, "r+b") as file:
        file.seek(24)
        file.write(struct.pack(">Q", size))


def every_cluster_size():
    odd = path("odd.raw")
    with open(RAW, "rb") as whole, open(odd, "wb") as part:
        part.write(whole.read(SIZE - 411))
    expected, expected_odd = suite.digest(RAW), suite.digest(odd)
    for cluster in CLUSTERS:
        for kind, options, compress in (
                ("v2 plain", "compat=0.10", ()), ("v3 plain", "compat=1.1", ()),
                ("v2 zlib", "compat=0.10", ("-c",)), ("v3 zlib", "compat=1.1", ("-c",)),
                ("v3 zstd", "compat=1.1,compression_type=zstd", ("-c",))):
            image = path("made.qcow2")
            suite.run("qemu-img", "convert", *compress, "-O", "qcow2", "-o",
                      f"{options},cluster_size={cluster}", "-f", "raw", RAW, image)
            problem = read_problem(image, expected)
            if problem is None and "zstd" not in kind:
                problem = suite.libqcow_problem(image)
            if problem is None:
                odd_size(image, SIZE - 411)
                problem = read_problem(image, expected_odd)
            suite.row(f"{kind}, clusters of {cluster}, and cut to {SIZE - 411} bytes", problem)


def all_states(image, size, seed, count=60):
    """Data, compressed data, zeroes and discards over each other."""
    chance = random.Random(seed)
    commands = []
    for i in range(count):
        at = chance.randrange(size // 512) * 512
        length = min(size - at, chance.choice([512, 4096, 65536, 300 * 512]))
        verb = chance.choice([f"write -P {i + 1}", "write -z", "write -z -u", "discard"])
        commands.append(f"{verb} {at} {length}")
    qemu_io(image, *commands)


def preallocation_and_zero_clusters():
    for version in ("0.10", "1.1"):
        for how in ("off", "metadata", "falloc", "full"):
            for cluster in (512, 65536, 2097152):
                image = path("made.qcow2")
                suite.run("qemu-img", "create", "-f", "qcow2", "-o",
                          f"compat={version},preallocation={how},cluster_size={cluster}", image,
                          str(SIZE))
                as_qemu_reads(f"preallocation={how}, {version}, clusters of {cluster}", image,
                              libqcow=True)
                all_states(image, SIZE, cluster)
                as_qemu_reads("the same after writes, zeroes and discards", image)


def features():
    image = path("made.qcow2")
    for bits in (1, 2, 4, 8, 32, 64):
        suite.run("qemu-img", "create", "-f", "qcow2", "-o", f"refcount_bits={bits}", image, "5M")
        all_states(image, 5 << 20, bits)
        as_qemu_reads(f"refcount_bits={bits}", image)
    suite.run("qemu-img", "create", "-f", "qcow2", "-o", "lazy_refcounts=on", image, "5M")
    all_states(image, 5 << 20, 7)
    as_qemu_reads("lazy refcounts", image)
    suite.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", RAW, image)
    for i in range(3):
        suite.run("qemu-img", "snapshot", "-c", f"s{i}", image)
        all_states(image, SIZE, i)
    as_qemu_reads("the active state beside internal snapshots", image)
    suite.run("qemu-img", "bitmap", "--add", image, "b0")
    as_qemu_reads("with a bitmap", image)
    suite.run("qemu-img", "resize", "-q", image, "40M")
    all_states(image, 40 << 20, 9)
    as_qemu_reads("grown", image)
    suite.run("qemu-img", "snapshot", "-d", "s1", image)
    suite.run("qemu-img", "resize", "-q", "--shrink", image, "3M")
    as_qemu_reads("shrunk", image)
    suite.run("qemu-img", "create", "-f", "qcow2", image, "2T")
    result = suite.image_tool("map", image, "-")
    suite.row("an empty 2 TiB disk is one extent", suite.problem_of(result) or
              (None if result.out == b"0 2199023255552 unallocated\n" else result.out))


def refused_features():
    image = path("made.qcow2")
    for options, expected in (
            (["-o", "extended_l2=on"], r"bit 4 \(extended L2 entries\): unsupported"),
            (["-o", f"data_file={path('data')}"], r'bit 2 \(external data file ".*data"\)'),
            (["--object", "secret,id=s,data=x", "-o", "encrypt.format=aes,encrypt.key-secret=s"],
             r"crypt_method=1 \(AES\): encryption: unsupported")):
        suite.run("qemu-img", "create", "-f", "qcow2", *options, image, "1M")
        suite.refused(f"refused: {options[-1][:14]}", image, expected)
        os.unlink(image)


def chains():
    sizes = [5 << 20, 7 << 20, 3 << 20, (6 << 20) + 512, 8 << 20, 4 << 20, 9 << 20, 6 << 20]
    below, below_format = "guest.raw", "raw"
    for depth, size in enumerate(sizes, 1):
        name = f"layer{depth}.qcow2"
        version = "0.10" if depth % 3 == 0 else "1.1"
        suite.run("qemu-img", "create", "-f", "qcow2", "-F", below_format, "-b", below, "-o",
                  f"compat={version},cluster_size={CLUSTERS[(depth * 5) % 13]}", path(name),
                  str(size))
        all_states(path(name), size, depth, 20)
        as_qemu_reads(f"chain of {depth} above a raw disk", path(name))
        below, below_format = name, "qcow2"
    same_map("a chain of 8", path(name))


def same_map(name, image):
    """Where QEMU says that data is, and at which offset of which layer, we must say so, too."""
    theirs = json.loads(suite.run("qemu-img", "map", "--output=json", image))
    ours = {}
    output = suite.image_tool("map", image, "-").out.decode()
    position, problem = 0, None
    for line in output.splitlines():
        words = line.split()
        offset, length, state = int(words[0]), int(words[1]), words[2]
        if offset != position:
            problem = f"gap at {position}"
        position += length
        for sector in range(offset // 512, (offset + length) // 512):
            place = int(words[-1]) + sector * 512 - offset if "at" in words else None
            ours[sector] = (state, place)
    for extent in theirs:
        for sector in range(extent["start"] // 512, (extent["start"] + extent["length"]) // 512):
            state, place = ours[sector]
            if state == "data" and not extent["data"] or \
                    state != "data" and extent["data"] and not extent["zero"]:
                problem = problem or f"sector {sector}: {state}, QEMU says {extent}"
            if state == "data" and place is not None and \
                    place != extent.get("offset", 0) + sector * 512 - extent["start"]:
                problem = problem or f"sector {sector}: at {place}, QEMU says {extent}"
    suite.row(f"the map of {name} is QEMU's", problem)


def descriptions():
    image = path("made.qcow2")
    for options in ("compat=0.10", "compat=1.1", "compat=1.1,lazy_refcounts=on,refcount_bits=8",
                    "compression_type=zstd,cluster_size=2M",
                    f"backing_file={RAW},backing_fmt=raw"):
        suite.run("qemu-img", "create", "-f", "qcow2", "-o", options, image, "1M")
        theirs = json.loads(suite.run("qemu-img", "info", "--output=json", image))
        expected = dict(theirs["format-specific"]["data"])
        expected["cluster-size"] = theirs["cluster-size"]
        expected["size"] = theirs["virtual-size"]
        for key in ("backing-filename", "backing-filename-format"):
            if key in theirs:
                expected[key] = theirs[key]
        output = suite.image_tool("describe", image, "-", f"root={suite.SCRATCH}").out.decode()
        ours = dict(line.split(" ", 1) for line in output.splitlines())
        problem = None
        for key, value in expected.items():
            shown = json.dumps(value) if not isinstance(value, str) else f"'{value}'"
            if ours.get(key) != shown:
                problem = f"{key}: {ours.get(key)}, qemu-img info says {shown}"
        suite.row(f"describe agrees with qemu-img info: {options[:30]}", problem)


every_cluster_size()
preallocation_and_zero_clusters()
features()
refused_features()
chains()
descriptions()
suite.done()
