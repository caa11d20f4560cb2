//! What was said, who may see it, and whether that is what people see.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::group_id;
use crate::world::{DAY, World};

/// For how long around a change of a group's list a member may miss what others wrote: the list
/// before is taken for a week, and a list may be late.
const CHANGING: i64 = 14 * DAY;

/// Why mail of honest people is not taken: it came twice, too early, after an end or a change of
/// a group's list, or from a program that answers by itself.
const EXPECTED: [&str; 15] = [
    "comment.root-unknown",
    "friends.accept-request",
    "friends.decline-request",
    "friends.end-handshake",
    "friends.only-friends",
    "friends.request-replay",
    "group.credentials",
    "group.join-invited",
    "group.leave-listed",
    "group.not-joined",
    "group.revision-unknown",
    "group.sender",
    "group.superseded",
    "group.unasked",
    "loop.no-reaction",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Post,
    Message,
    Comment { root: usize },
    GroupPost { group: usize },
}

/// Something that somebody said.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) kind: Kind,
    pub(crate) author: usize,
    pub(crate) id: [u8; 16],
    pub(crate) when: i64,
    /// Who may see it, besides its author.
    pub(crate) readers: BTreeSet<usize>,
    /// Which of them took the author for a friend at that time.
    pub(crate) sure: BTreeSet<usize>,
    /// Its revisions are numbered from 0 in its text.
    pub(crate) revisions: usize,
    /// When its author last changed it.
    pub(crate) changed: i64,
    pub(crate) retracted: bool,
    pub(crate) hidden: bool,
}

/// A group, and when its owner published a new list.
pub(crate) struct Founded {
    pub(crate) owner: usize,
    pub(crate) name: String,
    rev: u32,
    changes: Vec<i64>,
}

#[derive(Default)]
pub(crate) struct Truth {
    said: Vec<Said>,
    pub(crate) groups: Vec<Founded>,
    /// When something between two people was ended last.
    cuts: BTreeMap<(usize, usize), i64>,
    ended: BTreeSet<(usize, usize, i64)>,
}

fn pair(one: usize, other: usize) -> (usize, usize) {
    (one.min(other), one.max(other))
}

impl Truth {
    pub(crate) fn len(&self) -> usize {
        self.said.len()
    }

    pub(crate) fn said(&self, number: usize) -> &Said {
        &self.said[number]
    }

    /// The text of what is said next.
    pub(crate) fn text(&self) -> String {
        format!("#{}.0", self.said.len())
    }

    pub(crate) fn next_text(&self, number: usize) -> String {
        format!("#{number}.{}", self.said[number].revisions)
    }

    pub(crate) fn say(&mut self, said: Said) {
        self.said.push(said);
    }

    pub(crate) fn edited(&mut self, number: usize, now: i64) {
        self.said[number].revisions += 1;
        self.said[number].changed = now;
    }

    pub(crate) fn hand_on(&mut self, number: usize, readers: &[usize]) {
        self.said[number].readers.extend(readers);
    }

    pub(crate) fn retracted(&mut self, number: usize, now: i64) {
        self.said[number].retracted = true;
        self.said[number].changed = now;
    }

    pub(crate) fn hidden(&mut self, number: usize, now: i64) {
        self.said[number].hidden = true;
        self.said[number].changed = now;
    }

    pub(crate) fn of(&self, author: usize) -> Vec<usize> {
        let own = |&number: &usize| {
            let said = &self.said[number];
            said.author == author && !said.retracted
        };
        (0..self.said.len()).filter(own).collect()
    }

    /// What others said under somebody's posts.
    pub(crate) fn under(&self, who: usize) -> Vec<usize> {
        let under = |&number: &usize| match self.said[number].kind {
            Kind::Comment { root } => {
                self.said[root].author == who && self.said[number].author != who
            }
            _ => false,
        };
        (0..self.said.len()).filter(under).collect()
    }

    pub(crate) fn ended(&mut self, who: usize, whom: usize, now: i64) {
        self.cuts.insert(pair(who, whom), now);
        self.ended.insert((who, whom, now));
    }

    pub(crate) fn just_ended(&self, who: usize, whom: usize, now: i64) -> bool {
        self.ended.contains(&(who, whom, now))
    }

    pub(crate) fn found_group(&mut self, owner: usize, name: String) {
        self.groups.push(Founded {
            owner,
            name,
            rev: 0,
            changes: Vec::new(),
        });
    }

    pub(crate) fn group_named(&self, name: &str) -> usize {
        self.groups.iter().position(|g| g.name == name).unwrap()
    }

    /// Whether nothing between two people was ended since a time.
    fn uncut(&self, one: usize, other: usize, since: i64) -> bool {
        one == other
            || self
                .cuts
                .get(&pair(one, other))
                .is_none_or(|&cut| cut < since)
    }
}

impl World {
    /// What somebody sees: the revisions of things said, by number.
    pub(crate) fn sees(&self, who: usize) -> BTreeMap<usize, usize> {
        let person = &self.people[who];
        let view = person.agent.view(&person.store, self.now);
        let mut texts: Vec<String> = Vec::new();
        texts.extend(
            view.timeline(usize::MAX)
                .unwrap()
                .into_iter()
                .map(|p| p.text),
        );
        texts.extend(view.messages(None).unwrap().into_iter().map(|m| m.text));
        for thread in view.threads().unwrap() {
            texts.extend(thread.comments.into_iter().map(|comment| comment.text));
        }
        for group in view.groups().unwrap() {
            let entries = view.group_timeline(group_id(&group), usize::MAX).unwrap();
            texts.extend(entries.into_iter().map(|entry| entry.text));
        }
        let mut seen = BTreeMap::new();
        for text in texts {
            let (number, revision) = text[1..].split_once('.').unwrap();
            let twice = seen.insert(number.parse().unwrap(), revision.parse().unwrap());
            assert_eq!(twice, None, "P{who} sees {text} twice");
        }
        seen
    }

    pub(crate) fn observe_groups(&mut self) {
        for number in 0..self.truth.groups.len() {
            let Founded { owner, name, .. } = &self.truth.groups[number];
            let rev = self.groups_of(*owner, |group| group.name == *name)[0].rev;
            let group = &mut self.truth.groups[number];
            if group.rev != rev {
                group.rev = rev;
                group.changes.push(self.now);
            }
        }
    }

    fn friendships(&self) -> Vec<Vec<usize>> {
        let people = 0..self.people.len();
        people.map(|person| self.friends_of(person)).collect()
    }

    /// How many copies must be there at the end, or gone.
    pub(crate) fn sure(&self) -> usize {
        let friends = self.friendships();
        let of = |number: usize| {
            let mut people = 0..self.people.len();
            let others = people
                .by_ref()
                .filter(|&who| who != self.truth.said(number).author);
            others
                .filter(|&who| self.is_sure(&friends, who, number))
                .count()
        };
        (0..self.truth.len()).map(of).sum()
    }

    /// Everything that is not as it should be.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.late() > 0 {
            faults.push(format!("{} mails go round", self.late()));
        }
        let unexpected = self.refused.iter();
        let unexpected = unexpected.filter(|(id, _)| !EXPECTED.contains(id));
        faults.extend(unexpected.map(|(id, count)| format!("{count} times not taken: {id}")));
        let friends = self.friendships();
        for (one, mine) in friends.iter().enumerate() {
            for &other in mine {
                let told = !self.untold.contains(&(other, one));
                if !friends[other].contains(&one) && told {
                    faults.push(format!("P{one} has the friend P{other}, not the other way"));
                }
            }
        }
        for who in 0..self.people.len() {
            let seen = self.sees(who);
            for number in 0..self.truth.len() {
                let fault = self.fault(&friends, who, number, seen.get(&number).copied());
                faults.extend(fault.map(|fault| {
                    let said = self.truth.said(number);
                    format!("P{who} {fault} #{number}: {said:?}")
                }));
            }
        }
        faults
    }

    fn fault(
        &self,
        friends: &[Vec<usize>],
        who: usize,
        number: usize,
        seen: Option<usize>,
    ) -> Option<String> {
        let said = self.truth.said(number);
        let sure = self.is_sure(friends, who, number);
        let may = said.author == who || said.readers.contains(&who);
        let gone = said.retracted || said.hidden;
        match seen {
            Some(_) if !may => Some("sees what is not for them:".to_owned()),
            Some(revision) if revision >= said.revisions => {
                Some(format!("sees revision {revision}, which nobody wrote, of"))
            }
            Some(_) if gone && sure => Some("sees what was taken back:".to_owned()),
            Some(revision) if sure && revision + 1 < said.revisions => {
                Some(format!("sees the old revision {revision} of"))
            }
            None if sure && !gone => Some("doesn't see".to_owned()),
            _ => None,
        }
    }

    /// Whether nothing came between the author and a reader, so that they agree at the end.
    fn is_sure(&self, friends: &[Vec<usize>], who: usize, number: usize) -> bool {
        let said = self.truth.said(number);
        let tied = |one: usize, other: usize, since: i64| {
            one == other || friends[one].contains(&other) && self.truth.uncut(one, other, since)
        };
        match said.kind {
            Kind::Comment { root } => {
                let above = self.truth.said(root);
                let reaches_author = said.author == above.author
                    || said.sure.contains(&above.author)
                        && tied(said.author, above.author, said.when);
                let reader =
                    who == said.author || who == above.author || said.readers.contains(&who);
                !above.retracted && reader && reaches_author && self.is_sure(friends, who, root)
            }
            Kind::GroupPost { group } => self.is_sure_in(group, who, said),
            _ if who == said.author => true,
            _ => said.sure.contains(&who) && tied(who, said.author, said.when),
        }
    }

    /// Whether the list of a group stood still when something was written to it and changed.
    fn is_sure_in(&self, group: usize, who: usize, said: &Said) -> bool {
        let founded = &self.truth.groups[group];
        let still = |at: i64| {
            let mut changes = founded.changes.iter();
            changes.all(|change| (change - at).abs() > CHANGING)
        };
        let members = self.members_seen_by(founded.owner, group);
        let everybody = [founded.owner, said.author, who];
        let uncut = everybody.iter().all(|&one| {
            let mut others = everybody.iter();
            others.all(|&other| self.truth.uncut(one, other, i64::MIN))
        });
        let listed = everybody.iter().all(|one| members.contains(one));
        let reader = who == said.author || said.readers.contains(&who);
        still(said.when) && still(said.changed) && uncut && listed && reader
    }
}
