//! What is still to be played, and what is known of what was.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::case::{Case, Rung};
use crate::report::{CaseResult, Status};

/// What a worker does next.
pub(super) enum Next {
    /// Play this case.
    Play(Case),
    /// Report this case as blocked by the case with that id.
    Blocked(Case, String),
    /// Go home.
    Nothing,
}

/// How a case ended, as far as others care: `Err` names the root of the trouble.
type Settled = Result<(), String>;

struct State {
    waiting: VecDeque<Case>,
    running: BTreeSet<String>,
    settled: BTreeMap<String, Settled>,
    /// With `--first`: no case above this rung is begun.
    top: Option<Rung>,
    failed: bool,
}

/// The cases of a plan, given out to the workers.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
    planned: BTreeSet<String>,
}

impl Queue {
    pub(super) fn new(cases: Vec<Case>, first: bool) -> Self {
        let planned = cases.iter().map(|case| case.id.clone()).collect();
        let top = cases.first().map(|case| case.rung).filter(|_| first);
        Self {
            planned,
            changed: Notify::new(),
            state: Mutex::new(State {
                waiting: cases.into(),
                running: BTreeSet::new(),
                settled: BTreeMap::new(),
                top,
                failed: false,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next case, as soon as one can be begun.
    pub(super) async fn next(&self) -> Next {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(next) = self.try_next() {
                return next;
            }
            changed.await;
        }
    }

    fn try_next(&self) -> Option<Next> {
        let mut guard = self.state();
        let state = &mut *guard;
        if state.waiting.is_empty() {
            return Some(Next::Nothing);
        }
        if let Some(top) = state.top {
            let above = state.waiting.front().is_some_and(|case| case.rung > top);
            if above && state.running.is_empty() {
                if state.failed {
                    state.waiting.clear();
                    self.changed.notify_waiters();
                    return Some(Next::Nothing);
                }
                state.top = state.waiting.front().map(|case| case.rung);
            }
        }
        let top = state.top;
        let at = state.waiting.iter().position(|case| {
            top.is_none_or(|top| case.rung <= top) && self.ready(case, &state.settled)
        })?;
        let case = state.waiting.remove(at)?;
        let root = case
            .needs
            .iter()
            .find_map(|need| match state.settled.get(need) {
                Some(Err(root)) => Some(root.clone()),
                _ => None,
            });
        state.running.insert(case.id.clone());
        Some(match root {
            Some(root) => Next::Blocked(case, root),
            None => Next::Play(case),
        })
    }

    /// Whether all that a case needs is settled; what isn't in the plan isn't waited for.
    fn ready(&self, case: &Case, settled: &BTreeMap<String, Settled>) -> bool {
        let known = |need: &String| settled.contains_key(need) || !self.planned.contains(need);
        case.needs.iter().all(known)
    }

    /// Tells how a case ended.
    pub(super) fn settle(&self, id: &str, result: &CaseResult) {
        let mut state = self.state();
        let settled = match result.status {
            Status::Pass | Status::Warn | Status::Fixed | Status::Flaky => Ok(()),
            Status::Blocked => Err(result.blocked_by.clone().unwrap_or_else(|| id.to_owned())),
            _ => Err(id.to_owned()),
        };
        state.failed |= matches!(result.status, Status::Fail | Status::HarnessError);
        state.running.remove(id);
        state.settled.insert(id.to_owned(), settled);
        drop(state);
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::blank;
    use kith_spec::req;

    fn case(id: &str, rung: Rung) -> Case {
        Case::new(id, "", rung, &[&req::MAIL_LINES], |_| async { Ok(()) })
    }

    async fn play(queue: &Queue) -> Option<String> {
        match queue.next().await {
            Next::Play(case) => Some(case.id),
            Next::Blocked(case, root) => Some(format!("{} blocked by {root}", case.id)),
            Next::Nothing => None,
        }
    }

    fn settle(queue: &Queue, id: &str, status: Status) {
        let mut result = blank(&case(id, Rung::Wire), String::new());
        result.status = status;
        result.blocked_by = (status == Status::Blocked).then(|| "root".to_owned());
        queue.settle(id, &result);
    }

    #[tokio::test]
    async fn blocked_cases_name_the_root() {
        let cases = vec![
            case("leaf", Rung::Wire).needs(&["middle"]),
            case("middle", Rung::Wire).needs(&["root"]),
            case("root", Rung::Wire),
            case("alone", Rung::Wire).needs(&["not/in-the-plan"]),
        ];
        let queue = Queue::new(cases, false);
        assert_eq!(play(&queue).await.unwrap(), "root");
        assert_eq!(play(&queue).await.unwrap(), "alone");
        settle(&queue, "root", Status::Fail);
        assert_eq!(play(&queue).await.unwrap(), "middle blocked by root");
        settle(&queue, "middle", Status::Blocked);
        assert_eq!(play(&queue).await.unwrap(), "leaf blocked by root");
        assert_eq!(play(&queue).await, None);
    }

    #[tokio::test]
    async fn first_stops_after_a_rung_with_a_failure() {
        let cases = vec![
            case("a", Rung::Wire),
            case("b", Rung::Request),
            case("c", Rung::Message),
        ];
        let queue = Queue::new(cases, true);
        assert_eq!(play(&queue).await.unwrap(), "a");
        settle(&queue, "a", Status::Pass);
        assert_eq!(play(&queue).await.unwrap(), "b");
        settle(&queue, "b", Status::Fail);
        assert_eq!(play(&queue).await, None);
    }
}
