#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""images.py: v2v convert against qemu-img convert with its best options, in turns."""
import argparse
import os
import subprocess

from measure import Comparison, Run, in_turns

# Source, target, how v2v is asked to write, how qemu-img is.
PAIRS = {
    "stream-qcow2": ("stream.vmdk", "qcow2", [], []),
    "stream-raw": ("stream.vmdk", "raw", [], []),
    "sparse-qcow2": ("sparse.vmdk", "qcow2", [], []),
    "qcow2-raw": ("plain.qcow2", "raw", [], []),
    "zlib-raw": ("zlib.qcow2", "raw", [], []),
    "zstd-raw": ("zstd.qcow2", "raw", [], []),
    "raw-qcow2": ("disk.raw", "qcow2", [], []),
    "raw-raw": ("disk.raw", "raw", [], []),
    "raw-zlib": ("disk.raw", "qcow2", ["--compress", "zlib"], ["-c"]),
    "raw-zstd": ("disk.raw", "qcow2", ["--compress", "zstd"],
                 ["-c", "-o", "compression_type=zstd"]),
}
QEMU_CHOICES = {"default": [], "-m 16 -W": ["-m", "16", "-W"]}


class Pair:
    def __init__(self, name, options):
        self.name = name
        source, self.format, self.ours, self.theirs = PAIRS[name]
        self.source = os.path.join(options.folder, source)
        self.source_format = source.rsplit(".", 1)[1]
        self.target = os.path.join(options.folder, "target")
        self.v2v, self.flush = options.v2v, options.flush
        self.qemu_options = []

    def clear(self):
        """No run pays for what another left behind."""
        if os.path.exists(self.target):
            os.unlink(self.target)
        os.sync()

    def run_v2v(self):
        self.clear()
        return Run([self.v2v, "convert", "-q", "-f", self.source_format, "-O", self.format,
                    *self.ours, self.source, self.target])

    def run_qemu(self, options=None):
        self.clear()
        cache = ["-t", "writeback"] if self.flush else []
        return Run(["qemu-img", "convert", "-f", self.source_format, "-O", self.format, *cache,
                    *self.theirs, *(self.qemu_options if options is None else options),
                    self.source, self.target])

    def verify(self, raw):
        subprocess.run(["qemu-img", "compare", "-f", "raw", "-F", self.format, raw, self.target],
                       check=True, stdout=subprocess.DEVNULL)

    def measure(self, pairs, raw):
        self.run_v2v()
        self.verify(raw)
        first = {name: self.run_qemu(options).seconds for name, options in QEMU_CHOICES.items()}
        best = min(first, key=first.get)
        self.qemu_options = QEMU_CHOICES[best]
        comparison = Comparison(in_turns(self.run_v2v, self.run_qemu, pairs))
        self.clear()
        return best, comparison


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", metavar="PAIR", help=", ".join(PAIRS))
    parser.add_argument("--folder", required=True)
    parser.add_argument("--v2v", required=True)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--flush", action="store_true",
                        help="qemu-img puts its target on stable media too, as v2v always does")
    options = parser.parse_args()
    for name in options.names:
        if name not in PAIRS:
            parser.error(f"no pair {name}; there are: {' '.join(PAIRS)}")
    raw = os.path.join(options.folder, "disk.raw")
    print(f"medians of {options.pairs} pairs, {os.cpu_count()} processors; "
          f"load {os.getloadavg()[0]:.1f} at the start")
    print(f"{'pair':13} {'v2v s':>7} {'qemu s':>7} {'faster':>7} {'min':>5} {'max':>5}"
          f" {'cpu s':>6} {'qemu':>6} {'MiB':>5} {'qemu':>5}  qemu-img options", flush=True)
    for name in options.names or PAIRS:
        best, c = Pair(name, options).measure(options.pairs, raw)
        print(f"{name:13} {c.ours:7.2f} {c.theirs:7.2f} {c.ratio:6.2f}x {c.least:5.2f} {c.most:5.2f}"
              f" {c.processor:6.2f} {c.processor_theirs:6.2f} {c.rss_mib:5.0f}"
              f" {c.rss_mib_theirs:5.0f}  {best}", flush=True)


if __name__ == "__main__":
    main()
