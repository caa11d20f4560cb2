//! Faults that a server can be told to show, at run time, one small thing each.
//!
//! ```
//! use kith_testbed::{Fault, Faults, SmtpAction, SmtpStage};
//! let faults = Faults::default();
//! // Greylisting: the first two attempts to reach b.test are put off.
//! faults.add(Fault::reply(SmtpStage::Rcpt, 450, "4.7.1 Greylisted, come again").domain("b.test").times(2));
//! // The mail is taken, but the client never learns it.
//! let fault = faults.add(Fault::smtp(SmtpStage::EndOfData, SmtpAction::AcceptThenDrop).times(1));
//! assert_eq!(faults.fired(fault), 0);
//! ```

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::names::{address_key, domain_key, domain_of};
use crate::transforms::Transform;

/// Where in an SMTP session a fault shows, and whom its address filter is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpStage {
    /// Instead of the greeting; address filters never match.
    Greeting,
    /// In answer to AUTH; the filter is about the user.
    Auth,
    /// In answer to MAIL; the filter is about the sender.
    Mail,
    /// In answer to RCPT; the filter is about the recipient.
    Rcpt,
    /// In answer to DATA; the filter is about any recipient.
    Data,
    /// In answer to the final dot; the filter is about any recipient.
    EndOfData,
}

/// What an SMTP session does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmtpAction {
    /// Refuse with this code and text.
    Reply(u16, String),
    /// Refuse with this code and text, then close.
    ReplyAndClose(u16, String),
    /// Close without a word and without effect.
    Drop,
    /// At [`SmtpStage::EndOfData`]: take the mail, then close without a word. Elsewhere as `Drop`.
    AcceptThenDrop,
    /// At [`SmtpStage::EndOfData`]: take the mail, say so, then close. Elsewhere as `Drop`.
    AcceptReplyThenDrop,
    /// Wait, then go on.
    Delay(Duration),
}

/// What an IMAP session does with a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImapAction {
    /// Answer NO with this text, which may begin with a response code, and do nothing.
    No(String),
    /// Answer BAD with this text and do nothing.
    Bad(String),
    /// Close without a word and without effect.
    Drop,
    /// Carry the command out, then close without a word.
    CarryOutThenDrop,
    /// Another client moves the messages that a MOVE or COPY names, to where that names, just
    /// before. Elsewhere nothing.
    MovedBefore,
    /// Wait, then go on.
    Delay(Duration),
}

/// What happens to mail between its acceptance and the mailbox.
#[derive(Clone)]
pub enum DeliveryAction {
    /// Delivered so many times more than once.
    Duplicate(usize),
    /// Lost.
    Drop,
    /// Queued until [`crate::Server::release_held`].
    Hold,
    /// Kept until so many have come, which are then delivered in reverse order.
    Reorder(usize),
    /// Changed on the way. The function must not call the server, which waits for it.
    Transform(Transform),
    /// Returned with a delivery status notification (RFC 3464): enhanced status code and text.
    Bounce(String, String),
}

impl std::fmt::Debug for DeliveryAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Duplicate(more) => f.debug_tuple("Duplicate").field(more).finish(),
            Self::Drop => f.write_str("Drop"),
            Self::Hold => f.write_str("Hold"),
            Self::Reorder(size) => f.debug_tuple("Reorder").field(size).finish(),
            Self::Transform(_) => f.write_str("Transform"),
            Self::Bounce(status, text) => {
                f.debug_tuple("Bounce").field(status).field(text).finish()
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Kind {
    Smtp(SmtpStage, SmtpAction),
    Imap(Vec<&'static str>, ImapAction),
    Delivery(DeliveryAction),
}

#[derive(Debug, Clone)]
enum Who {
    Anyone,
    Address(String),
    Domain(String),
}

impl Who {
    fn matches(&self, address: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::Address(wanted) => address_key(address).ok().as_ref() == Some(wanted),
            Self::Domain(wanted) => domain_of(address).as_ref() == Some(wanted),
        }
    }
}

/// One fault, with whom it meets and how often.
#[derive(Debug, Clone)]
pub struct Fault {
    kind: Kind,
    who: Who,
    skip: u64,
    times: Option<u64>,
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            who: Who::Anyone,
            skip: 0,
            times: None,
        }
    }

    /// A fault in an SMTP session.
    pub fn smtp(stage: SmtpStage, action: SmtpAction) -> Self {
        Self::new(Kind::Smtp(stage, action))
    }

    /// An SMTP reply other than the proper one.
    pub fn reply(stage: SmtpStage, code: u16, text: &str) -> Self {
        Self::smtp(stage, SmtpAction::Reply(code, text.to_owned()))
    }

    /// A fault at IMAP commands of these names (`MOVE`; UID forms are meant too); at every command
    /// if none is named. The address filter is about the account, and before login matches the
    /// user named in LOGIN or AUTHENTICATE.
    pub fn imap(commands: &[&'static str], action: ImapAction) -> Self {
        Self::new(Kind::Imap(commands.to_vec(), action))
    }

    /// A fault between acceptance and mailbox. The address filter is about the recipient.
    pub fn delivery(action: DeliveryAction) -> Self {
        Self::new(Kind::Delivery(action))
    }

    /// IMAP login is refused.
    pub fn refuse_login() -> Self {
        let text = "[AUTHENTICATIONFAILED] Not today".to_owned();
        Self::imap(&["LOGIN", "AUTHENTICATE"], ImapAction::No(text))
    }

    /// APPEND is refused for want of room (RFC 9208 section 4.3).
    pub fn refuse_append() -> Self {
        let text = "[OVERQUOTA] The mailbox is full".to_owned();
        Self::imap(&["APPEND"], ImapAction::No(text))
    }

    /// Only where this address is concerned.
    #[must_use]
    pub fn address(mut self, address: &str) -> Self {
        let key = address_key(address).unwrap_or_else(|_| address.to_owned());
        self.who = Who::Address(key);
        self
    }

    /// Only where addresses of this domain are concerned.
    #[must_use]
    pub fn domain(mut self, domain: &str) -> Self {
        self.who = Who::Domain(domain_key(domain).unwrap_or_else(|| domain.to_owned()));
        self
    }

    /// Passes over the first so many occasions; `skip(2).times(1)` meets just the third.
    #[must_use]
    pub fn skip(mut self, occasions: u64) -> Self {
        self.skip = occasions;
        self
    }

    /// Acts so many times and never again; without it, always.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }
}

/// Names a fault that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FaultId(u64);

#[derive(Debug)]
struct Active {
    id: FaultId,
    fault: Fault,
    occasions: u64,
    fired: u64,
}

impl Active {
    /// Counts an occasion and says whether to act at it.
    fn strike(&mut self) -> bool {
        self.occasions += 1;
        let due = self.occasions > self.fault.skip
            && self.fault.times.is_none_or(|times| self.fired < times);
        self.fired += u64::from(due);
        due
    }
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    active: Vec<Active>,
}

/// The faults of a server. Clones are handles on the same faults.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

impl Faults {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Switches a fault on. At one place in SMTP or IMAP the first that matches acts; between
    /// acceptance and mailbox all that match act, in the order they were added.
    pub fn add(&self, fault: Fault) -> FaultId {
        let mut state = self.lock();
        state.next += 1;
        let id = FaultId(state.next);
        state.active.push(Active {
            id,
            fault,
            occasions: 0,
            fired: 0,
        });
        id
    }

    /// Switches a fault off.
    pub fn remove(&self, id: FaultId) {
        self.lock().active.retain(|active| active.id != id);
    }

    /// Switches all faults off.
    pub fn clear(&self) {
        self.lock().active.clear();
    }

    /// How often a fault has acted; 0 too for one that was removed.
    pub fn fired(&self, id: FaultId) -> u64 {
        let state = self.lock();
        let active = state.active.iter().find(|active| active.id == id);
        active.map_or(0, |active| active.fired)
    }

    pub(crate) fn smtp(&self, at: SmtpStage, addresses: &[&str]) -> Option<SmtpAction> {
        let mut state = self.lock();
        state.active.iter_mut().find_map(|active| {
            let Kind::Smtp(stage, action) = &active.fault.kind else {
                return None;
            };
            let who = &active.fault.who;
            let concerned =
                matches!(who, Who::Anyone) || addresses.iter().any(|address| who.matches(address));
            let action = action.clone();
            (*stage == at && concerned && active.strike()).then_some(action)
        })
    }

    pub(crate) fn imap(&self, command: &str, account: &str) -> Option<ImapAction> {
        let mut state = self.lock();
        state.active.iter_mut().find_map(|active| {
            let Kind::Imap(commands, action) = &active.fault.kind else {
                return None;
            };
            let named = commands.is_empty()
                || commands
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(command));
            let action = action.clone();
            (named && active.fault.who.matches(account) && active.strike()).then_some(action)
        })
    }

    pub(crate) fn delivery(&self, to: &str) -> Vec<DeliveryAction> {
        let mut state = self.lock();
        let mut actions = Vec::new();
        for active in &mut state.active {
            if let Kind::Delivery(action) = &active.fault.kind
                && active.fault.who.matches(to)
            {
                let action = action.clone();
                if active.strike() {
                    actions.push(action);
                }
            }
        }
        actions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_filters() {
        let faults = Faults::default();
        let id = faults.add(
            Fault::reply(SmtpStage::Rcpt, 450, "4.7.1 later")
                .address("B@b.test")
                .skip(1)
                .times(1),
        );
        let strike = |to| faults.smtp(SmtpStage::Rcpt, &[to]).is_some();
        assert!(!strike("c@b.test"));
        assert!(!strike("b@B.test"));
        assert!(strike("b@b.test"));
        assert!(!strike("b@b.test"));
        assert_eq!(faults.fired(id), 1);
        assert!(faults.smtp(SmtpStage::Mail, &["b@b.test"]).is_none());
    }
}
