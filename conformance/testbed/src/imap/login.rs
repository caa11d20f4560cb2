//! Before the mailbox: CAPABILITY, STARTTLS, LOGIN, AUTHENTICATE, ID, ENABLE, NAMESPACE.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imap_codec::imap_types::auth::AuthMechanism;
use imap_codec::imap_types::extensions::enable::CapabilityEnable;

use super::{Answer, Answered, Flow, Session};
use crate::config::{Literals, Mechanism, REFUSED};
use crate::connection::Line;

/// What AUTHENTICATE may take, as CAPABILITY names it.
const MECHANISMS: [(Mechanism, &str); 3] = [
    (Mechanism::Plain, "AUTH=PLAIN"),
    (Mechanism::Oauthbearer, "AUTH=OAUTHBEARER"),
    (Mechanism::Xoauth2, "AUTH=XOAUTH2"),
];

/// What is known of a mechanism here.
fn known(mechanism: &AuthMechanism<'_>) -> Option<Mechanism> {
    match mechanism {
        AuthMechanism::Plain => Some(Mechanism::Plain),
        AuthMechanism::OAuthBearer => Some(Mechanism::Oauthbearer),
        AuthMechanism::XOAuth2 => Some(Mechanism::Xoauth2),
        _ => None,
    }
}

/// The user in the client's message, or nothing.
pub(super) fn user_in(mechanism: &AuthMechanism<'_>, message: &[u8]) -> String {
    let credentials = known(mechanism).and_then(|mechanism| mechanism.credentials(message));
    credentials.map_or_else(String::new, |(user, _)| user)
}

impl Session {
    /// Whether there is TLS, or nobody minds.
    fn is_open(&self) -> bool {
        self.connection.is_tls() || self.shared.is_stripped()
    }

    /// What CAPABILITY lists at this moment.
    pub(super) fn capabilities(&self) -> String {
        let offered = &self.shared.config.capabilities.imap;
        let mut list = vec!["IMAP4rev1"];
        match offered.literals {
            Literals::Synchronizing => (),
            Literals::Minus => list.push("LITERAL-"),
            Literals::Plus => list.push("LITERAL+"),
        }
        if offered.id {
            list.push("ID");
        }
        if !self.is_open() {
            list.extend(["STARTTLS", "LOGINDISABLED"]);
            return list.join(" ");
        }
        if self.account.is_none() {
            if offered.sasl_ir {
                list.push("SASL-IR");
            }
            if !offered.auth.contains(&Mechanism::Plain) {
                list.push("LOGINDISABLED");
            }
            for (mechanism, name) in MECHANISMS {
                if offered.auth.contains(&mechanism) {
                    list.push(name);
                }
            }
        }
        for (is_offered, name) in [
            (true, "CHILDREN"),
            (offered.condstore, "ENABLE"),
            (offered.namespace, "NAMESPACE"),
            (offered.unselect, "UNSELECT"),
            (offered.idle, "IDLE"),
            (offered.uidplus, "UIDPLUS"),
            (offered.move_, "MOVE"),
            (offered.condstore, "CONDSTORE"),
        ] {
            if is_offered {
                list.push(name);
            }
        }
        list.join(" ")
    }

    pub(super) async fn start_tls(&mut self, tag: &str) -> io::Result<Flow> {
        if self.connection.is_tls() {
            self.tagged(tag, &Answer::bad("TLS is already there"));
            return Ok(Flow::Continue);
        }
        if self.shared.is_stripped() {
            self.tagged(tag, &Answer::bad("There is no such command"));
            return Ok(Flow::Continue);
        }
        if self.connection.has_input() {
            self.tagged(
                tag,
                &Answer::bad("Nothing may follow STARTTLS in the clear"),
            );
            return Ok(Flow::Close);
        }
        self.tagged(tag, &Answer::ok("Begin TLS negotiation now"));
        self.connection.start_tls(self.shared.tls()).await?;
        Ok(Flow::Continue)
    }

    pub(super) fn login(&mut self, user: &[u8], password: &[u8]) -> Answered {
        if !self.is_open() {
            return Err(Answer::no("[PRIVACYREQUIRED] Use STARTTLS first"));
        }
        let offered = &self.shared.config.capabilities.imap.auth;
        if !offered.contains(&Mechanism::Plain) {
            return Err(Answer::no("[CANNOT] LOGIN is switched off"));
        }
        let user = String::from_utf8_lossy(user);
        self.enter(&user, &String::from_utf8_lossy(password))
    }

    fn enter(&mut self, user: &str, password: &str) -> Answered {
        if self.account.is_some() {
            return Err(Answer::bad("You are logged in already"));
        }
        let key = self.shared.world().login(user, password);
        let key = key.ok_or_else(|| Answer::no("[AUTHENTICATIONFAILED] Wrong user or password"))?;
        self.connection.log.set_account(&key);
        self.account = Some(key);
        Ok(Answer::ok(format!(
            "[CAPABILITY {}] Logged in",
            self.capabilities()
        )))
    }

    pub(super) async fn authenticate(
        &mut self,
        tag: &str,
        mechanism: &AuthMechanism<'_>,
        initial: Option<Vec<u8>>,
    ) -> io::Result<Flow> {
        let offered = &self.shared.config.capabilities.imap;
        let mechanism = known(mechanism).filter(|known| offered.auth.contains(known));
        let refusal = if mechanism.is_none() {
            Some(Answer::no("[CANNOT] No such mechanism here"))
        } else if !self.is_open() {
            Some(Answer::no("[PRIVACYREQUIRED] Use STARTTLS first"))
        } else if initial.is_some() && !offered.sasl_ir {
            Some(Answer::bad("No initial response here"))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            self.tagged(tag, &refusal);
            return Ok(Flow::Continue);
        }
        let message = match initial {
            Some(message) => Some(message),
            None => match self.challenge("").await? {
                Some(message) => message,
                None => return Ok(Flow::Close),
            },
        };
        let credentials = mechanism.zip(message).map(|(mechanism, message)| {
            let credentials = mechanism.credentials(&message).unwrap_or_default();
            (mechanism, credentials)
        });
        let Some((mechanism, (user, password))) = credentials else {
            self.tagged(tag, &Answer::bad("Cancelled, or no base64"));
            return Ok(Flow::Continue);
        };
        let answer = self.enter(&user, &password);
        if answer.is_err()
            && mechanism.is_bearer()
            && self.challenge(&STANDARD.encode(REFUSED)).await?.is_none()
        {
            return Ok(Flow::Close);
        }
        self.tagged(tag, &answer.unwrap_or_else(|refusal| refusal));
        Ok(Flow::Continue)
    }

    /// What the client answers, if it is base64; nothing if it is gone.
    async fn challenge(&mut self, challenge: &str) -> io::Result<Option<Option<Vec<u8>>>> {
        self.connection.put(format!("+ {challenge}\r\n").as_bytes());
        Ok(match self.connection.line(16_384).await? {
            Line::Eof => None,
            Line::TooLong => Some(None),
            Line::Complete(line) => {
                self.connection.log.client(b"****\r\n");
                Some(STANDARD.decode(line.trim_ascii()).ok())
            }
        })
    }

    pub(super) fn id(&self, out: &mut Vec<u8>) -> Answered {
        if !self.shared.config.capabilities.imap.id {
            return Err(Answer::bad("Not offered here"));
        }
        out.extend_from_slice(b"* ID (\"name\" \"kith-testbed\")\r\n");
        Ok(Answer::ok("ID completed"))
    }

    pub(super) fn enable(
        &mut self,
        capabilities: &[CapabilityEnable<'_>],
        out: &mut Vec<u8>,
    ) -> Answered {
        let offered = self.shared.config.capabilities.imap.condstore;
        if !offered {
            return Err(Answer::bad("Not offered here"));
        }
        let mut enabled = "";
        if capabilities.contains(&CapabilityEnable::CondStore) {
            self.condstore = true;
            enabled = " CONDSTORE";
        }
        out.extend_from_slice(format!("* ENABLED{enabled}\r\n").as_bytes());
        Ok(Answer::ok("Enable completed"))
    }

    pub(super) fn namespace(&self, out: &mut Vec<u8>) -> Answered {
        let offered = &self.shared.config.capabilities.imap;
        if !offered.namespace {
            return Err(Answer::bad("Not offered here"));
        }
        let line = format!(
            "* NAMESPACE ((\"{}\" \"{}\")) NIL NIL\r\n",
            offered.namespace_prefix, offered.delimiter
        );
        out.extend_from_slice(line.as_bytes());
        Ok(Answer::ok("Namespace completed"))
    }
}
