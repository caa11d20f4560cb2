"""python3 -m unittest, in this folder."""

import base64
import contextlib
import io
import json
import unittest
import xml.etree.ElementTree as ElementTree

import pgpy

import identity
import rpc
from agent import Agent

NOW = "2026-03-01T09:00:00Z"
SERVER = {"host": "mail.example.org", "connect": "127.0.0.1", "port": 993, "mode": "tls"}
OPEN = {
    "person": {"address": "alice@example.org", "name": "Alice & Bob"},
    "device": "laptop",
    "password": "secret",
    "submission": SERVER,
    "mailbox": SERVER,
    "ca": "",
    "authserv_id": "mail.example.org",
    "store": "empty",
    "keys": {"generate": "v4"},
    "now": NOW,
}


def talk(*requests):
    """The answers to requests, given as (method, params)."""
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        for number, (method, params) in enumerate(requests)
    ]
    output = io.BytesIO()
    rpc.serve(io.BytesIO("\n".join(lines).encode()), output, Agent().methods)
    return [json.loads(line) for line in output.getvalue().splitlines()]


class Protocol(unittest.TestCase):
    def test_unknown_names_are_unsupported(self):
        answers = talk(
            ("groß", {}), ("act", {"do": "juggle"}), ("view", {"what": "stars"}),
            ("open", {**OPEN, "keys": {"generate": "pq"}}),
        )
        names = [answer["error"]["data"]["unsupported"] for answer in answers]
        self.assertEqual(names, ["groß", "juggle", "stars", "keys pq"])
        self.assertEqual({answer["error"]["code"] for answer in answers}, {-32601})

    def test_wrong_parameters(self):
        answers = talk(
            ("hello", {}), ("open", {}), ("sync", {"session": 1, "now": NOW}),
            ("sync", {"session": True}), ("open", {**OPEN, "now": "today"}),
            ("open", {**OPEN, "store": {"kept": "nothing"}, "keys": None}),
            ("open", {**OPEN, "keys": None}),
        )
        self.assertEqual({answer["error"]["code"] for answer in answers}, {-32602})
        self.assertEqual(len(answers), 7)

    def test_a_bug_is_an_answer(self):
        output = io.BytesIO()
        request = b'{"jsonrpc": "2.0", "id": 1, "method": "break"}\n'
        with contextlib.redirect_stderr(io.StringIO()) as errors:
            rpc.serve(io.BytesIO(request * 2), output, {"break": lambda params: 1 / 0})
        self.assertIn("ZeroDivisionError", errors.getvalue())
        codes = [json.loads(line)["error"]["code"] for line in output.getvalue().splitlines()]
        self.assertEqual(codes, [-32603, -32603])

    def test_nothing_is_answered_after_bye(self):
        self.assertEqual(len(talk(("bye", {}), ("hello", {"protocol": 1}))), 1)

    def test_sessions_are_apart_and_stores_can_be_kept(self):
        agent = Agent()
        first, second = agent.open(OPEN), agent.open({**OPEN, "device": "phone"})
        self.assertNotEqual(first["session"], second["session"])
        self.assertNotEqual(first["identity"], second["identity"])
        shown = agent.view({"session": second["session"], "what": "devices"})
        self.assertEqual(shown["items"], [{"name": "phone", "current": True}])
        kept = agent.close({"session": first["session"], "keep": True})["kept"]
        again = agent.open({**OPEN, "store": {"kept": kept}, "keys": None})
        self.assertEqual(again["identity"], first["identity"])
        self.assertEqual(agent.close({"session": again["session"], "keep": False}), {})


class Identity(unittest.TestCase):
    def setUp(self):
        self.opened = Agent().open(OPEN)
        self.entry = base64.b64decode(self.opened["chain"][0])
        self.message = pgpy.PGPMessage.from_blob(self.entry)
        self.xml = bytes(self.message.message)

    def test_the_entry_is_signed_by_the_certificate(self):
        certificate, _ = pgpy.PGPKey.from_blob(base64.b64decode(self.opened["certificate"]))
        self.assertTrue(certificate.verify(self.message))
        signature = self.message.signatures[0]
        self.assertEqual(signature.notation, {"kith": "object"})
        self.assertEqual(signature.created.isoformat(), "2026-03-01T09:00:00+00:00")

    def test_the_one_pass_signature_is_the_last(self):
        self.assertEqual((self.entry[0], self.entry[1], self.entry[14]), (0xC4, 13, 1))

    def test_the_id_is_the_key_hash(self):
        root = ElementTree.fromstring(self.xml)
        self.assertEqual(root.get("author"), self.opened["identity"])
        key = root.find("{urn:kith:1.0}identity/{urn:kith:1.0}key")
        octets = base64.b64decode(key.text)
        self.assertTrue(base64.b64decode(self.opened["certificate"]).startswith(octets))
        self.assertIn(b"The key of Alice &amp; Bob", self.xml)

    def test_packet_lengths(self):
        headers = [identity.packet(11, bytes(n))[:6].rstrip(b"\0") for n in (191, 192, 8383, 8384)]
        wanted = [b"\xcb\xbf", b"\xcb\xc0", b"\xcb\xdf\xff", b"\xcb\xff\0\0\x20\xc0"]
        self.assertEqual(headers, wanted)


if __name__ == "__main__":
    unittest.main()
