"""The methods of the adapter protocol, over a small implementation of Kith.

To support an action or a view, write a method and name it in `actions` or
`views`: everything that isn't there is answered with "unsupported".
"""

import base64
import itertools
import secrets
from dataclasses import dataclass
from datetime import datetime

import identity
from rpc import InvalidParams, Unsupported, need

PROTOCOL = 1


@dataclass
class Device:
    """One device of one person."""

    name: str
    account: dict  # servers, address and password, for the mail part
    person: identity.Person
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
        self.actions = {}
        self.views = {"devices": self.view_devices}

    def hello(self, params):
        protocol = need(params, "protocol", int)
        if protocol != PROTOCOL:
            raise Unsupported(f"protocol {protocol}")
        return {
            "name": "kith-example",
            "version": "0.1.0",
            "language": "Python",
            "spec": ["1.0"],
            "classes": {"core": "partial"},
            "clock": "set",
            "keys": ["v4"],
            "can_import": False,
        }

    def open(self, params):
        person = need(params, "person", dict)
        address, name = need(person, "address", str), need(person, "name", str)
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
        keys = self.open_store(params.get("store"), params.get("keys"))
        if isinstance(keys, str):
            keys = identity.new(name, address, now)
        session = next(self.sessions)
        self.devices[session] = Device(device, account, keys, now)
        return {
            "session": session,
            "identity": keys.id,
            "certificate": octets(keys.certificate()),
            "chain": [octets(entry) for entry in keys.chain],
        }

    def open_store(self, store, keys):
        """The person of a kept store, or the kind of keys for a new one."""
        match store, keys:
            case "empty", {"generate": "v4"}:
                return "v4"
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
        self.device(params)
        need_time(params)
        raise Unsupported("sync")

    def receive(self, params):
        self.device(params)
        need_time(params)
        raise Unsupported("receive")

    def act(self, params):
        action = self.actions.get(need(params, "do", str))
        if action is None:
            raise Unsupported(params["do"])
        device = self.device(params)
        device.now = need_time(params)
        return action(device, params)

    def view(self, params):
        view = self.views.get(need(params, "what", str))
        if view is None:
            raise Unsupported(params["what"])
        return {"items": view(self.device(params))}

    def view_devices(self, device):
        return [{"name": device.name, "current": True}]

    def close(self, params):
        device, keep = self.device(params), need(params, "keep", bool)
        del self.devices[params["session"]]
        if not keep:
            return {}
        token = secrets.token_hex(8)
        self.kept[token] = device.person
        return {"kept": token}

    def bye(self, params):
        self.devices.clear()
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


def octets(value):
    return base64.b64encode(value).decode()
