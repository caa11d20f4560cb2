"""python3 -m unittest, in this folder."""

import base64
import contextlib
import email
import io
import json
import unittest
import xml.etree.ElementTree as ElementTree
from datetime import datetime, timedelta

import openpgp
import rpc
from agent import Agent
from openpgp import Bad
from person import Person

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
    agent = Agent()
    rpc.serve(io.BytesIO("\n".join(lines).encode()), output, agent.methods)
    agent.bye({})
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
        self.addCleanup(agent.bye, {})
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
        agent = Agent()
        self.addCleanup(agent.bye, {})
        self.opened = agent.open(OPEN)
        self.certificate = base64.b64decode(self.opened["certificate"])
        self.entry = base64.b64decode(self.opened["chain"][0])

    def test_the_entry_is_signed_by_the_certificate(self):
        keyring, now = openpgp.Keyring(), datetime.fromisoformat(NOW)
        self.addCleanup(keyring.close)
        certificate = keyring.certificate(self.certificate, now)
        self.assertTrue(keyring.verify(self.entry, certificate, now))
        changed = self.entry.replace(b"The key", b"the key")
        self.assertFalse(keyring.verify(changed, certificate, now))
        signature = openpgp.parts(self.entry)[1]
        self.assertEqual((signature.purposes, signature.created), (["object"], now.timestamp()))

    def test_the_id_is_the_key_hash(self):
        root = ElementTree.fromstring(openpgp.parts(self.entry)[0])
        self.assertEqual(root.get("author"), self.opened["identity"])
        key = base64.b64decode(root.findtext("{urn:kith:1.0}identity/{urn:kith:1.0}key"))
        self.assertEqual(openpgp.key_hash(key), self.opened["identity"])
        self.assertEqual(openpgp.key_hash(self.certificate), self.opened["identity"])

    def test_every_framing_of_a_packet_is_read(self):
        for size in (0, 191, 192, 8383, 8384, 70000):
            body = bytes(size)
            self.assertEqual(list(openpgp.packets(openpgp.packet(11, body))), [(11, body)])
        self.assertEqual(list(openpgp.packets(b"\xac\x03abc")), [(11, b"abc")])
        self.assertEqual(list(openpgp.packets(b"\xcb\xe1ab\x01c")), [(11, b"abc")])

    def test_what_is_cut_short_is_bad(self):
        for length in range(len(self.entry)):
            with self.assertRaises(Bad):
                openpgp.parts(self.entry[:length])


class TwoPeople(unittest.TestCase):
    """Two people without mail servers."""

    def setUp(self):
        self.now = datetime.fromisoformat(NOW)
        self.alice, self.bob = self.person("Alice", "alice@a.test"), self.person("Bob", "bob@b.test")

    def person(self, name, address):
        account = {"address": address, "authserv_id": "mail.example"}
        person = Person(name, account, self.now)
        self.addCleanup(person.keyring.close)
        return person

    def carry(self, sender, reader):
        """What waits at one arrives at the other."""
        outcomes = [reader.receive(octets, self.now) for _, octets in sender.outbox]
        sender.outbox.clear()
        return [outcome[0] for outcome in outcomes]

    def befriend(self):
        self.alice.befriend(self.now, "bob@b.test", "It was good to meet you")
        self.assertEqual(self.carry(self.alice, self.bob), ["accept"])
        self.bob.accept(self.now, self.bob.peers[self.alice.id].request.id)
        self.assertEqual(self.carry(self.bob, self.alice), ["accept"])
        self.assertEqual(self.carry(self.alice, self.bob), ["accept"])

    def test_they_become_friends_and_talk(self):
        self.befriend()
        id = self.bob.write(self.now, self.alice.id, "Shall we meet on Friday? ☃")
        self.assertEqual(self.carry(self.bob, self.alice), ["accept"])
        found = self.alice.messages[self.bob.id, id].object
        self.assertEqual(found.payload.findtext("{urn:kith:1.0}text"), "Shall we meet on Friday? ☃")
        self.assertEqual(self.alice.peers[self.bob.id].riding, [])

    def test_a_stranger_writes_in_vain(self):
        self.befriend()
        eve = self.person("Eve", "eve@c.test")
        eve.peers[self.bob.id] = self.alice.peers[self.bob.id]
        eve.write(self.now, self.bob.id, "Hello")
        self.assertEqual(self.carry(eve, self.bob), ["refuse"])
        self.assertEqual(self.bob.messages, {})

    def test_a_changed_mail_is_refused_and_a_repeated_one_has_no_effect(self):
        self.befriend()
        self.bob.write(self.now, self.alice.id, "Once")
        octets = self.bob.outbox[0][1]
        changed = octets.replace(b"-----END PGP", b"AAAA\r\n-----END PGP")
        self.assertEqual(self.alice.receive(changed, self.now)[0], "refuse")
        self.assertEqual([self.alice.receive(octets, self.now)[0] for _ in range(2)], ["accept"] * 2)
        self.assertEqual(len(self.alice.messages), 1)

    def test_a_sealed_mail_keeps_its_form(self):
        self.befriend()
        self.bob.write(self.now, self.alice.id, "x" * 5000)
        octets = self.bob.outbox[0][1]
        self.assertTrue(all(len(line) <= 76 for line in octets.split(b"\r\n")))
        root = email.message_from_bytes(octets)
        self.assertEqual((root["Subject"], root["From"], root["To"]), ("[...]", "bob@b.test", "alice@a.test"))
        armored = root.get_payload()[1].get_payload(decode=True)
        message, keys = self.alice.keyring.decrypt(armored, self.now)
        self.assertEqual((len(openpgp.parts(message)[0]), keys), (16384, 1))

    def test_an_accept_is_sent_again_until_it_is_confirmed(self):
        self.alice.befriend(self.now, "bob@b.test", None)
        self.carry(self.alice, self.bob)
        self.bob.accept(self.now, self.bob.peers[self.alice.id].request.id)
        days = [time - self.now for time in self.bob.peers[self.alice.id].again]
        self.assertEqual(days, [timedelta(days=count) for count in (1, 3, 7, 14)])
        self.carry(self.bob, self.alice)
        self.carry(self.alice, self.bob)
        self.assertEqual(self.bob.peers[self.alice.id].again, [])


if __name__ == "__main__":
    unittest.main()
