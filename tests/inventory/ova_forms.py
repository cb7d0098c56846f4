#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ova_forms.py: one VM in each container a package may have: the same Vm, the same disk bytes; and
each of them cut, changed and stuffed."""
import gzip
import io
import lzma
import os
import zipfile

from package import *

DISK2 = pattern(1 << 20)
DOCUMENT = ovf(file_element() + file_element("disk2.vmdk", "file2"),
               disk_element() + disk_element("1", "byte * 2^20", "vmdisk2", "file2"),
               system(CPU + MEMORY + CONTROLLER + NIC + DISK +
                      item(6, 17, HostResource="/disk/vmdisk2", Parent=3, AddressOnParent=1)))
FILES = {"web.ovf": DOCUMENT, "disk1.vmdk": VMDK, "disk2.vmdk": make_vmdk(DISK2)}
MEMBERS = {"web.ovf": DOCUMENT, "web.mf": manifest(FILES), "disk1.vmdk": VMDK,
           "disk2.vmdk": FILES["disk2.vmdk"]}
DISKS = [DISK_SHA256, hashlib.sha256(DISK2).hexdigest()]


def zipped(members, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)
    return buffer.getvalue()


def by_tool(name, *command):
    """A package packed by a tool that we did not write."""
    path = os.path.join(FOLDER, name)
    if os.path.exists(path):
        os.unlink(path)
    run(*command, cwd=save_folder(MEMBERS, "unpacked"))
    return path


def forms():
    folder = save_folder(MEMBERS)
    here = os.path.join(FOLDER, "tool")
    order = ["web.ovf", "web.mf", "disk1.vmdk", "disk2.vmdk"]
    yield "tar", save(tar(MEMBERS), "web-tar.ova")
    yield "folder", folder
    yield ".ovf", os.path.join(folder, "web.ovf")
    yield "tar.gz", save(gzip.compress(tar(MEMBERS), 1), "web-gz.ova")
    yield "tar.xz", save(lzma.compress(tar(MEMBERS), preset=0), "web-xz.ova")
    yield "zip", save(zipped(MEMBERS), "web-zip.ova")
    yield "stored zip", save(zipped(MEMBERS, zipfile.ZIP_STORED), "web-stored.ova")
    for style in ("gnu", "ustar", "pax", "v7"):
        yield f"tar by GNU tar, {style}", by_tool(f"{style}.ova", "tar", f"--format={style}", "-cf",
                                                  f"{FOLDER}/{style}.ova", *order)
    yield "tar of a whole folder", by_tool("dot.ova", "tar", "-cf", f"{FOLDER}/dot.ova", ".")
    yield "tar.gz by tar", by_tool("tool.tgz", "tar", "-czf", f"{here}.tgz", *order)
    yield "tar.xz by tar", by_tool("tool.txz", "tar", "-cJf", f"{here}.txz", *order)
    yield "zip by zip", by_tool("tool.zip", "zip", "-q", f"{here}.zip", *order)


def same_everywhere():
    expected = None
    for name, path in forms():
        answer = ask(path, "--disks")
        problem = None
        if answer.status != 0:
            problem = f"status {answer.status}: {answer.error}"
        elif answer.dump["disks"] != DISKS:
            problem = f"disks are {answer.dump['disks']}"
        elif expected not in (None, answer.dump):
            problem = f"another Vm: {answer.dump}"
        if problem is None:
            opened = other_files_opened(path, "--disks")
            problem = f"opened {opened}" if opened else None
        expected = expected or answer.dump
        row(f"{name}: the same Vm and disks", problem or (os.listdir(SPOOL) or None))


def cut():
    for name, whole in (("tar.gz", gzip.compress(tar(MEMBERS), 1)),
                        ("tar.xz", lzma.compress(tar(MEMBERS), preset=0)),
                        ("zip", zipped(MEMBERS))):
        silent = []
        for i in range(200):
            answer = ask(save(whole[:len(whole) * i // 200]), "--disks")
            if not 10 <= answer.status <= 15:
                silent.append(f"{i}/200: status {answer.status}")
        row(f"{name} cut at 200 places", silent or None)


def changed():
    """A byte changed anywhere: found by the container's checksums or by the manifest."""
    for name, whole in (("tar", tar(MEMBERS)), ("tar.gz", gzip.compress(tar(MEMBERS), 1)),
                        ("tar.xz", lzma.compress(tar(MEMBERS), preset=0)),
                        ("zip", zipped(MEMBERS))):
        silent = []
        for i in range(100):
            bad = bytearray(whole)
            at = len(whole) * i // 100 + 7
            bad[at] ^= 0x10
            answer = ask(save(bytes(bad)), "--disks")
            same = answer.status == 0 and answer.dump["disks"] == DISKS
            if not same and not 10 <= answer.status <= 15:
                silent.append(f"{at}: status {answer.status}")
        row(f"{name} with one byte changed, 100 times: refused, or the same bytes", silent or None)


def stuffed():
    def archive(*entries):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            for info, contents in entries:
                file.writestr(info, contents)
        return save(buffer.getvalue())

    good = [("web.ovf", ovf()), ("disk1.vmdk", VMDK)]
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    folder = zipfile.ZipInfo("folder/")
    refused("zip: a symbolic link", archive(*good, (link, "/etc/passwd")), r"not a regular file")
    refused("zip: ../x", archive(*good, ("../x", b"x")), r'name "\.\./x".*leads outside')
    refused("zip: /x", archive(*good, ("/x", b"x")), r'name "/x".*absolute')
    refused("zip: two of one name but for case", archive(*good, ("DISK1.vmdk", b"x")),
            r"two members of one name")
    accepted("zip: folders are passed over", archive((folder, b""), *good))
    encrypted = os.path.join(FOLDER, "secret.zip")
    run("zip", "-q", "-P", "secret", encrypted, "web.ovf", "disk1.vmdk",
        cwd=save_folder({"web.ovf": ovf(), "disk1.vmdk": VMDK}))
    refused("zip: encrypted", encrypted, r'member "web\.ovf" is encrypted')
    for name, pack in (("tar.gz", gzip.compress), ("tar.xz", lzma.compress)):
        refused(f"{name}: ../x", save(pack(member("../x", b"x") + tar(dict(good)))),
                r'offset 0x0: name "\.\./x"')
        refused(f"{name}: no tar inside", save(pack(b"hello " * 1000)), r"offset 0x0: ")


def split():
    """An image of several files finds them among the members, also inside a folder."""
    source = os.path.join(SCRATCH, "disk.raw")
    with open(source, "wb") as file:
        file.write(DISK_BYTES)
    for subformat in ("twoGbMaxExtentFlat", "twoGbMaxExtentSparse", "monolithicFlat"):
        folder = os.path.join(SCRATCH, subformat)
        os.mkdir(folder)
        run("qemu-img", "convert", "-O", "vmdk", "-o", f"subformat={subformat}", source,
            os.path.join(folder, "disk1.vmdk"))
        members = {"web.ovf": ovf(file_element("disks/disk1.vmdk"))}
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                members["disks/" + name] = file.read()
        accepted(f"{subformat} in a tar", save(tar(members)))
        accepted(f"{subformat} in a zip", save(zipped(members)))
        accepted(f"{subformat} in a folder", save_folder(members))
        extent = next(name for name in members if name not in ("web.ovf", "disks/disk1.vmdk"))
        del members[extent]
        refused(f"{subformat} without its extent", save(tar(members)), re.escape(extent))


def spooled_in_place():
    """A full disk is refused, not filled: the spool knows what is free."""
    small = os.path.join(SCRATCH, "small")
    os.mkdir(small)
    try:
        run("mount", "-t", "tmpfs", "-o", "size=2m", "none", small)
    except Exception as reason:
        return skip("a spool folder that is too small", f"no tmpfs here: {reason}")
    try:
        path = save(gzip.compress(tar({**MEMBERS, "web.iso": pattern(8 << 20)}), 1))
        answer = ask(path, "--spool", small)
        row("a spool folder that is too small",
            refusal_problem(answer, r"unpacks to more than \d+ bytes"))
    finally:
        run("umount", small)


def source_untouched():
    folder = save_folder(MEMBERS)
    paths = [os.path.join(folder, name) for name in MEMBERS] + [folder]
    before = [(os.stat(path).st_mtime_ns, os.stat(path).st_mode, os.stat(path).st_size)
              for path in paths]
    ask(folder, "--disks")
    after = [(os.stat(path).st_mtime_ns, os.stat(path).st_mode, os.stat(path).st_size)
             for path in paths]
    row("the source is as it was", None if before == after else f"{before} {after}")


for part in (same_everywhere, cut, changed, stuffed, split, spooled_in_place, source_untouched):
    part()
done()
