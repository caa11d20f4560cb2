//! CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE.

use imap_codec::imap_types::mailbox::Mailbox;

use super::{Answer, Answered, Session};
use crate::names::{INBOX, path_from_wire};
use crate::world::World;

/// The superiors of a path, from the top, without itself.
fn superiors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/')
        .filter_map(|(index, _)| path.get(..index))
}

fn make(world: &mut World, account: &str, path: &str) {
    for superior in superiors(path).chain([path]) {
        // The account is there: its session is asking.
        let _ = world.folder_or_new(account, superior);
    }
}

impl Session {
    /// The path that a name on the wire stands for.
    pub(super) fn path(&self, mailbox: &Mailbox<'_>) -> Result<String, Answer> {
        let offered = &self.shared.config.capabilities.imap;
        let name = match mailbox {
            Mailbox::Inbox => return Ok(INBOX.to_owned()),
            Mailbox::Other(name) => std::str::from_utf8(name.as_ref()).ok(),
        };
        let path = name.and_then(|name| path_from_wire(name, offered));
        path.ok_or_else(|| Answer::no("[CANNOT] No mailbox can have this name here"))
    }

    pub(super) fn create(&self, mailbox: &Mailbox<'_>) -> Answered {
        let offered = &self.shared.config.capabilities.imap;
        let path = match mailbox {
            Mailbox::Inbox => INBOX.to_owned(),
            Mailbox::Other(name) => {
                // A delimiter at the end says that children will follow; it is no part of the name.
                let name = String::from_utf8_lossy(name.as_ref()).into_owned();
                let name = name.strip_suffix(offered.delimiter).unwrap_or(&name);
                path_from_wire(name, offered)
                    .ok_or_else(|| Answer::no("[CANNOT] No mailbox can have this name here"))?
            }
        };
        let account = self.account.as_deref().unwrap_or_default();
        let mut world = self.shared.world();
        let folders = world.accounts.get(account).map(|account| &account.folders);
        if folders.is_some_and(|folders| folders.contains_key(&path)) {
            return Err(Answer::no("[ALREADYEXISTS] There is one of this name"));
        }
        make(&mut world, account, &path);
        world.changed(account);
        Ok(Answer::ok("Create completed"))
    }

    pub(super) fn delete(&mut self, mailbox: &Mailbox<'_>) -> Answered {
        let path = self.path(mailbox)?;
        if path == INBOX {
            return Err(Answer::no("[CANNOT] INBOX stays"));
        }
        let account = self.account.as_deref().unwrap_or_default();
        let mut world = self.shared.world();
        let folders = world
            .accounts
            .get_mut(account)
            .map(|account| &mut account.folders);
        let removed = folders.and_then(|folders| folders.remove(&path));
        let removed =
            removed.ok_or_else(|| Answer::no("[NONEXISTENT] There is no such mailbox"))?;
        world.changed(account);
        if self
            .selected
            .as_ref()
            .is_some_and(|selected| selected.folder == removed.id)
        {
            self.selected = None;
        }
        Ok(Answer::ok("Delete completed"))
    }

    pub(super) fn rename(&self, from: &Mailbox<'_>, to: &Mailbox<'_>) -> Answered {
        let (from, to) = (self.path(from)?, self.path(to)?);
        let key = self.account.as_deref().unwrap_or_default();
        let mut world = self.shared.world();
        let account = world.accounts.get_mut(key);
        let account = account.ok_or_else(|| Answer::no("The account has gone"))?;
        if account.folders.contains_key(&to) {
            return Err(Answer::no("[ALREADYEXISTS] There is one of the new name"));
        }
        if to.starts_with(&format!("{from}/")) {
            return Err(Answer::no("[CANNOT] A mailbox cannot go below itself"));
        }
        let Some(folder) = account.folders.remove(&from) else {
            return Err(Answer::no("[NONEXISTENT] There is no such mailbox"));
        };
        account.folders.insert(to.clone(), folder);
        if from == INBOX {
            // RFC 3501 section 6.3.5: the mail goes, an empty INBOX and what is below it stay.
            let inbox = world.new_folder();
            if let Some(account) = world.accounts.get_mut(key) {
                account.folders.insert(from, inbox);
            }
        } else {
            let below = format!("{from}/");
            let inferiors = account
                .folders
                .keys()
                .filter(|path| path.starts_with(&below));
            for path in inferiors.cloned().collect::<Vec<_>>() {
                let rest = path.get(from.len()..).unwrap_or_default();
                if let Some(folder) = account.folders.remove(&path) {
                    account.folders.insert(format!("{to}{rest}"), folder);
                }
            }
        }
        make(&mut world, key, &to);
        world.changed(key);
        Ok(Answer::ok("Rename completed"))
    }

    pub(super) fn subscribe(&self, mailbox: &Mailbox<'_>, on: bool) -> Answered {
        let path = self.path(mailbox)?;
        let mut world = self.shared.world();
        let account = self
            .account
            .as_ref()
            .and_then(|key| world.accounts.get_mut(key));
        let account = account.ok_or_else(|| Answer::no("The account has gone"))?;
        if on {
            account.subscribed.insert(path);
        } else {
            account.subscribed.remove(&path);
        }
        Ok(Answer::ok("Completed"))
    }
}
