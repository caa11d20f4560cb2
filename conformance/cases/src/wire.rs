//! What each kind of mail looks like that an agent sends. The judge checks every mail in
//! every case; these make the agent send one of each kind, and say what must be checked.

use kith_adapter::act::private::Message;
use kith_adapter::act::publishing::Post;
use kith_adapter::act::relation::{Accept, End};
use kith_forge::kinds::RequestOptions;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Scene, Who};
use kith_spec::{Rule, req};

/// What holds for every mail.
const EVERY: &[Rule] = &[
    &req::MAIL_KITH_VERSION,
    &req::MAIL_LINES,
    &req::MAIL_SEVEN_BIT,
    &req::MAIL_MESSAGE_ID,
    &req::MAIL_DATE,
    &req::MAIL_MIME_BOUNDS,
    &req::MAIL_NEVER_CLEAR,
    &req::MAIL_NO_COMPRESSION,
    &req::MAIL_PART_ONCE,
    &req::SEC_OBJECT_FORM,
    &req::SEC_OBJECT_TYPE,
    &req::SEC_OBJECT_SIGNATURE,
    &req::SEC_OBJECT_NO_INTENDED,
    &req::SEC_PURPOSE,
    &req::SEC_HASH,
    &req::SEC_OWN_PRIMARY,
    &req::XML_SIZE,
    &req::XML_SCHEMA,
    &req::KIND_AUDIENCE,
];

/// What holds for every sealed mail besides.
const SEALED: &[Rule] = &[
    &req::MAIL_STRUCTURE,
    &req::MAIL_CONTENT_DESCRIPTION,
    &req::MAIL_SUBJECT,
    &req::MAIL_OUTER_ADDRESSES,
    &req::MAIL_HEADER_PROTECTION,
    &req::MAIL_ONE_ENVELOPE,
    &req::MAIL_PAYLOAD,
    &req::MAIL_LISTED_PRESENT,
    &req::MAIL_LISTED_PARTS,
    &req::MAIL_FALLBACK,
    &req::MAIL_PADDING,
    &req::SEC_INTEGRITY,
    &req::SEC_RECIPIENTS_AGREE,
    &req::SEC_ONE_RECIPIENT,
    &req::SEC_NO_PASSWORD,
    &req::SEC_RECIPIENT_KEY,
    &req::SEC_DELIVERY_SIGNED,
    &req::SEC_DELIVERY_SIGNATURE,
    &req::SEC_ENVELOPE_TYPE,
    &req::DELIVERY_SENDER,
    &req::DELIVERY_AUTHOR,
    &req::CHANNEL_NONE,
    &req::SEND_ONE_TRANSACTION,
];

/// What holds for every mail that introduces its sender.
const CREDENTIALS: &[Rule] = &[
    &req::IDENTITY_ID,
    &req::IDENTITY_KEY_PACKET,
    &req::IDENTITY_SELF_SIGNED,
    &req::IDENTITY_COMPLETE,
    &req::IDENTITY_NEXT_MANDATORY,
    &req::CONTACT_AUTHOR,
    &req::CONTACT_ID,
    &req::SEC_CERT_SIZE,
    &req::SEC_CERT_PRIMARY,
    &req::SEC_CERT_FLAGS,
    &req::SEC_CERT_ENCRYPTION,
];

/// The cases, each for both kinds of keys.
pub(crate) fn cases() -> Vec<Case> {
    let request: &[Rule] = &[
        &req::FRIENDS_REQUEST_ADDRESS,
        &req::FRIENDS_REQUEST_CREDENTIALS,
        &req::FRIENDS_REQUEST_CONTACT,
        &req::FRIENDS_REQUEST_TERM,
        &req::FRIENDS_REQUEST_MAIL_SIZE,
        &req::FRIENDS_REQUEST_OPEN,
    ];
    let handshake: &[Rule] = &[&req::FRIENDS_ACCEPT_SEALED, &req::FRIENDS_ACCEPT_TO];
    let accept: &[Rule] = &[&req::FRIENDS_ACCEPT_CREDENTIALS];
    let channel: &[Rule] = &[&req::CHANNEL_FRESH, &req::CHANNEL_BASE];
    let message: &[Rule] = &[&req::MESSAGE_ADDRESSED, &req::MESSAGE_AUDIENCE];
    let post: &[Rule] = &[&req::POST_AUDIENCE];
    let bare: &[Rule] = &[
        &req::ACK_BARE,
        &req::ACK_MISSING,
        &req::MAIL_AUTO_SUBMITTED,
        &req::CHANNEL_NONE,
    ];
    let sealed = |more: &[&[Rule]]| [EVERY, SEALED, &more.concat()].concat();
    let request = [EVERY, CREDENTIALS, request].concat();
    let accept = sealed(&[CREDENTIALS, accept, handshake]);
    let cases = [
        Case::new(
            "wire/request",
            "a request it sends",
            Rung::Wire,
            &request,
            sends_request,
        ),
        Case::new(
            "wire/accept",
            "an accept it sends",
            Rung::Wire,
            &accept,
            sends_accept,
        ),
        Case::new(
            "wire/confirm",
            "a confirm it sends",
            Rung::Wire,
            &sealed(&[handshake, channel]),
            sends_confirm,
        ),
        Case::new(
            "wire/message",
            "a message it sends",
            Rung::Wire,
            &sealed(&[channel, message]),
            sends_message,
        ),
        Case::new(
            "wire/post",
            "a post it sends",
            Rung::Wire,
            &sealed(&[channel, post]),
            sends_post,
        ),
        Case::new(
            "wire/end",
            "an end it sends",
            Rung::Wire,
            &sealed(&[handshake, channel]),
            sends_end,
        ),
        Case::new(
            "wire/acknowledgement",
            "a bare acknowledgement it sends",
            Rung::Wire,
            bare,
            sends_acknowledgement,
        ),
    ];
    cases.into_iter().flat_map(Case::for_all_keys).collect()
}

async fn sends_request(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent_with_own_keys().await?;
    let bob = scene.puppet("Bob")?;
    scene.asked(&agent, &bob).await?;
    Ok(())
}

async fn sends_accept(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent_with_own_keys().await?;
    let mut bob = scene.puppet("Bob")?;
    let draft = bob.request(agent.address(), scene.now(), RequestOptions::default());
    scene.send(&mut bob, draft).await?;
    let request = scene.request_shown(&agent, &bob).await?;
    agent.act(Accept { request }).await?;
    agent.sync().await?;
    scene.expect_mail(&req::FRIENDS_ACCEPT_SEALED, &bob, "accept")?;
    Ok(())
}

async fn sends_confirm(scene: Scene) -> Result<(), Stop> {
    scene.agent_with_own_keys().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Agent).await?;
    Ok(())
}

async fn sends_message(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent_with_own_keys().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let to = bob.id.to_string().parse().map_err(Stop::harness)?;
    let text = scene.token();
    agent
        .act(Message {
            to,
            text,
            parent: None,
            media: Vec::new(),
        })
        .await?;
    agent.sync().await?;
    scene.expect_mail(&req::MESSAGE_ADDRESSED, &bob, "message")?;
    Ok(())
}

async fn sends_post(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent_with_own_keys().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    agent
        .act(Post {
            text: scene.token(),
            ..Post::default()
        })
        .await?;
    agent.sync().await?;
    scene.expect_mail(&req::POST_COPIES, &bob, "post")?;
    Ok(())
}

async fn sends_end(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent_with_own_keys().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let identity = bob.id.to_string().parse().map_err(Stop::harness)?;
    agent.act(End { identity }).await?;
    agent.sync().await?;
    scene.expect_mail(&req::FRIENDS_TABLE, &bob, "end")?;
    Ok(())
}

async fn sends_acknowledgement(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent_with_own_keys().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    scene
        .say(&mut bob, &friendship.peer, &scene.token())
        .await?;
    scene.mail_to(&bob)?;
    agent.jump(2).await?;
    let mails = scene.mail_to(&bob)?;
    let bare = mails.iter().filter(|sent| sent.is_bare()).count();
    scene.expect(&req::ACK_BARE, bare == 1, || {
        let seen: Vec<_> = mails.iter().map(|sent| sent.describe()).collect();
        format!("expected one bare acknowledgement within a day, seen {seen:?}")
    });
    Ok(())
}
