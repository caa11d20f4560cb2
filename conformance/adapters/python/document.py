"""Objects and delivery documents: XML, checked with the schemas of the specification.

xmllint validates. What comes back from `read_*` is therefore complete, and the
rest of the program needn't ask whether something is there.
"""

import hashlib
import secrets
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from openpgp import Bad

NAMESPACE = "urn:kith:1.0"
SCHEMAS = Path(__file__).resolve().parents[3] / "schemas" / "1.0"
OCTETS, DEPTH, ELEMENTS = 65536, 32, 4096


@dataclass
class Object:
    """An object document that is valid by the schema."""

    octets: bytes
    hash: str
    author: str
    id: str
    rev: int
    created: datetime
    audience: str
    requires: list
    fallback: str
    kind: str
    payload: ElementTree.Element

    def ref(self, path):
        """The hash that a child of the payload names."""
        found = self.payload.find(q(path))
        return None if found is None else found.get("hash")

    def to(self):
        found = self.payload.find(q("to"))
        return None if found is None else found.get("id")


@dataclass
class Channel:
    id: str
    seq: int
    base: int


@dataclass
class Ack:
    channel: str
    upto: int
    highest: int
    missing: list = field(default_factory=list)


@dataclass
class Delivery:
    """A delivery document that is valid by the schema."""

    sender: tuple  # identity, address
    recipients: list
    group: bool
    channel: Channel | None
    acks: list
    nonces: list  # paths that want an echo
    objects: list
    certificates: list


def q(path):
    """A path of names of this namespace."""
    return "/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/"))


def digest(octets):
    return hashlib.sha256(octets).hexdigest()


def instant(now):
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def element(name, text=None, **attributes):
    """An element with text and attributes, escaped."""
    given = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items())
    return f"<{name}{given}/>" if text is None else f"<{name}{given}>{escape(text)}</{name}>"


def write_object(author, now, audience, fallback, payload, id=None):
    """An object document of revision 1."""
    return (
        f'<object xmlns="{NAMESPACE}" author="{author}" id="{id or secrets.token_hex(16)}"'
        f' rev="1" created="{instant(now)}" audience="{audience}">'
        f"{element('fallback', fallback[:2000])}{payload}</object>"
    ).encode()


def write_delivery(delivery):
    parties = [("from", delivery.sender), *(("to", one) for one in delivery.recipients)]
    lines = [element(name, id=identity, address=address) for name, (identity, address) in parties]
    if delivery.channel:
        lines.append(element("channel", **vars(delivery.channel)))
    for ack in delivery.acks:
        missing = "".join(element("missing", str(number)) for number in ack.missing[:32])
        lines.append(f'<ack channel="{ack.channel}" upto="{ack.upto}" highest="{ack.highest}">{missing}</ack>')
    lines += [element("echo", nonce=nonce) for nonce in delivery.nonces]
    lines += [element("object", hash=one) for one in delivery.objects]
    lines += [element("certificate", hash=one) for one in delivery.certificates]
    return f'<delivery xmlns="{NAMESPACE}">{"".join(lines)}</delivery>'.encode()


def read_object(octets):
    root = read(octets, "object")
    payload = next(
        child for child in root if child.tag not in {q(name) for name in ("requires", "scope", "fallback", "ext")}
    )
    return Object(
        octets=octets,
        hash=digest(octets),
        author=root.get("author"),
        id=root.get("id"),
        rev=int(root.get("rev")),
        created=datetime.fromisoformat(root.get("created")),
        audience=root.get("audience"),
        requires=[one.text for one in root.findall(q("requires"))],
        fallback=root.findtext(q("fallback")),
        kind=payload.tag.removeprefix(f"{{{NAMESPACE}}}"),
        payload=payload,
    )


def read_delivery(octets):
    root = read(octets, "delivery")
    party = [(one.get("id"), one.get("address")) for one in root if one.tag in (q("from"), q("to"))]
    channel = root.find(q("channel"))
    return Delivery(
        sender=party[0],
        recipients=party[1:],
        group=root.find(q("group")) is not None,
        channel=channel is not None
        and Channel(channel.get("id"), int(channel.get("seq")), int(channel.get("base")))
        or None,
        acks=[
            Ack(
                one.get("channel"), int(one.get("upto")), int(one.get("highest")),
                [int(number.text) for number in one],
            )
            for one in root.findall(q("ack"))
        ],  # fmt: skip
        nonces=[one.get("nonce") for one in root.findall(q("path"))],
        objects=[one.get("hash") for one in root.findall(q("object"))],
        certificates=[one.get("hash") for one in root.findall(q("certificate"))],
    )


def read(octets, name):
    """The root of a document that keeps the limits and is valid by the schema."""
    if len(octets) > OCTETS:
        raise Bad("xml-too-large")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise Bad("xml-malformed") from None
    if "<!DOCTYPE" in text:
        raise Bad("xml-doctype")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        raise Bad("xml-malformed") from None
    level = [root]
    for _ in range(DEPTH):
        level = [child for one in level for child in one]
    if level or sum(1 for _ in root.iter()) > ELEMENTS:
        raise Bad("xml-bounds")
    command = ["xmllint", "--noout", "--nonet", "--schema", SCHEMAS / f"{name}.xsd", "-"]
    if subprocess.run(command, input=octets, capture_output=True, check=False).returncode:
        raise Bad("xml-invalid")
    return root
