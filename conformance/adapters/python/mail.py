"""Kith mail as MIME, and the servers: chapter "Mail format" of the specification."""

import contextlib
import email
import imaplib
import re
import secrets
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime

from openpgp import Bad, armor, dearmor

POLICY = compat32.clone(linesep="\r\n", max_line_length=76, mangle_from_=False)
SIZE, DEPTH, PARTS = 25 * 1024 * 1024, 8, 300
BUCKETS = [4096, 8192, 16384, 32768, 65536]
DOCUMENT, OBJECT, CERTIFICATE = "application/kith+xml", "application/kith-object", "application/pgp-keys"
ABOUT = "\n\n-- \nThis is Kith: a private social network over ordinary mail.\n"
TIMEOUT = 20


class NotKith(Exception):
    """Mail to leave alone."""


@dataclass
class Parts:
    """What a mail, or the inside of a sealed one, holds for an agent."""

    documents: list = field(default_factory=list)
    objects: list = field(default_factory=list)
    certificates: list = field(default_factory=list)


def fields(root, sender, to, now, subject, message_id=None):
    """The header fields of every Kith mail."""
    root["From"], root["To"] = sender, to
    root["Date"] = format_datetime(now)
    root["Message-ID"] = message_id or f"<{secrets.token_hex(16)}@{sender.rpartition('@')[2]}>"
    root["Subject"] = subject


def mixed(parts, texts, **parameters):
    """The text for ordinary mail programs, and the parts for agents."""
    root = MIMEMultipart("mixed", boundary=boundary(), policy=POLICY, **parameters)
    root.attach(MIMEText("\n\n".join(texts) + ABOUT, "plain", "utf-8", policy=POLICY))
    for kind, found in [(DOCUMENT, parts.documents), (OBJECT, parts.objects)]:
        for octets in found:
            root.attach(MIMEApplication(octets, kind.partition("/")[2], policy=POLICY))
    for octets in parts.certificates:
        root.attach(MIMEApplication(armor(octets).encode(), "pgp-keys", policy=POLICY))
    return root


def compose_open(sender, to, now, parts, texts):
    root = mixed(parts, texts)
    fields(root, sender, to, now, "Somebody asks you to become friends")
    root["Kith-Version"] = "1.0"
    return root.as_bytes(policy=POLICY)


def compose_sealed(sender, to, now, parts, texts, seal, automatic=False):
    """`seal` signs and encrypts the payload."""
    outer = MIMEMultipart("encrypted", boundary=boundary(), protocol="application/pgp-encrypted", policy=POLICY)
    fields(outer, sender, to, now, "[...]")
    outer["Kith-Version"] = "1.0"
    if automatic:
        outer["Auto-Submitted"] = "auto-generated"
    inner = mixed(parts, texts, hp="cipher")
    fields(inner, sender, to, now, "Private Kith mail", outer["Message-ID"])
    for name in ("From", "To", "Date", "Message-ID", "Subject"):
        inner["HP-Outer"] = f"{name}: {outer[name]}"
    control = MIMENonMultipart("application", "pgp-encrypted", policy=POLICY)
    control.set_payload("Version: 1\n")
    envelope = MIMENonMultipart("application", "octet-stream", name="encrypted.asc", policy=POLICY)
    envelope["Content-Description"] = "A private Kith mail"
    envelope.set_payload(seal(padded(inner)).decode())
    outer.attach(control)
    outer.attach(envelope)
    return outer.as_bytes(policy=POLICY)


def padded(root):
    """The octets of a payload, with text in the epilogue up to the next size."""
    root.epilogue = ""
    size = len(root.as_bytes(policy=POLICY))
    # No line is one octet long.
    need = next((bucket - size for bucket in BUCKETS if bucket - size >= 2), 0)
    lines = []
    while need:
        take = min(78, need)
        take -= need - take == 1
        lines.append("." * (take - 2) + "\n")
        need -= take
    root.epilogue = "".join(lines)
    return root.as_bytes(policy=POLICY)


def boundary():
    return f"=_{secrets.token_hex(16)}"


def read(octets):
    """A mail, recognised by its parts; its root and whether it is sealed."""
    if len(octets) > SIZE:
        raise NotKith()
    root = parse(octets)
    if automatic(root):
        raise NotKith()
    if root.get_content_type() == "multipart/encrypted":
        return root, True
    if not any(part.get_content_type() in (OBJECT, DOCUMENT) for part in bounded(root)):
        raise NotKith()
    return root, False


def parse(octets):
    try:
        return email.message_from_bytes(octets, policy=POLICY)
    except RecursionError:
        raise Bad("mime-bounds") from None


def automatic(root):
    """Bounces, notifications and the answers of programs that aren't agents."""
    said = re.split(r"[;\s(]", (root.get("Auto-Submitted") or "").strip())[0].lower()
    return root.get_content_type() == "multipart/report" or said in ("auto-replied", "auto-notified")


def envelope(root):
    """The armored envelope of a sealed mail."""
    inside = root.get_payload() if root.is_multipart() else []
    kinds = [part.get_content_type() for part in inside]
    control = inside[0].get_payload(decode=True) if inside else b""
    if (
        root.get_param("protocol") != "application/pgp-encrypted"
        or kinds != ["application/pgp-encrypted", "application/octet-stream"]
        or (control or b"").strip() != b"Version: 1"
    ):
        raise Bad("envelope-malformed")
    return inside[1].get_payload(decode=True)


def parts(root, sealed):
    """The parts for agents, wherever they stand within the bounds."""
    found = Parts()
    for part in bounded(root):
        kind = part.get_content_type()
        if sealed and kind in ("multipart/encrypted", "multipart/signed"):
            raise Bad("second-envelope")
        if part.is_multipart():
            continue
        octets = part.get_payload(decode=True) or b""
        if sealed and octets.lstrip().startswith(b"-----BEGIN PGP MESSAGE-----"):
            raise Bad("second-envelope")
        if kind == DOCUMENT:
            found.documents.append(octets)
        elif kind == OBJECT:
            found.objects.append(octets)
        elif kind == CERTIFICATE:
            with contextlib.suppress(Bad):
                found.certificates.append(dearmor(octets))
    return found


def bounded(root):
    """All parts of a MIME tree of a bounded size."""
    level, count = [root], 0
    for _ in range(DEPTH):
        count += len(level)
        if count > PARTS:
            break
        yield from level
        level = [child for part in level if part.is_multipart() for child in part.get_payload()]
    if level:
        raise Bad("mime-bounds")


def authenticated(root, authserv_id, address):
    """Whether the own server vouches for the domain of an address (RFC 8601)."""
    value = re.sub(r"\([^()]*\)", " ", root.get("Authentication-Results") or "")
    server, *results = [one.strip().lower() for one in value.split(";")]
    wanted = rf"dmarc\s*=\s*pass\b.*\bheader\.from\s*=\s*{re.escape(address.rpartition('@')[2].lower())}(\s|$)"
    return server.split()[:1] == [authserv_id.lower()] and any(re.match(wanted, one) for one in results)


class Submission(smtplib.SMTP):
    """A connection to `connect`, whose certificate is checked for `host`."""

    def __init__(self, server, context):
        self.server, self.context = server, context
        super().__init__(server["host"], server["port"], local_hostname="localhost", timeout=TIMEOUT)
        if server["mode"] == "starttls":
            self.starttls(context=context)

    def _get_socket(self, host, port, timeout):
        return connect(self.server, self.context)


class Mailbox(imaplib.IMAP4):
    """A connection to `connect`, whose certificate is checked for `host`."""

    def __init__(self, server, context):
        self.server, self.context = server, context
        super().__init__(server["host"], server["port"])
        if server["mode"] == "starttls":
            self.starttls(context)

    def _create_socket(self, timeout=None):
        return connect(self.server, self.context)


def connect(server, context):
    stream = socket.create_connection((server["connect"], server["port"]), TIMEOUT)
    if server["mode"] == "starttls":
        return stream
    return context.wrap_socket(stream, server_hostname=server["host"])


def trust(ca):
    """Nothing but the given authorities."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ca)
    return context


def submit(account, mails):
    """Submits (recipient, octets) until one has to wait; what is done with, and what went wrong."""
    done, problems = 0, []
    try:
        with Submission(account["submission"], trust(account["ca"])) as server:
            server.login(account["user"], account["password"])
            for to, octets in mails:
                try:
                    server.sendmail(account["address"], [to], octets)
                except smtplib.SMTPException as error:
                    if not for_good(error):
                        raise
                    problems.append(f"mail to {to} was refused: {error}")
                done += 1
    except (OSError, smtplib.SMTPException) as error:
        problems.append(f"submission: {error}")
    return done, problems


def for_good(error):
    """Whether a server refused a mail with a code of the 500s."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500


def fetch(account, place):
    """New mail of INBOX after a place (UIDVALIDITY, last UID), and the new place."""
    try:
        with Mailbox(account["mailbox"], trust(account["ca"])) as server:
            server.login(account["user"], account["password"])
            server.select("INBOX", readonly=True)
            validity = int(server.response("UIDVALIDITY")[1][0])
            last = place[1] if place[0] == validity else 0
            _, found = server.uid("SEARCH", f"UID {last + 1}:*")
            mails = []
            for uid in (int(one) for one in found[0].split()):
                if uid > last:  # "*" is the last mail, even below the range
                    _, answer = server.uid("FETCH", str(uid), "(BODY.PEEK[])")
                    mails += [one[1] for one in answer if isinstance(one, tuple)]
                    last = uid
            return mails, (validity, last), []
    except (OSError, imaplib.IMAP4.error) as error:
        return [], place, [f"mailbox: {error}"]
