//! Section “Export”: what people and other programs can read.

use kith_adapter::act::device::{ExportReadable, ReadableFile};
use kith_adapter::act::event::EventCreate;
use kith_adapter::act::private::Message;
use kith_adapter::act::publishing::Post;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::judge::read::mime::Entity;
use kith_runner::scene::{Agent, Scene, Who};
use kith_spec::{Rule, req};

use crate::{comments, events};

const RULE: Rule = &req::EXPORT_READABLE;

pub(super) fn cases() -> Vec<Case> {
    let needs = ["devices/export"];
    let cases = [
        Case::new(
            "devices/export/readable",
            "other programs read contacts, messages, and posts with their comments",
            Rung::Rest,
            &[RULE],
            readable,
        ),
        Case::new(
            "devices/export/calendar",
            "other programs read events",
            Rung::Rest,
            &[RULE],
            calendar,
        ),
    ];
    cases.into_iter().map(|case| case.needs(&needs)).collect()
}

/// The text of the file of a media type, and whether there is exactly one.
async fn file(scene: &Scene, agent: &Agent, media_type: &str) -> Result<String, Stop> {
    let files: Vec<ReadableFile> = agent.act(ExportReadable {}).await?.files;
    let mut found = files.iter().filter(|file| file.media_type == media_type);
    let file = found.next().filter(|_| found.next().is_none());
    let file = scene.require_some(RULE, file, || {
        let seen: Vec<_> = files.iter().map(|file| &file.media_type).collect();
        format!("expected one file of the type {media_type}, seen {seen:?}")
    })?;
    Ok(String::from_utf8_lossy(&file.octets.0).into_owned())
}

/// The lines of a vCard or iCalendar file (RFC 6350 and RFC 5545, section 3.1), unfolded.
fn lines(text: &str) -> Vec<String> {
    let whole = text.replace("\r\n ", "").replace("\r\n\t", "");
    whole.split("\r\n").map(str::to_owned).collect()
}

/// Whether a property of this name has the value.
fn has(lines: &[String], name: &str, value: &str) -> bool {
    lines.iter().any(|line| {
        let (property, seen) = line.split_once(':').unwrap_or((line, ""));
        let named = property.split(';').next().unwrap_or_default();
        named.eq_ignore_ascii_case(name) && seen == value
    })
}

async fn readable(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let peer = scene.befriend(&mut bob, Who::Puppet).await?.peer;
    let [heard, posted, said] = [scene.token(), scene.token(), scene.token()];
    // A line of a message must not be taken for the beginning of another.
    let text = format!("From Bob with love\nFrom {heard}");
    scene.say(&mut bob, &peer, &text).await?;
    let written = scene.token();
    let to = bob.id.to_string().parse().map_err(Stop::harness)?;
    let answer = Message {
        to,
        text: written.clone(),
        parent: None,
        media: Vec::new(),
    };
    agent.act(answer).await?;
    let post = Post {
        text: format!("<i>{posted}</i>"),
        ..Post::default()
    };
    agent.act(post).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::POST_COPIES, &bob, "post")?;
    let root = comments::revision(&sent, "post")?;
    let comment = bob.comment_object(&root, None, &said, scene.now());
    let comment = comment.sign(&mut scene.rng("comment"));
    comments::send(&scene, &mut bob, &peer, &comment).await?;
    let card = lines(&file(&scene, &agent, "text/vcard").await?);
    let whole = has(&card, "VERSION", "4.0")
        && has(&card, "FN", "Bob")
        && has(&card, "EMAIL", &bob.address);
    scene.expect(RULE, whole, || {
        format!("expected a vCard 4.0 of Bob with his address, seen {card:?}")
    });
    let mailbox = file(&scene, &agent, "application/mbox").await?;
    expect_messages(&scene, &mailbox, &bob.address, &[&heard, &written]);
    let page = file(&scene, &agent, "text/html").await?;
    let shown = page.contains(&posted) && page.contains(&said) && !page.contains("<i>");
    scene.expect(RULE, shown, || {
        format!("expected a page with post and comment, as text, seen {page}")
    });
    Ok(())
}

/// Expects two mails in a mailbox file, one from Bob and one to him, with these texts.
fn expect_messages(scene: &Scene, mailbox: &str, bob: &str, texts: &[&String; 2]) {
    let begins = mailbox.starts_with("From ");
    let mails = format!("\n{mailbox}");
    let mails: Vec<_> = mails.split("\nFrom ").skip(1).collect();
    let read = |mail: &&str| {
        let (_, mail) = mail.split_once('\n')?;
        Entity::read(mail.as_bytes(), "message").ok()
    };
    let mails: Vec<Entity> = mails.iter().filter_map(read).collect();
    let field = |mail: &Entity, name: &str| {
        let named = mail.fields.iter();
        let mut named = named.filter(|field| field.name.eq_ignore_ascii_case(name));
        named.any(|field| field.value.contains(bob))
    };
    let text = |mail: &Entity| {
        let parts = std::iter::once(mail).chain(&mail.parts);
        let parts = parts.map(|part| String::from_utf8_lossy(&part.body).into_owned());
        parts.collect::<String>()
    };
    let found = |name: &str, wanted: &str| {
        let mut mails = mails.iter();
        mails.any(|mail| field(mail, name) && text(mail).contains(wanted))
    };
    let right = begins && mails.len() == 2 && found("From", texts[0]) && found("To", texts[1]);
    scene.expect(RULE, right, || {
        format!("expected a mailbox file with the two messages, seen {mailbox}")
    });
}

async fn calendar(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let summary = scene.token();
    let create = EventCreate {
        event: events::party(&summary),
        to: Vec::new(),
        group: None,
    };
    agent.act(create).await?;
    let calendar = lines(&file(&scene, &agent, "text/calendar").await?);
    let whole = has(&calendar, "BEGIN", "VCALENDAR")
        && has(&calendar, "VERSION", "2.0")
        && has(&calendar, "SUMMARY", &summary)
        && calendar.iter().any(|line| line.starts_with("DTSTART"));
    scene.expect(RULE, whole, || {
        format!("expected a calendar with the event, seen {calendar:?}")
    });
    Ok(())
}
