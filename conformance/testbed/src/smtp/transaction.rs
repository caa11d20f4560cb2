//! MAIL, RCPT and DATA: one mail on its way in.

use smtp_proto::{MAIL_BODY_8BITMIME, MAIL_BODY_BINARYMIME, MAIL_SMTPUTF8, MailFrom, RcptTo};

use super::data::{Data, read_data};
use super::{Flow, Outcome, Session};
use crate::delivery::{self, AuthResult, Deliver, Letter};
use crate::faults::{SmtpAction, SmtpStage};
use crate::mime;
use crate::names;
use crate::server::is_local;
use crate::world::{MailParams, Submission};

/// A mail whose content has not come yet.
#[derive(Debug)]
pub(super) struct Transaction {
    from: String,
    params: MailParams,
    recipients: Vec<String>,
}

/// What becomes of the connection after a mail was taken.
enum After {
    Reply,
    Drop,
    ReplyThenDrop,
}

impl Session {
    pub(super) async fn mail(&mut self, from: MailFrom<String>) -> Outcome {
        if self.greeted.is_none() {
            return self.say("503 5.5.1 Send EHLO first");
        }
        let Some(account) = self.account.clone() else {
            return self.say("530 5.7.0 Authentication required");
        };
        if self.transaction.is_some() {
            return self.say("503 5.5.1 There is a sender already");
        }
        if let Some(refusal) = self.unfit_parameters(&from) {
            return self.say(refusal);
        }
        // The null reverse-path is for notifications, which people's programs send too.
        let own = from.address.is_empty()
            || names::address_key(&from.address)
                .is_ok_and(|key| key == account || names::without_detail(&key) == account);
        if !own {
            return self.say("553 5.7.1 This sender address is not yours");
        }
        if let Some(flow) = self.fault(SmtpStage::Mail, &[&from.address]).await {
            return Ok(flow);
        }
        self.transaction = Some(Transaction {
            params: MailParams {
                size: (from.size > 0).then_some(from.size),
                eight_bit_mime: from.flags & MAIL_BODY_8BITMIME != 0,
                smtputf8: from.flags & MAIL_SMTPUTF8 != 0,
            },
            from: from.address,
            recipients: Vec::new(),
        });
        self.say("250 2.1.0 Sender OK")
    }

    fn unfit_parameters(&self, from: &MailFrom<String>) -> Option<&'static str> {
        let offered = &self.shared.config.capabilities.smtp;
        let unsupported = from.flags & MAIL_BODY_BINARYMIME != 0
            || from.flags & MAIL_BODY_8BITMIME != 0 && !offered.eight_bit_mime
            || from.flags & MAIL_SMTPUTF8 != 0 && !offered.smtputf8;
        if unsupported {
            Some("555 5.5.4 Unsupported parameter")
        } else if from.size > offered.size_limit {
            Some("552 5.3.4 The message is too large")
        } else if !from.address.is_ascii() && from.flags & MAIL_SMTPUTF8 == 0 {
            Some("553 5.6.7 This address needs SMTPUTF8")
        } else {
            None
        }
    }

    pub(super) async fn rcpt(&mut self, to: RcptTo<String>) -> Outcome {
        let Some(transaction) = &self.transaction else {
            return self.say("503 5.5.1 Send MAIL first");
        };
        if !to.address.is_ascii() && !transaction.params.smtputf8 {
            return self.say("553 5.6.7 This address needs SMTPUTF8");
        }
        let config = &self.shared.config;
        if transaction.recipients.len() >= config.capabilities.smtp.max_recipients {
            return self.say("452 4.5.3 Too many recipients");
        }
        let Some(domain) = names::domain_of(&to.address) else {
            return self.say("501 5.1.3 This is no recipient address");
        };
        if !is_local(config, &domain) {
            return self.say("550 5.1.2 No such domain can be reached from here");
        }
        if let Some(flow) = self.fault(SmtpStage::Rcpt, &[&to.address]).await {
            return Ok(flow);
        }
        let room = {
            let world = self.shared.world();
            let key = world.recipient(&to.address);
            let account = key.and_then(|key| world.accounts.get(&key));
            match world.is_list(&to.address) {
                true => Some(true),
                false => account.map(|account| account.has_room(1)),
            }
        };
        match (room, &mut self.transaction) {
            (Some(true), Some(transaction)) => {
                transaction.recipients.push(to.address);
                self.say("250 2.1.5 Recipient OK")
            }
            (Some(false), _) => self.say("452 4.2.2 The mailbox is full"),
            _ => self.say("550 5.1.1 No such user here"),
        }
    }

    pub(super) async fn data(&mut self) -> Outcome {
        let Some(transaction) = &self.transaction else {
            return self.say("503 5.5.1 Send MAIL first");
        };
        let recipients = transaction.recipients.clone();
        if recipients.is_empty() {
            return self.say("554 5.5.1 No valid recipients");
        }
        let addresses: Vec<&str> = recipients.iter().map(String::as_str).collect();
        if let Some(flow) = self.fault(SmtpStage::Data, &addresses).await {
            return Ok(flow);
        }
        self.reply("354 End data with <CR><LF>.<CR><LF>");
        let offered = &self.shared.config.capabilities.smtp;
        let (size, line) = (offered.size_limit, offered.line_limit);
        let data = read_data(&mut self.connection, size, line).await?;
        let Some(transaction) = self.transaction.take() else {
            return Ok(Flow::Close);
        };
        let octets = match data {
            Data::Complete(octets) => octets,
            Data::TooLarge => return self.say("552 5.3.4 The message is too large"),
            Data::LineTooLong => {
                return self.say(&format!("554 5.6.0 A line is longer than {line} octets"));
            }
            Data::Gone => return Ok(Flow::Close),
        };
        let after = match self.shared.faults.smtp(SmtpStage::EndOfData, &addresses) {
            None => After::Reply,
            Some(SmtpAction::AcceptThenDrop) => After::Drop,
            Some(SmtpAction::AcceptReplyThenDrop) => After::ReplyThenDrop,
            Some(SmtpAction::Delay(time)) => {
                tokio::time::sleep(time).await;
                After::Reply
            }
            Some(SmtpAction::Drop) => return Ok(Flow::Drop),
            Some(SmtpAction::Reply(code, text)) => return self.say(&format!("{code} {text}")),
            Some(SmtpAction::ReplyAndClose(code, text)) => {
                self.reply(&format!("{code} {text}"));
                return Ok(Flow::Close);
            }
        };
        let id = self.accept(transaction, octets);
        if matches!(after, After::Drop) {
            return Ok(Flow::Drop);
        }
        self.reply(&format!("250 2.0.0 Queued as {id:08x}"));
        if matches!(after, After::ReplyThenDrop) {
            self.connection.flush().await?;
            return Ok(Flow::Drop);
        }
        Ok(Flow::Continue)
    }

    /// Takes a mail: notes the submission and delivers it to every recipient.
    fn accept(&mut self, transaction: Transaction, octets: Vec<u8>) -> u64 {
        let account = self.account.clone().unwrap_or_default();
        let octets: std::sync::Arc<[u8]> = octets.into();
        let mut world = self.shared.world();
        let id = world.next_id();
        let at = world.now();
        world.submit(Submission {
            account: account.clone(),
            envelope_from: transaction.from.clone(),
            recipients: transaction.recipients.clone(),
            octets: octets.clone(),
            at,
            params: transaction.params,
        });
        // DMARC's alignment: the From field is of the domain that the account belongs to.
        let from = mime::from_domain(&octets).and_then(|domain| names::domain_key(&domain));
        let aligned = from.is_some() && from == names::domain_of(&account);
        let auth = if aligned {
            AuthResult::Pass
        } else {
            AuthResult::Fail
        };
        let helo = self.greeted.as_deref().unwrap_or("unknown");
        for to in transaction.recipients {
            let letter = Letter {
                to,
                octets: octets.clone(),
                how: Deliver::from(&transaction.from).auth(auth),
                received: format!("from {helo} "),
            };
            delivery::route(&self.shared, &mut world, letter);
        }
        id
    }
}
