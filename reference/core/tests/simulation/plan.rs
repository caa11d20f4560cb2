//! What people do, by chance.

use kith_core::agent::circle::Readers;
use kith_core::agent::group::{GroupChange, GroupId, GroupState};
use kith_core::agent::view::{Direction, Group};
use kith_core::kinds::post::NewPost;
use kith_core::{Action, Done};
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

use crate::truth::{Kind, Said};
use crate::world::World;

/// How often somebody does something in one step.
const BUSY: f64 = 0.7;
/// Within how many steps most ask for friendship.
const MEETING: i64 = 16;

impl World {
    /// One step of everybody's life.
    pub(crate) fn do_something(&mut self) {
        self.answer();
        let step = (self.now - crate::world::START) / (3 * crate::world::HOUR);
        if step < MEETING {
            for _ in 0..2 {
                self.meet();
            }
        }
        if !self.rng.random_bool(BUSY) {
            return;
        }
        let who = self.rng.random_range(0..self.people.len());
        if self.is_away(who) {
            return;
        }
        match self.rng.random_range(0..100) {
            0..22 => self.post_something(who),
            22..46 => self.comment(who),
            46..56 => self.message(who),
            56..64 => self.edit(who),
            64..71 => self.retract(who),
            71..76 => self.meet(),
            76..79 => self.end(who),
            79..82 => self.group_create(who),
            82..86 => self.group_change(who),
            86..93 => self.group_post(who),
            93..95 => self.hide(who),
            95..97 => self.react(who),
            _ => {
                let hours = self.rng.random_range(6..72);
                self.go_away(who, hours);
            }
        }
    }

    /// People answer requests and invitations, sooner or later.
    fn answer(&mut self) {
        for who in 0..self.people.len() {
            if self.is_away(who) {
                continue;
            }
            let person = &self.people[who];
            let view = person.agent.view(&person.store, self.now);
            let mut requests = view.requests().unwrap();
            requests.retain(|request| request.direction == Direction::Incoming);
            requests.sort_by_key(|request| request.address.clone());
            let invited = self.groups_of(who, |group| group.state == GroupState::Invited);
            for request in requests {
                let request = <[u8; 16] as hex::FromHex>::from_hex(request.request).unwrap();
                match self.rng.random_range(0..10) {
                    0..3 => drop(self.act(who, Action::Accept { request })),
                    3 => {
                        let notify = self.rng.random_bool(0.5);
                        self.act(who, Action::Decline { request, notify });
                    }
                    _ => {}
                }
            }
            for group in invited {
                let group = group_id(&group);
                match self.rng.random_range(0..10) {
                    0..4 => drop(self.act(who, Action::GroupJoin { group })),
                    4 => drop(self.act(who, Action::GroupLeave { group })),
                    _ => {}
                }
            }
        }
    }

    /// Somebody asks somebody; sometimes both ask at once.
    fn meet(&mut self) {
        let who = self.rng.random_range(0..self.people.len());
        let whom = self.rng.random_range(0..self.people.len());
        let both = self.rng.random_bool(0.2);
        if who == whom || self.is_away(who) || self.is_away(whom) {
            return;
        }
        let invited = self.rng.random_bool(0.3);
        let mut invite = None;
        if let Some(Done::Invite(made)) = invited.then(|| self.act(whom, Action::Invite)).flatten()
        {
            invite = Some(made);
        }
        self.ask(who, whom, invite);
        if both {
            self.ask(whom, who, None);
        }
    }

    fn ask(
        &mut self,
        who: usize,
        whom: usize,
        invite: Option<kith_core::agent::invite::Invitation>,
    ) {
        let action = Action::Befriend {
            address: self.address_of(whom),
            note: None,
            invite,
        };
        self.act(who, action);
    }

    pub(crate) fn friends_of(&self, who: usize) -> Vec<usize> {
        let person = &self.people[who];
        let view = person.agent.view(&person.store, self.now);
        let friends = view.friends().unwrap();
        let mut friends: Vec<usize> = friends.iter().map(|f| self.index(&f.identity)).collect();
        friends.sort_unstable();
        friends
    }

    pub(crate) fn groups_of(&self, who: usize, wanted: impl Fn(&Group) -> bool) -> Vec<Group> {
        let person = &self.people[who];
        let view = person.agent.view(&person.store, self.now);
        let mut groups = view.groups().unwrap();
        groups.retain(wanted);
        groups.sort_by_key(|group| group.name.clone());
        groups
    }

    fn post_something(&mut self, who: usize) {
        let mut readers = self.friends_of(who);
        let chosen = self.rng.random_bool(0.3);
        if chosen {
            readers.shuffle(&mut self.rng);
            readers.truncate(2);
        }
        if readers.is_empty() {
            return;
        }
        let ids = readers.iter().map(|&reader| self.identity(reader));
        let to = match chosen {
            true => Readers::Chosen(ids.collect()),
            false => Readers::Friends,
        };
        let text = self.truth.text();
        let new = NewPost {
            text,
            to,
            ..NewPost::default()
        };
        self.say(who, Kind::Post, readers, Action::Post(new));
    }

    fn message(&mut self, who: usize) {
        let friends = self.friends_of(who);
        let Some(&friend) = friends.choose(&mut self.rng) else {
            return;
        };
        let action = Action::Message {
            to: self.identity(friend),
            text: self.truth.text(),
            parent: None,
            media: Vec::new(),
        };
        self.say(who, Kind::Message, vec![friend], action);
    }

    /// Something of somebody that somebody sees, by its number.
    fn visible(&mut self, who: usize, kind: Kind) -> Option<usize> {
        let seen = self.sees(who);
        let numbers: Vec<usize> = seen
            .keys()
            .copied()
            .filter(|&number| self.truth.said(number).kind == kind)
            .collect();
        numbers.choose(&mut self.rng).copied()
    }

    fn comment(&mut self, who: usize) {
        let Some(root) = self.visible(who, Kind::Post) else {
            return;
        };
        let private = self.rng.random_bool(0.2);
        let said = self.truth.said(root);
        let (author, mut readers) = (said.author, said.readers.clone());
        let action = Action::Comment {
            root: (self.identity(author), said.id),
            parent: None,
            text: self.truth.text(),
            private,
        };
        if private {
            readers.clear();
        }
        readers.insert(author);
        let kind = Kind::Comment { root };
        self.say(who, kind, readers.into_iter().collect(), action);
    }

    fn react(&mut self, who: usize) {
        if let Some(root) = self.visible(who, Kind::Post) {
            let said = self.truth.said(root);
            let action = Action::React {
                root: (self.identity(said.author), said.id),
                parent: None,
                symbols: vec!["❤".to_owned()],
                private: false,
            };
            self.act(who, action);
        }
    }

    fn say(&mut self, who: usize, kind: Kind, readers: Vec<usize>, action: Action) {
        let Some(Done::Object(id)) = self.act(who, action) else {
            return;
        };
        let mut readers: std::collections::BTreeSet<usize> = readers.into_iter().collect();
        readers.remove(&who);
        let knows = |&&reader: &&usize| self.friends_of(reader).contains(&who);
        let sure = readers.iter().filter(knows).copied().collect();
        self.truth.say(Said {
            kind,
            author: who,
            id,
            when: self.now,
            readers,
            sure,
            revisions: 1,
            changed: self.now,
            retracted: false,
            hidden: false,
        });
    }

    fn edit(&mut self, who: usize) {
        let Some(number) = self.own(who) else { return };
        let (id, text) = (self.truth.said(number).id, self.truth.next_text(number));
        if self.act(who, Action::Edit { id, text }).is_none() {
            return;
        }
        self.truth.edited(number, self.now);
        if let Kind::GroupPost { group } = self.truth.said(number).kind {
            let members = self.members_seen_by(who, group);
            self.truth.hand_on(number, &members);
        }
    }

    fn retract(&mut self, who: usize) {
        let Some(number) = self.own(who) else { return };
        let id = self.truth.said(number).id;
        if self.act(who, Action::Retract { id }).is_some() {
            self.truth.retracted(number, self.now);
        }
    }

    /// Something that somebody said and didn't take back.
    fn own(&mut self, who: usize) -> Option<usize> {
        let own = self.truth.of(who);
        own.choose(&mut self.rng).copied()
    }

    fn end(&mut self, who: usize) {
        let friends = self.friends_of(who);
        if let Some(&friend) = friends.choose(&mut self.rng) {
            let identity = self.identity(friend);
            if self.act(who, Action::End { identity }).is_some() {
                self.truth.ended(who, friend, self.now);
            }
        }
    }

    fn hide(&mut self, who: usize) {
        let under = self.truth.under(who);
        if let Some(&number) = under.choose(&mut self.rng) {
            let said = self.truth.said(number);
            let target = (self.identity(said.author), said.id);
            if self.act(who, Action::Hide { target }).is_some() {
                self.truth.hidden(number, self.now);
            }
        }
    }

    fn group_create(&mut self, who: usize) {
        let name = format!("G{}", self.truth.groups.len());
        let (about, created) = (None, name.clone());
        let Some(Done::Object(id)) = self.act(who, Action::GroupCreate { name, about }) else {
            return;
        };
        let owner = self.identity(who);
        let group = GroupId { owner, id };
        self.truth.found_group(who, created);
        for friend in self.friends_of(who).into_iter().take(5) {
            let change = GroupChange::Invite(self.identity(friend));
            self.act(who, Action::GroupChange { group, change });
        }
    }

    fn group_change(&mut self, who: usize) {
        let mine = |group: &Group| group.state == GroupState::Member;
        let groups = self.groups_of(who, mine);
        let Some(group) = groups.choose(&mut self.rng) else {
            return;
        };
        let id = group_id(group);
        let owner = self.index(&group.owner);
        if owner != who {
            if self.rng.random_bool(0.3) {
                self.act(who, Action::GroupLeave { group: id });
            }
            return;
        }
        let listed: Vec<usize> = group.list.iter().map(|l| self.index(&l.identity)).collect();
        let mut friends = self.friends_of(who);
        friends.retain(|friend| !listed.contains(friend));
        let change = match (self.rng.random_range(0..4), friends.choose(&mut self.rng)) {
            (0 | 1, Some(&friend)) => GroupChange::Invite(self.identity(friend)),
            (2, _) => {
                let Some(&listed) = listed.choose(&mut self.rng) else {
                    return;
                };
                GroupChange::Remove(self.identity(listed))
            }
            _ => return,
        };
        self.act(who, Action::GroupChange { group: id, change });
    }

    /// The members of a group as somebody knows them.
    pub(crate) fn members_seen_by(&self, who: usize, group: usize) -> Vec<usize> {
        let name = &self.truth.groups[group].name;
        let found = self.groups_of(who, |group| group.name == *name);
        let listed = found.iter().flat_map(|group| &group.list);
        let members = listed.filter(|listed| listed.role.is_some());
        members.map(|listed| self.index(&listed.identity)).collect()
    }

    fn group_post(&mut self, who: usize) {
        let groups = self.groups_of(who, |group| group.state == GroupState::Member);
        let Some(group) = groups.choose(&mut self.rng) else {
            return;
        };
        let number = self.truth.group_named(&group.name);
        let members = self.members_seen_by(who, number);
        let action = Action::GroupPost {
            group: group_id(group),
            text: self.truth.text(),
        };
        self.say(who, Kind::GroupPost { group: number }, members, action);
    }
}

pub(crate) fn group_id(group: &Group) -> GroupId {
    GroupId {
        owner: hex::FromHex::from_hex(&group.owner).unwrap(),
        id: hex::FromHex::from_hex(&group.id).unwrap(),
    }
}
