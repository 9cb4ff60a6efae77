//! Every recorded machine against what is known of it.

use crate::expected::Expected;
use crate::{machines_gpu, machines_linux, machines_mac};
use puma_host::{Machine, RecordedHost};
use puma_testkit::machines;
use std::collections::BTreeSet;

/// All rows; one table a family.
fn rows() -> impl Iterator<Item = &'static Expected> {
    machines_linux::ROWS.iter().chain(machines_mac::ROWS).chain(machines_gpu::ROWS)
}

pub(crate) fn host(name: &str) -> RecordedHost {
    RecordedHost::parse(&machines::load(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_recorded_machine_is_what_it_is_known_to_be() {
    let differences: Vec<String> = rows().flat_map(|row| row.differences(&Machine::probe(&host(row.name)))).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_recorded_machine_has_one_row_and_says_where_it_comes_from() {
    let named: Vec<&str> = rows().map(|row| row.name).collect();
    let unique: BTreeSet<String> = named.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(unique.len(), named.len(), "a machine has two rows");
    assert_eq!(unique, machines::names().into_iter().collect(), "rows and files under crates/testkit/machines");
    for name in &unique {
        let description = host(name).recording().description.clone();
        assert!(
            ["from documentation", "recorded", "made up"].iter().any(|origin| description.contains(origin)),
            "{name} does not say where its answers come from: {description}"
        );
    }
}
