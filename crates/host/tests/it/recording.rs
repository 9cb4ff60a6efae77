//! Recording a machine, taking out whose it is, and answering for it elsewhere.

use crate::machines::host;
use proptest::prelude::*;
use puma_host::source::{Kept, KeptNames, Names, PROBES, Recorder, Recording, neutralise};
use puma_host::{HostSource, Machine, RealHost, RecordedHost, record};
use puma_testkit::machines;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn probed(recording: &Recording) -> Machine {
    Machine::probe(&RecordedHost::new(recording.clone()))
}

/// Lines of `one` that `other` has not.
fn differing_lines(one: &Recording, other: &Recording) -> Vec<String> {
    let lines = |recording| serde_json::to_string_pretty(recording).expect("JSON");
    let (one, other) = (lines(one), lines(other));
    let there: BTreeSet<&str> = other.lines().collect();
    one.lines().filter(|line| !there.contains(line)).map(str::to_owned).collect()
}

#[test]
fn every_recorded_machine_recorded_again_is_the_same_machine() {
    for name in machines::names() {
        let replayed = record(Arc::new(host(&name)), "recorded again");
        assert_eq!(replayed.changed, Vec::<String>::new(), "{name}");
        assert_eq!(probed(&replayed.recording), Machine::probe(&host(&name)), "{name}");
    }
}

#[test]
fn no_recorded_machine_holds_anything_that_would_be_taken_out() {
    let changes = machines::names().into_iter().flat_map(|name| {
        let kept = host(&name).recording().clone();
        let neutral = neutralise(kept.clone(), &Names::default());
        differing_lines(&kept, &neutral).into_iter().map(move |line| format!("{name}: {line}"))
    });
    assert_eq!(changes.collect::<Vec<String>>(), Vec::<String>::new());
}

#[test]
fn this_machine_is_the_same_from_its_recording() {
    let recorder = Arc::new(Recorder::new(Arc::new(RealHost::default())));
    let seen = Machine::probe(recorder.as_ref());
    let recorded = record(Arc::clone(&recorder) as Arc<dyn HostSource>, "recorded by a test");
    assert_eq!(recorded.changed, Vec::<String>::new());
    // Only that it is a recording may differ.
    assert_eq!(Machine { recorded: false, ..probed(&recorded.recording) }, seen);
}

#[test]
fn every_probe_has_a_name_of_its_own() {
    let mut names: Vec<&str> = PROBES.iter().map(|probe| probe.name).collect();
    names.dedup();
    assert_eq!(names.len(), PROBES.len());
}

/// Something that tells whose machine it is, and how it stands in a text.
fn secret() -> impl Strategy<Value = (String, String)> {
    let alone = |secret: String| (secret.clone(), secret);
    prop_oneof![
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[1-9a-f]{12}".prop_map(alone),
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[1-9a-f]{12}".prop_map(|id| (id.clone(), format!("GPU-{id}"))),
        "[0-9a-f]{31}[a-f]".prop_map(alone),
        "[0-9a-f]{63}[a-f]".prop_map(|id| (id.clone(), format!("/docker/{id}"))),
        "[0-9a-f]{10}[a-f][0-9]".prop_map(alone),
        "3[0-9a-f](:[0-9a-f]{2}){5}".prop_map(alone),
        "(10|172|192)(\\.(1[0-9]{2}|2[0-4][0-9])){3}".prop_map(alone),
        "fd[0-9a-f]{2}:[1-9a-f]{4}::[1-9a-f]{4}".prop_map(alone),
        "q[a-z]{6,12}".prop_map(|name| (name.clone(), format!("/home/{name}/models"))),
        "q[a-z]{6,12}".prop_map(|name| (name.clone(), format!("/Users/{name}"))),
        "q[a-z]{6,12}".prop_map(|name| (name.clone(), format!("C:\\Users\\{name}\\x"))),
        "q[a-z]{6,12}".prop_map(|name| (name.clone(), format!("{name}@builder.example"))),
        "[A-Z][A-Z0-9]{9,11}".prop_map(|serial| (serial.clone(), format!("Serial Number (system): {serial}"))),
        "[A-Z][A-Z0-9]{9,11}".prop_map(|serial| (serial.clone(), format!("{{\"serial_number\":\"{serial}\"}}"))),
        "[A-Z][A-Z0-9]{9,11}".prop_map(|serial| (serial.clone(), format!("\"IOPlatformSerialNumber\" = \"{serial}\""))),
    ]
}

/// `text` in every kind of answer there is, and in questions.
fn everywhere(text: &str) -> Recording {
    let answer = |place: &str| (place.to_owned(), Kept::from(Ok(text.to_owned())));
    let one = |place: String| BTreeMap::from([(place, Kept::from(Ok(text.to_owned())))]);
    Recording {
        format: Recording::FORMAT,
        description: text.to_owned(),
        variables: BTreeMap::from([
            ("TZ".to_owned(), text.to_owned()),
            ("WSL_DISTRO_NAME".to_owned(), text.to_owned()),
        ]),
        files: BTreeMap::from([
            answer("/proc/cpuinfo"),
            answer("/proc/version"),
            answer("/run/.containerenv"),
            answer("/sys/class/dmi/id/product_serial"),
            answer("/sys/firmware/acpi/tables/FACP"),
            answer(&format!("/sys/fs/cgroup/{text}/memory.max")),
            (
                "/proc/self/mountinfo".to_owned(),
                Kept::Text(format!(
                    "1 2 8:1 {text} /mnt/{text} rw,{text} shared:1 - ext4 {text} rw,name={text}\n{text}\n"
                )),
            ),
            ("/proc/self/cgroup".to_owned(), Kept::Text(format!("0::/user.slice/{text}\n{text}\n"))),
        ]),
        folders: BTreeMap::from([(format!("/dev/{text}"), KeptNames::Names(vec![text.to_owned()]))]),
        links: one(format!("/proc/{text}")),
        commands: one(format!("ioreg {text}")),
        native: one(format!("disk free {text}")),
        ..Recording::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_secret_survives_in_any_answer((secret, text) in secret(), before in "[ \t=(,\n]{1,3}", after in "[ \t),\n]{1,3}") {
        let neutral = neutralise(everywhere(&format!("{before}{text}{after}")), &Names::default());
        let left = serde_json::to_string(&neutral).expect("JSON").to_lowercase();
        prop_assert!(!left.contains(&secret.to_lowercase()), "{secret} in {left}");
    }

    #[test]
    fn no_name_of_the_user_or_the_machine_survives(name in "q[a-z0-9]{5,9}", before in "[ -/:-@\\[\n]{1,3}", after in "[ -/:-@\\]\n]{1,3}") {
        let mut names = Names::default();
        names.add("user", &name);
        let neutral = neutralise(everywhere(&format!("{before}{name}{after}")), &names);
        let left = serde_json::to_string(&neutral).expect("JSON");
        prop_assert!(!left.contains(&name), "{name} in {left}");
    }

    #[test]
    fn neutralising_twice_is_neutralising_once((_, text) in secret(), noise in "[ a-z0-9/._=-]{0,20}") {
        let once = neutralise(everywhere(&format!("{noise} {text} {noise}")), &Names::default());
        let twice = neutralise(once.clone(), &Names::default());
        prop_assert_eq!(differing_lines(&once, &twice), differing_lines(&twice, &once));
    }
}
