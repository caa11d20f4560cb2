//! The cases that are also played on real mail servers: at least one for each way that mail
//! takes through an agent. They ask nothing of a server that only the embedded one can.

use kith_runner::Case;

const ON_SERVERS: &[&str] = &[
    "wire/request",
    "wire/accept",
    "wire/confirm",
    "wire/message",
    "wire/message@v6",
    "wire/post",
    "wire/end",
    "wire/acknowledgement",
    "friends/request/shown",
    "friends/request/sent",
    "friends/handshake/asked",
    "friends/handshake/asked@v6",
    "friends/handshake/accepted",
    "friends/handshake/accepted@v6",
    "identity/petname",
    "identity/rotate/told",
    "message/sent",
    "message/received",
    "message/receipt",
    "post/copies",
    "post/received",
    "post/to-a-circle",
    "media/sent",
    "media/received",
    "profile/sent-to-those-it-is-for",
    "profile/shown-and-emptied",
    "comment/sent",
    "comment/received",
    "comment/relay/readers",
    "comment/reaction/received",
    "groups/received",
    "groups/sent",
    "groups/owned",
    "events/received",
    "events/answer-sent",
    "page/received",
    "page/published",
    "page/list/carried",
    "page/list/followed",
    "follow/accepted",
];

/// Marks these cases.
pub(crate) fn mark(suite: Vec<Case>) -> Vec<Case> {
    let on_servers = |case: Case| {
        if ON_SERVERS.contains(&case.id.as_str()) {
            case.on_servers()
        } else {
            case
        }
    };
    suite.into_iter().map(on_servers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_them_are_there() {
        let suite = crate::suite();
        for id in ON_SERVERS {
            let case = suite.iter().find(|case| case.id == *id);
            assert!(case.is_some_and(|case| case.on_servers), "{id}");
        }
    }
}
