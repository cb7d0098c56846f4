#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""qcow2_cut.py: images that lost their end are refused, wherever they were cut."""
import os
import random

import qcow2_suite as suite
from image_suite import refusal_faults
from qcow2_suite import path

PLACES = 200
SIZE = 3 * 1024 * 1024 + 512
RAW = suite.guest_contents(path("guest.raw"), SIZE, 4)


def made_by_qemu(*options):
    def make(image):
        suite.run("qemu-img", "convert", "-O", "qcow2", *options, "-f", "raw", RAW, image)
    return make


def made_by_us(*arguments):
    def make(image):
        result = suite.image_tool("write", RAW, image, "format=qcow2", *arguments)
        assert result.status == 0
    return make


def preallocated(image):
    suite.run("qemu-img", "create", "-f", "qcow2", "-o", "preallocation=metadata", image,
              str(SIZE))
    suite.run("qemu-io", "-c", "write -P 5 1M 100k", "-c", "write -z 2M 64k", image)


def with_snapshot(image):
    made_by_qemu()(image)
    suite.run("qemu-img", "snapshot", "-c", "s", image)
    suite.run("qemu-io", "-c", "write -P 5 1M 300k", image)


KINDS = {
    "QEMU's, plain": made_by_qemu(),
    "QEMU's, version 2": made_by_qemu("-o", "compat=0.10"),
    "QEMU's, clusters of 512": made_by_qemu("-o", "cluster_size=512"),
    "QEMU's, zlib": made_by_qemu("-c"),
    "QEMU's, zstd": made_by_qemu("-c", "-o", "compression_type=zstd"),
    "QEMU's, preallocated": preallocated,
    "QEMU's, with a snapshot": with_snapshot,
    "ours, plain": made_by_us(),
    "ours, zlib": made_by_us("compression=zlib"),
    "ours, zstd, clusters of 4096": made_by_us("compression=zstd", "cluster=4096"),
}


def cut_places(size, chance):
    """Some at and beside cluster boundaries, the rest anywhere; descending."""
    places = {chance.randrange(0, size // 512) * 512 + chance.choice([0, 0, 1, 511])
              for _ in range(PLACES // 4)}
    while len(places) < PLACES:
        places.add(chance.randrange(size))
    return sorted((place for place in places if place < size), reverse=True)


def cut_problem(image, whole, counts):
    result = suite.convert(image)
    if result.status != 0:
        counts["refused"] += 1
        return " ".join(refusal_faults(result, suite.OUT, ".")) or None
    same = suite.take_digest() == whole
    counts["complete" if same else "wrong"] += 1
    return None if same else "read without an error, with other bytes"


for name, make in KINDS.items():
    image, counts, problem = path("cut.qcow2"), {"refused": 0, "complete": 0, "wrong": 0}, None
    make(image)
    problem, whole = suite.problem_of(suite.convert(image)), suite.take_digest()
    size = os.path.getsize(image)
    for place in cut_places(size, random.Random(6)):
        os.truncate(image, place)
        found = cut_problem(image, whole, counts)
        problem = problem or (f"cut from {size} to {place} bytes: {found}" if found else None)
    suite.note(f"{name}: {counts['refused']} refused, {counts['complete']} complete "
               f"(nothing that the guest sees was lost), {counts['wrong']} wrong")
    suite.row(f"{name}: {PLACES} cuts, no wrong data", problem)
suite.done()
