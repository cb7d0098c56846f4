#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ova_signed.py: packages signed by openssl: good, changed, by strangers, expired."""
import os

from package import *

KEYS = os.path.join(SCRATCH, "keys")
os.mkdir(KEYS)
GOOD = {"web.ovf": ovf(), "disk1.vmdk": VMDK}


def key(name):
    return os.path.join(KEYS, name)


def read(name):
    with open(key(name), "rb") as file:
        return file.read()


def make_authority(name):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
        f"/CN={name}", "-keyout", key(f"{name}.key"), "-out", key(f"{name}.pem"))


def make_signer(name, authority, days="30", *arguments):
    """A certificate by an authority."""
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout",
        key(f"{name}.key"), "-out", key(f"{name}.csr"))
    run("openssl", "x509", "-req", "-in", key(f"{name}.csr"), "-CA", key(f"{authority}.pem"),
        "-CAkey", key(f"{authority}.key"), "-CAcreateserial", "-days", days, "-out",
        key(f"{name}.pem"), *arguments)


def sign(text, signer, algorithm="SHA256", name="web.mf", chain=()):
    """As ovftool writes it: a line with the signature, then the certificates."""
    with open(key("text"), "wb") as file:
        file.write(text)
    run("openssl", "dgst", f"-{algorithm.lower()}", "-sign", key(f"{signer}.key"), "-out",
        key("signature"), key("text"))
    line = f"{algorithm}({name})= {read('signature').hex()}\n".encode()
    return line + b"".join(read(f"{certificate}.pem") for certificate in (signer, *chain))


def package(cert, text=None):
    text = manifest(GOOD) if text is None else text
    return save(tar({"web.ovf": ovf(), "web.mf": text, "web.cert": cert, "disk1.vmdk": VMDK}))


def main():
    text = manifest(GOOD)
    trust = ("--ca", key("authority.pem"))
    make_authority("authority")
    make_authority("stranger")
    make_signer("signer", "authority")
    with open(key("ca.ext"), "w", encoding="ascii") as file:
        file.write("basicConstraints=critical,CA:TRUE\n")
    make_signer("middle", "authority", "30", "-extfile", key("ca.ext"))
    make_signer("leaf", "middle")
    make_signer("old", "authority", "-1")

    for algorithm in ("SHA1", "SHA256", "SHA512"):
        accepted(f"signed, {algorithm}, trusted", package(sign(text, "signer", algorithm)), *trust,
                 check=lambda dump: [finding["id"] for finding in dump["findings"]] or None)
    accepted("signed by a chain of three", package(sign(text, "leaf", chain=["middle"])), *trust)
    refused("a link of the chain is missing", package(sign(text, "leaf")),
            r"web\.cert: signed by .*CN ?= ?leaf.*does not vouch", "--disks", *trust)
    accepted("signed, nobody asked whom to trust", package(sign(text, "signer")),
             findings=["ovf.signer-unknown"])
    accepted("self-signed, nobody asked", package(sign(text, "stranger")),
             findings=["ovf.signer-unknown"])
    refused("self-signed, --ca of another", package(sign(text, "stranger")),
            r"web\.cert: signed by .*stranger.*does not vouch", "--disks", *trust)
    accepted("self-signed, --ca of itself", package(sign(text, "stranger")), "--ca",
             key("stranger.pem"))
    accepted("expired", package(sign(text, "old")), *trust, findings=["ovf.certificate-expired"])

    refused("111 signature of another manifest", package(sign(text + b"\n", "signer")),
            r"web\.cert: the SHA256 signature is not that of the manifest")
    changed = sign(text, "signer").replace(b"= ", b"= 00", 1)
    refused("111 signature of another length", package(changed), r"web\.cert: the SHA256 signature")
    flipped = bytearray(sign(text, "signer"))
    flipped[40] = ord("0") if flipped[40] != ord("0") else ord("1")
    refused("111 one digit changed", package(bytes(flipped)), r"web\.cert: the SHA256 signature")
    refused("111 algorithm changed",
            package(sign(text, "signer").replace(b"SHA256", b"SHA512", 1)),
            r"web\.cert: the SHA512 signature")
    refused("111 certificate of another", package(sign(text, "signer").split(b"-----BEGIN")[0] +
                                                  read("stranger.pem")),
            r"web\.cert: the SHA256 signature")
    refused("111 manifest changed after signing", package(
        sign(text, "signer"), manifest({**GOOD, "disk1.vmdk": b"other"})),
        r"web\.cert: the SHA256 signature")
    refused("111 signs another name", package(sign(text, "signer", name="other.mf")),
            r'web\.cert: the signature is for "other\.mf", not for "web\.mf"')
    refused("111 no certificate", package(sign(text, "signer").split(b"-----BEGIN")[0]),
            r"web\.cert: there is no PEM certificate")
    refused("111 no signature", package(read("signer.pem")), r"web\.cert: signature: ")
    refused("111 empty .cert", package(b""), r"web\.cert: signature: ")
    refused("111 .cert without .mf", save(tar({**GOOD, "web.cert": sign(text, "signer")})),
            r"web\.cert signs a manifest that is not there")
    refused("111 .cert of 2 MiB", package(sign(text, "signer") + b"x" * (2 << 20)),
            r"web\.cert: .*the limit is 1048576")
    refused("--ca, but not signed", save(tar({"web.mf": text, **GOOD})),
            r"--ca was given, but the package is not signed", "--disks", *trust)
    refused("--ca is no certificate", package(sign(text, "signer")), r"no certificates in PEM",
            "--disks", "--ca", key("text"))
    done()


main()
