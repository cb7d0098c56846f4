#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ovf_documents.py: documents and what they mean: ours in testdata/ovf, with the expected VMs beside
them, and those of others in the corpus. With --update the expected files are written anew: read the
difference before you commit it."""
import csv
import glob
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

from package import *

TESTDATA = os.path.join(os.environ["V2V_SOURCE_DIR"], "testdata", "ovf")
CORPUS = os.environ.get("V2V_CORPUS") or os.path.join(os.environ["V2V_SOURCE_DIR"], "..", "shared",
                                                      "corpus")

# Why a document of the corpus is refused; all the others are read.
NOT_OVF_1 = r"Envelope of namespace .*only OVF 1\.x and 2\.0"
OUTSIDE = r"File: href: name .* leads outside the package"
REFUSALS = {
    "ova/glance/testserver-bad-ovf.ova": r"illegal-xml\.ovf: line 2: not well-formed XML",
    "ova/glance/testserver-no-ovf.ova": r"there is no \.ovf file in it",
    "ova/ovirt-engine/sample-export-domain.tgz": NOT_OVF_1,
    "ovf/ganeti/wrong_manifest.ovf": r'wrong_manifest\.mf lists "new_disk\.vmdk": .*No such file',
    "tagBasedPlacement001.ovf": r"there is no VirtualSystem",
    "VM_OVF09.ovf": NOT_OVF_1,
    "VirtualHardware/Neg/empty_item.ovf": NOT_OVF_1,
    "DiskSection/Neg/no_capacity.ovf": NOT_OVF_1,
    "DiskSection/Pos/valid_stream_disk.ovf": NOT_OVF_1,
    "DiskMode/Pos/nvm001.ovf": NOT_OVF_1,
    "ProductSection/Pos/prop_type_uint64.ovf": NOT_OVF_1,
    "Envelope/Neg/identity_compression.ovf": NOT_OVF_1,
    "Envelope/Neg/invalid_empty_env.ovf": NOT_OVF_1,
    "Envelope/Pos/valid_bare_minimal2.ovf": NOT_OVF_1,
    "Envelope/Neg/invalid_env.ovf": r"the root element is FakeEnvelope, not Envelope",
    "Envelope_1_0/Neg/invalid_no_ref.ovf": r'fileRef="file1": no such File',
    "DiskSection_1_0/Neg/not_in_order_disks.ovf": OUTSIDE,
    "DiskSection_1_0/Neg/inside_content.ovf": OUTSIDE,
    "VirtualHardware_1_0/Neg/maxwith_nonormal.ovf": OUTSIDE,
}
# Facts of documents that others answered too: memory in MiB, CPUs, disks, adapters.
FACTS = {
    "ovf/cot/csr1000v.ovf": (4096, 1, 1, 3),
    "ovf/govmomi/external/SimpleVm.ovf": (1024, 2, 1, 1),
    "ovf/govmomi/external/WindowsServer2008/Windows Server 2008 R2 x64.ovf": (2048, 2, 1, 1),
    "ovf/govmomi/external/sun..vhw/sun..vhw.ovf": (1024, 1, 2, 1),
    "ovf/govmomi/uber.ovf": (512, 1, 1, 1),
}
BUS_OF_LIBVIRT = {"ide": {"ide", "sata"}, "scsi": {"scsi"}}


def names_of(path):
    answer = ask(path, "--list")
    return answer, answer.out.splitlines()


def describe_all(path):
    """(problem, {name: VM})"""
    answer, names = names_of(path)
    if answer.status != 0:
        return f"status {answer.status}: {answer.error}", {}
    vms = {}
    for name in names:
        answer = ask(path, "--vm", name)
        if answer.status != 0:
            return f"{name}: status {answer.status}: {answer.error}", {}
        vms[name] = answer.dump["vm"]
    return None, vms


def fixtures(update):
    for path in sorted(glob.glob(os.path.join(TESTDATA, "*.ovf"))):
        expected_path = path[:-len(".ovf")] + ".json"
        problem, vms = describe_all(path)
        if update and problem is None:
            with open(expected_path, "w", encoding="utf-8") as file:
                json.dump(vms, file, indent=1, ensure_ascii=False)
                file.write("\n")
        with open(expected_path, encoding="utf-8") as file:
            expected = json.load(file)
        if problem is None and vms != expected:
            problem = next(f"{key}: {vm[key]} is not {expected.get(name, {}).get(key)}"
                           for name, vm in vms.items() for key in vm
                           if vm[key] != expected.get(name, {}).get(key))
        row(os.path.basename(path), problem)


def corpus_document(path, name):
    expected = next((text for end, text in REFUSALS.items() if name.endswith(end)), None)
    problem, vms = describe_all(path)
    if expected is not None:
        if problem is None:
            return "accepted"
        return None if re.search(expected, problem) else f"says {problem!r}, not /{expected}/"
    if problem is None and name in FACTS:
        vm = next(iter(vms.values()))
        found = (vm["memory"] >> 20, vm["vcpus"], len(vm["disks"]), len(vm["nics"]))
        problem = None if found == FACTS[name] else f"{found} is not {FACTS[name]}"
    return problem


def libvirt_answer(path, expected_path):
    """What virt-manager's virtconv made of the same document."""
    with open(expected_path, encoding="utf-8") as file:
        domain = xml.etree.ElementTree.fromstring(file.read().split("</domain>")[0] + "</domain>")
    problem, vms = describe_all(path)
    if problem is not None:
        return problem
    vm = next(iter(vms.values()))
    disks = domain.findall("devices/disk[@device='disk']")
    pairs = [("memory", vm["memory"] // 1024, int(domain.findtext("memory"))),
             ("vcpu", vm["vcpus"], int(domain.findtext("vcpu"))),
             ("annotation", vm["annotation"], domain.findtext("description")),
             ("disks", len(vm["disks"]), len(disks))]
    for what, ours, theirs in pairs:
        if ours != theirs:
            return f"{what}: {ours} is not {theirs}"
    return None


def corpus_digests():
    """Disks inside the OVAs of the corpus, against what other readers found in them."""
    with open(os.path.join(CORPUS, "MANIFEST.tsv"), encoding="utf-8") as file:
        rows = [fields for fields in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                if fields and fields[0].startswith("(unpacked)/ova/") and len(fields) > 8]
    for fields in rows:
        name, _, inner = fields[0][len("(unpacked)/"):].partition(".d/")
        if len(fields[8]) != 64 or not name.endswith(".ova"):
            continue
        answer = ask(os.path.join(CORPUS, name), "--disks")
        problem = f"status {answer.status}: {answer.error}" if answer.status != 0 else None
        if problem is None and fields[8] not in answer.dump["disks"]:
            problem = f"{answer.dump['disks']}, not {fields[8]}"
        row(f"{name}: the bytes of {inner}", problem)


def corpus():
    if not os.path.isdir(CORPUS):
        print(f"NO CORPUS at {CORPUS}: real documents are not read", file=sys.stderr)
        skip("corpus", f"there is no {CORPUS}")
        return
    found = sorted(glob.glob(os.path.join(glob.escape(CORPUS), "o*", "**", "*.*"), recursive=True))
    for path in found:
        name = os.path.relpath(path, CORPUS)
        if name.startswith(("ova/", "ovf/")) and name.endswith((".ovf", ".ova", ".tgz")):
            row(name, corpus_document(path, name))
    inputs = os.path.join(CORPUS, "virt-manager-virtconv", "ovf_input")
    outputs = os.path.join(CORPUS, "virt-manager-virtconv", "libvirt_output")
    for source, answer in (("test_gzip.ovf", "ovf2libvirt_test_gzip.libvirt"),
                           ("ovf_directory", "ovf2libvirt_ovf_directory.libvirt")):
        row(f"virtconv: {source}", libvirt_answer(os.path.join(inputs, source),
                                                  os.path.join(outputs, answer)))
    corpus_digests()


fixtures("--update" in sys.argv)
corpus()
done()
