//! Section “Export”: what an export is made of, and archives that are no exports.

use kith_adapter::act::device::{Export, Import};
use kith_adapter::protocol::Octets;
use kith_forge::archive::{Archive, Entry, Outside, Passphrase};
use kith_forge::{Puppet, Rng};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene, Who};
use kith_spec::{Rule, req};

use super::texts;

/// The fewest octets of iterated hashing for a passphrase.
const SLOW: u64 = 65_011_712;

pub(super) fn cases() -> Vec<Case> {
    let needs = ["devices/export"];
    let case = |id, title, rules: &[Rule], play: fn(Scene) -> super::Play| {
        Case::new(id, title, Rung::Rest, rules, play).needs(&needs)
    };
    vec![
        case(
            "devices/export/form",
            "an export is one message for one passphrase, slowly hashed, with a tar archive in it",
            &[&req::EXPORT_PASSPHRASE, &req::EXPORT_FORM],
            |scene| Box::pin(form(scene)),
        ),
        case(
            "devices/import/incomplete",
            "an archive that lacks a file, or has it twice, is refused",
            &[&req::EXPORT_ARCHIVE],
            |scene| Box::pin(incomplete(scene)),
        ),
        case(
            "devices/import/inconsistent",
            "an archive whose parts don't belong together is refused as a whole",
            &[&req::EXPORT_CONSISTENT],
            |scene| Box::pin(inconsistent(scene)),
        ),
        case(
            "devices/import/names",
            "entries that the format doesn't know are left alone",
            &[&req::EXPORT_NAMES],
            |scene| Box::pin(names(scene)),
        ),
        case(
            "devices/import/not-empty",
            "where there is an identity already, nothing is imported",
            &[&req::EXPORT_EMPTY],
            |scene| Box::pin(not_empty(scene)),
        ),
    ]
}

/// An export of the agent, opened.
struct Exported {
    agent: Agent,
    bob: Puppet,
    /// A text that a friend wrote.
    text: String,
    octets: Octets,
    passphrase: String,
    archive: Archive,
    outside: Outside,
    rng: Rng,
}

async fn exported(scene: &Scene) -> Result<Exported, Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    let text = scene.token();
    scene.say(&mut bob, &friendship.peer, &text).await?;
    let passphrase = scene.token();
    let export = Export {
        passphrase: passphrase.clone(),
    };
    let octets = agent.act(export).await?.archive;
    let opened = Archive::open(&octets.0, &passphrase).map_err(|error| error.to_string());
    let seen = opened.as_ref().err().cloned().unwrap_or_default();
    let opened = scene.require_some(&req::EXPORT_FORM, opened.ok(), || {
        format!("expected an export that can be opened, seen one that can't: {seen}")
    })?;
    let (archive, outside) = opened;
    Ok(Exported {
        agent,
        bob,
        text,
        octets,
        passphrase,
        archive,
        outside,
        rng: scene.rng("archive"),
    })
}

impl Exported {
    /// Whether another device starts from an archive; if so, it must show the friend's message.
    async fn starts(&mut self, scene: &Scene, rule: Rule, archive: &Archive) -> Result<bool, Stop> {
        let sealed = archive.seal(&mut self.rng, &self.passphrase);
        let sealed = Octets(sealed.map_err(Stop::harness)?);
        let opened = self
            .agent
            .device_from("phone", sealed, self.passphrase.clone());
        match opened.await {
            Ok(phone) => {
                let seen = texts(&phone).await?;
                scene.expect(rule, seen.contains(&self.text), || {
                    format!("expected the friend's message from the export, seen {seen:?}")
                });
                Ok(true)
            }
            Err(Stop::Agent(_)) => Ok(false),
            Err(stop) => Err(stop),
        }
    }

    /// Expects these archives to be refused, and the export itself to be taken.
    async fn expect_refused(
        &mut self,
        scene: &Scene,
        rule: Rule,
        archives: Vec<(String, Archive)>,
    ) -> Result<(), Stop> {
        for (what, archive) in archives {
            let started = self.starts(scene, rule, &archive).await?;
            scene.expect(rule, !started, || {
                format!("expected {what} to be refused, seen a device start from it")
            });
        }
        let whole = self.archive.clone();
        let started = self.starts(scene, rule, &whole).await?;
        scene.expect(rule, started, || {
            "expected the same archive without a fault to be taken, seen it refused".to_owned()
        });
        Ok(())
    }

    /// The first file below a folder.
    fn below(&self, folder: &str) -> Result<&Entry, Stop> {
        let mut entries = self.archive.entries.iter();
        let found = entries.find(|entry| entry.name.starts_with(folder));
        found.ok_or_else(|| Stop::Agent(format!("the export has no file below {folder}")))
    }
}

async fn form(scene: Scene) -> Result<(), Stop> {
    let export = exported(&scene).await?;
    let outside = &export.outside;
    let slow = match outside.passphrase {
        Passphrase::Argon2 => true,
        Passphrase::Iterated(octets) => octets >= SLOW,
        Passphrase::Weaker => false,
    };
    scene.expect(&req::EXPORT_PASSPHRASE, slow, || {
        let seen = outside.passphrase;
        format!("expected Argon2 or {SLOW} octets of iterated SHA-256, seen {seen:?}")
    });
    // A literal packet, and with version 1 the packet that protects it.
    let inside: Vec<_> = outside.inside.iter().filter(|tag| **tag != 19).collect();
    let right = outside.passwords == 1
        && matches!(outside.protection, 1 | 2)
        && outside.cipher == 9
        && inside == [&11];
    scene.expect(&req::EXPORT_FORM, right, || {
        format!("expected one passphrase, protected AES-256 and one literal, seen {outside:?}")
    });
    let first = export.archive.entries.first();
    let version = first.is_some_and(|file| file.name == "kith/version" && file.content == b"1.0\n");
    scene.expect(&req::EXPORT_FORM, version, || {
        format!("expected `kith/version` with the text 1.0 first, seen {first:?}")
    });
    Ok(())
}

async fn incomplete(scene: Scene) -> Result<(), Stop> {
    let mut export = exported(&scene).await?;
    let mut archives = Vec::new();
    for name in [
        "kith/version",
        "kith/key.pgp",
        "kith/chain/0",
        "kith/contact",
    ] {
        let content = export.archive.file(name).map(<[u8]>::to_vec);
        let content = scene.require_some(&req::EXPORT_ARCHIVE, content, || {
            format!("expected {name} in an export, seen none")
        })?;
        let without = export.archive.without(name);
        archives.push((format!("an archive without {name}"), without));
        let twice = export.archive.with(Entry::file(name, content));
        archives.push((format!("an archive with {name} twice"), twice));
    }
    export
        .expect_refused(&scene, &req::EXPORT_ARCHIVE, archives)
        .await
}

async fn inconsistent(scene: Scene) -> Result<(), Stop> {
    let mut export = exported(&scene).await?;
    // An object that no export holds.
    let unknown = export.bob.post_object(&scene.token(), scene.now());
    let unknown = unknown.sign(&mut export.rng).octets;
    let bob = &export.bob;
    let entry = bob.chain.first().map(|entry| entry.octets.clone());
    let entry = entry.ok_or_else(|| Stop::Harness("a puppet has no chain".to_owned()))?;
    let own = export.agent.opened().certificate.0.clone();
    let archive = &export.archive;
    let mut archives = vec![
        (
            "an archive with another's key".to_owned(),
            archive.replaced("kith/key.pgp", &bob.secret_key_export()),
        ),
        (
            "an archive with another's chain".to_owned(),
            archive.replaced("kith/chain/0", &entry),
        ),
        (
            "an archive with another's contact".to_owned(),
            archive.replaced("kith/contact", &bob.contact.octets),
        ),
    ];
    for (folder, other) in [("kith/objects/", unknown), ("kith/certificates/", own)] {
        let name = export.below(folder)?.name.clone();
        let what = format!("an archive with something else in {name}");
        archives.push((what, archive.replaced(&name, &other)));
    }
    export
        .expect_refused(&scene, &req::EXPORT_CONSISTENT, archives)
        .await
}

async fn names(scene: Scene) -> Result<(), Stop> {
    let rule = &req::EXPORT_NAMES;
    let mut export = exported(&scene).await?;
    let object = export.below("kith/objects/")?.clone();
    let link = |kind, name: &str, link: &str| Entry {
        kind,
        link: link.to_owned(),
        ..Entry::file(name, "")
    };
    let mut archive = export.archive.clone();
    for entry in [
        Entry::file("kith/other", "What is this?"),
        Entry::file("README", "Somebody's notes"),
        Entry::file("../kith/contact", "Somebody else"),
        Entry::file("/kith/contact", "Somebody else"),
        Entry::file("kith/objects/README", "Somebody's notes"),
        Entry::file("kith/chain/00", "Somebody's notes"),
        Entry::file("other/kith/version", "2.0\n"),
        link(b'5', "kith/", ""),
        link(b'5', "kith/objects/", ""),
        link(b'2', "kith/contact", "/etc/passwd"),
        link(b'1', "kith/version", "kith/contact"),
        link(b'2', &object.name, "kith/contact"),
    ] {
        archive = archive.with(entry);
    }
    let started = export.starts(&scene, rule, &archive).await?;
    scene.expect(rule, started, || {
        "expected an archive with further entries to be taken, seen it refused".to_owned()
    });
    Ok(())
}

async fn not_empty(scene: Scene) -> Result<(), Stop> {
    let rule = &req::EXPORT_EMPTY;
    let mut export = exported(&scene).await?;
    let import = Import {
        archive: export.octets.clone(),
        passphrase: export.passphrase.clone(),
    };
    let imported = export.agent.try_act(import).await?;
    if let Err(failure @ kith_adapter::protocol::Failure::Unsupported(_)) = imported {
        return Err(failure.into());
    }
    scene.expect(rule, imported.is_err(), || {
        "expected a refusal of an import over an identity, seen none".to_owned()
    });
    let archive = export.archive.clone();
    let started = export.starts(&scene, rule, &archive).await?;
    scene.expect(rule, started, || {
        "expected the export to be taken where nothing is yet, seen it refused".to_owned()
    });
    Ok(())
}
