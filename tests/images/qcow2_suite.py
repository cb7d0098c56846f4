# SPDX-License-Identifier: Apache-2.0
"""qcow2_suite.py: what the qcow2 suites share: images in, digests and other tools' opinions out."""
import atexit
import hashlib
import json
import os
import random
import shutil
import subprocess

from image_suite import Run, Suite, cost_faults, refusal_faults

TOOLS = os.path.join(os.environ["V2V_BUILD_DIR"], "tests", "images")
_suite = Suite()
SCRATCH = _suite.folder
OUT_FOLDER = os.path.join(SCRATCH, "out")
OUT = os.path.join(OUT_FOLDER, "out.raw")
os.mkdir(OUT_FOLDER)
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)

skip = _suite.skip
done = _suite.finish


def row(name, problem=None):
    """One TAP row; `problem` None: it went well."""
    _suite.ok(problem is None, name, problem)


def note(text):
    print(f"# {text}", flush=True)


def path(name):
    return os.path.join(SCRATCH, name)


def run(*command):
    """A tool that must succeed; its output."""
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=SCRATCH).stdout


def image_tool(*arguments):
    """The library without the program around it."""
    return Run(arguments, program=os.path.join(TOOLS, "image_tool"), timeout=120)


def problem_of(result):
    if result.status == 0:
        return None
    return f"status {result.status}: {' '.join(result.lines()) or 'not a word'}"


def digest(name):
    """SHA-256 of a file; holes are read as the zeroes they are."""
    sha = hashlib.sha256()
    with open(name, "rb", buffering=0) as file:
        while piece := file.read(1 << 20):
            sha.update(piece)
    return sha.hexdigest()


def convert(image, trace=False):
    """The guest's bytes into OUT."""
    return Run(["convert", "-q", "-O", "raw", image, OUT], trace=trace, timeout=120)


def take_digest():
    found = digest(OUT)
    os.unlink(OUT)
    return found


def read_problem(image, expected):
    """Why v2v does not read these bytes, or None."""
    problem = problem_of(convert(image))
    if problem is None and take_digest() != expected:
        problem = "other bytes than expected"
    return problem


def opened_problem(traced, image, also_opened):
    """Nothing but the image, its folder, the target and the names in also_opened was opened."""
    folder = os.path.dirname(image)
    allowed = {image, folder, *(os.path.join(folder, name) for name in also_opened)}
    opened = [file for file in traced.opened
              if file not in allowed and not file.startswith(OUT_FOLDER)]
    return f"opened {opened}" if opened else None


def refused(name, image, expected, also_opened=(), status=None):
    """A row: one line that matches, nothing left, no other file opened, little time and memory."""
    before = sorted(os.listdir(os.path.dirname(image)))
    faults = refusal_faults(convert(image), OUT, expected, status)
    opened = opened_problem(convert(image, trace=True), image, also_opened)
    if sorted(os.listdir(os.path.dirname(image))) != before:
        faults.append("the image's folder changed")
    row(name, "\n".join(faults + ([opened] if opened else [])) or None)


def accepted(name, image, expected, warning=None):
    """A row: the image reads as these bytes, with this warning and no other word."""
    result = convert(image)
    faults = cost_faults(result)
    text = " ".join(result.lines())
    if result.status != 0:
        faults.append(problem_of(result))
    elif take_digest() != expected:
        faults.append("other bytes than expected")
    elif (warning or "") not in text or (warning is None and text):
        faults.append(f"says {text!r}, not {warning!r}")
    traced = convert(image, trace=True)
    if os.path.exists(OUT):
        os.unlink(OUT)
    opened = opened_problem(traced, image, ())
    row(name, "\n".join(faults + ([opened] if opened else [])) or None)


def qemu_check_problem(image):
    """What qemu-img check has to say against an image, or None."""
    result = subprocess.run(["qemu-img", "check", "--output=json", image], capture_output=True,
                            text=True)
    if result.returncode != 0:
        return f"qemu-img check: status {result.returncode}: {result.stdout} {result.stderr}"
    report = json.loads(result.stdout)
    bad = {key: report[key] for key in ("check-errors", "leaks", "corruptions") if report.get(key)}
    return f"qemu-img check: {bad}" if bad else None


def qemu_digest(image):
    """Of the guest's bytes as QEMU reads them."""
    raw = path("qemu.raw")
    run("qemu-img", "convert", "-O", "raw", image, raw)
    found = digest(raw)
    os.unlink(raw)
    return found


def libqcow_problem(image):
    """What libqcow reads otherwise, or None."""
    result = Run([image], program=os.path.join(TOOLS, "second_reader_qcow"))
    return f"second reader: {result.out.decode()}" if result.status else None


def guest_contents(name, size, seed):
    """A raw file of zeroes, text and noise in runs of all lengths."""
    chance = random.Random(seed)
    text = b"".join(b"%d: a line of text that compresses as text does\n" % i for i in range(9000))
    with open(name, "wb") as file:
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
    return name
