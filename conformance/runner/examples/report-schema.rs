//! Prints the JSON Schema of the report. `cargo xtask schemas` runs it and keeps
//! `schema/report.json` up to date.

fn main() {
    print!("{}", kith_runner::report::json::schema());
}
