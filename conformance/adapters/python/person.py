"""One person: identity, relations and messages, chapters "Identity" to "Messages".

Everything that arrives goes through `receive`; what the person does are the
methods of the same name as the actions. What has to leave waits in `outbox`.
"""

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import mail
import openpgp
from document import (
    Ack, Channel, Delivery, digest, element, instant, q, read_delivery, read_object, write_delivery, write_object,
)  # fmt: skip
from openpgp import Bad, Certificate, Keyring, NotMine
from rpc import Refused

HANDSHAKE = {"identity", "contact", "accept", "confirm", "end"}
AUDIENCES = {
    "identity": {"any"}, "contact": {"any"}, "request": {"direct"}, "accept": {"direct"}, "confirm": {"direct"},
    "message": {"direct"}, "end": {"direct"},
}  # fmt: skip
DAY = timedelta(days=1)
WINDOW = 10000
# Control characters, and those that change the direction of text.
UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Hold(Exception):
    """Something that may become valid."""


@dataclass
class Peer:
    """Another person: what is known, and how far the handshake is."""

    identity: str
    address: str
    name: str
    certificate: Certificate
    request: object = None  # theirs, while it waits for an answer
    warning: str | None = None
    accept: bytes | None = None  # mine, while it waits for the confirm
    again: list = field(default_factory=list)  # when mine is sent again
    accepted: str | None = None  # the hash of theirs
    confirmed: datetime | None = None  # when I confirmed it last
    friend: datetime | None = None
    handshake: set = field(default_factory=set)  # the requests, by hash, that an end may name
    channel: str = field(default_factory=lambda: secrets.token_hex(16))
    seq: int = 0
    riding: list = field(default_factory=list)  # (object, first seq) until acknowledged
    incoming: dict = field(default_factory=dict)  # numbers seen, by channel
    owed: datetime | None = None  # since when an ack is
    acked: dict = field(default_factory=dict)  # what the last ack said, by channel
    echoes: list = field(default_factory=list)


@dataclass
class Request:
    """A request that I sent."""

    id: str
    address: str
    hash: str
    nonce: str
    note: str
    sent: datetime
    open: bool = True


@dataclass
class Message:
    author: str
    to: str
    object: object
    received: datetime | None = None
    place: tuple | None = None  # channel and number, for mine
    state: str | None = None


class Person:
    def __init__(self, name, account, now):
        self.name, self.account, self.address = name, account, account["address"]
        self.keyring = Keyring()
        self.certificate = self.keyring.generate(name, self.address, now)
        self.id = self.certificate.key_hash()
        following = Keyring()  # a real agent gives this key to the person, on paper
        commitment = following.generate(name, self.address, now).key_hash()
        following.close()
        self.chain = [self.sign(now, "any", f"The key of {name}", self.identity_xml(commitment))]
        self.contact = self.sign(
            now, "any", f"{name} is reached at {self.address}",
            '<contact epoch="0">' + element("name", name[:100]) + element("address", self.address)
            + element("feature", "core") + "</contact>",
            id=digest(b"contact\0")[:32],
        )  # fmt: skip
        self.place = (None, 0)
        self.peers, self.requests, self.seen, self.messages, self.outbox = {}, {}, set(), {}, []

    def identity_xml(self, commitment):
        key = openpgp.base64.b64encode(self.certificate.key_packet()).decode()
        return f'<identity epoch="0">{element("key", key)}{element("next", commitment)}</identity>'

    def sign(self, now, audience, fallback, payload, id=None):
        octets = write_object(self.id, now, audience, fallback, payload, id)
        return self.keyring.sign(self.certificate, octets, now, "object")

    def credentials_xml(self):
        chain = "".join(element("chain", hash=hash_of(one)) for one in self.chain)
        rest = element("contact", hash=hash_of(self.contact)) + element("certificate", hash=self.certificate.hash)
        return f"<credentials>{chain}{rest}</credentials>"

    # What the person does

    def befriend(self, now, address, note):
        if any(one.open and one.address.lower() == address.lower() for one in self.requests.values()):
            raise Refused(f"{address} has been asked already")
        if any(peer.friend and peer.address.lower() == address.lower() for peer in self.peers.values()):
            raise Refused(f"{address} is a friend already")
        if note and (len(note) > 500 or wrong_note(note)):
            raise Refused("a note is plain text of 500 characters, without web addresses")
        nonce, id = secrets.token_hex(16), secrets.token_hex(16)
        xml = (
            f'<request purpose="friend" nonce="{nonce}" expires="{instant(now + 14 * DAY)}">'
            + element("to", address=address) + self.credentials_xml()
            + (element("note", note) if note else "") + "</request>"
        )  # fmt: skip
        text = f"{self.name} ({self.address}) asks you to become friends."
        request = self.sign(now, "direct", text, xml, id)
        self.requests[id] = Request(id, address, hash_of(request), nonce, note or "", now)
        parts = mail.Parts([], [*self.chain, self.contact, request], [self.certificate.octets])
        self.outbox.append((address, mail.compose_open(self.address, address, now, parts, [text])))

    def accept(self, now, id):
        peer = self.pending(id)
        xml = (
            f'<accept nonce="{peer.request.payload.get("nonce")}">' + element("to", id=peer.identity)
            + element("request", hash=peer.request.hash) + self.credentials_xml() + "</accept>"
        )  # fmt: skip
        peer.accept = self.sign(now, "direct", f"{self.name} accepts: you can become friends.", xml)
        peer.handshake = {peer.request.hash}
        peer.request = None
        peer.again = [now + days * DAY for days in (1, 3, 7, 14)]
        self.send_accept(now, peer)

    def send_accept(self, now, peer, automatic=False):
        objects = [*self.chain, self.contact, peer.accept]
        self.deliver(now, peer, objects, [self.certificate], False, automatic)

    def decline(self, id):
        self.pending(id).request = None

    def pending(self, id):
        found = [peer for peer in self.peers.values() if peer.request and peer.request.id == id]
        if not found:
            raise Refused("there is no such request")
        return found[0]

    def write(self, now, to, text):
        peer = self.peers.get(to)
        if peer is None or not peer.friend:
            raise Refused("messages go to friends only")
        xml = f"<message>{element('to', id=to)}{element('text', text)}</message>"
        signed = self.sign(now, "direct", f"{self.name} wrote: {text}"[:2000], xml)
        written = read_object(openpgp.parts(signed)[0])
        place = self.deliver(now, peer, [signed])
        self.messages[self.id, written.id] = Message(self.id, to, written, place=place, state="queued")
        return written.id

    # What leaves

    def deliver(self, now, peer, objects, certificates=(), channel=True, automatic=False):
        """Seals a delivery for one person; its channel and number."""
        number = None
        if channel:
            peer.seq += 1
            number = Channel(peer.channel, peer.seq, 1)
            objects = objects + [one for one, _ in peer.riding if one not in objects]
        acks = [ack_of(id, numbers) for id, numbers in peer.incoming.items()]
        acks = [ack for ack in acks if peer.acked.get(ack.channel) != ack]
        peer.acked |= {ack.channel: ack for ack in acks}
        peer.owed, echoes, peer.echoes = None, peer.echoes, []
        document = Delivery(
            (self.id, self.address), [(peer.identity, peer.address)], False, number, acks[:16], echoes[:8],
            [hash_of(one) for one in objects], [one.hash for one in certificates],
        )  # fmt: skip
        texts = [read_object(openpgp.parts(one)[0]) for one in objects]
        texts = [one.fallback for one in texts if one.kind not in ("identity", "contact")]
        parts = mail.Parts([write_delivery(document)], objects, [one.octets for one in certificates])

        def seal(payload):
            to = peer.certificate
            signed = self.keyring.sign(self.certificate, payload, now, "delivery", [to.fingerprint])
            return self.keyring.encrypt(signed, to, now)

        texts = texts or ["A program tells another that mail arrived."]
        octets = mail.compose_sealed(self.address, peer.address, now, parts, texts, seal, automatic)
        self.outbox.append((peer.address, octets))
        return number and (number.id, number.seq)

    def sync(self, now):
        mails, self.place, problems = mail.fetch(self.account, self.place)
        for octets in mails:
            self.receive(octets, now)
        for peer in self.peers.values():
            if peer.again and now >= peer.again[0]:
                peer.again = [time for time in peer.again if time > now]
                self.send_accept(now, peer, automatic=True)
            if peer.owed and now >= peer.owed + DAY:
                self.deliver(now, peer, [], channel=bool(peer.riding), automatic=True)
        sent = 0
        if self.outbox:
            sent, more = mail.submit(self.account, self.outbox)
            problems += more
        del self.outbox[:sent]
        if not self.outbox:
            for message in self.messages.values():
                message.state = "sent" if message.state == "queued" else message.state
        due = [peer.owed + DAY for peer in self.peers.values() if peer.owed]
        due += [time for peer in self.peers.values() for time in peer.again]
        return len(mails), sent, min(due, default=None), problems

    # What arrives

    def receive(self, octets, now, vouched=None):
        """Outcome, violation, and those of each object."""
        try:
            root, sealed = mail.read(octets)
        except mail.NotKith:
            return "ignore", None, []
        except Bad as bad:
            return "refuse", str(bad), []
        if sealed:
            return self.receive_sealed(root, now)
        if vouched is None:
            vouched = lambda address: mail.authenticated(root, self.account["authserv_id"], address)
        try:
            return self.receive_open(mail.parts(root, False), now, len(octets), vouched)
        except Bad as bad:
            return "refuse", str(bad), []

    def receive_open(self, parts, now, size, vouched):
        """Requests for me; the rest of an open mail has no effect."""
        if parts.documents:
            raise Bad("delivery-not-sealed")
        found, first = index(parts.objects), None
        for hash, message in found.items():
            try:
                request = read_object(openpgp.parts(message)[0])
                if request.kind != "request":
                    continue
                if size > 262144:
                    raise Bad("request-too-large")
                self.take_request(request, message, found, parts.certificates, now)
                return "accept", None, [(hash, "accept", None)]
            except Bad as bad:
                first = first or str(bad)
        raise Bad(first or "open-mail-useless")

    def receive_sealed(self, root, now):
        kith = (root.get("Kith-Version") or "").strip() == "1.0"
        try:
            message, keys = self.keyring.decrypt(mail.envelope(root), now)
            payload, signature = openpgp.parts(message)
        except NotMine:
            return "ignore", None, []
        except Bad as bad:
            return ("refuse", str(bad), []) if kith else ("ignore", None, [])
        try:
            inner = mail.parse(payload)
            parts = mail.parts(inner, True)
            if inner.get_content_type() != "multipart/mixed" or len(parts.documents) != 1:
                raise Bad("payload-malformed")
            openpgp.check_signature(signature, "delivery", now)
            signer = self.signer(message, parts, now)
            delivery = read_delivery(parts.documents[0])
            return self.take_delivery(delivery, parts, signature, keys, signer, now)
        except Bad as bad:
            return "refuse", str(bad), []

    def signer(self, message, parts, now):
        """The certificate under which a delivery verifies: a known one, or one that comes along."""
        known = [(peer.certificate.octets) for peer in self.peers.values()]
        last = Bad("delivery-signature")
        for octets in [*known, *parts.certificates]:
            try:
                certificate = self.keyring.certificate(octets, now)
            except Bad as bad:
                last = bad
                continue
            if self.keyring.verify(message, certificate, now):
                return certificate
        raise last

    def take_delivery(self, delivery, parts, signature, keys, signer, now):
        identity = signer.key_hash()
        peer = self.peers.get(identity)
        me = (self.id, self.address.lower())
        recipients = [(id, address.lower()) for id, address in delivery.recipients]
        objects = index(parts.objects)
        known = peer and (peer.friend or peer.accept)
        asked = any(one.open for one in self.requests.values())
        for broken, violation in [
            (not known and not asked, "not-friends"),
            (me not in recipients or self.certificate.fingerprint not in signature.intended, "not-for-me"),
            (len(signature.intended) != len(recipients) or keys != len(recipients), "recipients-disagree"),
            (len(recipients) != 1, "recipient-count"),
            (delivery.sender[0] != identity, "delivery-sender"),
            (any(hash not in objects for hash in delivery.objects), "part-missing"),
            (len(objects) != len(parts.objects), "part-twice"),
            (any(hash not in map(digest, parts.certificates) for hash in delivery.certificates), "part-missing"),
        ]:
            if broken:
                raise Bad(violation)
        listed = {hash: objects[hash] for hash in delivery.objects}
        if delivery.certificates and not {kind_of(one) for one in listed.values()} & {"accept", "identity", "contact"}:
            raise Bad("certificate-unnamed")
        certificates = [one for one in parts.certificates if digest(one) in delivery.certificates]
        if not self.take_number(peer, delivery, listed, now):
            return "accept", None, [(hash, "accept", None) for hash in listed]
        results = [
            (hash, *self.take_object(message, listed, certificates, signer, now)) for hash, message in listed.items()
        ]
        if not known and not any(outcome in ("accept", "hold") for _, outcome, _ in results):
            return "refuse", next((why for _, _, why in results if why), "not-friends"), []
        self.take_acks(self.peers.get(identity), delivery)
        return "accept", None, results

    def take_number(self, peer, delivery, listed, now):
        """Whether a delivery is new; its number is acknowledged from now on."""
        kinds = {kind_of(one) for one in listed.values()}
        if (delivery.channel is None) != (not kinds or bool(kinds & {"accept", "decline"})):
            raise Bad("channel-missing")
        if delivery.channel is None:
            return True
        channel = delivery.channel
        if peer is None:
            return True
        if channel.base > channel.seq:
            raise Bad("channel-base")
        owners = [one for one in self.peers.values() if channel.id in one.incoming]
        if owners and owners != [peer]:
            raise Bad("channel-foreign")
        base, numbers = peer.incoming.get(channel.id, (1, set()))
        if channel.seq > max(numbers, default=0) + WINDOW and channel.seq > channel.base + WINDOW:
            raise Bad("channel-window")
        base, fresh = max(base, channel.base), channel.seq not in numbers and channel.seq >= base
        peer.incoming[channel.id] = (base, numbers | {channel.seq})
        peer.owed = peer.owed or now
        peer.echoes += delivery.nonces
        if not fresh:
            peer.acked.pop(channel.id, None)
        return fresh

    def take_acks(self, peer, delivery):
        for ack in delivery.acks:
            if peer is None or ack.channel != peer.channel or ack.highest > peer.seq:
                continue
            arrived = set(range(1, ack.highest + 1)) - set(ack.missing)
            peer.riding = [one for one in peer.riding if one[1] not in arrived]
            for message in self.messages.values():
                if message.place and message.place[0] == peer.channel and message.place[1] in arrived:
                    message.state = "acknowledged"

    def take_object(self, message, listed, certificates, signer, now):
        """Outcome and violation of one object of a delivery."""
        try:
            found = self.read_signed(message, signer, now)
            if found.author != signer.key_hash():
                raise Bad("author-not-sender")
            if found.requires and set(found.requires) - {"core"}:
                raise Hold("requires-unknown")
            if found.audience not in AUDIENCES.get(found.kind, {found.audience}):
                raise Bad("audience-wrong" if found.kind == "message" else "kind-audience")
            if found.to() not in (None, self.id):
                raise Bad("message-to-other" if found.kind == "message" else "addressed-to-other")
            self.take_kind(found, listed, certificates, signer, now)
        except Bad as bad:
            return "refuse", str(bad)
        except Hold as hold:
            return "hold", str(hold)
        return "accept", None

    def read_signed(self, message, signer, now):
        octets, signature = openpgp.parts(message)
        openpgp.check_signature(signature, "object", now)
        if not self.keyring.verify(message, signer, now):
            raise Bad("object-signature")
        return read_object(octets)

    def take_kind(self, found, listed, certificates, signer, now):
        peer = self.peers.get(found.author)
        if found.kind in HANDSHAKE and found.rev != 1 and found.kind != "contact":
            raise Bad("kind-revision")
        if found.kind == "accept":
            self.take_accept(found, listed, certificates, signer, now)
        elif found.kind == "confirm":
            if peer is None or peer.accept is None or found.ref("accept") != hash_of(peer.accept):
                raise Hold("confirm-unknown")
            peer.friend, peer.again = peer.friend or now, []
        elif found.kind == "end":
            named = {one.get("hash") for one in found.payload.findall(q("request"))}
            if peer is None or not named & peer.handshake:
                raise Bad("end-not-current")
            peer.friend, peer.accept, peer.accepted, peer.again, peer.riding = None, None, None, [], []
        elif found.kind == "request":
            raise Bad("request-pending")
        elif peer is None or not peer.friend:
            if found.kind not in HANDSHAKE:
                raise Bad("not-friends")
        elif found.kind == "message":
            if found.to() is None:
                raise Bad("message-to-other")
            before = self.messages.get((found.author, found.id))
            order = lambda one: (-one.rev, one.hash)
            if before is None or order(found) < order(before.object):
                received = now if before is None else before.received
                self.messages[found.author, found.id] = Message(found.author, self.id, found, received)

    def take_request(self, found, message, objects, certificates, now):
        wanted = found.payload.find(q("to")).get("address")
        certificate, contact = self.credentials(found, objects, certificates, now, "request")
        self.read_signed(message, certificate, now)
        expires = datetime.fromisoformat(found.payload.get("expires"))
        note = found.payload.findtext(q("note")) or ""
        peer = self.peers.get(found.author)
        for broken, violation in [
            (found.author != certificate.key_hash(), "request-credentials"),
            (found.audience != "direct", "kind-audience"),
            (wanted.lower() != self.address.lower(), "request-not-for-me"),
            (found.payload.get("purpose") != "friend", "open-mail-useless"),
            (found.rev != 1, "kind-revision"),
            (expires < now, "request-expired"),
            (expires > found.created + 30 * DAY, "request-term"),
            (found.created > now + DAY, "request-from-future"),
            (wrong_note(note), "request-note"),
            (found.id in self.seen, "request-replayed"),
            (peer and peer.request, "request-pending"),
            (sum(one.request is not None for one in self.peers.values()) >= 100, "request-queue-full"),
        ]:
            if broken:
                raise Bad(violation)
        self.seen.add(found.id)
        peer = self.peers.setdefault(found.author, Peer(found.author, *contact, certificate))
        peer.address, peer.name, peer.certificate, peer.request = *contact, certificate, found
        peer.warning = None
        if found.payload.find(q("invite")) is not None:
            peer.warning = "this request claims an invitation that is not known"

    def take_accept(self, found, listed, certificates, signer, now):
        asked = [one for one in self.requests.values() if one.hash == found.ref("request")]
        if not asked or asked[0].nonce != found.payload.get("nonce"):
            raise Bad("accept-unknown-request")
        peer = self.peers.get(found.author)
        if peer and peer.accepted == found.hash:  # sent again: confirm again, once a day
            if now >= peer.confirmed + DAY:
                self.confirm(peer, found, now)
            return
        if not asked[0].open:
            raise Bad("accept-unknown-request")
        if now > asked[0].sent + 60 * DAY:
            raise Bad("accept-late")
        certificate, contact = self.credentials(found, listed, certificates, now, "accept", asked[0].address)
        asked[0].open = False
        peer = self.peers.setdefault(found.author, Peer(found.author, *contact, certificate))
        peer.address, peer.name, peer.certificate = asked[0].address, contact[1], certificate
        peer.request, peer.friend, peer.accepted, peer.again = None, peer.friend or now, found.hash, []
        peer.handshake |= {asked[0].hash}
        self.confirm(peer, found, now)

    def confirm(self, peer, accept, now):
        xml = f"<confirm>{element('to', id=peer.identity)}{element('accept', hash=accept.hash)}</confirm>"
        if not peer.riding:
            confirm = self.sign(now, "direct", f"{self.name} and you are friends now.", xml)
            peer.riding.append((confirm, peer.seq + 1))
        peer.confirmed = now
        self.deliver(now, peer, [])

    def credentials(self, found, objects, certificates, now, kind, address=None):
        """The certificate, and address and name, that a request or an accept hands over."""
        wrong = Bad(f"{kind}-credentials")
        named = found.payload.find(q("credentials"))
        chain = [objects.get(one.get("hash")) for one in named.findall(q("chain"))]
        contact = objects.get(named.find(q("contact")).get("hash"))
        wanted = named.find(q("certificate")).get("hash")
        octets = [one for one in certificates if digest(one) == wanted]
        if len(chain) != 1 or None in chain or contact is None or not octets:
            raise wrong  # this example knows nobody who has rotated
        certificate = self.keyring.certificate(octets[0], now)
        if len(chain[0]) > 49152:
            raise Bad("chain-too-large")
        entry, contact = (self.read_signed(one, certificate, now) for one in (chain[0], contact))
        if entry.kind != "identity" or contact.kind != "contact":
            raise wrong
        key = openpgp.base64.b64decode(entry.payload.findtext(q("key")))
        addresses = [one.text for one in contact.payload.findall(q("address"))]
        name = contact.payload.findtext(q("name")) or addresses[0]
        for broken, violation in [
            ([openpgp.packet(*one) for one in openpgp.packets(key)][1:], "identity-key"),
            (entry.audience != "any" or contact.audience != "any", "kind-audience"),
            (entry.rev != 1, "kind-revision"),
            (openpgp.key_hash(key) != found.author, "identity-id"),
            (certificate.key_hash() != found.author, "certificate-key"),
            (entry.author != found.author, "identity-signature"),
            (entry.payload.get("epoch") != "0" or entry.ref("prev"), "chain-broken"),
            (contact.author != found.author, f"{kind}-contact"),
            (contact.payload.get("epoch") != "0", "contact-epoch"),
            (contact.id != digest(b"contact\0")[:32], "derived-id"),
            (UNFIT.search(name), "name-characters"),
            (address and address.lower() not in map(str.lower, addresses), "accept-address"),
        ]:
            if broken:
                raise Bad(violation)
        return certificate, (addresses[0], name)


def hash_of(message):
    """The object hash of a signed object."""
    return digest(openpgp.parts(message)[0])


def kind_of(message):
    """The kind of a signed object; none of one that isn't valid."""
    try:
        return read_object(openpgp.parts(message)[0]).kind
    except Bad:
        return None


def index(messages):
    """Signed objects by their object hash, without those that are none."""
    found = {}
    for one in messages:
        try:
            found[hash_of(one)] = one
        except Bad:
            continue
    return found


def ack_of(channel, state):
    base, numbers = state
    upto = base - 1
    while upto + 1 in numbers:
        upto += 1
    highest = max(numbers)
    missing = [one for one in range(upto + 1, min(highest, upto + WINDOW)) if one not in numbers]
    return Ack(channel, upto, max(highest, upto), missing[:32])


def wrong_note(note):
    lower = note.lower()
    marks = any(mark in lower for mark in ("<", ">", "://", "www."))
    return marks or UNFIT.search(note.replace("\n", "")) is not None
