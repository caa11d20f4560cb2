//! Scenarios while something happens to real servers. Mail waits in queues and comes afterwards,
//! and what the people see in the end must be what they see without.

use std::time::{Duration, Instant};

use kith_adapter::view::private::Messages;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{EndState, Meeting, Scene, differences};
use kith_spec::{Rule, req};
use kith_testbed::Outage;

use super::{ALICE, BOB, NAMES, befriend, write};

/// How long a mail may take to get into a queue, and from there to the mailbox.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often is looked for it.
const POLL: Duration = Duration::from_millis(100);
/// How long the agent of the offline recipient does not look, in days.
const OFFLINE: i64 = 17;

const OUTAGES: [(&str, &str, Outage); 5] = [
    ("cut", "a server is cut off from the other", Outage::Cut),
    ("pause", "a server stands still", Outage::Pause),
    ("full", "a mailbox is full", Outage::Full),
    (
        "greylist",
        "a server puts off first attempts",
        Outage::Greylist,
    ),
    (
        "restart",
        "a server starts again in the middle",
        Outage::Restart,
    ),
];

const RULES: [Rule; 2] = [&req::MERGE_ANY_ORDER, &req::MESSAGE_ADDRESSED];

const OFFLINE_RULES: [Rule; 2] = [&req::MERGE_ANY_ORDER, &req::CHANNEL_DUPLICATE];

/// A case for each.
pub(super) fn cases() -> Vec<Case> {
    let outages = OUTAGES.into_iter().map(|(name, title, outage)| {
        let play = move |scene: Scene| through(scene, outage);
        Case::new(
            &format!("together/outage/{name}"),
            title,
            Rung::Rest,
            &RULES,
            play,
        )
        .with_outage()
    });
    let title = "a recipient is offline for days, and the server keeps the mail";
    let rung = Rung::Rest;
    let offline = Case::new("together/offline", title, rung, &OFFLINE_RULES, offline);
    outages.chain([offline.on_servers()]).collect()
}

/// What the people see in the end on the harness's own server, where nothing happens.
async fn without(scene: &Scene, messages: u32) -> Result<EndState, Stop> {
    let mut meeting = scene.meeting_here(&NAMES).await?;
    befriend(&mut meeting).await?;
    for _ in 0..messages {
        write(&meeting, BOB, ALICE).await?;
    }
    meeting.settle().await?;
    meeting.end_state().await
}

async fn through(scene: Scene, outage: Outage) -> Result<(), Stop> {
    let expected = without(&scene, 1).await?;
    let mut meeting = scene.meeting(&NAMES).await?;
    befriend(&mut meeting).await?;
    if outage == Outage::Restart {
        write(&meeting, BOB, ALICE).await?;
        meeting.sync(BOB).await?;
        meeting.outage_begins(outage).await?;
    } else {
        meeting.outage_begins(outage).await?;
        let waited = waits(&mut meeting).await;
        if waited.is_err() || outage != Outage::Greylist {
            // What comes after it in this run needs the servers as they were.
            meeting.outage_ends(outage).await?;
        }
        waited?;
    }
    let since = meeting.real_time();
    let came = comes(&mut meeting, since).await;
    if outage == Outage::Greylist {
        meeting.outage_ends(outage).await?;
    }
    scene.note(format!(
        "the mail that waited came {:.1} s after",
        came?.as_secs_f64()
    ));
    ends_as(&scene, &mut meeting, &expected, &RULES).await
}

/// Bob writes, and the mail comes into a queue.
async fn waits(meeting: &mut Meeting) -> Result<(), Stop> {
    write(meeting, BOB, ALICE).await?;
    meeting.sync(BOB).await?;
    let since = meeting.real_time();
    while meeting.queued().await? == 0 {
        if since.elapsed() > PATIENCE {
            return Err(Stop::Harness("nothing waits in a queue".to_owned()));
        }
        meeting.wait(POLL).await;
    }
    Ok(())
}

/// Waits until Alice sees a message; returns how long that took.
async fn comes(meeting: &mut Meeting, since: Instant) -> Result<Duration, Stop> {
    while meeting.view(ALICE, Messages {}).await?.is_empty() {
        if since.elapsed() > PATIENCE {
            return Err(Stop::Harness(
                "the mail that waited did not come".to_owned(),
            ));
        }
        meeting.sync(ALICE).await?;
        meeting.wait(POLL).await;
    }
    Ok(since.elapsed())
}

async fn ends_as(
    scene: &Scene,
    meeting: &mut Meeting,
    expected: &EndState,
    rules: &[Rule],
) -> Result<(), Stop> {
    meeting.settle().await?;
    let seen = meeting.end_state().await?;
    let differences = differences(expected, &seen);
    for rule in rules {
        scene.expect(rule, differences.is_empty(), || differences.join("; "));
    }
    Ok(())
}

/// Bob writes day by day while Alice's agent is off; what is not acknowledged he sends again.
async fn offline(scene: Scene) -> Result<(), Stop> {
    const WRITTEN: u32 = 3;
    if !scene.stage().clock_is_set() {
        let reason = "this takes days, and the clock is real";
        return Err(Stop::NotTested(reason.to_owned()));
    }
    let expected = without(&scene, WRITTEN).await?;
    let mut meeting = scene.meeting(&NAMES).await?;
    befriend(&mut meeting).await?;
    let mut sent = 0;
    for day in 0..OFFLINE {
        if day < i64::from(WRITTEN) {
            write(&meeting, BOB, ALICE).await?;
        }
        let synced = meeting.sync(BOB).await?;
        sent += synced.map_or(0, |synced| synced.sent);
        scene.advance_days(1)?;
    }
    meeting.settle().await?;
    scene.note(format!(
        "in {OFFLINE} days {sent} mails were sent for {WRITTEN} messages, and the server kept them"
    ));
    ends_as(&scene, &mut meeting, &expected, &OFFLINE_RULES).await
}
