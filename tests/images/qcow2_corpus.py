#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""qcow2_corpus.py: real qcow2 images of other projects, against the published digests."""
import csv
import hashlib
import os

import qcow2_suite as suite

CORPUS = os.path.realpath(os.environ["V2V_CORPUS"]) if os.environ.get("V2V_CORPUS") else ""
BLOCK = 65536
# What must be refused, and why.
REFUSED = {
    "qcow2/cdi/cirros-snapshot1.qcow2": r"backing image: .*cirros\.raw.*No such file",
    "qcow2/cdi/cirros-snapshot2.qcow2": r"backing image: .*cirros\.raw.*No such file",
    "qcow2/cdi/invalid-qcow-large-size.img": r"version=1: unsupported",
    "qcow2/cdi/qcow2-but-other-extension.tar": r"no known image format",
}


def sparse_digest(path):
    """As MANIFEST.tsv has it: the size, then offset and digest of each block that is not zero."""
    size = os.path.getsize(path)
    sha = hashlib.sha256(b"%d\n" % size)
    zeroes = bytes(BLOCK)
    with open(path, "rb", buffering=0) as file:
        at = 0
        while at < size:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA) // BLOCK * BLOCK
            except OSError:  # no data any more
                break
            block = os.pread(file.fileno(), BLOCK, at)
            if block != zeroes[:len(block)]:
                sha.update(b"%016x %s\n" % (at, hashlib.sha256(block).hexdigest().encode()))
            at += BLOCK
    return sha.hexdigest()


def digest_problem(image, row):
    problem = suite.problem_of(suite.convert(image))
    if problem:
        return problem
    wanted, found = row["raw_sha256"], None
    if wanted != "-":
        found = suite.digest(suite.OUT)
    elif row["sparse_digest"] != "-":
        wanted, found = row["sparse_digest"], sparse_digest(suite.OUT)
    os.unlink(suite.OUT)
    return None if wanted == found and found else f"digest {found}, published {wanted}"


def main():
    manifest = os.path.join(CORPUS, "MANIFEST.tsv")
    if not os.path.exists(manifest):
        suite.skip("real qcow2 images", f"no corpus at {CORPUS or '$V2V_CORPUS'}")
        suite.done()
    with open(manifest, encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
            if not row["path"].startswith("qcow2/"):
                continue
            image = os.path.join(CORPUS, row["path"])
            if row["path"] in REFUSED:
                suite.refused(f"refused: {row['path']}", image, REFUSED[row["path"]],
                              also_opened=["cirros-snapshot1.qcow2"])
            else:
                suite.row(row["path"], digest_problem(image, row))
    suite.done()


main()
