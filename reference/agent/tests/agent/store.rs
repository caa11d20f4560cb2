//! The store: crashes, versions, locks, full disks.

use std::io::BufRead as _;
use std::process::{Command, Stdio};

use kith_agent::{Store, StoreError};
use kith_core::store::{Read as _, Table, Write, successor};

fn write(table: Table, key: &[u8], value: &[u8]) -> Write {
    Write {
        table,
        key: key.to_vec(),
        value: Some(value.to_vec()),
    }
}

fn number(store: &Store, table: Table) -> u64 {
    let value = store
        .get(table, b"n")
        .unwrap()
        .unwrap_or_else(|| b"0".to_vec());
    String::from_utf8(value).unwrap().parse().unwrap()
}

#[test]
fn rows_are_in_order_of_their_keys() {
    let mut store = Store::memory().unwrap();
    let keys: [&[u8]; 5] = [b"", b"a", b"a\x00", b"ab", b"\xff"];
    let writes: Vec<Write> = keys
        .iter()
        .rev()
        .map(|key| write(Table::Own, key, b"v"))
        .collect();
    store.apply(&writes).unwrap();
    store.apply(&[write(Table::Peer, b"a", b"other")]).unwrap();
    let found = |from: &[u8], to: &[u8], limit| -> Vec<Vec<u8>> {
        let rows = store.range(Table::Own, from, to, limit).unwrap();
        rows.into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(found(b"", &successor(b""), usize::MAX), keys);
    assert_eq!(
        found(b"a", &successor(b"a"), usize::MAX),
        [&b"a"[..], b"a\x00", b"ab"]
    );
    assert_eq!(found(b"a", b"b", 2), [&b"a"[..], b"a\x00"]);
    assert!(found(b"b", b"a", 2).is_empty());
}

#[test]
fn a_later_form_and_other_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kith.db");
    drop(Store::open(&path).unwrap());
    let change = |sql: &str| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch(sql).unwrap();
    };
    change("PRAGMA user_version = 99");
    let error = Store::open(&path).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found: 99, .. }),
        "{error}"
    );
    change("PRAGMA user_version = 1; PRAGMA application_id = 7");
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    let path = folder.path().join("text");
    std::fs::write(
        &path,
        "this is a text of more than a hundred octets ".repeat(100),
    )
    .unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    let error = Store::open(&folder.path().join("none/kith.db")).unwrap_err();
    assert!(matches!(error, StoreError::Inaccessible { .. }), "{error}");
}

#[test]
#[cfg(unix)]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("kith.db")).unwrap();
    store.apply(&[write(Table::Own, b"n", b"1")]).unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.path());
    }
}

/// The part of the tests below that runs in a process of its own.
#[test]
fn child() {
    let Ok(path) = std::env::var("KITH_TEST_STORE") else {
        return;
    };
    let mut store = Store::open(path.as_ref()).unwrap();
    let first = number(&store, Table::Own);
    for n in first + 1.. {
        let value = n.to_string();
        // Two tables and a large row, so that a transaction is more than one page.
        let large = vec![n as u8; 20_000];
        let rows = [
            write(Table::Own, b"n", value.as_bytes()),
            write(Table::Outbox, b"large", &large),
            write(Table::Peer, b"n", value.as_bytes()),
        ];
        store.apply(&rows).unwrap();
        println!("{n}");
    }
}

fn start(path: &std::path::Path) -> (std::process::Child, impl Iterator<Item = u64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::child", "--nocapture"])
        .env("KITH_TEST_STORE", path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    (
        child,
        lines
            .map_while(Result::ok)
            .filter_map(|line| line.trim().parse().ok()),
    )
}

#[test]
fn a_killed_process_leaves_whole_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kith.db");
    for round in 0..8 {
        let (mut child, mut done) = start(&path);
        let mut last = done.nth(3 + round).unwrap();
        std::thread::sleep(std::time::Duration::from_micros(700 * round as u64));
        child.kill().unwrap();
        last = done.last().unwrap_or(last);
        child.wait().unwrap();
        let store = Store::open(&path).unwrap();
        store.check().unwrap();
        let found = number(&store, Table::Own);
        assert_eq!(found, number(&store, Table::Peer), "half a transaction");
        let large = store.get(Table::Outbox, b"large").unwrap().unwrap();
        assert!(large.iter().all(|octet| *octet == found as u8));
        assert!(
            found >= last,
            "{found} is less than what was reported as done, {last}"
        );
    }
}

#[test]
fn two_processes_cannot_have_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kith.db");
    let (mut child, mut done) = start(&path);
    done.next().unwrap();
    let error = Store::open_within(&path, std::time::Duration::from_millis(50)).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    child.kill().unwrap();
    child.wait().unwrap();
    Store::open(&path).unwrap();
}

#[test]
fn a_full_disk_is_told_and_nothing_is_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kith.db");
    let mut store = Store::open(&path).unwrap();
    store.apply(&[write(Table::Own, b"n", b"1")]).unwrap();
    store.limit_pages(20).unwrap();
    let rows = [
        write(Table::Own, b"n", b"2"),
        write(Table::Outbox, b"large", &vec![0; 200_000]),
    ];
    let error = store.apply(&rows).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(error.to_string().contains("make room"));
    assert_eq!(number(&store, Table::Own), 1);
    store.limit_pages(1_000_000).unwrap();
    store.apply(&rows).unwrap();
    drop(store);
    assert_eq!(number(&Store::open(&path).unwrap(), Table::Own), 2);
}
