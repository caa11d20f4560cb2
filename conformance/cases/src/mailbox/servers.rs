//! Servers that lack something or say it otherwise: folders with a prefix, no MOVE, no keywords,
//! new numbers, and another device that files at the same time.

use std::collections::BTreeMap;

use kith_adapter::view::private::Messages;
use kith_forge::Puppet;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, AuthResult, Friendship, Scene, Who};
use kith_spec::{Rule, req};
use kith_testbed::{Direction, Fault, ImapAction, Protocol};

pub(super) fn cases() -> Vec<Case> {
    let case = |id, title, rule: Rule, play: fn(Scene) -> super::Play| {
        Case::new(id, title, Rung::Rest, &[rule], play).needs(&["file/kith-and-ordinary"])
    };
    vec![
        case(
            "file/prefix",
            "folders stand under the prefix and with the delimiter that the server tells",
            &req::FILE_NAMES,
            |scene| Box::pin(prefix(scene)),
        )
        .on("prefix", |config| {
            let offered = &mut config.capabilities.imap;
            "INBOX.".clone_into(&mut offered.namespace_prefix);
            offered.delimiter = '.';
        }),
        case(
            "file/without-move",
            "without MOVE, mail is copied and expunged by UID",
            &req::FILE_NO_MOVE,
            |scene| Box::pin(without_move(scene)),
        )
        .on("no-move", |config| config.capabilities.imap.move_ = false),
        case(
            "file/without-uidplus",
            "without MOVE and UIDPLUS, mail stays where it is and is read all the same",
            &req::FILE_NO_MOVE,
            |scene| Box::pin(without_uidplus(scene)),
        )
        .on("bare", |config| {
            config.capabilities.imap.move_ = false;
            config.capabilities.imap.uidplus = false;
        }),
        case(
            "file/without-keywords",
            "a server that keeps no keywords is enough, and no flags are set on mail",
            &req::FILE_FLAGS,
            |scene| Box::pin(flags(scene)),
        )
        .on("no-keywords", |config| {
            config.capabilities.imap.keywords = false;
        }),
        case(
            "file/renumbered",
            "a folder that is numbered anew is read anew, without a second effect",
            &req::FILE_UIDVALIDITY,
            |scene| Box::pin(renumbered(scene)),
        ),
        case(
            "file/new-only",
            "mail that was looked at is not fetched again",
            &req::FILE_NEW_ONLY,
            |scene| Box::pin(new_only(scene)),
        ),
        case(
            "file/raced",
            "mail that another device filed meanwhile is in its folder, and no error",
            &req::FILE_RACE,
            |scene| Box::pin(raced(scene)),
        ),
    ]
}

/// Delivers a friend's message, and expects it to be shown and to stand in these folders.
async fn filed(
    scene: &Scene,
    rule: Rule,
    (bob, friendship): (&mut Puppet, &Friendship),
    expected: &[&str],
) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let text = scene.token();
    let mail = scene.message(bob, &friendship.peer, &text)?;
    scene.deliver(&mail)?;
    agent.sync().await?;
    expect_once(scene, &agent, rule, &text).await?;
    let folders = scene.folders_with(&mail.octets)?;
    scene.expect(rule, folders == expected, || {
        format!("expected the mail in {expected:?}, seen it in {folders:?}")
    });
    Ok(())
}

/// Expects a message with this text to be shown, and once.
async fn expect_once(scene: &Scene, agent: &Agent, rule: Rule, text: &str) -> Result<(), Stop> {
    let messages = agent.view(Messages {}).await?;
    let shown = messages.iter().filter(|message| message.text == text);
    let shown = shown.count();
    scene.expect(rule, shown == 1, || {
        format!("expected the message once, seen it {shown} times")
    });
    Ok(())
}

async fn prefix(scene: Scene) -> Result<(), Stop> {
    let rule = &req::FILE_NAMES;
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    filed(&scene, rule, (&mut bob, &friendship), &["Kith"]).await?;
    // A stranger's message is refused.
    let mut carol = scene.puppet("Carol")?;
    let stranger = carol.message(&friendship.peer, &scene.token(), scene.now());
    let stranger = scene.write(&mut carol, stranger.map_err(Stop::harness)?)?;
    scene.deliver_unjudged(&stranger, AuthResult::Pass)?;
    agent.sync().await?;
    let folders = scene.server().folders(agent.address())?;
    let mut names: Vec<&str> = folders
        .iter()
        .map(|folder| folder.wire_name.as_str())
        .filter(|name| name.contains("Kith"))
        .collect();
    names.sort_unstable();
    let right = names == ["INBOX.Kith", "INBOX.Kith.Refused"];
    scene.expect(rule, right, || {
        format!("expected the folders INBOX.Kith and INBOX.Kith.Refused, seen {names:?}")
    });
    Ok(())
}

async fn without_move(scene: Scene) -> Result<(), Stop> {
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let bob = (&mut bob, &friendship);
    filed(&scene, &req::FILE_NO_MOVE, bob, &["Kith"]).await
}

async fn without_uidplus(scene: Scene) -> Result<(), Stop> {
    let rule = &req::FILE_NO_MOVE;
    let agent = scene.agent().await?;
    let ordinary = b"From: shop@b.test\r\nTo: you\r\nSubject: Offer\r\n\r\nNothing of Kith.\r\n";
    let how = kith_testbed::Deliver::from("shop@b.test");
    scene.server().deliver(agent.address(), ordinary, &how)?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    filed(&scene, rule, (&mut bob, &friendship), &["INBOX"]).await?;
    let folders = scene.folders_with(ordinary)?;
    scene.expect(rule, folders == ["INBOX"], || {
        format!("expected ordinary mail in INBOX, seen it in {folders:?}")
    });
    Ok(())
}

async fn flags(scene: Scene) -> Result<(), Stop> {
    let rule = &req::FILE_FLAGS;
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let text = scene.token();
    let mail = scene.message(&mut bob, &friendship.peer, &text)?;
    scene.deliver(&mail)?;
    agent.sync().await?;
    agent.sync().await?;
    expect_once(&scene, &agent, rule, &text).await?;
    let flags = scene.stored("Kith", &mail.octets)?;
    let flags = flags.map(|stored| stored.flags);
    let kept = |flag: &String| !flag.eq_ignore_ascii_case("\\Recent");
    let none = flags.as_ref().map(|flags| !flags.iter().any(kept));
    scene.expect(rule, none == Some(true), || {
        format!("expected the friend's mail in Kith without flags, seen {flags:?}")
    });
    Ok(())
}

async fn renumbered(scene: Scene) -> Result<(), Stop> {
    let rule = &req::FILE_UIDVALIDITY;
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let text = scene.token();
    let mail = scene.message(&mut bob, &friendship.peer, &text)?;
    scene.deliver(&mail)?;
    agent.sync().await?;
    expect_once(&scene, &agent, rule, &text).await?;
    for folder in ["INBOX", "Kith"] {
        scene.server().renumber(agent.address(), folder)?;
    }
    // What comes now has numbers that were used before.
    let later = scene.token();
    let mail = scene.message(&mut bob, &friendship.peer, &later)?;
    scene.deliver(&mail)?;
    agent.sync().await?;
    agent.sync().await?;
    expect_once(&scene, &agent, rule, &text).await?;
    expect_once(&scene, &agent, rule, &later).await
}

/// How often the server sent a part of a mail that stands in no other.
fn fetched(scene: &Scene, part: &[u8]) -> usize {
    let mut sessions: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let log = scene.wire_log();
    let said = log
        .iter()
        .filter(|event| (event.protocol, event.direction) == (Protocol::Imap, Direction::Server));
    for event in said {
        let session = sessions.entry(event.session).or_default();
        session.extend_from_slice(&event.octets);
    }
    let times = |said: &Vec<u8>| said.windows(part.len()).filter(|at| *at == part).count();
    sessions.values().map(times).sum()
}

async fn new_only(scene: Scene) -> Result<(), Stop> {
    let rule = &req::FILE_NEW_ONLY;
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let (text, offer) = (scene.token(), scene.token());
    let mail = scene.message(&mut bob, &friendship.peer, &text)?;
    let ordinary = format!("From: shop@b.test\r\nTo: you\r\nSubject: Offer\r\n\r\n{offer}\r\n");
    let how = kith_testbed::Deliver::from("shop@b.test");
    let server = scene.server();
    server.deliver(agent.address(), ordinary.as_bytes(), &how)?;
    scene.deliver(&mail)?;
    agent.sync().await?;
    expect_once(&scene, &agent, rule, &text).await?;
    agent.sync().await?;
    agent.jump(1).await?;
    // Of the sealed text, so much that it stands nowhere else.
    let middle = mail.octets.len() / 2;
    let sealed = fetched(&scene, &mail.octets[middle..middle + 60]);
    let other = fetched(&scene, offer.as_bytes());
    scene.expect(rule, sealed == 1 && other <= 1, || {
        format!(
            "expected the friend's mail to be fetched once and the ordinary one once at most, seen \
             {sealed} and {other} times"
        )
    });
    Ok(())
}

async fn raced(scene: Scene) -> Result<(), Stop> {
    let rule = &req::FILE_RACE;
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let text = scene.token();
    let mail = scene.message(&mut bob, &friendship.peer, &text)?;
    scene.deliver(&mail)?;
    let rival = Fault::imap(&["MOVE", "COPY"], ImapAction::MovedBefore).times(1);
    let rival = scene.server().faults().add(rival);
    let synced = agent.sync().await?;
    let met = scene.server().faults().fired(rival);
    scene.expect(rule, met == 1 && synced.problems.is_empty(), || {
        let problems = &synced.problems;
        format!("expected the agent to file the mail too, without an error, seen {problems:?}")
    });
    agent.sync().await?;
    expect_once(&scene, &agent, rule, &text).await?;
    let folders = scene.folders_with(&mail.octets)?;
    let there = !folders.is_empty() && folders.iter().all(|folder| folder == "Kith");
    scene.expect(rule, there, || {
        format!("expected the mail in Kith, seen it in {folders:?}")
    });
    Ok(())
}
