# SPDX-License-Identifier: Apache-2.0
"""suite.py: what the image suites share: TAP rows, the tool under test, digests, refusals."""
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

TOOL = os.path.join(os.environ["V2V_BUILD_DIR"], "tests", "images", "image_tool")
SANITIZED = b"__asan_init" in open(TOOL, "rb").read()
SCRATCH = tempfile.mkdtemp(prefix="images.", dir=os.environ.get("TMPDIR", "/var/tmp"))
MAX_SECONDS = 2 if not SANITIZED else 20
MAX_RSS_GROWTH_KIB = 64 * 1024

# What any program opens; everything else must be the image itself or the target.
SYSTEM_FILES = ("/lib", "/usr/", "/etc/ld.so", "/proc/self/", "/proc/sys/", "/proc/cpuinfo",
                "/proc/filesystems", "/sys/devices/system/cpu", "/sys/kernel/mm", "/dev/urandom")

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
    print(f"1..{_rows}")
    sys.exit(1 if _failed else 0)


def note(text):
    print(f"# {text}", flush=True)


def run(*command, cwd=SCRATCH):
    """A tool that must succeed; its output."""
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd).stdout


class Result:
    def __init__(self, status, error, seconds, rss_kib):
        self.status, self.error, self.seconds, self.rss_kib = status, error, seconds, rss_kib


def tool(*arguments, timeout=120):
    """The tool under test; never raises for what it answers."""
    errors = tempfile.TemporaryFile(dir=SCRATCH)
    started = time.monotonic()
    process = subprocess.Popen([TOOL, *arguments], stdout=subprocess.DEVNULL, stderr=errors)
    deadline = started + timeout
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            return Result(-9, "did not end", timeout, 0)
        time.sleep(0.001)
    process.returncode = os.waitstatus_to_exitcode(status)
    errors.seek(0)
    text = errors.read().decode("utf-8", "replace")
    return Result(process.returncode, text, time.monotonic() - started, usage.ru_maxrss)


def digest(path):
    """SHA-256 of a file; holes are read as the zeroes they are."""
    sha = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(1 << 20):
            sha.update(piece)
    return sha.hexdigest()


def read_image(image, *arguments):
    """(problem, digest) of the guest's bytes as the tool reads them."""
    out = os.path.join(SCRATCH, "out.raw")
    result = tool("read", image, out, *arguments)
    if result.status != 0:
        return f"status {result.status}: {result.error}", None
    found = digest(out)
    os.unlink(out)
    return None, found


def other_files_opened(image, *arguments):
    """What the tool opens besides the image and the target, as a list of names."""
    trace = os.path.join(SCRATCH, "trace")
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")  # no leak check under ptrace
    subprocess.run(["strace", "-f", "-qq", "-s", "4096", "-o", trace, "-e",
                    "trace=open,openat,openat2,creat,execve,connect", TOOL, "read", image,
                    os.path.join(SCRATCH, "out.raw"), *arguments],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    opened = []
    with open(trace, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            call = re.match(r'\d+ +(\w+)\((?:AT_FDCWD, |\d+, )?"((?:[^"\\]|\\.)*)"(.*)', line)
            if not call or call[2].startswith(SYSTEM_FILES):
                continue
            absent = re.search(r"= -1 E(NOENT|LOOP|XDEV|ACCES|NOTDIR)", call[3])
            ours = call[2] in (image, TOOL, os.path.dirname(image), SCRATCH) or \
                os.path.basename(call[2]).startswith(".out.raw")
            if not ours and not absent:
                opened.append(call[2])
    os.path.exists(os.path.join(SCRATCH, "out.raw")) and os.unlink(
        os.path.join(SCRATCH, "out.raw"))
    return opened


_baseline = None


def set_baseline(good_image):
    """Memory that reading a harmless image takes: refusals are measured against it."""
    global _baseline
    _baseline = tool("read", good_image, os.path.join(SCRATCH, "out.raw")).rss_kib
    os.unlink(os.path.join(SCRATCH, "out.raw"))


def refusal_problem(result, expected):
    """Why this is not one line of refusal that matches, or None."""
    lines = result.error.splitlines()
    if result.status == 0:
        return "accepted"
    if not 10 <= result.status <= 15:
        return f"status {result.status}: {result.error[-300:]}"
    if len(lines) != 1 or not lines[0].startswith("image_tool: "):
        return f"not one line: {result.error[:300]}"
    if not re.search(expected, lines[0]):
        return f"says {lines[0]!r}, not /{expected}/"
    if any(ord(c) < 32 or ord(c) == 127 for c in lines[0]):
        return f"control bytes in {lines[0]!r}"
    if result.seconds > MAX_SECONDS:
        return f"took {result.seconds:.1f} s"
    if _baseline and not SANITIZED and result.rss_kib > _baseline + MAX_RSS_GROWTH_KIB:
        return f"took {result.rss_kib} KiB of memory, {_baseline} is usual"
    return None


def refused(name, image, expected, *arguments, also_opened=()):
    """A row: the image is refused with a line that matches, nothing is left, nothing else opened
    (but for the names in also_opened)."""
    before = sorted(os.listdir(SCRATCH))
    folder_before = sorted(os.listdir(os.path.dirname(image)))
    result = tool("read", image, os.path.join(SCRATCH, "out.raw"), *arguments)
    problem = refusal_problem(result, expected)
    if problem is None and (sorted(os.listdir(SCRATCH)) != before or
                            sorted(os.listdir(os.path.dirname(image))) != folder_before):
        problem = "left files behind"
    if problem is None:
        opened = [file for file in other_files_opened(image, *arguments)
                  if file not in also_opened]
        problem = f"opened {opened}" if opened else None
    row(name, problem)


def accepted(name, image, expected_digest, finding=None):
    """A row: the image reads as these bytes, and nothing else is opened."""
    out = os.path.join(SCRATCH, "out.raw")
    result = tool("read", image, out)
    problem = None
    if result.status != 0:
        problem = f"status {result.status}: {result.error}"
    elif digest(out) != expected_digest:
        problem = "other bytes than expected"
    elif (finding or "") not in result.error or (finding is None and result.error):
        problem = f"says {result.error!r}, not {finding!r}"
    if os.path.exists(out):
        os.unlink(out)
    if problem is None:
        opened = other_files_opened(image)
        problem = f"opened {opened}" if opened else None
    row(name, problem)


QEMU_IMG_CHECK_CLEAN = ("check-errors", "leaks", "corruptions")


def qemu_check_problem(image):
    """What qemu-img check has to say against an image, or None."""
    result = subprocess.run(["qemu-img", "check", "--output=json", image], capture_output=True,
                            text=True)
    if result.returncode != 0:
        return f"qemu-img check: status {result.returncode}: {result.stdout} {result.stderr}"
    report = json.loads(result.stdout)
    bad = {key: report[key] for key in QEMU_IMG_CHECK_CLEAN if report.get(key)}
    return f"qemu-img check: {bad}" if bad else None


def qemu_digest(image, *options):
    """The guest's bytes as QEMU reads them."""
    raw = os.path.join(SCRATCH, "qemu.raw")
    run("qemu-img", "convert", *options, "-O", "raw", image, raw)
    found = digest(raw)
    os.unlink(raw)
    return found


def libqcow_problem(image):
    """What libqcow reads otherwise, or None."""
    reader = os.path.join(os.path.dirname(TOOL), "second_reader_qcow")
    result = subprocess.run([reader, image], capture_output=True, text=True)
    return f"second reader: {result.stdout}" if result.returncode else None


def guest_contents(path, size, seed):
    """A raw file of zeroes, text and noise in runs of all lengths."""
    chance = random.Random(seed)
    text = b"".join(b"%d: a line of text that compresses as text does\n" % i for i in range(9000))
    with open(path, "wb") as file:
        file.truncate(size)
        at = 0
        while at < size:
            length = min(size - at, int(512 * 2 ** chance.uniform(0, 11)))
            kind = chance.random()
            if kind < 0.6:
                file.seek(at)
                start = chance.randrange(1000)
                file.write(chance.randbytes(length) if kind < 0.3 else
                           (text + text)[start:start + length])
            at += length
    return path
