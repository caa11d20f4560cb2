"""A person's keys and chain: chapter "Identity" of the specification.

PGPy makes keys and signatures. The signed message is put together here, because
PGPy marks the one-pass signature as nested and sets a date in the literal.
"""

import base64
import hashlib
import secrets
import warnings
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

warnings.filterwarnings("ignore", module="pgpy")  # it names ciphers that nobody uses here

import pgpy  # noqa: E402
from pgpy.constants import (  # noqa: E402
    CompressionAlgorithm,
    EllipticCurveOID,
    HashAlgorithm,
    KeyFlags,
    PubKeyAlgorithm,
    SymmetricKeyAlgorithm,
)

NAMESPACE = "urn:kith:1.0"
ONE_PASS, LITERAL, PUBLIC_KEY = 4, 11, 6


@dataclass
class Person:
    """An identity with its present key."""

    id: str
    key: pgpy.PGPKey
    chain: list  # identity objects, first epoch first
    recovery_kit: pgpy.PGPKey  # the next key; belongs on paper, not in a store

    def certificate(self):
        return bytes(self.key.pubkey)


def new(name, address, now):
    """A new identity, with a chain of one entry."""
    key, following = primary_key(now), primary_key(now)
    certify(key, name, address, now)
    identity = key_hash(key)
    xml = object_xml(
        author=identity,
        now=now,
        fallback=f"The key of {name}"[:2000],
        payload=(
            '<identity epoch="0">'
            f"<key>{base64_text(packet(PUBLIC_KEY, key_body(key)))}</key>"
            f"<next>{key_hash(following)}</next>"
            "</identity>"
        ),
    )
    return Person(identity, key, [sign_object(key, xml, now)], following)


def primary_key(now):
    return pgpy.PGPKey.new(PubKeyAlgorithm.EdDSA, EllipticCurveOID.Ed25519, created=now)


def certify(key, name, address, now):
    """Adds user ID and encryption subkey."""
    key.add_uid(
        pgpy.PGPUID.new(name, email=address),
        usage={KeyFlags.Certify, KeyFlags.Sign},
        hashes=[HashAlgorithm.SHA512, HashAlgorithm.SHA256],
        ciphers=[SymmetricKeyAlgorithm.AES256],
        compression=[CompressionAlgorithm.Uncompressed],
        created=now,
    )
    subkey = pgpy.PGPKey.new(PubKeyAlgorithm.ECDH, EllipticCurveOID.Curve25519, created=now)
    usage = {KeyFlags.EncryptCommunications, KeyFlags.EncryptStorage}
    key.add_subkey(subkey, usage=usage, created=now)


def key_body(key):
    """The body of the primary public-key packet: version 4, so without the
    lengths that version 6 has."""
    octets = bytes(key.pubkey)
    if octets[0] != 0xC0 | PUBLIC_KEY or octets[1] >= 192:
        raise ValueError("not a short public-key packet first")
    return octets[2 : 2 + octets[1]]


def key_hash(key):
    """SHA-256 over 0x9B, four octets of length, and the packet's body."""
    body = key_body(key)
    return hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest()


def object_xml(author, now, fallback, payload):
    created = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"<object xmlns={quoteattr(NAMESPACE)} author={quoteattr(author)}"
        f' id="{secrets.token_hex(16)}" rev="1" created="{created}" audience="any">'
        f"<fallback>{escape(fallback)}</fallback>{payload}</object>"
    ).encode()


def sign_object(key, xml, now):
    """One-pass signature, literal and signature, with the purpose as notation."""
    signature = key.sign(xml, notation={"kith": "object"}, created=now, hash=HashAlgorithm.SHA512)
    key_id = bytes.fromhex(key.fingerprint.keyid)
    one_pass = bytes([3, 0x00, HashAlgorithm.SHA512, PubKeyAlgorithm.EdDSA]) + key_id + b"\x01"
    literal = b"b" + b"\x00" + bytes(4) + xml
    return packet(ONE_PASS, one_pass) + packet(LITERAL, literal) + bytes(signature)


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


def base64_text(octets):
    return base64.b64encode(octets).decode()
