#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vmdk_qemu.py: each kind of VMDK that qemu-img writes is read to the byte, and no cut one is."""
import itertools
import os
import random
import shutil
import subprocess

from image_suite import Run, Suite
from vmdk_build import guest_bytes

CUTS = 200
suite = Suite()


def qemu(*arguments):
    subprocess.run(['qemu-img', *arguments], check=True, stdout=subprocess.DEVNULL)


def write_raw(path, size, runs):
    with open(path, 'wb') as file:
        file.truncate(size)
        for number, (offset, length) in enumerate(runs):
            file.seek(offset)
            file.write(guest_bytes(length, number))


MIB = 1 << 20
CONTENTS = {
    # size, runs of data
    'full': (2 * MIB, [(0, 2 * MIB)]),
    'sparse': (40 * MIB, [(0, 512), (3 * MIB - 700, 3000), (33 * MIB, 200000), (40 * MIB - 512, 512)]),
    'empty': (5 * MIB, []),
    'odd size': (3 * MIB + 5 * 512, [(65536, 70000), (3 * MIB, 5 * 512)]),
    'one sector': (512, [(0, 512)]),
    'two extents': (5 << 29, [(7, 100), (2147483648 - 4096, 8192), ((5 << 29) - 512, 512)]),
}
SUBFORMATS = ('monolithicSparse', 'streamOptimized', 'monolithicFlat', 'twoGbMaxExtentSparse', 'twoGbMaxExtentFlat')


def same(folder, image, raw):
    """Faults of reading `image`, which must hold the bytes of `raw`."""
    out = os.path.join(folder, 'out.raw')
    run = Run(['convert', '-q', '-O', 'raw', image, out])
    if run.status != 0 or run.err:
        return [f'status {run.status}: {run.lines()}']
    equal = subprocess.run(['cmp', raw, out], capture_output=True, text=True)
    os.unlink(out)
    return [equal.stdout + equal.stderr] if equal.returncode else []


def whole_images():
    for (content, (size, runs)), subformat in itertools.product(CONTENTS.items(), SUBFORMATS):
        folder = suite.new_folder(f'{content}-{subformat}')
        raw, image = os.path.join(folder, 'raw'), os.path.join(folder, 'image.vmdk')
        write_raw(raw, size, runs)
        qemu('convert', '-f', 'raw', '-O', 'vmdk', '-o', f'subformat={subformat}', raw, image)
        faults = same(folder, image, raw)
        suite.ok(not faults, f'{subformat}, {content}', '\n'.join(faults))
        shutil.rmtree(folder)


def options():
    for text in ('zeroed_grain=on', 'compat6=on', 'hwversion=19', 'adapter_type=lsilogic'):
        folder = suite.new_folder(text)
        raw, image = os.path.join(folder, 'raw'), os.path.join(folder, 'image.vmdk')
        write_raw(raw, *CONTENTS['sparse'])
        qemu('convert', '-S', '0', '-f', 'raw', '-O', 'vmdk', '-o', text, raw, image)
        faults = same(folder, image, raw)
        suite.ok(not faults, f'monolithicSparse, {text}', '\n'.join(faults))


def chain():
    """A base and two children, each over part of what is below; a zeroed grain among them."""
    folder = suite.new_folder('chain')
    raw = os.path.join(folder, 'raw')
    names = [os.path.join(folder, f'{n}.vmdk') for n in 'abc']
    write_raw(raw, *CONTENTS['sparse'])
    qemu('convert', '-f', 'raw', '-O', 'vmdk', raw, names[0])
    changes = (('write -P 7 33M 100k', 'write -P 9 10M 1k'), ('write -P 8 0 64k', 'write -z 33M 64k'))
    for below, above, commands in zip(names, names[1:], changes):
        qemu('create', '-q', '-f', 'vmdk', '-F', 'vmdk', '-o', 'zeroed_grain=on', '-b', os.path.basename(below), above)
        for command in commands:
            subprocess.run(['qemu-io', '-f', 'vmdk', '-c', command, above], check=True, stdout=subprocess.DEVNULL)
    for name in names[1:]:
        expected = os.path.join(folder, 'expected')
        qemu('convert', '-f', 'vmdk', '-O', 'raw', name, expected)
        faults = same(folder, name, expected)
        suite.ok(not faults, f'chain, {os.path.basename(name)}', '\n'.join(faults))
    above = os.path.join(folder, 'above')
    os.mkdir(above)
    shutil.copy(names[1], above)
    run = Run(['info', os.path.join(above, 'b.vmdk')])
    suite.ok(run.status == 1 and b'a.vmdk: No such file' in run.err, 'chain, base missing', run.lines())


def cut_places(size, seed):
    rng = random.Random(seed)
    edges = [0, 1, 4, 511, 512, 513, size - 1, size - 511, size - 512, size - 513, size - 1024, size // 2]
    places = {place for place in edges if 0 <= place < size}
    places |= set(range(0, min(size, 64 * 512), 512))
    while len(places) < min(CUTS, size):
        places.add(rng.randrange(size))
    return sorted(places)[:CUTS] if size <= CUTS else sorted(places)


def cuts():
    """Whatever file of an image is cut: an error, or (padding) the same bytes."""
    for subformat in SUBFORMATS:
        folder = suite.new_folder(f'cut-{subformat}')
        raw, image = os.path.join(folder, 'raw'), os.path.join(folder, 'image.vmdk')
        size, runs = 1536 * 1024 + 512 * 5, [(0, 300000), (700000, 500000), (1536 * 1024, 5 * 512)]
        write_raw(raw, size, runs)
        with open(raw, 'rb') as file:
            want = file.read()
        qemu('convert', '-f', 'raw', '-O', 'vmdk', '-o', f'subformat={subformat}', raw, image)
        for name in sorted(set(os.listdir(folder)) - {'raw'}):
            cut_file(subformat, folder, name, want)


def errors_of(run):
    """A cut may also make the redundant directory serve, with a warning, until a grain is missing."""
    return [line for line in run.lines() if 'redundant one is used' not in line]


def cut_file(subformat, folder, name, want):
    path, out = os.path.join(folder, name), os.path.join(folder, 'out.raw')
    image = os.path.join(folder, 'image.vmdk')
    with open(path, 'rb') as file:
        content = file.read()
    harmless, faults = [], []
    places = cut_places(len(content), subformat)
    for place in places:
        os.truncate(path, place)
        run = Run(['convert', '-q', '-O', 'raw', image, out])
        if run.status == 0:
            with open(out, 'rb') as file:
                (harmless if file.read() == want else faults).append(place)
            os.unlink(out)
        elif run.status != 1 or len(errors_of(run)) != 1 or os.path.exists(out):
            faults.append(f'{place}: status {run.status}, {run.lines()}')
        with open(path, 'wb') as file:
            file.write(content)
    print(f'# {subformat}: {name} of {len(content)} bytes: {len(places)} cuts, {len(harmless)} of them harmless, '
          f'the first at {harmless[0] if harmless else "-"}')
    suite.ok(not faults and len(places) > 0, f'cut: {subformat}: {name}', f'wrong: {faults}')


whole_images()
options()
chain()
cuts()
suite.finish()
