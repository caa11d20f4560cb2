"""The methods of the adapter protocol, over a small implementation of Kith.

To support an action or a view, write a method and name it in `actions` or
`views`: everything that isn't there is answered with "unsupported".
"""

import base64
import itertools
import secrets
from dataclasses import dataclass
from datetime import datetime

from document import instant, q
from person import Person
from rpc import InvalidParams, Unsupported, need

PROTOCOL = 1


@dataclass
class Device:
    """One device of one person."""

    name: str
    person: Person
    now: datetime  # the only clock


class Agent:
    def __init__(self):
        self.devices = {}  # by session
        self.kept = {}  # by token: closed devices that may be opened again
        self.sessions = itertools.count(1)
        self.methods = {
            "hello": self.hello,
            "open": self.open,
            "sync": self.sync,
            "act": self.act,
            "view": self.view,
            "receive": self.receive,
            "close": self.close,
            "bye": self.bye,
        }
        self.actions = {
            "befriend": self.act_befriend,
            "accept": self.act_accept,
            "decline": self.act_decline,
            "message": self.act_message,
        }
        self.views = {
            "devices": self.view_devices,
            "requests": self.view_requests,
            "friends": self.view_friends,
            "messages": self.view_messages,
        }

    def hello(self, params):
        protocol = need(params, "protocol", int)
        if protocol != PROTOCOL:
            raise Unsupported(f"protocol {protocol}")
        return {
            "name": "kith-example",
            "version": "0.2.0",
            "language": "Python",
            "spec": ["1.0"],
            "classes": {"core": "partial"},
            "clock": "set",
            "keys": ["v4"],
            "can_import": False,
        }

    def open(self, params):
        given = need(params, "person", dict)
        address, name = need(given, "address", str), need(given, "name", str)
        account = {
            "address": address,
            "user": params.get("user") or address,
            "password": need(params, "password", str),
            "submission": need(params, "submission", dict),
            "mailbox": need(params, "mailbox", dict),
            "ca": need(params, "ca", str),
            "authserv_id": need(params, "authserv_id", str),
        }
        device, now = need(params, "device", str), need_time(params)
        if params.get("durable"):
            raise Unsupported("durable")
        person = self.kept_person(params.get("store"), params.get("keys"))
        if person is None:
            person = Person(name, account, now)
        else:
            person.account = account
        session = next(self.sessions)
        self.devices[session] = Device(device, person, now)
        return {
            "session": session,
            "identity": person.id,
            "certificate": octets(person.certificate.octets),
            "chain": [octets(entry) for entry in person.chain],
        }

    def kept_person(self, store, keys):
        """The person of a kept store; nobody for a new one."""
        match store, keys:
            case "empty", {"generate": "v4"}:
                return None
            case "empty", {"generate": str(kind)}:
                raise Unsupported(f"keys {kind}")
            case "empty", {"import": _}:
                raise Unsupported("keys import")
            case {"kept": str(token)}, None:
                if token not in self.kept:
                    raise InvalidParams(f"no store was kept as {token!r}")
                return self.kept.pop(token)
            case {"export": _}, None:
                raise Unsupported("store export")
        raise InvalidParams("`store` and `keys` don't fit together")

    def sync(self, params):
        device = self.device(params)
        device.now = need_time(params)
        fetched, sent, due, problems = device.person.sync(device.now)
        answer = {"fetched": fetched, "sent": sent, "problems": problems}
        return answer | ({"next_due": instant(due)} if due else {})

    def receive(self, params):
        device = self.device(params)
        device.now = need_time(params)
        mail, auth = base64.b64decode(need(params, "mail", str)), params.get("auth") == "pass"
        outcome, violation, objects = device.person.receive(mail, device.now, lambda address: auth)
        objects = [
            {"hash": hash, "outcome": outcome, "violation": violation} for hash, outcome, violation in objects
        ]
        return {"outcome": outcome, "violation": violation, "objects": objects}

    def act(self, params):
        action = self.actions.get(need(params, "do", str))
        if action is None:
            raise Unsupported(params["do"])
        device = self.device(params)
        device.now = need_time(params)
        return action(device, params)

    def act_befriend(self, device, params):
        if params.get("invite"):
            raise Unsupported("befriend invite")
        address = need(params, "address", str)
        if not address.isascii():
            raise Unsupported("SMTPUTF8")
        device.person.befriend(device.now, address, params.get("note"))
        return {}

    def act_accept(self, device, params):
        device.person.accept(device.now, need(params, "request", str))
        return {}

    def act_decline(self, device, params):
        if need(params, "notify", bool):
            raise Unsupported("decline notify")
        device.person.decline(need(params, "request", str))
        return {}

    def act_message(self, device, params):
        if set(params) - {"session", "now", "do", "to", "text"}:
            raise Unsupported("message with more than a text")
        to, text = need(params, "to", str), need(params, "text", str)
        return {"id": device.person.write(device.now, to, text)}

    def view(self, params):
        view = self.views.get(need(params, "what", str))
        if view is None:
            raise Unsupported(params["what"])
        return {"items": view(self.device(params))}

    def view_devices(self, device):
        return [{"name": device.name, "current": True}]

    def view_requests(self, device):
        person = device.person
        outgoing = [
            {"request": one.id, "direction": "outgoing", "address": one.address, "name": "", "note": one.note,
             "invited": False}
            for one in person.requests.values()
            if one.open
        ]  # fmt: skip
        waiting = [peer for peer in person.peers.values() if peer.request]
        incoming = [
            {"request": peer.request.id, "direction": "incoming", "identity": peer.identity,
             "address": peer.address, "name": peer.name, "note": note(peer.request), "invited": False,
             "rivals": [one.request.id for one in waiting if one is not peer and rivals(one, peer)],
             "warning": peer.warning}
            for peer in waiting
        ]  # fmt: skip
        return outgoing + incoming

    def view_friends(self, device):
        return [
            {"identity": peer.identity, "address": peer.address, "name": peer.name, "since": instant(peer.friend)}
            for peer in device.person.peers.values()
            if peer.friend
        ]

    def view_messages(self, device):
        shown = []
        for message in device.person.messages.values():
            found = message.object
            item = {"id": found.id, "author": message.author, "to": message.to, "text": found_text(found),
                    "created": instant(found.created), "rev": found.rev, "delivery": message.state}  # fmt: skip
            if message.received:
                item["received"] = instant(message.received)
            shown.append((min(found.created, message.received or found.created), item))
        return [item for _, item in sorted(shown, key=lambda one: one[0])]

    def close(self, params):
        device, keep = self.device(params), need(params, "keep", bool)
        del self.devices[params["session"]]
        if not keep:
            device.person.keyring.close()
            return {}
        token = secrets.token_hex(8)
        self.kept[token] = device.person
        return {"kept": token}

    def bye(self, params):
        people = [device.person for device in self.devices.values()] + list(self.kept.values())
        for person in people:
            person.keyring.close()
        self.devices.clear()
        self.kept.clear()
        return {}

    def device(self, params):
        session = need(params, "session", int)
        if session not in self.devices:
            raise InvalidParams(f"session {session} isn't open")
        return self.devices[session]


def need_time(params):
    now = need(params, "now", str)
    try:
        if not now.endswith("Z"):
            raise ValueError(now)
        return datetime.fromisoformat(now)
    except ValueError:
        raise InvalidParams(f"'now' must be a UTC time, not {now!r}") from None


def note(request):
    return request.payload.findtext(q("note")) or ""


def found_text(message):
    return message.payload.findtext(q("text"))


def rivals(one, other):
    """Whether two people claim the same address or name."""
    return one.address.lower() == other.address.lower() or one.name == other.name


def octets(value):
    return base64.b64encode(value).decode()
