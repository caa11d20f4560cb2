//! The checks of a sent mail, a file for each chapter of the specification.

mod apps;
mod comments;
mod delivery;
mod events;
mod friends;
mod groups;
mod identity;
mod mail;
mod pages;
mod people;
mod receiving;
mod security;

use super::Check;

/// All checks.
pub(super) fn all() -> impl Iterator<Item = &'static Check> {
    let chapters = [
        mail::CHECKS,
        mail::SEALED,
        security::CHECKS,
        identity::CHECKS,
        friends::CHECKS,
        people::CHECKS,
        comments::CHECKS,
        pages::CHECKS,
        apps::CHECKS,
        delivery::CHECKS,
        groups::CHECKS,
        events::CHECKS,
        receiving::CHECKS,
    ];
    chapters.into_iter().flatten()
}
