#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""guest.py: the whole migration of a real guest, v2v against virt-v2v, in turns, phase by phase."""
import argparse
import json
import os
import re
import shutil
import tempfile

from measure import Comparison, Run, in_turns


class Migration:
    def __init__(self, options):
        self.ova, self.v2v = options.ova, options.v2v
        self.folder = tempfile.mkdtemp(prefix="guest.", dir=options.folder)
        self.env = dict(os.environ, LIBGUESTFS_BACKEND="direct")
        if not options.kvm:
            self.env["LIBGUESTFS_BACKEND_SETTINGS"] = "force_tcg"
        self.virt_type = "auto" if options.kvm else "qemu"

    def path(self, name):
        return os.path.join(self.folder, name)

    def empty(self, name):
        shutil.rmtree(self.path(name), ignore_errors=True)
        os.mkdir(self.path(name))
        os.sync()
        return self.path(name)

    def run_v2v(self):
        target = self.empty("ours")
        run = Run([self.v2v, "migrate", "-q", "--from", self.ova, "--to", f"dir:{target}",
                   "--virt-type", self.virt_type, "--report", self.path("report.json"), "--force"],
                  log=self.path("v2v.log"), env=self.env)
        with open(self.path("report.json"), encoding="utf-8") as file:
            run.phases = [(phase["phase"], phase["start"], phase["end"])
                          for phase in json.load(file)["phases"]]
        return run

    def run_virt_v2v(self):
        target = self.empty("theirs")
        run = Run(["virt-v2v", "-i", "ova", self.ova, "-o", "local", "-os", target, "-of", "qcow2"],
                  log=self.path("virt-v2v.log"), env=self.env)
        with open(self.path("virt-v2v.log"), encoding="utf-8", errors="replace") as file:
            starts = [(float(seconds), name) for seconds, name in
                      re.findall(r"^\[ *([0-9.]+)\] (.*)$", file.read(), re.MULTILINE)]
        ends = [seconds for seconds, _ in starts[1:]] + [run.seconds]
        run.phases = [(name, start, end) for (start, name), end in zip(starts, ends)]
        return run


def print_phases(title, run):
    print(f"\n{title}: {run.seconds:.1f} s, {run.processor_seconds:.0f} s of processors")
    for name, start, end in run.phases:
        print(f"  {start:7.1f} to {end:7.1f}  {end - start:7.1f} s  {name}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ova", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--v2v", required=True)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--kvm", action="store_true", help="let the appliance use KVM")
    options = parser.parse_args()
    migration = Migration(options)
    try:
        print(f"{options.pairs} pairs, {os.cpu_count()} processors; "
              f"load {os.getloadavg()[0]:.1f} at the start", flush=True)
        results = in_turns(migration.run_v2v, migration.run_virt_v2v, options.pairs)
        for number, (ours, theirs) in enumerate(results, 1):
            print(f"pair {number}: v2v {ours.seconds:.1f} s, virt-v2v {theirs.seconds:.1f} s")
        c = Comparison(results)
        print(f"medians: v2v {c.ours:.1f} s, virt-v2v {c.theirs:.1f} s: {c.ratio:.2f} times faster"
              f" ({c.least:.2f} to {c.most:.2f})")
        print_phases("v2v, last run", results[-1][0])
        print_phases("virt-v2v, last run", results[-1][1])
    finally:
        shutil.rmtree(migration.folder)


if __name__ == "__main__":
    main()
