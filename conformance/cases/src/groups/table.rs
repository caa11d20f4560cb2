//! Every cell of the state table `group` as a case: set up by the shortest path, then the input,
//! then a look at the state from outside.

use std::collections::BTreeSet;

use kith_adapter::act::Perform;
use kith_adapter::act::group::{GroupJoin, GroupLeave, GroupPost};
use kith_adapter::protocol::Failure;
use kith_adapter::view::group::GroupState;
use kith_forge::kinds::Group;
use kith_forge::{Peer, Puppet};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, AuthResult, Scene, Who};
use kith_spec::{Cell, CellOutcome, StateTable, req};

use super::is_shown;
use crate::gather::{named, shown};

pub(super) fn cases() -> Vec<Case> {
    let table = &kith_spec::GROUP;
    table.cells().iter().map(|cell| case(table, cell)).collect()
}

fn id(state: &str, input: &str) -> String {
    format!("groups/table/{state}/{}", input.replace('.', "-"))
}

fn case(table: &'static StateTable, cell: &'static Cell) -> Case {
    let path = table.shortest_path(cell.state).unwrap_or_default();
    let input = table.inputs.iter().find(|input| input.id == cell.input);
    let meaning = input.map_or(cell.input, |input| input.meaning);
    let title = format!("{} → {}: {meaning}", cell.state, cell.to);
    let mut rules = vec![&req::GROUP_TABLE];
    rules.extend(cell.requirement.filter(|rule| *rule != &req::GROUP_TABLE));
    let needed = last_step(table, &path);
    let play = move |scene| check(scene, table, cell, path.clone());
    let case = Case::new(
        &id(cell.state, cell.input),
        &title,
        Rung::Rest,
        &rules,
        play,
    );
    match needed {
        Some(needed) => case.needs(&[&needed]),
        None => case.needs(&["post/received"]),
    }
}

/// The id of the cell by which a path ends.
fn last_step(table: &StateTable, path: &[&'static str]) -> Option<String> {
    let mut state = table.states.first()?.id;
    let mut last = None;
    for input in path {
        last = Some(id(state, input));
        state = table.cell(state, input)?.to;
    }
    last
}

async fn check(
    scene: Scene,
    table: &'static StateTable,
    cell: &'static Cell,
    path: Vec<&'static str>,
) -> Result<(), Stop> {
    let mut play = Play::new(&scene).await?;
    let mut state = table.states.first().map_or("", |state| state.id);
    for input in path {
        let step = table.cell(state, input);
        let step = step.ok_or_else(|| Stop::Harness(format!("no cell {state} × {input}")))?;
        play.verify(step).await?;
        state = step.to;
    }
    play.verify(cell).await
}

/// The agent, the owner Carol and the member Bob, both its friends.
struct Play {
    scene: Scene,
    agent: Agent,
    peer: Peer,
    carol: Puppet,
    bob: Puppet,
    group: Group,
    known: BTreeSet<String>,
}

/// What an input led to.
struct Done {
    refused: Option<String>,
    sent: Vec<String>,
    /// The text of a post that arrived.
    text: Option<String>,
}

impl Play {
    async fn new(scene: &Scene) -> Result<Self, Stop> {
        let agent = scene.agent().await?;
        let (mut carol, mut bob) = (scene.puppet("Carol")?, scene.puppet("Bob")?);
        scene.befriend(&mut carol, Who::Puppet).await?;
        scene.befriend(&mut bob, Who::Puppet).await?;
        let mut group = carol.group("Choir");
        group.admit(&bob.peer(), "member");
        let peer = agent.peer()?;
        let mut play = Self {
            scene: scene.clone(),
            agent,
            peer,
            carol,
            bob,
            group,
            known: BTreeSet::new(),
        };
        // The first revision, of which the agent knows nothing.
        let first = play.carol.group_object(&mut play.group, scene.now());
        first.sign(&mut play.carol.rng);
        Ok(play)
    }

    async fn verify(&mut self, cell: &Cell) -> Result<(), Stop> {
        let rule = cell.requirement.unwrap_or(&req::GROUP_TABLE);
        let at = format!("{} × {}", cell.state, cell.input);
        let done = self.input(cell.input).await?;
        let scene = self.scene.clone();
        let right = done.refused.is_some() == (cell.outcome == CellOutcome::Error);
        scene.expect(rule, right, || match &done.refused {
            Some(reason) => format!("{at}: expected the action to be done, seen `{reason}`"),
            None => format!("{at}: expected the action to be refused, seen it done"),
        });
        scene.expect(rule, done.sent == cell.sends, || {
            let (expected, seen) = (&cell.sends, &done.sent);
            format!("{at}: expected {expected:?} to be sent, seen {seen:?}")
        });
        if let Some(text) = &done.text {
            let expected = cell.outcome == CellOutcome::Accept;
            let seen = is_shown(&self.agent, text).await?;
            scene.expect(rule, seen == expected, || match expected {
                true => format!("{at}: expected the post to be shown, seen none"),
                false => format!("{at}: expected the post not to be shown, seen it"),
            });
        }
        let seen = self.state().await?;
        for rule in [rule, &req::GROUP_TABLE] {
            scene.expect(rule, seen == cell.to, || {
                format!("{at}: expected the state {}, seen {seen}", cell.to)
            });
        }
        match seen == cell.to {
            true => Ok(()),
            false => Err(Stop::Failed),
        }
    }

    async fn state(&self) -> Result<&'static str, Stop> {
        let group = shown(&self.agent, &self.group).await?;
        Ok(match group.map(|group| group.state) {
            None => "unknown",
            Some(GroupState::Invited) => "invited",
            Some(GroupState::Joining) => "joining",
            Some(GroupState::Member) => "member",
            Some(GroupState::Left) => "left",
            Some(GroupState::Removed) => "removed",
            Some(GroupState::Ended) => "ended",
        })
    }

    async fn input(&mut self, input: &str) -> Result<Done, Stop> {
        let (mut refused, mut text) = (None, None);
        let group = named(&self.group)?;
        match input {
            "user.join" => refused = self.act(GroupJoin { group }).await?,
            "user.leave" => refused = self.act(GroupLeave { group }).await?,
            "user.post" => {
                let text = self.scene.token();
                refused = self.act(GroupPost { group, text }).await?;
            }
            "mail.invited" | "mail.member" | "mail.unlisted" => self.revision(input).await?,
            "mail.retract" => self.retract().await?,
            "mail.post" => text = Some(self.post().await?),
            _ => return Err(Stop::Harness(format!("the input {input} is not known"))),
        }
        let sent = self.collect()?;
        Ok(Done {
            refused,
            sent,
            text,
        })
    }

    async fn act<P: Perform>(&mut self, action: P) -> Result<Option<String>, Stop> {
        let refused = match self.agent.try_act(action).await? {
            Ok(_) => None,
            Err(Failure::Unsupported(name)) => return Err(Stop::Unsupported(name)),
            Err(failure) => Some(failure.to_string()),
        };
        self.agent.sync().await?;
        Ok(refused)
    }

    /// A new list of the owner reaches the agent.
    async fn revision(&mut self, input: &str) -> Result<(), Stop> {
        self.group.drop(self.peer.id);
        match input {
            "mail.invited" => self.group.invited.push(self.peer.clone()),
            "mail.member" => self.group.admit(&self.peer, "member"),
            _ => {}
        }
        let now = self.scene.now();
        let draft = self
            .carol
            .group_revision(&mut self.group, &self.peer, &[], now);
        self.deliver(draft.map_err(Stop::harness)?, false).await
    }

    async fn retract(&mut self) -> Result<(), Stop> {
        let now = self.scene.now();
        let object = self.carol.group_retract_object(&self.group, now);
        let draft = self.carol.carry(&self.peer, vec![object], now);
        self.deliver(draft.map_err(Stop::harness)?, false).await
    }

    /// Bob's post for the newest revision, with the agent among the recipients even if it is not
    /// on the list.
    async fn post(&mut self) -> Result<String, Stop> {
        let text = self.scene.token();
        let mut group = self.group.clone();
        if !group
            .members
            .iter()
            .any(|(peer, _)| peer.id == self.peer.id)
        {
            group.members.push((self.peer.clone(), "member"));
        }
        let draft = super::post(&self.scene, &self.agent, &mut self.bob, &group, &text)?;
        self.deliver(draft, true).await?;
        Ok(text)
    }

    async fn deliver(&mut self, draft: kith_forge::draft::Draft, by_bob: bool) -> Result<(), Stop> {
        let author = if by_bob {
            &mut self.bob
        } else {
            &mut self.carol
        };
        let mail = self.scene.write(author, draft)?;
        self.scene.deliver_unjudged(&mail, AuthResult::Pass)?;
        self.agent.sync().await?;
        Ok(())
    }

    /// The kinds of the objects that left and matter here, each once.
    fn collect(&mut self) -> Result<Vec<String>, Stop> {
        let mut kinds = Vec::new();
        let mut mails = self.scene.mail_to(&self.carol)?;
        mails.extend(self.scene.mail_to(&self.bob)?);
        for sent in mails {
            for kind in ["join", "leave", "post"] {
                if let Some(object) = sent.object(kind)
                    && self.known.insert(object.hash.clone())
                {
                    kinds.push(kind.to_owned());
                }
            }
        }
        Ok(kinds)
    }
}
