//! What a server does to mail, and what its IMAP has: found out with mail that is made to
//! provoke it, from an account to itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_imap::extensions::idle::IdleResponse;
use rustls::ClientConfig;

use super::{domain, failed, mailbox, submit, upstream};
use crate::TestbedError;
use crate::described::{Described, DescribedAccount, DescribedDomain};

/// How long a mail has to come before it counts as lost.
const ARRIVAL: Duration = Duration::from_secs(10);
/// How soon IDLE has to tell of a mail to be of use.
const AT_ONCE: Duration = Duration::from_secs(5);

/// One thing that servers do differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trait {
    /// What is looked at.
    pub what: &'static str,
    /// What this server does.
    pub outcome: String,
}

/// A mail that provokes, and how is told what became of it.
struct Probe {
    what: &'static str,
    mail: fn() -> Vec<u8>,
    tell: fn(sent: &[u8], came: &[u8]) -> String,
}

/// Extensions of IMAP that agents have a use for.
const EXTENSIONS: [&str; 9] = [
    "IDLE",
    "UIDPLUS",
    "MOVE",
    "CONDSTORE",
    "QRESYNC",
    "SPECIAL-USE",
    "METADATA",
    "NOTIFY",
    "QUOTA",
];

const PROBES: [Probe; 14] = [
    Probe {
        what: "lines of 76 octets, base64",
        mail: || mail("", "VGhpcyBpcyBiYXNlNjQu\r\n"),
        tell: body,
    },
    Probe {
        what: "header line of 3000 octets",
        mail: || {
            mail(
                &format!("X-Probe: {}\r\n", "word ".repeat(598).trim_end()),
                "x\r\n",
            )
        },
        tell: field,
    },
    Probe {
        what: "150 kB of header",
        mail: || {
            let filler = |number| format!("X-Filler-{number}: {}\r\n", "x".repeat(900));
            let filler: String = (0..166).map(filler).collect();
            mail(&format!("{filler}X-Probe: last\r\n"), "x\r\n")
        },
        tell: field,
    },
    Probe {
        what: "UTF-8 in a header, without SMTPUTF8",
        mail: || mail("X-Probe: grün\r\n", "x\r\n"),
        tell: field,
    },
    Probe {
        what: "Bcc",
        mail: || mail("Bcc: x-probe@a.test\r\n", "x\r\n"),
        tell: |_, came| presence(came, "Bcc", "kept", "removed"),
    },
    Probe {
        what: "missing Date",
        mail: || mail("", "x\r\n"),
        tell: |_, came| presence(came, "Date", "added", "not added"),
    },
    Probe {
        what: "missing Message-ID",
        mail: || mail("", "x\r\n"),
        tell: |_, came| presence(came, "Message-ID", "added", "not added"),
    },
    Probe {
        what: "body line of 2000 octets",
        mail: || mail("", &format!("{}\r\n", "x".repeat(2000))),
        tell: body,
    },
    Probe {
        what: "UTF-8 in the body",
        mail: || mail("", "grün\r\n"),
        tell: body,
    },
    Probe {
        what: "line that begins with “From ”, blanks at its end",
        mail: || mail("", "From here on.  \r\n"),
        tell: body,
    },
    Probe {
        what: "bare LF",
        mail: || mail("", "<[\n]>\r\n"),
        tell: between,
    },
    Probe {
        what: "bare CR",
        mail: || mail("", "<[\r]>\r\n"),
        tell: between,
    },
    Probe {
        what: "NUL",
        mail: || mail("", "<[\0]>\r\n"),
        tell: between,
    },
    Probe {
        what: "20 MB",
        mail: || mail("", &lines(20)),
        tell: body,
    },
];

/// What is told of mails that are not submitted: their size alone is asked for.
const TOO_LARGE: usize = 60;

fn mail(fields: &str, body: &str) -> Vec<u8> {
    format!("Subject: probe\r\n{fields}\r\n{body}").into_bytes()
}

fn lines(megabytes: usize) -> String {
    format!("{}\r\n", "x".repeat(74)).repeat(megabytes * 1_000_000 / 76)
}

/// Header and body of a mail.
fn split(mail: &[u8]) -> (&[u8], &[u8]) {
    let end = find(mail, b"\r\n\r\n").unwrap_or(mail.len());
    (&mail[..end], mail.get(end + 4..).unwrap_or_default())
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn body(sent: &[u8], came: &[u8]) -> String {
    let (sent, came) = (split(sent).1, split(came).1);
    let joined = |text: &[u8]| String::from_utf8_lossy(text).replace("\r\n ", "");
    if sent == came {
        "kept".to_owned()
    } else if joined(came) == joined(sent) {
        "**split** with CRLF and a space".to_owned()
    } else {
        "**changed**".to_owned()
    }
}

/// The field `X-Probe` as it stands in a mail, with its folding.
fn probe_field(mail: &[u8]) -> Option<String> {
    let header = format!("\r\n{}\r\n", String::from_utf8_lossy(split(mail).0));
    let start = header.to_ascii_lowercase().find("\r\nx-probe:")? + 2;
    let mut end = start;
    loop {
        end += header[end..].find("\r\n")? + 2;
        if !header[end..].starts_with([' ', '\t']) {
            return Some(header[start..end].to_owned());
        }
    }
}

fn field(sent: &[u8], came: &[u8]) -> String {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    let outcome = match (probe_field(sent), probe_field(came)) {
        (Some(sent), Some(came)) if sent == came => "kept",
        (Some(sent), Some(came)) if plain(&sent) == plain(&came) => "folded anew",
        (Some(sent), Some(came)) if dense(&sent) == dense(&came) => "**folded within words**",
        (_, Some(_)) => "**octets replaced**",
        (_, None) => "**lost**",
    };
    outcome.to_owned()
}

fn presence(came: &[u8], name: &str, yes: &str, no: &str) -> String {
    let header = format!("\r\n{}", String::from_utf8_lossy(split(came).0)).to_ascii_lowercase();
    let there = header.contains(&format!("\r\n{}:", name.to_ascii_lowercase()));
    if there { yes } else { no }.to_owned()
}

/// What stands between the brackets now.
fn between(sent: &[u8], came: &[u8]) -> String {
    let inner = |mail: &[u8]| {
        let text = split(mail).1;
        let start = find(text, b"<[")? + 2;
        let end = start + find(&text[start..], b"]>")?;
        Some(text[start..end].to_vec())
    };
    match inner(came) {
        now if now == inner(sent) => "kept".to_owned(),
        None => "**changed**".to_owned(),
        Some(now) => match now.as_slice() {
            b"\r\n" => "CRLF".to_owned(),
            b" " => "space".to_owned(),
            b"" => "removed".to_owned(),
            other => other
                .iter()
                .map(|octet| format!("0x{octet:02X} "))
                .collect::<String>(),
        },
    }
}

/// An account that writes to itself.
struct Place<'a> {
    home: &'a DescribedDomain,
    account: &'a DescribedAccount,
    tls: &'a Arc<ClientConfig>,
}

impl Described {
    /// Finds out what the server does that others don't. Empties the mailbox of the first
    /// account.
    ///
    /// # Errors
    /// If mailboxes may not be emptied, or the server can't be reached.
    pub async fn probe(&self) -> Result<Vec<Trait>, TestbedError> {
        let allowed = self.usable();
        allowed.map_err(|error| failed("prepare the mailboxes", &error))?;
        let tls = upstream::client_config(self.ca.as_deref())?;
        let account = self.accounts.first();
        let account = account.ok_or_else(|| failed("open an account", &"there is none"))?;
        let place = Place {
            home: domain(self, account)?,
            account,
            tls: &tls,
        };
        let mut traits = place.imap().await?;
        for probe in &PROBES {
            let outcome = place.try_mail(probe).await?;
            let what = probe.what;
            traits.push(Trait { what, outcome });
        }
        let outcome = match place.submit(&mail("", &lines(TOO_LARGE))).await? {
            Ok(()) => "taken".to_owned(),
            Err(refusal) => refusal,
        };
        let what = "60 MB";
        traits.push(Trait { what, outcome });
        mailbox::empty(place.home, account, &tls).await?;
        Ok(traits)
    }
}

impl Place<'_> {
    async fn submit(&self, octets: &[u8]) -> Result<Result<(), String>, TestbedError> {
        let to = &self.account.address;
        let sent = submit::try_submit(self.home, self.account, to, octets, self.tls).await?;
        Ok(sent.map_err(|(step, reply)| {
            let code = reply.split([' ', '-']).next().unwrap_or_default();
            format!("refused at {step} ({code})")
        }))
    }

    async fn try_mail(&self, probe: &Probe) -> Result<String, TestbedError> {
        mailbox::empty(self.home, self.account, self.tls).await?;
        let from = format!("From: {0}\r\nTo: {0}\r\n", self.account.address);
        let octets = [from.as_bytes(), &(probe.mail)()].concat();
        if let Err(refusal) = self.submit(&octets).await? {
            return Ok(refusal);
        }
        let mut inbox = mailbox::Inbox::open(self.home, self.account, self.tls).await?;
        let came = inbox.first(ARRIVAL).await?;
        inbox.close().await;
        Ok(match came {
            Some(came) => (probe.tell)(&octets, &came).trim_end().to_owned(),
            None => "**not delivered**".to_owned(),
        })
    }

    /// What its IMAP has.
    async fn imap(&self) -> Result<Vec<Trait>, TestbedError> {
        mailbox::empty(self.home, self.account, self.tls).await?;
        let mut session = mailbox::login(self.home, self.account, self.tls).await?;
        let wrong = |error: async_imap::error::Error| failed("tell what its IMAP has", &error);
        let capabilities = session.capabilities().await.map_err(wrong)?;
        let yes_or_no = |yes: bool| if yes { "yes" } else { "**no**" }.to_owned();
        let has = |what| Trait {
            what,
            outcome: yes_or_no(capabilities.has_str(what)),
        };
        let mut traits: Vec<Trait> = EXTENSIONS.into_iter().map(has).collect();
        let mut add = |what, outcome| traits.push(Trait { what, outcome });
        add("folder `Kith/Held` by that name", {
            let made = session.create("Kith").await;
            let below = session.create("Kith/Held").await;
            yes_or_no(made.is_ok() && below.is_ok())
        });
        add("folder `INBOX.Kith.Held` by that name", {
            let made = session.create("INBOX.Kith").await;
            let below = session.create("INBOX.Kith.Held").await;
            yes_or_no(made.is_ok() && below.is_ok())
        });
        let inbox = session.select("INBOX").await.map_err(wrong)?;
        add("UIDNEXT in SELECT", yes_or_no(inbox.uid_next.is_some()));
        let flags = &inbox.permanent_flags;
        let any = flags.contains(&async_imap::types::Flag::MayCreate);
        add("keywords of one's own", yes_or_no(any));
        let mut idle = session.idle();
        idle.init().await.map_err(wrong)?;
        let began = Instant::now();
        let from = format!("From: {0}\r\nTo: {0}\r\n\r\nx\r\n", self.account.address);
        let sent = self.submit(from.as_bytes()).await?;
        sent.map_err(|refusal| failed("take a plain mail", &refusal))?;
        let (told, _stop) = idle.wait_with_timeout(ARRIVAL);
        let told = told.await.map_err(wrong)?;
        let at_once = matches!(told, IdleResponse::NewData(_)) && began.elapsed() < AT_ONCE;
        add("IDLE tells of a mail within 5 s", yes_or_no(at_once));
        let mut session = idle.done().await.map_err(wrong)?;
        // Nothing hangs on how it ends.
        let _ = session.logout().await;
        Ok(traits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_mail_is_told() {
        let sent = mail("X-Probe: one two\r\n", "<[\n]>\r\n");
        assert_eq!(field(&sent, &sent), "kept");
        let folded = mail("X-Other: x\r\nX-Probe: one\r\n two\r\nX-Last: x\r\n", "");
        assert_eq!(field(&sent, &folded), "folded anew");
        let within = mail("X-Probe: one t\r\n wo\r\n", "");
        assert_eq!(field(&sent, &within), "**folded within words**");
        assert_eq!(
            field(&sent, &mail("x-probe: X\r\n", "")),
            "**octets replaced**"
        );
        assert_eq!(
            field(&sent, &mail("", "X-Probe: in the body\r\n")),
            "**lost**"
        );
        assert_eq!(between(&sent, &sent), "kept");
        assert_eq!(between(&sent, &mail("", "<[\r\n]>\r\n")), "CRLF");
        assert_eq!(
            between(&sent, &mail("", "<[\u{1}]>\r\n")).trim_end(),
            "0x01"
        );
        assert_eq!(body(&sent, &sent), "kept");
        assert_eq!(
            body(&mail("", "abcd\r\n"), &mail("", "ab\r\n cd\r\n")),
            "**split** with CRLF and a space"
        );
        assert_eq!(
            presence(&mail("Date: x\r\n", ""), "date", "yes", "no"),
            "yes"
        );
        assert_eq!(
            presence(&mail("", "Date: x\r\n"), "Date", "yes", "no"),
            "no"
        );
    }
}
