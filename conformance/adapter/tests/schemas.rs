//! The published schemas are those of the types, and valid.

use std::{fs, path::Path};

use kith_adapter::{act::Action, protocol::METHODS, schema, view::Query};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/schema"))
}

#[test]
fn the_files_are_fresh() {
    let stale = "schema/ is stale: run `cargo xtask schemas`";
    let files = schema::files();
    for (name, content) in &files {
        let found = fs::read_to_string(folder().join(name)).unwrap_or_default();
        assert!(found == *content, "{name}: {stale}");
    }
    let count = fs::read_dir(folder()).unwrap().count();
    assert_eq!(count, files.len(), "{stale}");
}

#[test]
fn writing_removes_what_is_gone() {
    let folder = std::env::temp_dir().join(format!("kith-adapter-schema-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("gone.json"), "{}").unwrap();
    fs::write(folder.join("README"), "").unwrap();
    schema::write_to(&folder).unwrap();
    let names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    fs::remove_dir_all(&folder).unwrap();
    assert!(!names.contains(&"gone.json".into()));
    assert!(names.contains(&"README".into()));
    assert_eq!(names.len(), schema::files().len() + 1);
}

#[test]
fn all_compile_and_follow_the_meta_schema() {
    for (name, schema) in schema::schemas() {
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
        assert!(jsonschema::validator_for(&schema).is_ok(), "{name}");
    }
}

#[test]
fn there_is_one_for_every_message() {
    let names: Vec<_> = schema::schemas()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let mut wanted = vec![schema::ERROR.to_owned()];
    for method in METHODS {
        wanted.push(schema::params_name(method));
        match method {
            "act" => {
                wanted.extend(
                    Action::NAMES
                        .iter()
                        .map(|n| schema::result_name(method, Some(n))),
                );
            }
            "view" => {
                wanted.extend(
                    Query::NAMES
                        .iter()
                        .map(|n| schema::result_name(method, Some(n))),
                );
            }
            _ => wanted.push(schema::result_name(method, None)),
        }
    }
    for name in &wanted {
        assert!(names.contains(name), "{name}");
    }
    assert_eq!(names.len(), wanted.len());
}
