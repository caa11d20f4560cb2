//! A page with more followers than one mail may have.

use std::collections::BTreeMap;

use kith_adapter::act::pages::PagePost;
use kith_forge::Puppet;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, Scene};
use kith_spec::{Rule, limit, req};

use super::{accept_of, following};
use crate::faults::page;

pub(super) fn cases() -> Vec<Case> {
    let batches = Case::new(
        "page/batches",
        "a page with more followers than one mail may have reaches each of them once",
        Rung::Rest,
        &[&req::PAGE_BATCHES],
        batches,
    );
    vec![batches.needs(&["page/published"])]
}

/// So many puppets who follow the agent's page.
async fn crowd(scene: &Scene, agent: &Agent, number: u64) -> Result<Vec<Puppet>, Stop> {
    let mut crowd = Vec::new();
    for follower in 0..number {
        let mut puppet = scene.puppet(&format!("Follower{follower}"))?;
        let request = puppet.request(agent.address(), scene.now(), following());
        let request = scene.write(&mut puppet, request)?;
        scene.deliver(&request)?;
        crowd.push(puppet);
    }
    agent.sync().await?;
    for puppet in &mut crowd {
        let accept = accept_of(scene, puppet)?;
        let confirm = puppet.confirm(&agent.peer()?, accept, scene.now());
        let confirm = scene.write(puppet, confirm.map_err(Stop::harness)?)?;
        scene.deliver(&confirm)?;
    }
    agent.sync().await?;
    Ok(crowd)
}

async fn batches(scene: Scene) -> Result<(), Stop> {
    let rule: Rule = &req::PAGE_BATCHES;
    let most = limit::PUBLIC_RECIPIENTS;
    let agent = scene.agent().await?;
    agent.act(page()).await?;
    let crowd = crowd(&scene, &agent, most + 1).await?;
    let text = scene.token();
    agent.act(PagePost { text }).await?;
    agent.sync().await?;
    let mut times = BTreeMap::new();
    for sent in scene.all_sent()? {
        let to = &sent.submission.recipients;
        if sent.object("post").is_none() {
            continue;
        }
        scene.expect(rule, to.len() as u64 <= most, || {
            format!(
                "expected {most} recipients of one mail at most, seen {}",
                to.len()
            )
        });
        for address in to {
            *times.entry(address.clone()).or_insert(0) += 1;
        }
    }
    let once = |puppet: &&Puppet| times.get(&puppet.address) == Some(&1);
    let reached = crowd.iter().filter(once).count();
    scene.expect(rule, reached == crowd.len(), || {
        let all = crowd.len();
        format!("expected each of {all} followers to get the post once, seen {reached} of them")
    });
    Ok(())
}
