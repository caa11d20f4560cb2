//! AUTH (RFC 4954) with PLAIN (RFC 4616), LOGIN, OAUTHBEARER (RFC 7628) and XOAUTH2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use smtp_proto::{AUTH_LOGIN, AUTH_OAUTHBEARER, AUTH_PLAIN, AUTH_XOAUTH2};

use super::{Flow, LINE_LIMIT, Outcome, Session};
use crate::config::{Mechanism, REFUSED};
use crate::connection::Line;
use crate::faults::SmtpStage;

/// The line as the wire log shows it: without the initial response of AUTH.
pub(super) fn masked(line: &[u8]) -> Vec<u8> {
    let Some((verb, rest)) = line.split_at_checked(5) else {
        return line.to_vec();
    };
    if !verb.eq_ignore_ascii_case(b"AUTH ") {
        return line.to_vec();
    }
    let end = rest
        .iter()
        .position(|octet| matches!(octet, b' ' | b'\r' | b'\n'));
    match end {
        Some(end) if rest.get(end) == Some(&b' ') => {
            let mechanism = rest.get(..end).unwrap_or_default();
            [verb, mechanism, b" ****\r\n"].concat()
        }
        _ => line.to_vec(),
    }
}

/// What a client answered to a challenge.
enum Answer {
    Octets(Vec<u8>),
    Cancelled,
    Garbled,
    Gone,
}

impl Session {
    pub(super) async fn auth(&mut self, mechanism: u64, initial: &str) -> Outcome {
        if self.greeted.is_none() {
            return self.say("503 5.5.1 Send EHLO first");
        }
        if self.account.is_some() {
            return self.say("503 5.5.1 You are already authenticated");
        }
        if self.transaction.is_some() {
            return self.say("503 5.5.1 Not within a mail transaction");
        }
        let mechanism = match mechanism {
            AUTH_PLAIN => Mechanism::Plain,
            AUTH_LOGIN => Mechanism::Login,
            AUTH_OAUTHBEARER => Mechanism::Oauthbearer,
            AUTH_XOAUTH2 => Mechanism::Xoauth2,
            _ => return self.say("504 5.5.4 No such mechanism here"),
        };
        if !self
            .shared
            .config
            .capabilities
            .smtp
            .auth
            .contains(&mechanism)
        {
            return self.say("504 5.5.4 No such mechanism here");
        }
        let credentials = match mechanism {
            Mechanism::Login => self.login(initial).await?,
            _ => self.single(mechanism, initial).await?,
        };
        match credentials {
            Ok((user, password)) => self.decide(mechanism, &user, &password).await,
            Err(flow) => Ok(flow),
        }
    }

    async fn single(
        &mut self,
        mechanism: Mechanism,
        initial: &str,
    ) -> std::io::Result<Result<(String, String), Flow>> {
        let octets = match self.answer(initial, "").await? {
            Ok(octets) => octets,
            Err(flow) => return Ok(Err(flow)),
        };
        Ok(mechanism.credentials(&octets).ok_or_else(|| {
            self.reply("535 5.7.8 Authentication failed");
            Flow::Continue
        }))
    }

    async fn login(&mut self, initial: &str) -> std::io::Result<Result<(String, String), Flow>> {
        let user = match self.answer(initial, "VXNlcm5hbWU6").await? {
            Ok(octets) => String::from_utf8_lossy(&octets).into_owned(),
            Err(flow) => return Ok(Err(flow)),
        };
        Ok(match self.answer("", "UGFzc3dvcmQ6").await? {
            Ok(octets) => Ok((user, String::from_utf8_lossy(&octets).into_owned())),
            Err(flow) => Err(flow),
        })
    }

    /// The initial response, or the answer to a challenge; replies itself if there is none.
    async fn answer(
        &mut self,
        initial: &str,
        challenge: &str,
    ) -> std::io::Result<Result<Vec<u8>, Flow>> {
        let answer = match initial {
            "" => self.challenge(challenge).await?,
            "=" => Answer::Octets(Vec::new()),
            given => decode(given.as_bytes()),
        };
        Ok(match answer {
            Answer::Octets(octets) => Ok(octets),
            Answer::Cancelled => {
                self.reply("501 5.7.0 Authentication cancelled");
                Err(Flow::Continue)
            }
            Answer::Garbled => {
                self.reply("501 5.5.2 This is not base64");
                Err(Flow::Continue)
            }
            Answer::Gone => Err(Flow::Close),
        })
    }

    async fn challenge(&mut self, challenge: &str) -> std::io::Result<Answer> {
        self.reply(&format!("334 {challenge}"));
        Ok(match self.connection.line(LINE_LIMIT).await? {
            Line::Eof => Answer::Gone,
            Line::TooLong => Answer::Garbled,
            Line::Complete(line) => {
                self.connection.log.client(b"****\r\n");
                match line.trim_ascii() {
                    b"*" => Answer::Cancelled,
                    octets => decode(octets),
                }
            }
        })
    }

    async fn decide(&mut self, mechanism: Mechanism, user: &str, password: &str) -> Outcome {
        if let Some(flow) = self.fault(SmtpStage::Auth, &[user]).await {
            return Ok(flow);
        }
        let key = self.shared.world().login(user, password);
        match key {
            Some(key) => {
                self.connection.log.set_account(&key);
                self.account = Some(key);
                self.say("235 2.7.0 Authentication succeeded")
            }
            None => {
                if mechanism.is_bearer()
                    && let Answer::Gone = self.challenge(&STANDARD.encode(REFUSED)).await?
                {
                    return Ok(Flow::Close);
                }
                self.say("535 5.7.8 Authentication failed")
            }
        }
    }
}

fn decode(text: &[u8]) -> Answer {
    STANDARD
        .decode(text)
        .map_or(Answer::Garbled, Answer::Octets)
}
