"""OpenPGP version 4 with GnuPG: chapter "Security" of the specification.

`gpg` makes keys, encrypts, decrypts and verifies. The signed messages are put
together here, because GnuPG can't name the intended recipients in a signature;
its agent signs their digests, so that no secret key is ever in this program.
"""

import base64
import bz2
import hashlib
import re
import subprocess
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

ESK, SIGNATURE, ONE_PASS, PUBLIC_KEY, COMPRESSED, LITERAL, PASSWORD, SEALED = 1, 2, 4, 6, 8, 11, 3, 18
ED25519, SHA512 = 22, 10
STRONG = {8, 9, 10}  # SHA-256, SHA-384, SHA-512
SUBKEY = 14
CREATED, ISSUER_KEY, NOTATION, FLAGS, ISSUER, INTENDED = 2, 16, 20, 27, 33, 35
KNOWN = {CREATED, 3, ISSUER_KEY, NOTATION, ISSUER, INTENDED}
DECOMPRESSED = 32 * 1024 * 1024


class Bad(Exception):
    """Something that breaks a rule, by the name of the violation."""


class NotMine(Exception):
    """Encrypted to other keys."""


@dataclass
class Certificate:
    """A certificate that GnuPG finds usable now."""

    octets: bytes
    fingerprint: str  # of the primary key
    ring: Path  # a keyring with nothing else in it

    @property
    def hash(self):
        return hashlib.sha256(self.octets).hexdigest()

    def key_packet(self):
        return packet(*next(packets(self.octets)))

    def key_hash(self):
        return key_hash(self.key_packet())


@dataclass
class Signature:
    """A version 4 signature, its hashed area read."""

    kind: int
    digest: int
    created: int
    purposes: list
    intended: list
    critical: bool  # something unknown that must be known


class Keyring:
    """A home folder of GnuPG with the own secret keys, gone with this object."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="kith")
        self.home = Path(self.folder.name)

    def close(self):
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "gpg-agent"], check=False)
        self.folder.cleanup()

    def gpg(self, now, *arguments, octets=b"", check=True):
        """Runs gpg at that time; its output and its status lines."""
        status = self.home / "status"
        command = [
            "gpg", "--homedir", self.home, "--batch", "--quiet", "--no-tty", "--yes",
            "--faked-system-time", f"{now:%Y%m%dT%H%M%S}!", "--trust-model", "always",
            "--pinentry-mode", "loopback", "--passphrase", "", "--no-auto-check-trustdb",
            "--status-file", status, *arguments,
        ]  # fmt: skip
        done = subprocess.run(command, input=octets, capture_output=True, check=False)
        if check and done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout, status.read_text(errors="replace") if status.exists() else ""

    def generate(self, name, address, now):
        """A new key: primary for certifying and signing, a subkey for encryption."""
        user_id = f"{name} <{address}>"
        _, status = self.gpg(
            now, "--allow-freeform-uid", "--quick-generate-key", user_id,
            "future-default", "default", "never",
        )  # fmt: skip
        fingerprint = re.search(r"KEY_CREATED \w ([0-9A-F]{40})", status)[1]
        octets, _ = self.gpg(now, "--export-options", "export-minimal", "--export", fingerprint)
        return self.certificate(octets, now)

    def certificate(self, octets, now):
        """Judges a certificate at that time: flags, expiry, revocation, subkey."""
        if len(octets) > 24576:
            raise Bad("certificate-too-large")
        ring = self.home / (hashlib.sha256(octets).hexdigest() + ".kbx")
        one = ["--no-default-keyring", "--keyring", ring]
        if not ring.exists():
            self.gpg(now, *one, "--import-options", "keep-ownertrust", "--import", octets=octets, check=False)
        listing, _ = self.gpg(now, *one, "--with-colons", "--list-keys", check=False)
        lines = [line.split(":") for line in listing.decode(errors="replace").splitlines()]
        keys = [line for line in lines if line[0] == "pub"]
        if len(keys) != 1:
            raise Bad("certificate-malformed")
        fingerprint = next(line[9] for line in lines if line[0] == "fpr")
        validity, usable = keys[0][1], keys[0][11]
        for broken, violation in [
            (validity == "r", "certificate-revoked"),
            (validity == "e", "certificate-expired"),
            ("S" not in usable or "C" not in usable or not well_bound(octets), "certificate-flags"),
            ("E" not in usable, "certificate-no-encryption"),
        ]:
            if broken:
                raise Bad(violation)
        return Certificate(octets, fingerprint, ring)

    def sign(self, certificate, octets, now, purpose, intended=()):
        """One-pass signature, literal and signature, with the purpose as notation."""
        fingerprint = bytes.fromhex(certificate.fingerprint)
        hashed = (
            subpacket(CREATED, int(now.timestamp()).to_bytes(4, "big"))
            + subpacket(ISSUER, b"\x04" + fingerprint)
            + subpacket(NOTATION, notation("kith", purpose))
            + b"".join(subpacket(INTENDED, b"\x04" + bytes.fromhex(one)) for one in intended)
        )
        head = bytes([4, 0x00, ED25519, SHA512]) + len(hashed).to_bytes(2, "big") + hashed
        trailer = b"\x04\xff" + len(head).to_bytes(4, "big")
        digest = hashlib.sha512(octets + head + trailer).digest()
        unhashed = subpacket(ISSUER_KEY, fingerprint[-8:])
        signature = head + len(unhashed).to_bytes(2, "big") + unhashed + digest[:2]
        signature += b"".join(number(part) for part in self.sign_digest(certificate, digest, now))
        one_pass = bytes([3, 0x00, SHA512, ED25519]) + fingerprint[-8:] + b"\x01"
        literal = b"b" + b"\x00" + bytes(4) + octets
        return packet(ONE_PASS, one_pass) + packet(LITERAL, literal) + packet(SIGNATURE, signature)

    def sign_digest(self, certificate, digest, now):
        """R and S of an Ed25519 signature, by GnuPG's agent."""
        listing, _ = self.gpg(now, "--with-colons", "--with-keygrip", "--list-keys", certificate.fingerprint)
        grip = re.search(r"^grp:+([0-9A-F]{40}):", listing.decode(), re.MULTILINE)[1]
        lines = [
            "OPTION pinentry-mode=loopback", f"SIGKEY {grip}",
            f"SETHASH --hash=sha512 {digest.hex()}", "PKSIGN", "BYE",
        ]  # fmt: skip
        command = ["gpg-connect-agent", "--homedir", self.home, "--no-autostart", "--quiet"]
        done = subprocess.run(command, input="\n".join(lines).encode(), capture_output=True, check=True)
        answer = unescape(done.stdout)
        found = re.search(rb"\(1:r32:(.{32})\)\(1:s32:(.{32})\)", answer, re.DOTALL)
        if found is None:
            raise RuntimeError(f"gpg-agent doesn't sign: {done.stdout!r}")
        return found.groups()

    def encrypt(self, message, certificate, now):
        """A signed message, sealed to the certificate's encryption subkey; armored."""
        sealed, _ = self.gpg(
            now, "--no-default-keyring", "--keyring", certificate.ring, "--armor", "--no-literal",
            "--compress-algo", "none", "--recipient", certificate.fingerprint, "--encrypt",
            octets=message,
        )  # fmt: skip
        return sealed

    def decrypt(self, armored, now):
        """The packets in an envelope, and how many session keys it has."""
        outer = [kind for kind, _ in packets(dearmor(armored))]
        if PASSWORD in outer:
            raise Bad("password-packet")
        if SEALED not in outer:
            raise Bad("integrity" if 9 in outer else "envelope-malformed")
        inner, status = self.gpg(now, "--decrypt", "--unwrap", octets=armored, check=False)
        if "DECRYPTION_OKAY" not in status:
            raise NotMine() if "NO_SECKEY" in status else Bad("integrity")
        return uncompressed(inner), outer.count(ESK)

    def verify(self, message, certificate, now):
        """Whether the certificate's primary key made the signature in a message."""
        _, status = self.gpg(
            now, "--no-default-keyring", "--keyring", certificate.ring, "--ignore-time-conflict",
            "--verify", octets=message, check=False,
        )  # fmt: skip
        valid = re.search(r"VALIDSIG ([0-9A-F]{40})", status)
        return valid is not None and valid[1] == certificate.fingerprint


def parts(message):
    """Content and signature of a message of exactly the three packets of `sec.object-form`."""
    found = list(packets(message))
    if [kind for kind, _ in found] != [ONE_PASS, LITERAL, SIGNATURE]:
        raise Bad("object-malformed")
    literal = found[1][1]
    if literal[:1] != b"b" or len(literal) < 6 + literal[1]:
        raise Bad("object-malformed")
    return literal[6 + literal[1] :], signature(found[2][1])


def signature(body):
    """The fields of a signature, from its hashed area only."""
    if len(body) < 6 or body[0] != 4:
        raise Bad("object-malformed")
    hashed = body[6 : 6 + int.from_bytes(body[4:6], "big")]
    purposes, intended, created, critical = [], [], 0, False
    for kind, must, value in subpackets(hashed):
        critical |= must and kind not in KNOWN
        if kind == CREATED:
            created = int.from_bytes(value, "big")
        elif kind == INTENDED:
            intended.append(value[1:].hex().upper())
        elif kind == NOTATION:
            length = int.from_bytes(value[4:6], "big")
            if value[8 : 8 + length] == b"kith":
                purposes.append(value[8 + length :].decode(errors="replace"))
            else:
                critical |= must
    return Signature(body[1], body[3], created, purposes, intended, critical)


def check_signature(found, purpose, now):
    """The rules that GnuPG knows nothing of."""
    for broken, violation in [
        (found.kind != 0, f"{purpose}-signature-type"),
        (found.digest not in STRONG, "weak-hash"),
        (found.critical, "critical-unknown"),
        (len(found.purposes) != 1, "purpose-missing"),
        (found.purposes != [purpose], "purpose-wrong"),
        (purpose == "object" and found.intended, "object-intended-recipient"),
        (purpose == "delivery" and found.created > now.timestamp() + 86400, "signature-from-future"),
    ]:
        if broken:
            raise Bad(violation)


def uncompressed(message):
    """A message without the one layer of compression that is allowed."""
    found = list(packets(message))
    if [kind for kind, _ in found] != [COMPRESSED]:
        return message
    body = found[0][1]
    makers = {1: lambda: zlib.decompressobj(-15), 2: zlib.decompressobj, 3: bz2.BZ2Decompressor}
    try:
        inner = makers[body[0]]().decompress(body[1:], DECOMPRESSED + 1)
    except (KeyError, IndexError, OSError, zlib.error):
        raise Bad("envelope-malformed") from None
    if len(inner) > DECOMPRESSED:
        raise Bad("compression-bomb")
    if any(kind == COMPRESSED for kind, _ in packets(inner)):
        raise Bad("compression-nested")
    return inner


def packets(octets):
    """Kind and body of each packet, with every framing of RFC 9580, section 4.2."""
    at = 0
    try:
        while at < len(octets):
            head, at = octets[at], at + 1
            if head & 0xC0 == 0x80:  # the old format
                size = 1 << (head & 3)
                kind = head >> 2 & 15
                if size == 8:
                    yield kind, octets[at:]
                    return
                length, at = int.from_bytes(octets[at : at + size], "big"), at + size
                body, at = octets[at : at + length], at + length
            elif head & 0xC0 == 0xC0:
                kind, body, more = head & 63, b"", True
                while more:
                    length, at, more = new_length(octets, at)
                    body, at = body + octets[at : at + length], at + length
            else:
                raise Bad("envelope-malformed")
            if at > len(octets):
                raise Bad("envelope-malformed")
            yield kind, body
    except IndexError:
        raise Bad("envelope-malformed") from None


def new_length(octets, at):
    """A length of the new format, where it ends, and whether another follows."""
    first = octets[at]
    if first < 192:
        return first, at + 1, False
    if first < 224:
        return (first - 192 << 8) + octets[at + 1] + 192, at + 2, False
    if first < 255:
        return 1 << (first & 31), at + 1, True
    return int.from_bytes(octets[at + 1 : at + 5], "big"), at + 5, False


def subpackets(area):
    """Kind, criticality and value of each subpacket."""
    at = 0
    try:
        while at < len(area):
            if area[at] < 192:
                length, at = area[at], at + 1
            elif area[at] < 255:
                length, at = (area[at] - 192 << 8) + area[at + 1] + 192, at + 2
            else:
                length, at = int.from_bytes(area[at + 1 : at + 5], "big"), at + 5
            yield area[at] & 0x7F, bool(area[at] & 0x80), area[at + 1 : at + length]
            at += max(length, 1)
    except IndexError:
        raise Bad("object-malformed") from None


def well_bound(certificate):
    """Whether a self-signature says, under its protection, that the primary key certifies and
    signs, with a strong digest; GnuPG takes weaker ones, and every primary key for certifying."""
    for kind, body in packets(certificate):
        if kind == SUBKEY:
            break
        if kind == SIGNATURE and body[1:2] in (b"\x10", b"\x11", b"\x12", b"\x13", b"\x1f") and body[0] == 4:
            hashed = body[6 : 6 + int.from_bytes(body[4:6], "big")]
            flags = [value[:1] for kind, _, value in subpackets(hashed) if kind == FLAGS]
            if body[3] in STRONG and any(value and value[0] & 3 == 3 for value in flags):
                return True
    return False


def packet(kind, body):
    """A packet with a header of RFC 9580, section 4.2.1."""
    length = len(body)
    if length < 192:
        octets = bytes([length])
    elif length < 8384:
        octets = bytes([(length - 192 >> 8) + 192, length - 192 & 0xFF])
    else:
        octets = b"\xff" + length.to_bytes(4, "big")
    return bytes([0xC0 | kind]) + octets + body


def subpacket(kind, value):
    return bytes([len(value) + 1, kind]) + value


def notation(name, value):
    """A notation that people can read."""
    lengths = len(name).to_bytes(2, "big") + len(value).to_bytes(2, "big")
    return b"\x80\0\0\0" + lengths + name.encode() + value.encode()


def number(octets):
    """A multiprecision integer."""
    value = int.from_bytes(octets, "big")
    return value.bit_length().to_bytes(2, "big") + value.to_bytes((value.bit_length() + 7) // 8, "big")


def key_hash(key_packet):
    """SHA-256 over 0x9B, four octets of length, and the packet's body."""
    kind, body = next(packets(key_packet), (None, b""))
    if kind != PUBLIC_KEY:
        raise Bad("identity-key")
    return hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest()


def armor(octets):
    """A public key block, without the checksum that RFC 9580 leaves out."""
    text = base64.encodebytes(octets).decode()
    return f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{text}-----END PGP PUBLIC KEY BLOCK-----\n"


def dearmor(text):
    """The octets of the first armored block; binary octets as they are."""
    found = re.search(rb"-----BEGIN PGP [A-Z ]+-----\r?\n(?:[^\r\n]+\r?\n)*[ \t]*\r?\n(.*?)-----END PGP", text, re.DOTALL)
    if found is None:
        return text
    lines = [line for line in found[1].split() if not line.startswith(b"=")]
    try:
        return base64.b64decode(b"".join(lines), validate=True)
    except ValueError:
        raise Bad("envelope-malformed") from None


def unescape(answer):
    """The data of an answer of gpg-agent, whose lines escape three octets."""
    data = b"".join(line[2:] for line in answer.split(b"\n") if line.startswith(b"D "))
    return re.sub(rb"%([0-9A-F]{2})", lambda found: bytes.fromhex(found[1].decode()), data)
