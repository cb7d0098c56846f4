#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vmdk_corpus.py: VMDK files that VMware and others made, against digests that others computed."""
import hashlib
import os
import subprocess

from image_suite import Run, Suite

suite = Suite()
corpus = os.environ.get('V2V_CORPUS', '')
manifest = os.path.join(corpus, 'MANIFEST.tsv')

# What we refuse though somebody reads it, and why.
REFUSED = {
    'twoGbMaxExtentSparse-s001.vmdk': b'one extent of a split image',  # its descriptor is read
}


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def check(text, path, size, expected):
    out = os.path.join(suite.folder, 'out.raw')
    refusal = REFUSED.get(os.path.basename(path))
    run = Run(['convert', '-q', '-O', 'raw', path, out], timeout=250)
    if refusal is not None:
        suite.ok(run.status == 1 and refusal in run.err, f'{text} is refused', run.lines())
        return
    if run.status == 0:
        same = os.path.getsize(out) == size and digest(out) == expected
        suite.ok(same, text, 'other bytes than the manifest says')
        os.unlink(out)
    else:
        suite.ok(False, text, run.lines())


if os.path.isfile(manifest):
    unpacked = os.path.join(suite.folder, 'unpacked')
    subprocess.run([os.path.join(corpus, 'unpack.sh'), unpacked], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(manifest, encoding='utf-8') as file:
        rows = [line.rstrip('\n').split('\t') for line in file][1:]
    for row in rows:
        path, kind, size, expected = row[0], row[1], row[7], row[8]
        if not kind.startswith('vmdk') or expected == '-':
            continue
        where = path.replace('(unpacked)', unpacked) if path.startswith('(') else os.path.join(corpus, path)
        check(path, where, int(size), expected)
    fuzzed = os.path.join(unpacked, 'vmdk/qemu-iotests/afl9-old.vmdk')
    run = Run(['info', fuzzed])
    suite.ok(run.status == 1 and len(run.lines()) == 1, 'afl9.vmdk is refused', run.lines())
else:
    suite.skip('images of others', f'no {manifest}: set V2V_CORPUS')
suite.finish()
