#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""qcow2_write.py: images that we write, as QEMU, libqcow and we ourselves read them."""
import filecmp
import os
import random
import re

import qcow2_suite as suite
from qcow2_suite import path

CLUSTERS = [512 << i for i in range(13)]
COMPRESSIONS = ("", "zlib", "zstd")
SIZE = 11 * 1024 * 1024 + 5 * 512


RAW = suite.guest_contents(path("guest.raw"), SIZE, 3)


def arguments(cluster, compression, *more):
    chosen = ["format=qcow2", f"cluster={cluster}", *more]
    return chosen + ([f"compression={compression}"] if compression else [])


def image_problem(image, raw, libqcow):
    """The image is sound and holds what `raw` holds, whoever reads it."""
    problem = suite.qemu_check_problem(image)
    if problem is None and suite.qemu_digest(image) != suite.digest(raw):
        problem = "QEMU reads other bytes"
    if problem is None and libqcow:
        problem = suite.libqcow_problem(image)
    return problem or suite.read_problem(image, suite.digest(raw))


def write_problem(image, raw, *chosen):
    return suite.problem_of(suite.image_tool("write", raw, image, *chosen))


def every_cluster_size():
    for cluster in CLUSTERS:
        for compression in COMPRESSIONS:
            one, seven = path("one.qcow2"), path("seven.qcow2")
            chosen = arguments(cluster, compression)
            problem = write_problem(one, RAW, *chosen, "threads=1") or \
                write_problem(seven, RAW, *chosen, "threads=7")
            if problem is None and not filecmp.cmp(one, seven, shallow=False):
                problem = "the bytes depend on the number of threads"
            problem = problem or image_problem(one, RAW, compression != "zstd")
            suite.row(f"clusters of {cluster}, {compression or 'plain'}", problem)


def contents():
    noise, text, empty, odd = path("noise"), path("text"), path("empty"), path("odd")
    with open(noise, "wb") as file:
        file.write(random.Random(5).randbytes(5 << 20))
    with open(text, "wb") as file:
        file.write(b"the quick brown fox jumps over the lazy dog\n" * (5 << 20 >> 5))
    with open(empty, "wb") as file:
        file.truncate(5 << 20)
    for raw in (noise, text, empty):
        with open(raw, "r+b") as file:
            file.truncate(5 << 20)
        for cluster in (512, 65536, 2097152):
            for compression in COMPRESSIONS:
                problem = write_problem(path("o"), raw, *arguments(cluster, compression))
                problem = problem or image_problem(path("o"), raw, compression != "zstd")
                suite.row(f"only {os.path.basename(raw)}, clusters of {cluster}, "
                          f"{compression or 'plain'}", problem)
    with open(odd, "wb") as file:
        file.write(open(RAW, "rb").read(3000001))
    for compression in COMPRESSIONS:
        problem = write_problem(path("o"), odd, *arguments(65536, compression))
        with open(path("rounded"), "wb") as file:
            file.write(open(odd, "rb").read())
            file.truncate(3000320)
        problem = problem or image_problem(path("o"), path("rounded"), compression != "zstd")
        suite.row(f"3000001 bytes become whole sectors, {compression or 'plain'}", problem)


def levels():
    for compression, known in (("zlib", range(1, 13)), ("zstd", (1, 2, 3, 9, 19))):
        for level in known:
            problem = write_problem(path("o"), RAW, *arguments(65536, compression,
                                                               f"level={level}"))
            suite.row(f"{compression} level {level}",
                      problem or image_problem(path("o"), RAW, compression == "zlib"))


def compressed_as_small_as_qemu():
    ours, theirs = path("ours"), path("theirs")
    for compression in ("zlib", "zstd"):
        problem = write_problem(ours, RAW, *arguments(65536, compression))
        suite.run("qemu-img", "convert", "-c", "-O", "qcow2", "-o",
                  f"compression_type={compression}", RAW, theirs)
        sizes = os.path.getsize(ours), os.path.getsize(theirs)
        suite.note(f"{compression}: {sizes[0]} bytes, QEMU's has {sizes[1]}")
        if problem is None and sizes[0] > sizes[1] * 1.05:
            problem = f"{sizes[0]} bytes, QEMU needs {sizes[1]}"
        suite.row(f"{compression} is as small as QEMU's", problem)


def empty_disks():
    for size, cluster in ((0, 65536), (512, 512), (64 << 40, 65536), (128 << 30, 512),
                          (1 << 60, 2097152)):
        result = suite.image_tool("create", path("o"), "-", "format=qcow2", f"size={size}",
                                  f"cluster={cluster}")
        problem = suite.problem_of(result) or " ".join(suite.cost_faults(result)) or \
            suite.qemu_check_problem(path("o"))
        suite.row(f"empty disk of {size} bytes, clusters of {cluster}", problem)
    for chosen, expected in (
            (("size=1000", "cluster=1000"), r"cluster size 1000: qcow2 has powers of two"),
            (("size=1000", "cluster=256"), r"cluster size 256"),
            (("size=1000", "cluster=4194304"), r"cluster size 4194304"),
            (("size=137438953473", "cluster=512"), r"disk of 137438953473 bytes: qcow2 with clust"),
            (("size=18446744073709551615",), r"disk of 18446744073709551615 bytes"),
            (("size=1000", "compression=lzma"), r'compression "lzma": qcow2 has zlib and zstd'),
            (("size=1000", "compression=zlib", "level=13"), r"compression level 13: not within"),
            (("size=1000", "cluster=512", "backing=" + "x" * 401), r"backing image of 401 bytes"),
            (("size=1000", "backing=" + "x" * 1024), r"exceeds 1023")):
        result = suite.image_tool("create", path("o2"), "-", "format=qcow2", *chosen)
        said = " ".join(result.lines())
        suite.row(f"refused: {' '.join(chosen)[:40]}", None if result.status in (10, 13) and
                  re.search(expected, said) else f"status {result.status}: {said}")


def deltas():
    """Some of the guest's bytes written again: data over data, over nothing, zeroes over data."""
    after = path("after.raw")
    chance = random.Random(8)
    with open(RAW, "rb") as file:
        changed = bytearray(file.read())
    for _ in range(40):
        at, length = chance.randrange(SIZE), chance.choice([1, 512, 65536, 400000])
        piece = bytes(length) if chance.random() < 0.4 else chance.randbytes(length)
        changed[at:at + length] = piece[:max(0, SIZE - at)]
    with open(after, "wb") as file:
        file.write(changed[:SIZE])
    for cluster in (512, 4096, 65536, 2097152):
        for compression in COMPRESSIONS:
            one, seven = path("one.qcow2"), path("seven.qcow2")
            chosen = arguments(cluster, compression, f"after={after}")
            problem = None
            for image, threads in ((one, 1), (seven, 7)):
                result = suite.image_tool("delta", RAW, image, *chosen, f"threads={threads}")
                problem = problem or suite.problem_of(result)
            if problem is None and not filecmp.cmp(one, seven, shallow=False):
                problem = "the bytes depend on the number of threads"
            suite.row(f"delta, clusters of {cluster}, {compression or 'plain'}",
                      problem or image_problem(one, after, False))


def overlays():
    """The top layer of a chain, copied into a layer of our own above the same base."""
    for cluster in (512, 65536, 2097152):
        for compression in COMPRESSIONS:
            top, ours = path("top.qcow2"), path("ours.qcow2")
            suite.run("qemu-img", "create", "-f", "qcow2", "-F", "raw", "-b", "guest.raw", top,
                      str(SIZE + (1 << 20)))
            suite.run("qemu-io", "-c", "write -P 7 100000 70000", "-c", "write -z 1M 2M", "-c",
                      "write -P 9 2M 512", "-c", f"write -P 3 {SIZE} 4096", "-c",
                      "write -z 8650752 196608", top)
            result = suite.image_tool("overlay", top, ours, *arguments(
                cluster, compression, "backing=guest.raw", "backing-format=raw"))
            problem = suite.problem_of(result) or suite.qemu_check_problem(ours)
            expected = suite.qemu_digest(top)
            if problem is None and suite.qemu_digest(ours) != expected:
                problem = "QEMU reads other bytes"
            problem = problem or suite.read_problem(ours, expected)
            if problem is None and os.path.getsize(ours) > \
                    os.path.getsize(top) + (9 << 20) + 6 * cluster:
                problem = "holds much more than changed"
            suite.row(f"overlay, clusters of {cluster}, {compression or 'plain'}", problem)


every_cluster_size()
contents()
levels()
compressed_as_small_as_qemu()
empty_disks()
deltas()
overlays()
suite.done()
