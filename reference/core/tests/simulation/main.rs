//! Twenty people over thirty days, by chance: friendships, posts, comments, messages and groups
//! over mail that is lost, doubled, delayed, reordered and re-encoded. At the end everybody agrees
//! on what they may see, nobody sees more, and no mail goes round.
//!
//! Chance comes from a seed. `cargo test` takes the first few; `KITH_SIMULATION=0..1000` takes that
//! many, and `KITH_SIMULATION=17` one. What the OpenPGP library draws is its own, so a seed repeats
//! what people do and what becomes of each mail, not the octets.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is a failure")]

mod plan;
mod truth;
mod weather;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use kith_core::store::Memory;
use kith_core::{Gate, Strict};
use kith_spec::Rule;

/// Seeds that `cargo test` takes: the first, and those that found something.
///
/// - 51: what a lost delivery told of co-members was not told again.
/// - 298: an end with which a confirm rode had no effect.
const FEW: [u64; 3] = [0, 51, 298];
const VARIABLE: &str = "KITH_SIMULATION";

fn seeds() -> Vec<u64> {
    let Ok(wanted) = std::env::var(VARIABLE) else {
        return FEW.to_vec();
    };
    let number = |text: &str| text.trim().parse::<u64>().unwrap();
    match wanted.split_once("..") {
        Some((from, to)) => (number(from)..number(to)).collect(),
        None => vec![number(&wanted)],
    }
}

/// Lives through one seed; tells what is wrong at the end.
fn live(cast: &[Memory], seed: u64, gate: &Arc<dyn Gate>) -> Vec<String> {
    let lived = catch_unwind(AssertUnwindSafe(|| {
        let mut world = world::World::new(cast, seed, gate);
        world.live();
        println!("seed {seed}: {}", world.summary());
        world.faults()
    }));
    lived.unwrap_or_else(|_| vec!["it panicked; the message stands above".to_owned()])
}

#[test]
fn everybody_agrees_on_what_they_may_see() {
    let cast = world::cast();
    let gate: Arc<dyn Gate> = Arc::new(Strict);
    let mut failed = Vec::new();
    for seed in seeds() {
        let faults = live(&cast, seed, &gate);
        if !faults.is_empty() {
            println!(
                "seed {seed} fails; repeat it with\n  {VARIABLE}={seed} cargo test -p kith-core \
                 --test simulation everybody\n  {}",
                faults.join("\n  ")
            );
            failed.push(seed);
        }
    }
    assert!(failed.is_empty(), "these seeds fail: {failed:?}");
}

/// Leaves some requirements out.
struct Broken(&'static [&'static str]);

impl Gate for Broken {
    fn enforces(&self, rule: Rule) -> bool {
        !self.0.contains(&rule.id)
    }
}

#[test]
fn agents_that_lose_or_tell_too_much_are_noticed() {
    let cast = world::cast();
    let broken: [(&[&str], &str); 2] = [
        (&["ack.resend", "ack.unacknowledged"], "doesn't see"),
        (
            &["comment.consent", "relay.consent"],
            "sees what is not for them",
        ),
    ];
    for (rules, fault) in broken {
        let faults = live(&cast, 0, &(Arc::new(Broken(rules)) as Arc<dyn Gate>));
        let noticed = faults.iter().any(|found| found.contains(fault));
        assert!(noticed, "without {rules:?} nobody {fault}: {faults:?}");
    }
}
