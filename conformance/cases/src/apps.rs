//! Chapter “Apps”.

use kith_adapter::act::apps::{AppCreate, AppUpdate};
use kith_adapter::protocol::ObjectRef;
use kith_adapter::view::apps::{App, Apps};
use kith_forge::Puppet;
use kith_forge::draft::ObjectDraft;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Friendship, Scene, Who};
use kith_spec::req;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let needs = ["friends/handshake/accepted"];
    vec![
        Case::new(
            "app/received",
            "the person sees an app that a friend shares, and nothing is fetched for it",
            Rung::Rest,
            &[&req::APP_UNKNOWN_TYPE, &req::APP_NO_CODE],
            received,
        )
        .needs(&needs),
        Case::new(
            "app/shared",
            "a friend gets an app and its updates, numbered from 1",
            Rung::Rest,
            &[
                &req::APP_AUDIENCE,
                &req::APP_ADDRESSED,
                &req::APP_SERIAL,
                &req::APP_UPDATE_ID,
            ],
            shared,
        )
        .needs(&needs),
        Case::new(
            "app/order",
            "updates wait for those before them, and not for ever",
            Rung::Rest,
            &[&req::APP_ORDER, &req::APP_GAP_SHOWN],
            order,
        )
        .needs(&["app/received"]),
    ]
}

async fn the_app(agent: &Agent) -> Result<App, Stop> {
    let apps = agent.view(Apps {}).await?;
    let first = apps.into_iter().next();
    first.ok_or_else(|| Stop::Agent("expected an app, seen none".to_owned()))
}

fn serials(app: &App) -> Vec<u64> {
    app.updates.iter().map(|update| update.serial).collect()
}

async fn carry(
    scene: &Scene,
    bob: &mut Puppet,
    friendship: &Friendship,
    object: ObjectDraft,
) -> Result<(), Stop> {
    let draft = bob.carry(&friendship.peer, vec![object], scene.now());
    scene.send(bob, draft.map_err(Stop::harness)?).await?;
    Ok(())
}

async fn received(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let before = scene.all_sent()?.len();
    let name = scene.token();
    let app = bob.app_object(&friendship.peer, &name, scene.now());
    let key = (app.author, app.id);
    carry(&scene, &mut bob, &friendship, app).await?;
    let info = scene.token();
    let update = bob.app_update_object(&friendship.peer, key, 1, &info, scene.now());
    carry(&scene, &mut bob, &friendship, update).await?;
    let app = the_app(&agent).await?;
    let shown = app.name == name
        && app.fallback.contains(&name)
        && app.app_type == "https://apps.example/chess"
        && app.updates.iter().any(|u| u.info.as_deref() == Some(&info));
    scene.expect(&req::APP_UNKNOWN_TYPE, shown, || {
        format!("expected the app `{name}` with its update `{info}`, seen {app:?}")
    });
    let sent = scene.all_sent()?;
    let seen: Vec<_> = sent.iter().skip(before).map(|s| s.describe()).collect();
    scene.expect(&req::APP_NO_CODE, seen.is_empty(), || {
        format!("expected nothing to leave because of an app, seen {seen:?}")
    });
    Ok(())
}

async fn shared(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    scene.befriend(&mut bob, Who::Puppet).await?;
    let with = bob.id.to_string().parse().map_err(Stop::harness)?;
    let name = scene.token();
    let app_type = "https://apps.example/chess".to_owned();
    let created = agent
        .act(AppCreate {
            with,
            app_type,
            name: name.clone(),
        })
        .await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::APP_ADDRESSED, &bob, "app")?;
    let named = sent.object("app").and_then(|app| app.payload.child("name"));
    let named = named.map(|element| element.text.clone());
    scene.expect(&req::APP_AUDIENCE, named.as_ref() == Some(&name), || {
        format!("expected an app with the name `{name}`, seen {named:?}")
    });
    let app = ObjectRef {
        author: agent.identity().clone(),
        id: created.id,
    };
    for serial in 1..=2_u64 {
        let update = AppUpdate {
            app: app.clone(),
            info: Some(scene.token()),
            summary: None,
            data: Some(b"e4".to_vec().into()),
        };
        agent.act(update).await?;
        agent.sync().await?;
        let sent = scene.expect_mail(&req::APP_SERIAL, &bob, "app-update")?;
        let update = sent.object("app-update");
        let seen = update.and_then(|update| update.payload.attribute("serial"));
        for rule in [&req::APP_SERIAL, &req::APP_UPDATE_ID] {
            scene.expect(rule, seen == Some(&*serial.to_string()), || {
                format!("expected the serial {serial}, seen {seen:?}")
            });
        }
    }
    Ok(())
}

async fn order(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let peer = friendship.peer.clone();
    let app = bob.app_object(&peer, "Chess", scene.now());
    let key = (app.author, app.id);
    carry(&scene, &mut bob, &friendship, app).await?;
    let steps: [(u64, &[u64], bool); 3] = [(2, &[], true), (1, &[1, 2], false), (4, &[1, 2], true)];
    for (serial, handed, gaps) in steps {
        let update = bob.app_update_object(&peer, key, serial, "moved", scene.now());
        carry(&scene, &mut bob, &friendship, update).await?;
        let app = the_app(&agent).await?;
        let seen = serials(&app);
        scene.expect(&req::APP_ORDER, seen == handed, || {
            format!("expected the updates {handed:?} after {serial} arrived, seen {seen:?}")
        });
        scene.expect(&req::APP_GAP_SHOWN, app.gaps == gaps, || {
            format!(
                "expected gaps: {gaps} after {serial} arrived, seen {}",
                app.gaps
            )
        });
    }
    agent.jump(31).await?;
    let app = the_app(&agent).await?;
    let seen = serials(&app);
    scene.expect(&req::APP_ORDER, seen == [1, 2, 4], || {
        format!("expected the update after the gap 31 days later, seen {seen:?}")
    });
    scene.expect(&req::APP_GAP_SHOWN, app.gaps, || {
        "expected the gap to be shown for ever, seen none".to_owned()
    });
    Ok(())
}
