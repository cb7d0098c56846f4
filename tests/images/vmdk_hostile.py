#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vmdk_hostile.py: VMDK files that lie. Each must be refused with one line that says where, or read
right; no other file may be opened, and nothing may be left behind."""
import os
import re
import resource
import struct
import zlib

from image_suite import Run, Suite, cost_faults, refusal_faults
from vmdk_build import *

SECRET = b'host secret: must not appear anywhere\n' * 30
SECRET_SECTORS = len(SECRET) // SECTOR
suite = Suite()

CAP = 128 * 40
GRAINS = {n: guest_bytes(65536, n) for n in (0, 1, 5, 39)}
WANT = guest_of(CAP, GRAINS)


class Refuse:
    def __init__(self, pattern, status=1, at_open=True):
        self.pattern, self.status, self.at_open = pattern, status, at_open


class Accept:
    def __init__(self, want, warning=None, opens=(), options=()):
        self.want, self.warning, self.opens, self.options = want, warning, opens, options


def write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, 'wb') as file:
        file.write(content.encode('utf-8', 'surrogateescape') if isinstance(content, str) else content)
    return path


def check_opened(folder, run, allowed):
    """Only the image, what it may name, and the target."""
    faults = []
    for path in run.opened:
        path = unescape(path)
        inside = os.path.dirname(path) == folder and os.path.basename(path) in allowed
        target = path.startswith(os.path.dirname(run.target))
        if not inside and not target and path not in allowed and path != folder:
            faults.append(f'opened {path}')
    return faults


def unescape(path):
    """strace writes what is not ASCII as octal numbers."""
    raw = re.sub(rb'\\([0-7]{3})', lambda found: bytes([int(found.group(1), 8)]), path.encode())
    return os.fsdecode(raw)


def row(number, name, build, expected):
    folder = suite.new_folder(f'{number}-{name}')
    write(suite.folder, 'host_secret', SECRET)
    image = os.path.join(folder, 'image.vmdk')
    content = build(folder)
    if content is not None:
        write(folder, 'image.vmdk', content)
    target_folder = os.path.join(folder, 'target')
    os.mkdir(target_folder)
    out = os.path.join(target_folder, 'out.raw')
    before = stamp(folder)
    if isinstance(expected, Accept):
        faults = accept_faults(folder, image, out, expected)
    else:
        faults = row_refusal_faults(folder, image, out, expected)
    if stamp(folder) != before:
        faults.append('a source file changed')
    suite.ok(not faults, f'row {number}: {name}', '\n'.join(faults))


def stamp(folder):
    """Mode, time and contents of the source files."""
    found = {}
    for entry in os.scandir(folder):
        status = entry.stat(follow_symlinks=False)
        if entry.is_file(follow_symlinks=False) and status.st_size < 1 << 24:
            with open(entry.path, 'rb') as file:
                found[entry.name] = (status.st_mode, status.st_mtime_ns, hash(file.read()))
    return found


def row_refusal_faults(folder, image, out, expected):
    commands = [['convert', '-q', '-O', 'raw', image, out]]
    if expected.at_open:
        commands.append(['info', image])
    faults = []
    for command in commands:
        run = Run(command)
        faults += refusal_faults(run, out, expected.pattern, expected.status)
        traced = Run(command, trace=True)
        traced.target = out
        faults += check_opened(folder, traced, os.listdir(folder))
        for text in (run.out, run.err, traced.out, traced.err):
            if b'host secret' in text:
                faults.append('the secret is in the output')
    return faults


def accept_faults(folder, image, out, expected):
    command = ['convert', '-q', '--force', *expected.options, '-O', 'raw', image, out]
    run = Run(command)
    traced = Run(command, trace=True)
    traced.target = out
    faults = check_opened(folder, traced, os.listdir(folder) + list(expected.opens)) + cost_faults(run)
    if run.status != 0:
        return faults + [f'status {run.status}: {run.lines()}']
    with open(out, 'rb') as file:
        if file.read() != expected.want:
            faults.append('the guest reads other bytes')
    warned = b'warning' in run.err
    if expected.warning is None and run.err:
        faults.append(f'said {run.lines()}')
    if expected.warning is not None and not (warned and expected.warning.encode() in run.err):
        faults.append(f'no warning about {expected.warning}: {run.lines()}')
    os.unlink(out)
    return faults


def text(create_type, *extents, **more):
    return lambda folder: descriptor(create_type, extents, **more)


def with_files(files, create_type, *extents, **more):
    def build(folder):
        for name, content in files.items():
            write(folder, name, content)
        return descriptor(create_type, extents, **more)
    return build


# --- 40, 41: names of files of the host
secret = os.path.join(suite.folder, 'host_secret')
outside = Refuse(r'line \d+: extent: .*is outside the image\'s folder \(say --allow-root', 3)
for create_type, kind in (('monolithicFlat', 'FLAT'), ('vmfs', 'VMFS'), ('twoGbMaxExtentFlat', 'FLAT')):
    row(40, f'{create_type} names a file of the host', text(create_type, f'RW 2 {kind} "{secret}" 0'), outside)
row(40, 'sparse extent outside', text('twoGbMaxExtentSparse', f'RW 2 SPARSE "{secret}"'), outside)
row(40, 'the same, allowed by the user', text('monolithicFlat', f'RW 2 FLAT "{secret}" 0'),
    Accept(SECRET[:1024], opens=[secret, suite.folder], options=['--allow-root', suite.folder]))
row(41, 'name with ..', text('monolithicFlat', 'RW 2 FLAT "../host_secret" 0'),
    Refuse(r'"\.\./host_secret": has a "\.\."', 3))
row(41, 'name with backslashes', text('monolithicFlat', r'RW 2 FLAT "..\..\x" 0'), Refuse('backslash', 3))
row(41, 'name with a zero byte', text('monolithicFlat', 'RW 2 FLAT "host\0secret" 0'),
    Refuse(r'offset 0x[0-9a-f]+, line 8: extent name="host": no closing quote'))
row(41, 'name with a newline', text('monolithicFlat', 'RW 2 FLAT "host\nsecret" 0'),
    Refuse(r'offset 0x[0-9a-f]+, line 8: extent name="host": no closing quote'))
row(41, 'name with an escape sequence', text('monolithicFlat', 'RW 2 FLAT "a\x1b[2Jb" 0'),
    Refuse(r'"a\\x1b\[2Jb": has a control byte', 3))
for length, pattern, status in ((510, 'File name too long', 1), (511, 'not 1 to 510 bytes', 1),
                                (100000, 'not 1 to 510 bytes', 1)):
    row(41, f'name of {length} bytes', text('monolithicFlat', f'RW 2 FLAT "{"n" * length}" 0'),
        Refuse(pattern, status))
for name in ('nbd://127.0.0.1/x', 'json:{}', 'fd:0', 'file:host_secret'):
    row(41, f'name {name}', text('monolithicFlat', f'RW 2 FLAT "{name}" 0'), Refuse('is a URI or names a protocol', 3))
row(41, 'no name', text('monolithicFlat', 'RW 2 FLAT "" 0'), Refuse('extent name="": not 1 to 510 bytes'))


# --- 42, 43: a descriptor inside a sparse file
def inside(kind, extents, capacity=CAP, size=None):
    body = descriptor(kind, extents)
    image = sparse(CAP, GRAINS, text=body)
    return lambda folder: image.patch(CAPACITY, 'Q', capacity)


only_itself = Refuse(r'descriptor at 0x200: extents=\d: a descriptor inside a sparse file may name that file only', 3)
row(42, 'capacity 0, flat descriptor inside', inside('monolithicFlat', [f'RW 2 FLAT "{secret}" 0'], 0),
    Refuse(r'offset 0xc: capacity=0: '))
row(42, 'flat descriptor inside', inside('monolithicFlat', [f'RW {CAP} FLAT "{secret}" 0']), only_itself)
row(42, 'two extents inside', inside('monolithicSparse', ['RW 128 SPARSE "a"', f'RW {CAP - 128} SPARSE "b"']),
    only_itself)
row(43, 'capacity 0, lists itself', inside('monolithicSparse', [f'RW {CAP} SPARSE "image.vmdk"'], 0),
    Refuse(r'offset 0xc: capacity=0: '))
row(43, 'lists itself, as it should', inside('monolithicSparse', [f'RW {CAP} SPARSE "image.vmdk"']), Accept(WANT))
row(43, 'text descriptor lists itself as sparse', text('twoGbMaxExtentSparse', 'RW 2 SPARSE "image.vmdk"'),
    Refuse('it is the file of the descriptor itself'))
row(43, 'renamed, names another file inside', inside('monolithicSparse', [f'RW {CAP} SPARSE "{secret}"']), Accept(WANT))


# --- 44: extents that are no regular files
def special(make, extent='RW 2 FLAT "extent" 0'):
    def build(folder):
        make(os.path.join(folder, 'extent'))
        return descriptor('monolithicFlat', [extent])
    return build


def hard_link(path):
    write(os.path.dirname(path), 'image.vmdk', descriptor('monolithicFlat', ['RW 1 FLAT "extent" 0']))
    os.link(os.path.join(os.path.dirname(path), 'image.vmdk'), path)


row(44, 'the descriptor itself', text('monolithicFlat', 'RW 1 FLAT "image.vmdk" 0'),
    Refuse('line 8: extent name: it is the file of the descriptor itself'))


def linked_descriptor(folder):
    hard_link(os.path.join(folder, 'extent'))


row(44, 'the descriptor itself, by another name', linked_descriptor, Refuse('it is the file of the descriptor itself'))
row(44, 'a FIFO', special(os.mkfifo), Refuse('is not a regular file', 3))
row(44, '/dev/zero', text('monolithicFlat', 'RW 2 FLAT "/dev/zero" 0'), outside)
row(44, 'a directory', special(os.mkdir), Refuse('is not a regular file', 3))
row(44, 'a symbolic link', special(lambda path: os.symlink(secret, path)), Refuse('through a symbolic link', 3))
row(44, 'a symbolic link within the folder', special(lambda path: os.symlink('image.vmdk', path)),
    Refuse('through a symbolic link', 3))
row(44, 'missing', text('monolithicFlat', 'RW 2 FLAT "extent" 0'), Refuse('No such file or directory'))

# --- 45: sizes
for size in ('-1', '0', '18446744073709551616', '1e3', '0x10', ''):
    row(45, f'extent size {size!r}', text('monolithicFlat', f'RW {size} FLAT "x" 0'),
        Refuse(r'offset 0x[0-9a-f]+, line 8: extent size=".*": not a number of sectors above 0'))
row(45, 'extent size 2^63-1', text('monolithicFlat', f'RW {2**63 - 1} FLAT "x" 0'), Refuse('larger than 2\\^63-1 bytes'))
row(45, 'four extents of 2^62', text('twoGbMaxExtentFlat', *[f'RW {2**62} ZERO'] * 4), Refuse('larger than 2\\^63-1'))
row(45, 'four extents of 2^53 sectors', text('twoGbMaxExtentFlat', *[f'RW {2**53} ZERO'] * 4),
    Refuse(r'line 9: extent size="9007199254740992": the disk would be larger'))

# --- 46, 47, 48: which extents there are, and how long
flat = guest_bytes(8 * SECTOR, 9)
row(46, 'only RDONLY extents', with_files({'a': flat}, 'twoGbMaxExtentFlat', 'RDONLY 4 FLAT "a" 0', 'RDONLY 4 FLAT "a" 4'),
    Accept(flat))
row(46, 'RDONLY sparse', with_files({'s': sparse(CAP, GRAINS, embed=False)}, 'twoGbMaxExtentSparse',
                                    f'RDONLY {CAP} SPARSE "s"'), Accept(WANT))
row(47, 'ZERO then FLAT', with_files({'a': flat}, 'twoGbMaxExtentFlat', 'RW 2 ZERO', 'RW 8 FLAT "a" 0'),
    Accept(bytes(1024) + flat))
row(47, 'FLAT, ZERO, SPARSE, ZERO',
    with_files({'a': flat, 's': sparse(CAP, GRAINS, embed=False)}, 'custom', 'RW 3 FLAT "a" 5', 'RW 7 ZERO',
               f'RW {CAP} SPARSE "s"', 'RW 1 ZERO'), Accept(flat[5 * 512:] + bytes(7 * 512) + WANT + bytes(512)))
row(47, 'NOACCESS ZERO', with_files({'a': flat}, 'custom', 'NOACCESS 2 ZERO', 'RW 8 FLAT "a" 0'), Accept(bytes(1024) + flat))
row(47, 'NOACCESS FLAT', with_files({'a': flat}, 'custom', 'NOACCESS 8 FLAT "a" 0'), Refuse('extent access="NOACCESS"'))
row(47, 'ZERO with a name', text('custom', 'RW 2 ZERO "a" 0'), Refuse('follows ZERO, which has no file'))
short = Refuse(r'a: file size=4096: line 8 of the descriptor needs \d+ bytes from offset \d+ on')
row(48, 'flat offset past the end', with_files({'a': flat}, 'monolithicFlat', 'RW 2 FLAT "a" 9'), short)
row(48, 'flat offset that wraps', with_files({'a': flat}, 'monolithicFlat', f'RW 2 FLAT "a" {2**55}'),
    Refuse('extent offset="36028797018963968": not from 0 to 2\\^54-1'))
row(48, 'flat file shorter than its extent', with_files({'a': flat}, 'monolithicFlat', 'RW 9 FLAT "a" 0'), short)
row(48, 'vmfs file shorter than its extent', with_files({'a': flat}, 'vmfs', 'RW 9 VMFS "a"'), short)
row(48, 'vmfs with an offset', with_files({'a': flat}, 'vmfs', 'RW 8 VMFS "a" 0'), Accept(flat))
row(48, 'vmfs without one', with_files({'a': flat}, 'vmfs', 'RW 8 VMFS "a"'), Accept(flat))
row(48, 'sparse extent with an offset', with_files({'s': sparse(CAP, GRAINS, embed=False)}, 'custom',
                                                   f'RW {CAP} SPARSE "s" 1'), Refuse('a sparse extent has no offset'))
row(48, 'descriptor and extent disagree', with_files({'s': sparse(CAP, GRAINS, embed=False)}, 'custom',
                                                     f'RW {CAP - 128} SPARSE "s"'),
    Refuse(r's: offset 0xc: capacity=5120 sectors: line 8 of the descriptor says 4992'))
row(48, 'descriptor says more than the extent', with_files({'s': sparse(CAP - 1, GRAINS, embed=False)}, 'custom',
                                                           f'RW {CAP} SPARSE "s"'), Refuse('says 5120'))
row(48, 'capacity is rounded up to a grain', with_files({'s': sparse(CAP, GRAINS, embed=False), 'a': flat}, 'custom',
                                                        f'RW {CAP - 5} SPARSE "s"', 'RW 8 FLAT "a" 0'),
    Accept(WANT[:-5 * 512] + flat))
row(48, 'capacity of a stream is rounded up', lambda folder: stream(CAP, GRAINS, text=embedded(CAP - 5, True)),
    Accept(WANT[:-5 * 512]))
row(48, 'one sparse file twice', with_files({'s': sparse(CAP, GRAINS, embed=False)}, 'custom',
                                            *[f'RW {CAP} SPARSE "s"'] * 2), Refuse('another extent is in this file already'))

# --- 49: many extents; with the limit on open files that a shell has
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
row(49, '20000 extents', with_files({'a': flat}, 'twoGbMaxExtentFlat', *['RW 8 FLAT "a" 0'] * 20000),
    Refuse('extents=4097: the limit is 4096'))
row(49, '4097 extents', with_files({'a': flat}, 'twoGbMaxExtentFlat', *['RW 8 FLAT "a" 0'] * 4097),
    Refuse('extents=4097: the limit is 4096'))
row(49, '4096 extents of one file', with_files({'a': flat}, 'twoGbMaxExtentFlat', *['RW 8 FLAT "a" 0'] * 4096),
    Accept(flat * 4096))
row(49, '4096 files', with_files({f'f{i}': flat for i in range(4096)}, 'twoGbMaxExtentFlat',
                                 *[f'RW 8 FLAT "f{i}" 0' for i in range(4096)]), Accept(flat * 4096))

# --- 50: the text
row(50, '3 MiB comment', text('monolithicFlat', '#' + 'x' * (3 << 20), 'RW 8 FLAT "a" 0'),
    Refuse(r'descriptor size=\d+: the limit is 1048576 bytes'))
row(50, 'no newline at the end', lambda folder: write(folder, 'a', flat) and
    descriptor('monolithicFlat', ['RW 8 FLAT "a" 0'], ddb='').rstrip('\n'), Accept(flat))
row(50, 'no createType', text(None, 'RW 8 FLAT "a" 0'), Refuse('createType is missing'))
row(50, 'two createTypes', text('monolithicFlat', 'RW 8 FLAT "a" 0', more='createType="vmfs"\n'),
    Refuse(r'line 6: createType="vmfs": there is one already'))
row(50, 'unknown createType', text('monolithicRound', 'RW 8 FLAT "a" 0'), Refuse('"monolithicRound": not a kind that is known'))
row(50, 'no extents', text('monolithicFlat'), Refuse('no extent: there is nothing to read'))
row(50, 'a line of rubbish', text('monolithicFlat', 'RX 8 FLAT "a" 0'), Refuse('neither KEY=VALUE nor an extent'))
row(50, 'cut after an extent', with_files({'a': flat}, 'twoGbMaxExtentFlat', 'RW 4 FLAT "a" 0', ddb=''),
    Refuse('without a disk database'))
row(50, 'zero byte after an extent', with_files({'a': flat}, 'twoGbMaxExtentFlat', 'RW 4 FLAT "a" 0\n\0', 'RW 4 FLAT "a" 4'),
    Refuse('without a disk database'))
row(50, 'the end of a longer text behind a zero byte', lambda folder: write(folder, 'a', flat) and
    descriptor('monolithicFlat', ['RW 8 FLAT "a" 0']) + '\0"\n', Accept(flat))
row(50, 'CRLF, blanks, keys in capitals', lambda folder: write(folder, 'a', flat) and
    '# Disk DescriptorFile\r\nVERSION = 1\r\ncid= 1\r\n PARENTCID =ffffffff\r\nCreateType = "MonolithicFlat"\r\n'
    '\trw\t8   flat "a"   0\r\n', Accept(flat))
row(50, 'UTF-16', lambda folder: write(folder, 'a', flat) and
    descriptor('monolithicFlat', ['RW 8 FLAT "a" 0']).encode('utf-16'), Accept(flat))
for encoding, name in (('windows-949', '디스크'), ('GBK', '磁盘'), ('Shift_JIS', '表ディスク'), ('windows-1252', 'disque é')):
    codec = {'windows-949': 'cp949', 'windows-1252': 'cp1252'}.get(encoding, encoding)
    row(50, f'name in {encoding}', lambda folder, n=name, e=encoding, c=codec: write(folder, n, flat) and
        descriptor('monolithicFlat', [f'RW 8 FLAT "{n}" 0'], more=f'encoding="{e}"\n').encode(c), Accept(flat))
row(50, 'name in GBK, as it is written', lambda folder: os.rename(
    write(folder, 'x', flat).encode(), os.fsencode(folder) + b'/' + '磁盘'.encode('gbk')) or
    descriptor('monolithicFlat', ['RW 8 FLAT "磁盘" 0'], more='encoding="GBK"\n').encode('gbk'), Accept(flat))

# --- 51: kinds that we do not read
for create_type, line, advice in (
        ('fullDevice', 'RW 8 FLAT "/dev/sda" 0', 'convert that device itself'),
        ('partitionedDevice', 'RW 8 FLAT "/dev/sda1" 0', 'convert that device itself'),
        ('vmfsRawDeviceMap', 'RW 8 VMFSRDM "a"', 'on the mapped device'),
        ('vmfsPassthroughRawDeviceMap', 'RW 8 VMFSRDM "a"', 'on the mapped device'),
        ('vmfsSparse', 'RW 8 VMFSSPARSE "a"', 'consolidate the snapshots'),
        ('seSparse', 'RW 8 SESPARSE "a"', 'consolidate the snapshots')):
    row(51, create_type, text(create_type, line), Refuse(f'createType="{create_type}": .*{advice}'))
row(51, 'extent of a raw device map', text('custom', 'RW 8 VMFSRDM "a"'), Refuse('extent type="VMFSRDM": .*mapped device'))
row(51, 'COWD', lambda folder: b'COWD' + bytes(2044), Refuse('offset 0x0: magic "COWD"'))
row(51, 'seSparse extent', lambda folder: struct.pack('<Q', 0xcafebabe) + bytes(2040), Refuse('magic 0xcafebabe'))
row(51, 'a lone extent of a split image', lambda folder: bytes(sparse(CAP, GRAINS, embed=False)),
    Refuse('one extent of a split image; open the image\'s descriptor'))


# --- 52: parents
def child(parent='12345678', hint='parent.vmdk', parent_cid='12345678', files=None, **more):
    def build(folder):
        body = descriptor('monolithicSparse', [f'RW {CAP} SPARSE "x"'], cid='2', parent=parent, hint=hint)
        base = sparse(CAP, {1: guest_bytes(65536, 50), 7: guest_bytes(65536, 51)},
                      text=embedded(CAP, False, cid=parent_cid))
        write(folder, 'parent.vmdk', base)
        for name, content in (files or {}).items():
            write(folder, name, content)
        return sparse(CAP, GRAINS, text=body, zero=(7,) if more.get('zero') else (), flags=7)
    return build


row(52, 'parent is a file of the host', child(hint=secret), Refuse('outside the image\'s folder', 3))
row(52, 'parent in the folder above', child(hint='../host_secret'), Refuse('has a "\\.\\."', 3))
row(52, 'parent has another CID', child(parent_cid='12345679'),
    Refuse('parentCID=12345678: the CID of the parent is 12345679'))
row(52, 'no hint', child(hint=None), Refuse('parentCID=12345678: parentFileNameHint.* is missing'))
row(52, 'CID that is no number', child(parent='xyz'), Refuse('parentCID="xyz": not 1 to 8 hexadecimal'))
row(52, 'is its own parent', child(parent='2', hint='image.vmdk'), Refuse('chain comes back to this image'))
loop = {name: bytes(sparse(CAP, GRAINS, text=descriptor('monolithicSparse', [f'RW {CAP} SPARSE "x"'], cid='2',
                                                         parent='2', hint=other)))
        for name, other in (('a.vmdk', 'b.vmdk'), ('b.vmdk', 'a.vmdk'))}
row(52, 'loop of two', child(parent='2', hint='a.vmdk', files=loop), Refuse('chain comes back'))
row(52, 'parent missing', child(hint='gone.vmdk'), Refuse('gone.vmdk: No such file'))
row(52, 'parent is raw', child(hint='raw', files={'raw': SECRET}), Refuse('no known image format'))
row(52, 'a parent', child(), Accept(guest_of(CAP, {7: guest_bytes(65536, 51), **GRAINS})))
row(52, 'a zeroed grain over the parent\'s', child(zero=True), Accept(WANT))

# --- 53 to 60: the header of a sparse extent


def patched(offset, kind, value, **more):
    return lambda folder: sparse(CAP, GRAINS, **more).patch(offset, kind, value)


for grain in (0, 3, 4, 4096, 2**55, 2**64 - 1):
    row(53, f'grain size {grain}', patched(GRAIN_SIZE, 'Q', grain),
        Refuse(rf'offset 0x14: grain size={grain}: not a power of two from 8 to 2048'))
for entries in (0, 1, 511, 0xffffffff):
    row(54, f'{entries} entries per table', patched(ENTRIES, 'I', entries),
        Refuse(rf'offset 0x2c: entries per grain table={entries}: must be 512'))
row(55, 'capacity 2^48, grains of 8', lambda folder: sparse(CAP, {}, grain=8).patch(CAPACITY, 'Q', 2**48),
    Refuse(r'offset 0xc: capacity=281474976710656: its grain directory has \d+ entries, the limit is'))
row(55, 'capacity beyond what the file can map', patched(CAPACITY, 'Q', 2**34), Refuse('exceeds the file'))
for capacity in (2**63, 2**64 - 1):
    row(55, f'capacity {capacity}', patched(CAPACITY, 'Q', capacity), Refuse(rf'offset 0xc: capacity={capacity}: '))


def without_redundant(img):
    return img.patch(FLAGS, 'I', FLAG_NEWLINES).patch(RGD, 'Q', 0)


for place in (0, 2**40, 2**55):
    row(56, f'directory at sector {place}, no other', lambda folder, p=place: without_redundant(
        sparse(CAP, GRAINS)).patch(GD, 'Q', p), Refuse(r'offset 0x38: grain directory offset=0x[0-9a-f]+ sectors'))
    row(56, f'directory at sector {place}, the redundant one serves', patched(GD, 'Q', place),
        Accept(WANT, warning='redundant'))
    row(56, f'both directories at sector {place}', lambda folder, p=place: sparse(CAP, GRAINS).patch(
        GD, 'Q', p).patch(RGD, 'Q', p or 2**40), Refuse('the redundant one cannot serve \\(offset 0x30: .*offset 0x38: '))


def directories(primary, redundant):
    def build(folder):
        img = sparse(CAP, GRAINS)
        if primary is not None:
            img.patch(img.gd, 'I', primary)
        if redundant is not None:
            img.patch(img.rgd, 'I', redundant)
        return img
    return build


row(57, 'directory entry past the end', lambda folder: (lambda img: without_redundant(img).patch(
    img.gd, 'I', 10**6))(sparse(CAP, GRAINS)),
    Refuse(r'offset 0x[0-9a-f]+: grain directory entry 0=1000000 sectors: points past the end'))
row(57, 'entries of both past the end', directories(10**6, 10**6 + 1), Refuse('the redundant one cannot serve'))
row(57, 'entry of the primary past the end', directories(10**6, None), Accept(WANT, warning='redundant'))
row(57, 'entry of the redundant one past the end', directories(None, 10**6), Accept(WANT))
row(57, 'entry points at the directory', lambda folder: (lambda img: without_redundant(img).patch(
    img.gd, 'I', img.gd // SECTOR))(sparse(CAP, GRAINS)), Refuse('overlaps the directory itself'))
row(57, 'entry of the primary lost', directories(0, None), Accept(WANT, warning='redundant'))
row(57, 'directory of zeroes, no other', lambda folder: (lambda img: without_redundant(img).patch(
    img.gd, 'I', 0))(sparse(CAP, GRAINS)), Refuse(r'offset 0x[0-9a-f]+: grain directory is empty, but the file has \d+'))
row(57, 'directory inside the descriptor', lambda folder: without_redundant(sparse(CAP, GRAINS)).patch(GD, 'Q', 3),
    Refuse('grain directory offset=0x3 sectors: its 1 entries overlap the descriptor'))
row(57, 'stream whose directory is empty', lambda folder: (lambda img: img.patch(img.gd, 'I', 0))(stream(CAP, GRAINS)),
    Refuse('grain directory is empty'))
row(57, 'stream without a grain', lambda folder: stream(CAP, {}), Accept(bytes(CAP * SECTOR)))
BIG = 128 * 512 * 3
row(57, 'two tables at one place', lambda folder: (lambda img: without_redundant(img).patch(
    img.gd + 4, 'I', img.get(img.gd, 'I')))(sparse(BIG, GRAINS)), Refuse('grain tables at sectors (\\d+) and \\1 overlap'))


def entry(value, n=5, **more):
    def build(folder):
        img = sparse(CAP, GRAINS, **more)
        return img.patch(img.entry(n), 'I', value(img) if callable(value) else value)
    return build


def table_refusal(reason, n=5):
    return Refuse(rf'offset 0x[0-9a-f]+: grain table 0 entry {n}=\d+ sectors: {reason}', at_open=False)


row(58, 'grain past the end', entry(10**6), table_refusal('points past the end of the file'))
row(58, 'grain at 2^32-1', entry(2**32 - 1), table_refusal('points past the end of the file'))
row(58, 'grain partly past the end', entry(lambda img: len(img) // SECTOR - 64), table_refusal('points past the end'))
row(58, 'entry 1 without the flag', entry(1), table_refusal('means a grain of zeroes'))
row(58, 'entry 1 with the flag', entry(1, flags=7), Accept(guest_of(CAP, {n: b for n, b in GRAINS.items() if n != 5})))
row(58, 'grain inside the overhead', entry(40), table_refusal('lies inside the metadata'))
row(58, 'two entries, one grain', entry(lambda img: img.get(img.entry(1), 'I')), table_refusal('overlaps another grain', '[15]'))
row(58, 'two grains that overlap', entry(lambda img: img.get(img.entry(1), 'I') + 8), table_refusal('overlaps another grain'))
row(58, 'grains in any order', lambda folder: sparse(CAP, GRAINS, order=(39, 5, 0, 1)), Accept(WANT))
row(59, 'newlines after a transfer as text', lambda folder: sparse(CAP, GRAINS).patch(NEWLINES, '4s', b'\n \n\n'),
    Refuse(r'offset 0x49: newline test=0a 20 0a 0a: .*text mode'))
for version in (0, 4, 0xffffffff):
    row(60, f'version {version}', patched(VERSION, 'I', version), Refuse(rf'offset 0x4: version={version}: only 1 to 3'))
row(60, 'compression 2', patched(COMPRESSION, 'H', 2), Refuse('offset 0x4d: compression=2: only 0 and 1'))
row(60, 'compressed by its flags only', patched(FLAGS, 'I', 3 | FLAG_STREAM), Refuse('compression=0: contradicts flags=0x30003'))
row(60, 'compressed by its algorithm only', patched(COMPRESSION, 'H', 1), Refuse('compression=1: contradicts flags=0x3'))
row(60, 'compressed without markers', lambda folder: stream(CAP, GRAINS).patch(FLAGS, 'I', 0x10001),
    Refuse('either compressed and marked, or neither'))
row(60, 'an unknown flag', patched(FLAGS, 'I', 0x100003), Refuse('offset 0x8: flags=0x100003: bits 0x100000 are not known'))
row(60, 'descriptor past the end', patched(DESC_OFFSET, 'Q', 2**40), Refuse('offset 0x1c: descriptor offset=1099511627776'))
row(60, 'descriptor of 2^55 sectors', patched(DESC_SIZE, 'Q', 2**55), Refuse('offset 0x24: descriptor size=36028797018963968'))
row(60, 'not closed properly', patched(UNCLEAN, 'B', 1), Accept(WANT, warning='not closed properly'))


# --- 61: footers
def footed(change):
    def build(folder):
        img = stream(CAP, GRAINS)
        return change(img) or img
    return build


row(61, 'stream with a footer', footed(lambda img: None), Accept(WANT))
row(61, 'stream without one', lambda folder: stream(CAP, GRAINS, footer=False), Accept(WANT))
for version in (1, 2):
    row(61, f'stream of version {version}', lambda folder, v=version: stream(CAP, GRAINS, version=v), Accept(WANT))
cut = Refuse(r'offset 0x[0-9a-f]+: .*probably cut')
row(61, 'footer missing', lambda folder: stream(CAP, GRAINS, footer=False).patch(GD, 'Q', AT_END), cut)
row(61, 'end marker missing', footed(lambda img: img[:-512]), cut)
row(61, 'half a sector missing', footed(lambda img: img[:-256]), cut)
row(61, 'data after the end', footed(lambda img: img + b'more'.ljust(512)), cut)
row(61, 'footer refers to itself', footed(lambda img: img.patch(img.footer + GD, 'Q', AT_END)),
    Refuse('the footer refers to itself'))
row(61, 'footer has another capacity', footed(lambda img: img.patch(img.footer + CAPACITY, 'Q', CAP - 1)),
    Refuse(rf'offset 0x[0-9a-f]+: capacity={CAP - 1}: the header says {CAP}'))
row(61, 'footer has another grain size', footed(lambda img: img.patch(img.footer + GRAIN_SIZE, 'Q', 64)),
    Refuse('grain size=64: the header says 128'))
row(61, 'footer is no header', footed(lambda img: img.patch(img.footer, 'I', 0)), Refuse('magic is not "KDMV"'))


# --- 62, 63, 64: grains of a stream
def marker(change, **more):
    def build(folder):
        img = stream(CAP, GRAINS, **more)
        change(img)
        return img
    return build


def size_refusal(size):
    return Refuse(rf'offset 0x[0-9a-f]+: grain marker size={size}: not from 1 to \d+', at_open=False)


for size in (0xffffffff, 2 * 65536, 2 * 65536 - 11, 0, 40001):
    row(62, f'marker size {size}', marker(lambda img, s=size: img.patch(img.place[1] + 8, 'I', s)), size_refusal(size))
last = {39: GRAINS[39]}
row(62, 'marker size past the end of the file', lambda folder: (lambda img: img.patch(
    img.place[39] + 8, 'I', len(img)))(stream(CAP, last)), Refuse(r'grain marker size=\d+: not from 1', at_open=False))
row(62, 'stream one byte short', marker(lambda img: img.patch(img.place[1] + 8, 'I', img.get(img.place[1] + 8, 'I') - 1)),
    Refuse('grain at sector 128: (damaged zlib stream|zlib stream yields more)', at_open=False))
row(62, 'incompressible grains', lambda folder: stream(CAP, GRAINS, compress=lambda n, b: zlib.compress(b, 0)), Accept(WANT))


def lba_refusal(found, place):
    return Refuse(rf'offset 0x[0-9a-f]+: grain marker sector={found}: the grain table has it at sector {place}', at_open=False)


row(63, 'marker of another place', marker(lambda img: img.patch(img.place[5], 'Q', 128 * 6)), lba_refusal(768, 640))
row(63, 'two markers of one place', marker(lambda img: img.patch(img.place[5], 'Q', 128)), lba_refusal(128, 640))
row(63, 'marker beyond the capacity', marker(lambda img: img.patch(img.place[39], 'Q', 128 * 400)), lba_refusal(51200, 4992))
row(63, 'marker at 2^64-1', marker(lambda img: img.patch(img.place[0], 'Q', AT_END)), lba_refusal(AT_END, 0))


def swap(img):
    a, b = (img[img.place[n]:img.place[n] + 8] for n in (1, 5))
    img[img.place[1]:img.place[1] + 8], img[img.place[5]:img.place[5] + 8] = b, a


row(63, 'markers that descend', marker(swap), lba_refusal(640, 128))
row(63, 'grains that descend, with a table that says so', lambda folder: stream(CAP, GRAINS, order=(39, 5, 1, 0)), Accept(WANT))
row(63, 'two entries, one grain', lambda folder: (lambda img: img.patch(img.entry(6), 'I', img.get(img.entry(5), 'I')))(
    stream(CAP, GRAINS)), lba_refusal(640, 768))


def packed(function):
    return lambda folder: stream(CAP, GRAINS, compress=lambda n, b: function(b) if n == 5 else zlib.compress(b))


row(64, 'grain of 64 MiB', packed(lambda b: zlib.compress(bytes(64 << 20), 9)),
    Refuse('grain at sector 640: zlib stream yields more than 65536 bytes', at_open=False))
row(64, 'grain of 65537 bytes', packed(lambda b: zlib.compress(b + b'!')), Refuse('yields more than 65536', at_open=False))
row(64, 'grain of 100 bytes', packed(lambda b: zlib.compress(b[:100])),
    Refuse('grain at sector 640: zlib stream yields 100 of 65536 bytes', at_open=False))
row(64, 'rubbish after the stream', packed(lambda b: zlib.compress(b) + b'junk'),
    Refuse(r'4 bytes follow the zlib stream of \d+ bytes', at_open=False))
row(64, 'wrong Adler-32', packed(lambda b: zlib.compress(b)[:-1] + b'\0'), Refuse('damaged zlib stream', at_open=False))
row(64, 'rubbish', packed(lambda b: b[:3000]), Refuse('damaged zlib stream', at_open=False))
row(64, 'stream without its head', packed(lambda b: zlib.compress(b)[2:-4]), Refuse('damaged zlib stream', at_open=False))


# --- any number in any field: refused, or nothing changed
def sweep():
    values = {0, 1, 2, 3, 127, 129, 511, 513, 2**16, 2**31, 2**32 - 1, 2**32, 2**53, 2**54, 2**55, 2**63, AT_END}
    for name, make in (('sparse', lambda: sparse(CAP, GRAINS)), ('stream', lambda: stream(CAP, GRAINS))):
        size = len(make())
        for field, (offset, kind) in FIELDS.items():
            faults = []
            for value in sorted(values | {size, size // SECTOR, size // SECTOR - 1, size // SECTOR + 1}):
                if value >= 1 << 8 * struct.calcsize(kind):
                    continue
                folder = suite.new_folder('sweep')
                image = write(folder, 'image.vmdk', make().patch(offset, kind, value))
                out = os.path.join(folder, 'out.raw')
                run = Run(['convert', '-q', '-O', 'raw', image, out])
                if run.status == 0:
                    with open(out, 'rb') as file:
                        if file.read() != WANT:
                            faults.append(f'{value}: wrong data')
                elif refusal_faults(run, out, '^v2v: .*image.vmdk: '):
                    faults.append(f'{value}: {refusal_faults(run, out, "image.vmdk: ")}')
            suite.ok(not faults, f'sweep: {name}: {field}', '\n'.join(faults))


def cut_descriptor():
    """A split image's text, cut at each byte: refused, or all extents are there."""
    folder = suite.new_folder('cut')
    write(folder, 'a', flat)
    whole = descriptor('twoGbMaxExtentFlat', ['RW 2 FLAT "a" 0', 'RW 2 ZERO', 'RW 3 FLAT "a" 4'])
    want = flat[:1024] + bytes(1024) + flat[2048:2048 + 1536]
    faults, refused = [], 0
    for place in range(len(whole)):
        image, out = write(folder, 'image.vmdk', whole[:place]), os.path.join(folder, 'out.raw')
        run = Run(['convert', '-q', '-O', 'raw', image, out])
        if run.status != 0:
            refused += 1
            faults += refusal_faults(run, out, '^v2v: .*image.vmdk: ')
            continue
        with open(out, 'rb') as file:
            if file.read() != want:
                faults.append(f'cut at {place}: wrong data')
        os.unlink(out)
    suite.ok(not faults and refused > whole.index('ddb.'), f'descriptor cut at {len(whole)} places', '\n'.join(faults))


sweep()
cut_descriptor()
suite.finish()
