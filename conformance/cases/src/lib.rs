//! The cases of the conformance suite, one file per section of the specification.
//!
//! | file | what is there |
//! |---|---|
//! | `wire.rs` | what each kind of mail that an agent sends looks like |
//! | `friends.rs` | requests and the handshake |
//! | `identity.rs` | rotation, moving, verification, receipts |
//! | `introductions.rs` | introductions; what is not sent before the confirm and after the end |
//! | `endings.rs` | the end of a friendship, which goes twice |
//! | `invites.rs` | invites |
//! | `delivery.rs` | acknowledgements, merging, failures on the way |
//! | `devices.rs` | several devices of one person, exports, leaving the mailbox |
//! | `mailbox.rs` | the queue of requests, filing, transport |
//! | `messages.rs` | private messages |
//! | `receipts.rs` | what receipts change |
//! | `posts.rs` | posts to friends and retractions |
//! | `audience.rs` | circles, chosen friends, withdrawal |
//! | `media.rs` | media and links |
//! | `profile.rs` | profiles |
//! | `groups.rs` | groups: as a member, as the owner, deliveries to all members |
//! | `groups/table.rs` | every cell of the state table `group`, generated |
//! | `events.rs` | events and answers |
//! | `pages.rs` | pages, what they publish, and their followers |
//! | `following.rs` | every cell of the state tables `following` and `followers`, generated |
//! | `apps.rs` | apps |
//! | `table.rs` | every cell of the state table `relationship`, generated |
//! | `tables.rs` | every cell of the state tables `identity-chain`, `channel`, `invite` and `merge`, generated |
//! | `together.rs` | scenarios between agents, each under one fault; under all of them, and between implementations, when asked |
//! | `servers.rs` | which cases are also played on real mail servers |
//! | `faults.rs` | every entry of the forge's catalogue of faults, generated |
//!
//! A new case is a [`Case`] in its section's file: a stable id, the requirements that it
//! asserts, and an async function over a scene.

mod apps;
mod audience;
mod comments;
mod delivery;
mod devices;
mod endings;
mod events;
mod faults;
mod following;
mod friends;
mod gather;
mod groups;
mod identity;
mod introductions;
mod invites;
mod mailbox;
mod media;
mod messages;
mod pages;
mod post_quantum;
mod posts;
mod profile;
mod receipts;
mod servers;
mod table;
mod tables;
pub mod together;
mod wire;

use kith_runner::Case;

/// The whole suite, in the order in which a newcomer meets it within each rung.
pub fn suite() -> Vec<Case> {
    let mut suite = Vec::new();
    suite.extend(wire::cases());
    suite.extend(friends::cases());
    suite.extend(identity::cases());
    suite.extend(introductions::cases());
    suite.extend(endings::cases());
    suite.extend(messages::cases());
    suite.extend(receipts::cases());
    suite.extend(posts::cases());
    suite.extend(audience::cases());
    suite.extend(media::cases());
    suite.extend(profile::cases());
    suite.extend(comments::cases());
    suite.extend(groups::cases());
    suite.extend(events::cases());
    suite.extend(invites::cases());
    suite.extend(pages::cases());
    suite.extend(following::cases());
    suite.extend(apps::cases());
    suite.extend(delivery::cases());
    suite.extend(mailbox::cases());
    suite.extend(devices::cases());
    suite.extend(post_quantum::cases());
    suite.extend(table::cases());
    suite.extend(tables::cases());
    suite.extend(together::sample());
    suite.extend(faults::cases());
    servers::mark(suite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kith_runner::plan::Selection;

    #[test]
    fn the_suite_is_consistent() {
        let suite = suite();
        let plan = Selection::default().plan(&suite).unwrap();
        assert_eq!(plan.len(), suite.len());
    }

    #[test]
    fn ids_are_kebab_case() {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-/@".contains(c);
        for case in suite() {
            assert!(case.id.chars().all(good), "{}", case.id);
            assert!(!case.title.is_empty(), "{}", case.id);
        }
    }
}
