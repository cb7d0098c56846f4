#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ova_hostile.py: packages that lie. The numbers are those of docs/sources/ova.md."""
import gzip
import os

from package import *

GOOD = {"web.ovf": ovf(), "disk1.vmdk": VMDK}
SECRET = os.path.join(SCRATCH, "host_secret")
with open(SECRET, "wb") as secret:
    secret.write(b"canary " * 1000)


def with_member(extra):
    """A good package and one more member, given as raw tar blocks."""
    return save(member("web.ovf", ovf()) + extra + member("disk1.vmdk", VMDK) + END)


def with_ovf(document, **others):
    return save(tar({"web.ovf": document, "disk1.vmdk": VMDK, **others}))


def names():
    for name in ("../x", "a/../../x", "a/./x", "a//x"):
        refused(f"105 member {name}", with_member(member(name, b"x")),
                r'web\.ova: offset 0x\w+: name "')
    refused("105 member /x", with_member(member("/x", b"x")), r'offset 0x\w+: name "/x".*absolute')
    refused("105 member C:\\x", with_member(member("C:\\x", b"x")),
            r"offset 0x\w+: name .*backslash or a colon")
    refused("105 control bytes", with_member(member(b"a\x1b[31m\n", b"x")),
            r"offset 0x\w+: name .*control character")
    refused("105 not UTF-8", with_member(member(b"a\xff\xfe", b"x")), r"is not UTF-8")
    refused("105 empty name", with_member(member("", b"x")), r"name .*is empty")
    refused("105 NUL in a pax path", with_member(pax([(b"path", b"x\0y")]) + member("x", b"x")),
            r"offset 0x\w+: pax record path: holds a NUL")
    refused("105 NUL in a long name", with_member(member("@", b"x\0y\0", type=b"L") +
                                                  member("x", b"x")), r"long name holds a NUL")
    refused("105 full prefix and name of 256 bytes",
            with_member(member("n" * 100, b"x", prefix=b"p" * 155)), r"too long: the limit is 255")
    refused("105 long name of 300 bytes",
            with_member(member("@", b"l" * 300 + b"\0", type=b"L") + member("x", b"x")),
            r"too long: the limit is 255")
    refused("105 pax path leads outside",
            with_member(pax([(b"path", b"../../etc/passwd")]) + member("x", b"x")),
            r'name "\.\./\.\./etc/passwd".*leads outside')
    accepted("105 ustar prefix, ./ and folders are passed over",
             save(member("./", type=b"5") + member("./web.ovf", ovf()) +
                  member("disk1.vmdk", VMDK) + member("x", b"x", prefix=b"some/folder") + END))
    inner = {"web.ovf": ovf(), "web.mf": manifest(GOOD), "disk1.vmdk": VMDK}
    accepted("105 everything in a folder", save(tar({"web/" + name: contents
                                                     for name, contents in inner.items()})))
    accepted("105 GNU long name",
             save(member("web.ovf", ovf(file_element("l" * 200))) +
                  member("@", b"l" * 200 + b"\0", type=b"L", magic=b"ustar  \0") +
                  member("l" * 100, VMDK, magic=b"ustar  \0") + END))
    accepted("105 pax path and size",
             save(member("web.ovf", ovf(file_element("d\u00efsk.vmdk"))) +
                  pax([(b"path", "d\u00efsk.vmdk".encode()), (b"size", b"%d" % len(VMDK)),
                       (b"mtime", b"1.5")]) + member("x", VMDK, size=0) + END))


def kinds():
    for type, what in ((b"1", "hard link"), (b"2", "symbolic link"), (b"3", "device"),
                       (b"4", "device"), (b"6", "FIFO"), (b"S", "sparse"), (b"D", "regular"),
                       (b"M", "regular"), (b"Z", "regular")):
        refused(f"106 type {type.decode()}",
                with_member(member("x", b"", type=type, link=b"/etc/passwd")),
                rf"offset 0x\w+: offset 0x9c: type=0x{type[0]:02x}: the member is .*{what}")
    for key in (b"GNU.sparse.major", b"GNU.sparse.realsize", b"SCHILY.realsize"):
        refused(f"106 pax {key.decode()}",
                with_member(pax([(key, b"1")]) + member("x", b"x")),
                rf"pax record {key.decode()}: the member is a sparse file")
    refused("106 pax linkpath", with_member(pax([(b"linkpath", b"/etc/passwd")]) +
                                            member("x", b"x")), r"pax record linkpath")
    refused("106 global pax path", with_member(pax([(b"path", b"y")], type=b"g") +
                                               member("x", b"x")), r"pax record path: not accepted")
    accepted("106 global pax comment", with_member(pax([(b"comment", b"made by us")], type=b"g")))
    os.symlink(SECRET, os.path.join(save_folder({"web.ovf": ovf()}), "disk1.vmdk"))
    refused("106 folder: the disk is a symlink", os.path.join(FOLDER, "web"), r"disk1\.vmdk")
    os.mkfifo(os.path.join(save_folder({"web.ovf": ovf()}), "disk1.vmdk"))
    refused("106 folder: the disk is a FIFO", os.path.join(FOLDER, "web"),
            r"disk1\.vmdk.*regular file")


def sizes():
    refused("107 size is no octal number", with_member(member("x", b"x", size_field=b"12x45678901\0")),
            r'offset 0x7c: size="12x45678901\\x00": not an octal number')
    refused("107 size is empty", with_member(member("x", b"x", size_field=bytes(12))),
            r"offset 0x7c: size=.*not an octal number")
    refused("107 size in base 256 is negative",
            with_member(member("x", b"x", size_field=b"\xff" * 12)), r"offset 0x7c: .*negative")
    refused("107 size in base 256 is 2^95 - 1",
            with_member(member("x", b"x", size_field=b"\x80" + b"\xff" * 11)),
            r"offset 0x7c: .*above 2\^63")
    refused("107 size in base 256 is 2^62",
            with_member(member("x", b"x", size_field=b"\x80\0\0\0\x40" + bytes(7))),
            r'member "x": size=4611686018427387904: only \d+ bytes are left')
    refused("107 size beyond the file", with_member(member("x", b"x", size=1 << 30)),
            r'member "x": size=1073741824: only \d+ bytes are left')
    for value in (b"-1", b"1e9", b"18446744073709551616", b"9223372036854775808", b""):
        refused(f"107 pax size {value.decode()}",
                with_member(pax([(b"size", value)]) + member("x", b"x")), r"pax record size: not a")
    refused("107 pax size twice", with_member(pax([(b"size", b"1"), (b"size", b"1")]) +
                                              member("x", b"x")), r"pax record size: given twice")
    refused("107 checksum", with_member(member("x", b"x", checksum=1)),
            r"offset 0x94: checksum=1: the header sums to \d+")
    for text in (b"9999 path=x\n", b"0 path=x\n", b"x path=y\n", b"8 path=x\n", b"11 path=x"):
        refused(f"107 pax record {text!r}", with_member(member("p", text, type=b"x") +
                                                        member("x", b"x")), r"pax record at \d+")
    refused("107 extended header of 100 MB", with_member(member("p", b"", size=10 ** 5, type=b"x") +
                                                         bytes(10 ** 5)), r"extended header of")
    accepted("107 size in base 256", save(member("web.ovf", ovf()) + member(
        "disk1.vmdk", VMDK, size_field=b"\x80" + len(VMDK).to_bytes(11, "big")) + END))
    refused("107 no end marker", save(tar(GOOD)[:-1024]), r"offset 0x\w+: end of file where a header")


def twins():
    for first, second in (("x", "x"), ("x", "./x"), ("Disk1.VMDK", "disk1.vmdk"),
                          ("d\u00efsk", "di\u0308sk"), ("stra\u00dfe", "STRASSE")):
        refused(f"108 {first} and {second}",
                save(tar([("web.ovf", ovf()), (first, VMDK), (second, b"y")])),
                r"offset 0x\w+: two members of one name")


def which_ovf():
    accepted("109 the .ovf is not first", save(tar([("disk1.vmdk", VMDK), ("web.ovf", ovf())])))
    refused("109 two .ovf", save(tar({**GOOD, "b.OVF": ovf()})), r"several \.ovf files: ")
    refused("109 no .ovf", save(tar({"disk1.vmdk": VMDK})), r"there is no \.ovf file")
    accepted("109 AppleDouble beside it", save(tar({"._web.ovf": b"\0\5\x16\7", **GOOD})))
    many = b"".join(member(f"{i}") for i in range(10001))
    refused("109 more members than allowed", save(many + END), r"more than 10000 members")
    refused("109 an endless row of headers",
            save(b"".join(member(f"{i}/", type=b"5") for i in range(40001)) + END),
            r"more than 40000 headers")
    refused("109 no archive", save(b"this is no archive " * 1000), r"neither an OVA")
    refused("109 empty file", save(b""), r"neither an OVA")
    refused("109 not there", os.path.join(FOLDER, "absent.ova"), r"absent\.ova: No such file")
    refused("109 .ovf larger than 8 MiB", with_ovf(ovf() + b" " * (8 << 20)),
            r"web\.ovf: \d+ bytes: the limit is 8388608")


def manifests():
    good = manifest(GOOD)

    def package(text):
        return save(tar({"web.ovf": ovf(), "web.mf": text, "disk1.vmdk": VMDK}))

    for algorithm in ("SHA1", "SHA256", "SHA512"):
        accepted(f"110 {algorithm}", package(manifest(GOOD, algorithm)))
    accepted("110 upper case digits", package(good.replace(b"= ", b"=  ").upper().replace(
        b"WEB.OVF", b"web.ovf").replace(b"DISK1.VMDK", b"disk1.vmdk")))
    accepted("110 CRLF and blank lines", package(b"\r\n" + good.replace(b"\n", b"\r\n\r\n")))
    accepted("110 no newline at the end", package(good.rstrip()))
    accepted("110 a blank before the parenthesis", package(good.replace(b"(", b" (")))
    wrong = good.replace(manifest({"disk1.vmdk": VMDK}).split()[1], b"0" * 64)
    refused("110 digest of the disk is wrong", package(wrong),
            r"web\.ova\(disk1\.vmdk\): the manifest says SHA256=0+…, the contents have ")
    refused("110 digest of the .ovf is wrong", package(manifest({**GOOD, "web.ovf": b"other"})),
            r"web\.ova\(web\.ovf\): the manifest says SHA256")
    refused("110 file that is not there", package(good + manifest({"absent": b""})),
            r'web\.mf lists "absent": there is no member "absent"')
    accepted("110 file that is not listed", package(manifest({"web.ovf": ovf()})),
             findings=["ovf.not-in-manifest"])
    accepted("110 no manifest", save(tar(GOOD)), findings=["ovf.no-manifest", "ovf.not-signed"])
    refused("110 MD5", package(b"MD5(web.ovf)= d41d8cd98f00b204e9800998ecf8427e\n"),
            r'web\.mf: line 1: algorithm "MD5": only SHA1, SHA256 and SHA512')
    for name in ("../host_secret", "../../etc/passwd", "/etc/passwd"):
        refused(f"110 {name}", package(good + manifest({name: b""})), r"web\.mf: line 3: name ")
    for text in (b"garbage\n", b"SHA256(web.ovf) 00\n", b"SHA256(web.ovf)= xyz\n", b"(x)= 00\n",
                 b"SHA256(web.ovf)= 00\n", b")(= 00\n", b"\0\n"):
        refused(f"110 line {text!r}", package(text), r"web\.mf: line 1: ")
    refused("110 several manifests", save(tar({**GOOD, "a.mf": good, "b.mf": good})),
            r"several \.mf files")
    accepted("110 the manifest has another name", save(tar({**GOOD, "disk1.mf": good})))


def documents():
    doctype = '<!DOCTYPE x [<!ENTITY secret SYSTEM "file://%s">]>' % SECRET
    laugh = "<!DOCTYPE x [<!ENTITY l0 'ha'>" + "".join(
        f"<!ENTITY l{i} '{f'&l{i - 1};' * 10}'>" for i in range(1, 11)) + "]>"
    for name, before in (("an external entity", doctype), ("ten levels of entities", laugh),
                         ("an external subset", f'<!DOCTYPE x SYSTEM "file://{SECRET}">'),
                         ("a parameter entity",
                          f'<!DOCTYPE x [<!ENTITY % p SYSTEM "file://{SECRET}"> %p;]>')):
        refused(f"112 {name}", with_ovf(ovf(before=before)), r"web\.ovf: line \d+: DOCTYPE")
    refused("112 an entity without a DOCTYPE", with_ovf(ovf(systems=system(name="&x;"))),
            r"web\.ovf: line \d+: not well-formed XML")
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{SECRET}" parse="text"/>'
    refused("112 XInclude", with_ovf(ovf(systems=system(name=include))),
            r"line \d+: XInclude is not accepted")
    refused("112 attribute of 2 MiB", with_ovf(ovf(file_element(extra=f'x="{"a" * (2 << 20)}"'))),
            r'line \d+: attribute "x" of 2097152 bytes: the limit is 65536')
    refused("112 100000 levels", with_ovf(ovf(systems="<a>" * 100000)),
            r"line \d+: depth of elements: the limit is 64")
    refused("112 65 levels", with_ovf(ovf(systems="<a>" * 64 + "</a>" * 64 + system())),
            r"line \d+: depth of elements: the limit is 64")
    accepted("112 60 levels", with_ovf(ovf(systems="<a>" * 60 + "</a>" * 60 + system())))
    refused("112 300 attributes", with_ovf(ovf(file_element(extra=" ".join(
        f'a{i}=""' for i in range(300))))), r"30\d attributes in one element: the limit is 256")
    refused("112 200000 elements", with_ovf(ovf(systems="<a/>" * 200000)),
            r"number of elements and attributes: the limit is 100000")
    for encoding in ("EUC-JP", "GB18030", "UTF-16", "nonsense"):
        refused(f"112 not the encoding it claims, {encoding}", with_ovf(ovf(systems=system(
            name="x" * 5000)).replace(b"UTF-8", encoding.encode()).replace(
                b"xxx</Name>", b"\xc7\xff\xff</Name>")), r"web\.ovf: line \d+: not well-formed")
    accepted("112 UTF-16", with_ovf(ovf().decode().replace("UTF-8", "UTF-16").encode("utf-16")))
    accepted("112 Shift_JIS", with_ovf(ovf(systems=system(name="\u30c6\u30b9\u30c8")).decode().replace(
        "UTF-8", "Shift_JIS").encode("shift_jis")),
             check=lambda dump: None if dump["vm"]["name"] == "\u30c6\u30b9\u30c8" else dump["vm"])
    refused("112 no XML", with_ovf(b"\x7fELF" * 100), r"web\.ovf: line 1: not well-formed")
    refused("112 empty .ovf", with_ovf(b""), r"web\.ovf: line 1: 0 bytes")
    refused("112 another root", with_ovf(b"<domain/>"), r"root element is domain, not Envelope")
    refused("112 another namespace", with_ovf(ovf().replace(b"envelope/1", b"envelope/3")),
            r"line 2: Envelope of namespace")


def many_of_a_kind():
    """What grows with the square of something in the document must not grow far."""
    refused("112 20000 Files", with_ovf(ovf("".join(
        file_element("x", f"f{i}") for i in range(20000)))), r"more than 10000 Files")
    refused("112 20000 Disks", with_ovf(ovf(disks="".join(
        f'<Disk ovf:diskId="d{i}" ovf:capacity="1"/>' for i in range(20000)))),
        r"more than 1000 Disks")
    properties = "".join(f'<Property ovf:key="k{i}" ovf:value="5"/>' for i in range(20000))
    refused("112 20000 properties, 999 disks by property", with_ovf(ovf(disks="".join(
        f'<Disk ovf:diskId="d{i}" ovf:capacity="${{k19999}}"/>' for i in range(999)) +
        disk_element("${absent}"), systems=f"<ProductSection>{properties}</ProductSection>")),
        r'capacity: "\$\{absent\}": there is no property')
    parents = "".join(item(100 + i, 6, Parent=101 + i) for i in range(1900))
    refused("112 1900 parents", with_ovf(ovf(systems=system(
        CPU + MEMORY + parents + item(4, 17, HostResource="ovf:/disk/vmdisk1", Parent=100)))),
        r"more than 255 scsi controllers|parents form a circle")
    refused("112 3000 items", with_ovf(ovf(systems=system("".join(
        item(i, 23) for i in range(3000))))), r"more than 2000 items")
    refused("112 600 disks from one file", with_ovf(ovf(systems=system(CONTROLLER + "".join(
        item(10 + i, 17, HostResource="ovf:/disk/vmdisk1", Parent=3) for i in range(600))))),
        r"more than 512 disks")
    refused("112 1001 VMs", with_ovf(ovf(systems="".join(
        f'<VirtualSystem ovf:id="v{i}"/>' for i in range(1001)))), r"more than 1000 VirtualSystems")


def references():
    sibling = os.path.join(FOLDER, "web-evil")
    os.makedirs(sibling, exist_ok=True)
    with open(os.path.join(sibling, "disk1.vmdk"), "wb") as file:
        file.write(VMDK)
    for href in ("../../etc/passwd", "../web-evil/disk1.vmdk", "http://169.254.169.254/",
                 "file:disk1.vmdk", f"file://{SECRET}", "%2e%2e/host_secret",
                 "a%2F..%2f..%2fhost_secret", SECRET, "..\\\\x", "./disk1.vmdk"):
        expected = r"web\.ovf: line \d+: File: href: "
        refused(f"113 OVA, href {href}", with_ovf(ovf(file_element(href))), expected)
        folder = save_folder({"web.ovf": ovf(file_element(href)), "disk1.vmdk": VMDK})
        refused(f"113 folder, href {href}", folder, expected)
        refused(f"113 .ovf, href {href}", os.path.join(folder, "web.ovf"), expected)
    refused("113 href of a member that is not there", with_ovf(ovf(file_element("x.vmdk"))),
            r'href="x\.vmdk": there is no member "x\.vmdk"')
    refused("113 href differs in case", with_ovf(ovf(file_element("DISK1.vmdk"))),
            r'there is no member "DISK1\.vmdk"')
    flat = (b'# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n'
            b'createType="monolithicFlat"\nRW 14 FLAT "%s" 0\n' % SECRET.encode())
    refused("113 the VMDK names a file of the host",
            save(tar({"web.ovf": ovf(), "disk1.vmdk": flat})), r"host_secret")


def capacities():
    for capacity, units, expected in (
            (str(2 ** 70), "byte", "whole number"), ("-1", "byte", "whole number"),
            ("1e9", "byte", "whole number"), ("1", "byte * 2^64", "exponent"),
            ("1", "byte * 2^-1", "exponent"), ("1", "byte * 10^9 * 2^30", "more than one factor"),
            ("1", "furlong", "is not known"), ("1", "byte * 3^20", "neither 2 nor 10"),
            (str(2 ** 40), "byte * 2^30", "2\\^63 bytes or more"), ("${x}", "byte", "property"),
            ("0x10", "byte", "whole number"), ("1 2", "byte", "whole number")):
        refused(f"114 capacity {capacity} {units}", with_ovf(ovf(disks=disk_element(capacity, units))),
                rf"web\.ovf: line \d+: Disk: capacity: .*{expected}")
    for capacity, units in ((3 << 20, None), (3 << 20, "byte"), (3, "MegaBytes"), (3, "byte*2^20"),
                            (3072, "byte * 1024"), (3072, "KiloBytes")):
        accepted(f"114 capacity {capacity} {units}", with_ovf(ovf(disks=disk_element(capacity, units))),
                 check=lambda dump: None if dump["vm"]["disks"][0]["capacity"] == 3 << 20 else dump)
    for capacity in (1, 1000):
        accepted(f"115 capacity of {capacity} MiB, the disk has 3", with_ovf(ovf(
            disks=disk_element(capacity))), findings=["ovf.disk-capacity-differs"])
    accepted("115 file size lies", with_ovf(ovf(file_element(extra='ovf:size="17"'))),
             findings=["ovf.file-size-differs"])
    accepted("115 populatedSize lies",
             with_ovf(ovf(disks=disk_element(extra='ovf:populatedSize="99999999999999"'))))
    raw = disk_element().replace(VMDK_FORMAT, "raw")
    accepted("115 a raw disk", save(tar({"web.ovf": ovf(disks=raw), "disk1.vmdk": DISK_BYTES})))
    refused("115 a raw disk that is cut",
            save(tar({"web.ovf": ovf(disks=raw), "disk1.vmdk": DISK_BYTES[:-512]})),
            r'href="disk1\.vmdk": raw image of \d+ bytes: capacity is 3145728')
    refused("115 a raw disk that is called vmdk", save(tar({**GOOD, "disk1.vmdk": DISK_BYTES})),
            r"no known image format")


def chunks():
    size = 65536
    parts = [VMDK[at:at + size] for at in range(0, len(VMDK), size)]

    def package(parts, chunk_size=size, total=len(VMDK), skip=()):
        files = {f"disk1.vmdk.{i:09}": part for i, part in enumerate(parts) if i not in skip}
        total = f'ovf:size="{total}"' if total is not None else ""
        element = file_element(extra=f'{total} ovf:chunkSize="{chunk_size}"')
        return save(tar({"web.ovf": ovf(element), **files}))

    accepted("116 chunks", package(parts))
    refused("116 the third chunk is missing", package(parts, skip=(2,)),
            r'href="disk1\.vmdk": chunk 2: there is no member "disk1\.vmdk\.000000002"')
    refused("116 a chunk is too long", package([parts[0] + b"x", *parts[1:]]),
            r"chunk 0 of 65537 bytes: chunkSize is 65536")
    refused("116 a chunk is too short", package([parts[0][:-1], *parts[1:]]),
            r"chunk 0 of 65535 bytes: it must have 65536")
    refused("116 the last chunk is cut", package([*parts[:-1], parts[-1][:-1]]),
            r"chunk \d+ of \d+ bytes: it must have \d+")
    refused("116 10^7 chunks", package(parts, chunk_size=1, total=10 ** 7),
            r"10000000 chunks: the limit is 10000")
    refused("116 chunks without a size", package(parts, total=None), r"chunkSize without size")
    refused("116 chunkSize is no number", package(parts, chunk_size="-5"),
            r"line \d+: File: chunkSize: ")


def compressed():
    packed = gzip.compress(VMDK, mtime=0)
    gz = file_element(extra='ovf:compression="gzip"')

    def package(contents, element=gz):
        return save(tar({"web.ovf": ovf(element), "disk1.vmdk": contents}))

    accepted("117 gzip", package(packed))
    accepted("117 gzip of two members and padding",
             package(gzip.compress(VMDK[:1000]) + gzip.compress(VMDK[1000:]) + bytes(100)))
    accepted("117 identity", package(VMDK, file_element(extra='ovf:compression="identity"')))
    accepted("117 gzip without a word", package(packed, file_element()),
             findings=["ovf.gzip-not-declared"])
    bomb = gzip.compress(bytes(300 << 20), 1)
    refused("117 gzip of 300 MiB for a disk of 3", package(bomb),
            r'href="disk1\.vmdk": unpacks to more than \d+ bytes')
    refused("117 unknown method", package(packed, file_element(extra='ovf:compression="lzma"')),
            r'compression="lzma": only gzip')
    refused("117 not gzip", package(VMDK), r'href="disk1\.vmdk": offset 0x0: gzip: ')
    for cut in (len(packed) // 2, len(packed) - 1, len(packed) - 8, 5):
        refused(f"117 gzip cut to {cut}", package(packed[:cut]), r"gzip: ")
    flipped = bytearray(packed)
    flipped[-6] ^= 1
    refused("117 gzip checksum", package(bytes(flipped)), r"gzip: ")
    refused("117 junk behind gzip", package(packed + b"junk"), r"neither gzip nor padding")


def systems():
    refused("118 File id twice", with_ovf(ovf(file_element() + file_element("b"))),
            r'File id="file1" is given twice')
    refused("118 diskId twice", with_ovf(ovf(disks=disk_element() + disk_element())),
            r'Disk diskId="vmdisk1" is given twice')
    items = CPU + MEMORY + CONTROLLER + DISK
    refused("118 InstanceID twice", with_ovf(ovf(systems=system(items + item(4, 15)))),
            r"line \d+: item 4 \(.*\): this InstanceID is given twice")
    refused("118 VirtualSystem id twice", with_ovf(ovf(systems=system() + system())),
            r'VirtualSystem id="vm" is given twice')
    circle = CPU + MEMORY + item(3, 6, Parent=7) + item(7, 6, Parent=3) + DISK
    refused("118 parents in a circle", with_ovf(ovf(systems=system(circle))),
            r"line \d+: item 4 .*: Parent 3: the parents form a circle")
    for resource, expected in ((None, "a disk without HostResource"),
                               ("ovf:/disk/absent", "no such Disk"), ("/etc/passwd", "no such"),
                               ("ovf:/file/absent", "no such File")):
        fields = {} if resource is None else {"HostResource": resource}
        refused(f"118 HostResource {resource}", with_ovf(ovf(systems=system(
            CPU + MEMORY + CONTROLLER + item(4, 17, Parent=3, **fields)))),
            rf"line \d+: item 4 .*{expected}")
    refused("118 fileRef to nothing", with_ovf(ovf(disks=disk_element(file="absent"))),
            r'Disk "vmdisk1": fileRef="absent": no such File')
    two = system(name="one", id="a") + system(name="two", id="b")
    collection = f'<VirtualSystemCollection ovf:id="c"><Info/>{two}</VirtualSystemCollection>'
    refused("118 two VMs", with_ovf(ovf(systems=collection)),
            r'web\.ovf: several VMs, say --vm NAME: "one", "two"')
    refused("118 two VMs, another asked for", with_ovf(ovf(systems=collection)),
            r'no VM "three"; there is "one", "two"', "--vm", "three")
    for name in ("two", "b"):
        accepted(f"118 two VMs, --vm {name}", with_ovf(ovf(systems=collection)), "--vm", name,
                 check=lambda dump: None if dump["vm"]["name"] == "two" else dump["vm"]["name"])
    refused("118 no VM", with_ovf(ovf(systems="")), r"there is no VirtualSystem")
    accepted("118 file as a disk",
             with_ovf(ovf(disks="", systems=system(CPU + MEMORY + CONTROLLER + item(
                 4, 17, HostResource="ovf:/file/file1", Parent=3)))))
    delta = disk_element(extra='ovf:parentRef="vmdisk0"')
    refused("118 delta disk", with_ovf(ovf(disks=delta)), r'disk "vmdisk1" is a delta over disk')


def odd_values():
    for name in ("../../root/.ssh/x", "a/b", "a\nb", "x" * 65536, "\u202egnp.exe", "&lt;b&gt;"):
        plain = name.replace("&lt;", "<").replace("&gt;", ">")
        accepted(f"119 name {plain[:20]!r}", with_ovf(ovf(systems=system(name=name))),
                 check=lambda dump, plain=plain: None if dump["vm"]["name"] == plain
                 else dump["vm"]["name"][:100])
    refused("119 such names in an error", with_ovf(ovf(systems=system(
        CPU + MEMORY + CONTROLLER + item(4, 17, ElementName="\u202egnp.exe&#10;b")))),
            r"a disk without HostResource")
    rest = CONTROLLER + DISK
    for quantity in ("0", str(2 ** 31), "-1", "4097", "x"):
        refused(f"120 {quantity} CPUs", with_ovf(ovf(systems=system(
            item(1, 3, VirtualQuantity=quantity) + MEMORY + rest))),
            r"line \d+: item 1 .*: VirtualQuantity: ")
    accepted("120 no CPU", with_ovf(ovf(systems=system(MEMORY + rest))),
             findings=["ovf.cpu-missing"])
    for quantity in (str(2 ** 60), str(2 ** 45), "-1", "1.5"):
        refused(f"120 memory of {quantity} MiB", with_ovf(ovf(systems=system(
            CPU + item(2, 4, AllocationUnits="byte * 2^20", VirtualQuantity=quantity) + rest))),
            r"line \d+: item 2 .*: VirtualQuantity: ")
    for items in (CPU + rest, CPU + item(2, 4, AllocationUnits="MegaBytes", VirtualQuantity=0) + rest):
        accepted("120 memory missing or 0", with_ovf(ovf(systems=system(items))),
                 findings=["ovf.memory-missing"],
                 check=lambda dump: None if dump["vm"]["memory"] == 2 << 30 else dump)
    for mac, expected in (("ff:ff:ff:ff:ff:ff", "multicast"), ("01:00:5e:00:00:01", "multicast"),
                          ("00:50:56:aa:bb", "six bytes"), ("00:50:56:aa:bb:cc:dd", "six bytes"),
                          ("zz:50:56:aa:bb:cc", "six bytes")):
        refused(f"120 MAC {mac}", with_ovf(ovf(systems=system(
            CPU + MEMORY + rest + item(5, 10, Address=mac)))), rf"item 5 .*: Address: .*{expected}")
    nics = "".join(item(100 + i, 10) for i in range(300))
    refused("120 300 network adapters", with_ovf(ovf(systems=system(CPU + MEMORY + rest + nics))),
            r"more than 64 network adapters")


def truncated():
    """Cut at 200 places: opening, reading or the manifest must fail, whatever was left out."""
    for name, contents in (("with a manifest", {"web.ovf": ovf(), "web.mf": manifest(GOOD),
                                                "disk1.vmdk": VMDK}),
                           ("without a manifest", GOOD)):
        whole = tar(contents)
        length = len(whole) - len(END)
        silent = []
        for i in range(200):
            cut = length * i // 200
            answer = ask(save(whole[:cut]), "--disks")
            if not 10 <= answer.status <= 15:
                silent.append(f"{cut}: status {answer.status}")
        row(f"cut at 200 places {name}", silent or None)
    silent = []
    for i in range(200):
        folder = save_folder({**GOOD, "disk1.vmdk": VMDK[:len(VMDK) * i // 200]})
        answer = ask(folder, "--disks")
        if not 10 <= answer.status <= 15:
            silent.append(f"{i}: status {answer.status}")
    row("folder: the disk cut at 200 places", silent or None)


for part in (names, kinds, sizes, twins, which_ovf, manifests, documents, many_of_a_kind,
             references, capacities,
             chunks, compressed, systems, odd_values, truncated):
    part()
done()
