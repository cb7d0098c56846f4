# SPDX-License-Identifier: Apache-2.0
"""package.py: makes OVF packages, good and bad, and asks source-dump about them."""
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

DUMP = os.path.join(os.environ["V2V_BUILD_DIR"], "tests", "inventory", "source-dump")
SCRATCH = tempfile.mkdtemp(prefix="inventory.", dir=os.environ.get("TMPDIR", "/var/tmp"))
FOLDER = os.path.join(SCRATCH, "packages")
SPOOL = os.path.join(SCRATCH, "spool")
os.mkdir(FOLDER)
os.mkdir(SPOOL)
with open(DUMP, "rb") as program:
    SANITIZED = b"__asan_init" in program.read()
MAX_SECONDS = 20 if SANITIZED else 2
MAX_RSS_KIB = 160 * 1024
# What any program opens; libarchive asks for the time zone of a zip, libcrypto for authorities.
SYSTEM_FILES = ("/lib", "/usr/", "/etc/ld.so", "/proc/self/", "/proc/sys/", "/proc/cpuinfo",
                "/proc/filesystems", "/sys/devices/system/cpu", "/sys/kernel/mm", "/dev/urandom",
                "/etc/localtime", "/etc/ssl/")

_rows = 0
_failed = 0


def row(name, problem=None):
    """One TAP row; `problem` None: it went well."""
    global _rows, _failed
    _rows += 1
    if problem is None:
        print(f"ok {_rows} - {name}", flush=True)
        return
    _failed += 1
    print(f"not ok {_rows} - {name}: {' '.join(str(problem).split())}", flush=True)


def skip(name, reason):
    global _rows
    _rows += 1
    print(f"ok {_rows} - {name} # SKIP {reason}", flush=True)


def done():
    shutil.rmtree(SCRATCH)
    print(f"1..{_rows}")
    sys.exit(1 if _failed else 0)


def run(*command, cwd=SCRATCH):
    """A tool that must succeed."""
    subprocess.run(command, check=True, capture_output=True, cwd=cwd)


# ---- disks

def pattern(length):
    """Bytes that do not compress to nothing and are the same each time."""
    block = b"".join(hashlib.sha256(struct.pack("<I", i)).digest() for i in range(2048))
    return (block * (length // len(block) + 1))[:length]


DISK_SIZE = 3 << 20
DISK_BYTES = pattern(1 << 20) + bytes(1 << 20) + pattern(1 << 20)
DISK_SHA256 = hashlib.sha256(DISK_BYTES).hexdigest()


def make_vmdk(raw=DISK_BYTES):
    """As ovftool packs it; written by qemu-img."""
    source, target = os.path.join(SCRATCH, "disk.raw"), os.path.join(SCRATCH, "disk.vmdk")
    with open(source, "wb") as file:
        file.write(raw)
    run("qemu-img", "convert", "-O", "vmdk", "-o", "subformat=streamOptimized", source, target)
    with open(target, "rb") as file:
        contents = file.read()
    os.unlink(source)
    os.unlink(target)
    return contents


VMDK = make_vmdk()

# ---- the document

HEAD = ('<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" '
        'xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" '
        'xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/'
        'CIM_ResourceAllocationSettingData" '
        'xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/'
        'CIM_VirtualSystemSettingData" '
        'xmlns:vmw="http://www.vmware.com/schema/ovf">\n')
VMDK_FORMAT = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"


def file_element(href="disk1.vmdk", id="file1", extra=""):
    return f'<File ovf:href="{href}" ovf:id="{id}" {extra}/>\n'


def disk_element(capacity="3", units="byte * 2^20", id="vmdisk1", file="file1", extra=""):
    units = f'ovf:capacityAllocationUnits="{units}"' if units is not None else ""
    file = f'ovf:fileRef="{file}"' if file else ""
    return (f'<Disk ovf:capacity="{capacity}" {units} ovf:diskId="{id}" {file} '
            f'ovf:format="{VMDK_FORMAT}" {extra}/>\n')


def item(instance, type, **fields):
    body = "".join(f"<rasd:{key}>{value}</rasd:{key}>" for key, value in fields.items())
    return (f"<Item><rasd:InstanceID>{instance}</rasd:InstanceID>"
            f"<rasd:ResourceType>{type}</rasd:ResourceType>{body}</Item>\n")


CPU = item(1, 3, VirtualQuantity=2)
MEMORY = item(2, 4, AllocationUnits="byte * 2^20", VirtualQuantity=512)
CONTROLLER = item(3, 6, Address=0, ResourceSubType="VirtualSCSI")
DISK = item(4, 17, HostResource="ovf:/disk/vmdisk1", Parent=3, AddressOnParent=0)
NIC = item(5, 10, AddressOnParent=7, ResourceSubType="VmxNet3", Connection="VM Network",
           Address="00:50:56:AA:BB:CC")


def system(items=None, name="vm", id="vm", extra=""):
    items = CPU + MEMORY + CONTROLLER + DISK + NIC if items is None else items
    return (f'<VirtualSystem ovf:id="{id}"><Info>A VM</Info><Name>{name}</Name>\n'
            '<OperatingSystemSection ovf:id="96" vmw:osType="debian12_64Guest"><Info/>'
            '</OperatingSystemSection>\n<VirtualHardwareSection><Info/><System>'
            '<vssd:VirtualSystemType>vmx-19</vssd:VirtualSystemType></System>\n'
            f'{items}{extra}</VirtualHardwareSection></VirtualSystem>\n')


def ovf(files=None, disks=None, systems=None, before=""):
    files = file_element() if files is None else files
    disks = disk_element() if disks is None else disks
    systems = system() if systems is None else systems
    return (HEAD.replace("<Envelope", before + "<Envelope") +
            f"<References>{files}</References>\n<DiskSection><Info/>{disks}</DiskSection>\n"
            f"{systems}</Envelope>\n").encode()


# ---- the container

def octal(value, length):
    return f"{value:0{length - 1}o}".encode() + b"\0"


def header(name, size, type=b"0", prefix=b"", link=b"", size_field=None, checksum=None,
           magic=b"ustar\x0000"):
    name = name if isinstance(name, bytes) else name.encode()
    block = bytearray(512)
    block[0:len(name[:100])] = name[:100]
    block[100:124] = octal(0o644, 8) + octal(0, 8) + octal(0, 8)
    block[124:136] = octal(size, 12) if size_field is None else size_field
    block[136:148] = octal(1700000000, 12)
    block[148:156] = b" " * 8
    block[156:157] = type
    block[157:157 + len(link)] = link
    block[257:265] = magic
    block[345:345 + len(prefix)] = prefix
    total = sum(block) if checksum is None else checksum
    block[148:156] = f"{total:06o}".encode() + b"\0 "
    return bytes(block)


def padded(contents):
    return contents + bytes(-len(contents) % 512)


def member(name, contents=b"", **fields):
    return header(name, fields.pop("size", len(contents)), **fields) + padded(contents)


def pax(records, type=b"x"):
    """Records as (key, value) bytes."""
    body = b""
    for key, value in records:
        length = len(key) + len(value) + 3
        while length != len(key) + len(value) + 3 + len(str(length)):
            length = len(key) + len(value) + 3 + len(str(length))
        body += f"{length} ".encode() + key + b"=" + value + b"\n"
    return member("pax", body, type=type)


END = bytes(1024)


def tar(members):
    """A dict or a list of (name, contents)."""
    pairs = members.items() if isinstance(members, dict) else members
    return b"".join(member(name, contents) for name, contents in pairs) + END


def manifest(members, algorithm="SHA256"):
    return "".join(
        f"{algorithm}({name})= {hashlib.new(algorithm.lower(), contents).hexdigest()}\n"
        for name, contents in members.items()).encode()


def save(contents, name="web.ova"):
    path = os.path.join(FOLDER, name)
    with open(path, "wb") as file:
        file.write(contents)
    return path


def save_folder(members, name="web"):
    path = os.path.join(FOLDER, name)
    shutil.rmtree(path, ignore_errors=True)
    for member_name, contents in members.items():
        os.makedirs(os.path.dirname(os.path.join(path, member_name)), exist_ok=True)
        with open(os.path.join(path, member_name), "wb") as file:
            file.write(contents)
    return path


# ---- the question

class Answer:
    def __init__(self, status, out, error, seconds, rss_kib):
        self.status, self.error, self.seconds, self.rss_kib = status, error, seconds, rss_kib
        self.dump = json.loads(out) if status == 0 and out.lstrip().startswith("{") else None
        self.out = out

    def findings(self):
        return [finding["id"] for finding in self.dump["findings"] + self.dump["vm"]["findings"]]


def ask(path, *arguments, timeout=120):
    outputs = [open(os.path.join(SCRATCH, name), "w+b") for name in ("out", "err")]
    started = time.monotonic()
    process = subprocess.Popen([DUMP, "--spool", SPOOL, *arguments, path], stdout=outputs[0],
                               stderr=outputs[1])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    texts = []
    for output in outputs:
        output.seek(0)
        texts.append(output.read().decode("utf-8", "replace"))
        output.close()
    return Answer(process.returncode, *texts, time.monotonic() - started, usage.ru_maxrss)


def other_files_opened(path, *arguments):
    """What is opened beside the package, as names. What is absent or refused was not opened."""
    trace = os.path.join(SCRATCH, "trace")
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    subprocess.run(["strace", "-f", "-qq", "-s", "4096", "-o", trace, "-e",
                    "trace=open,openat,openat2,creat,execve,connect", DUMP, "--spool", SPOOL,
                    *arguments, path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=environment)
    ours = (DUMP, SPOOL, path, os.path.dirname(path), *arguments)
    opened = []
    with open(trace, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            call = re.match(r'\d+ +\w+\((AT_FDCWD, |\d+, )?"((?:[^"\\]|\\.)*)"(.*)', line)
            if not call or call[2].startswith(SYSTEM_FILES) or "= -1 E" in call[3]:
                continue
            # Beneath the folder that a descriptor holds; or the package and what was named.
            beneath = re.match(r"\d", call[1] or "") and not re.search(r"(^|/)\.\.(/|$)|^/", call[2])
            if not beneath and call[2] not in ours and not call[2].startswith(path + "/"):
                opened.append(call[2])
    os.unlink(trace)
    return opened


def refusal_problem(answer, expected):
    lines = answer.error.splitlines()
    if answer.status == 0:
        return "accepted"
    if not 10 <= answer.status <= 15:
        return f"status {answer.status}: {answer.error[-300:]}"
    if len(lines) != 1 or not lines[0].startswith("source-dump: "):
        return f"not one line: {answer.error[:300]}"
    if not re.search(expected, lines[0]):
        return f"says {lines[0]!r}, not /{expected}/"
    if any(ord(c) < 32 or ord(c) == 127 or 0x202a <= ord(c) <= 0x202e for c in lines[0]):
        return f"control characters in {lines[0]!r}"
    if answer.seconds > MAX_SECONDS:
        return f"took {answer.seconds:.1f} s"
    if not SANITIZED and answer.rss_kib > MAX_RSS_KIB:
        return f"took {answer.rss_kib} KiB of memory"
    return None


def refused(name, path, expected, *arguments):
    """A row: one line that matches, nothing left behind, nothing else opened."""
    before = sorted(os.listdir(FOLDER)), os.listdir(SPOOL)
    arguments = arguments or ("--disks",)
    problem = refusal_problem(ask(path, *arguments), expected)
    if problem is None and (sorted(os.listdir(FOLDER)), os.listdir(SPOOL)) != before:
        problem = "left files behind"
    if problem is None:
        opened = other_files_opened(path, *arguments)
        problem = f"opened {opened}" if opened else None
    row(name, problem)


def accepted(name, path, *arguments, findings=(), check=None, disks=(DISK_SHA256,)):
    """A row: these disk bytes, these findings among others; `check` says what is wrong or None."""
    answer = ask(path, "--disks", *arguments)
    problem = None
    if answer.status != 0:
        problem = f"status {answer.status}: {answer.error}"
    elif answer.dump["disks"] != list(disks):
        problem = f"disks are {answer.dump['disks']}"
    else:
        missing = [finding for finding in findings if finding not in answer.findings()]
        problem = f"no finding {missing}: {answer.findings()}" if missing else None
    if problem is None and check is not None:
        problem = check(answer.dump)
    if problem is None:
        opened = other_files_opened(path, "--disks", *arguments)
        problem = f"opened {opened}" if opened else None
    row(name, problem)
