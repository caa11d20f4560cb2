//! IDLE (RFC 2177): changes are told as they happen, without polling.

use std::io;

use tokio::sync::watch;

use super::{Answer, Flow, Session};
use crate::connection::Line;

impl Session {
    pub(super) async fn idle(&mut self, tag: &str) -> io::Result<Flow> {
        let offered = self.shared.config.capabilities.imap.idle;
        let Some(mut changes) = self.watch_account().filter(|_| offered) else {
            self.tagged(tag, &Answer::bad("Not offered here, or not logged in"));
            return Ok(Flow::Continue);
        };
        self.connection.put(b"+ idling\r\n");
        while !self.connection.has_input() {
            let mut out = Vec::new();
            changes.mark_unchanged();
            let there = self.update(&mut out, true);
            self.connection.put(&out);
            if !there {
                self.connection
                    .put(b"* BYE The selected mailbox has gone\r\n");
                return Ok(Flow::Close);
            }
            self.connection.flush().await?;
            tokio::select! {
                more = self.connection.fill() => if !more? {
                    return Ok(Flow::Close);
                },
                changed = changes.changed() => if changed.is_err() {
                    self.connection.put(b"* BYE The account has gone\r\n");
                    return Ok(Flow::Close);
                },
            }
        }
        match self.connection.line(1_000).await? {
            Line::Eof => Ok(Flow::Close),
            Line::Complete(line) if line.trim_ascii_end().eq_ignore_ascii_case(b"DONE") => {
                self.connection.log.client(&line);
                Ok(self.finish(tag, &Answer::ok("Idle completed"), true))
            }
            _ => {
                let answer = Answer::bad("Expected DONE");
                Ok(self.finish(tag, &answer, true))
            }
        }
    }

    fn watch_account(&self) -> Option<watch::Receiver<u64>> {
        let world = self.shared.world();
        let account = world.accounts.get(self.account.as_ref()?)?;
        Some(account.changes.subscribe())
    }
}
