//! What the sessions of a run measured, and the sum that upstream's table shows.

use crate::fixture::{START, ended, finished, measured, record, resumed, session, started};
use puma_core::measure::{Contamination, Disturbance, HealthReport, Severity};
use puma_core::{EventSink as _, RunId, RunStatus, Timestamp};
use puma_store::{EmissionRow, Store};

fn near(value: Option<f64>, expected: f64) -> bool {
    value.is_some_and(|value| (value - expected).abs() < 1e-12)
}

#[test]
fn the_latest_numbers_of_each_session_are_kept_and_summed() {
    let store = Store::memory().unwrap();
    let run_id = RunId::new("a");
    let mut recorder = store.recorder();
    recorder.emit(&started("a", 2)).unwrap();
    let first = session(START, Some(1800.0), Some(1800.0));
    recorder.emit(&measured("a", session(START, Some(1.0), Some(1.0)))).unwrap();
    recorder.emit(&finished("a", record(0))).unwrap();
    recorder.emit(&measured("a", first.clone())).unwrap();
    recorder.emit(&ended("a", RunStatus::Interrupted)).unwrap();
    recorder.emit(&resumed("a", 2)).unwrap();
    let later = Timestamp(START.0 + 90_000);
    let mut second = session(later, Some(1800.0), Some(0.0));
    second.health = Some(HealthReport {
        samples: 3,
        interval_ms: 1000,
        contaminations: vec![Contamination {
            kind: Disturbance::Paging,
            severity: Severity::Major,
            from: later,
            until: Timestamp(later.0 + 1000),
            detail: "40 MB read again".to_owned(),
        }],
        ..HealthReport::default()
    });
    recorder.emit(&measured("a", second.clone())).unwrap();
    recorder.emit(&ended("a", RunStatus::Done)).unwrap();

    assert_eq!(store.load_run(&run_id).unwrap().sessions, [first, second]);
    let rows = store.emissions(&run_id).unwrap();
    let [EmissionRow { kwh, co2_kg, duration_s, cpu_energy, gpu_energy, ram_energy }] = rows[..] else {
        panic!("one row: {rows:?}")
    };
    assert!(near(kwh, (1800.0 + 1800.0 + 1800.0) / 3_600_000.0), "{kwh:?}");
    assert!(near(cpu_energy, 3600.0 / 3_600_000.0) && near(gpu_energy, 1800.0 / 3_600_000.0));
    assert!(near(co2_kg, 0.2) && near(duration_s, 20.0));
    assert_eq!(ram_energy, None, "no channel measured it");
}

#[test]
fn a_part_of_the_energy_never_passes_for_the_whole() {
    let store = Store::memory().unwrap();
    let run_id = RunId::new("a");
    let mut recorder = store.recorder();
    recorder.emit(&started("a", 2)).unwrap();
    recorder.emit(&measured("a", session(START, Some(1800.0), None))).unwrap();
    let row = store.emissions(&run_id).unwrap()[0];
    assert_eq!((row.kwh, row.gpu_energy), (None, None), "the GPU's counter vanished");
    assert!(row.cpu_energy.is_some());

    recorder.emit(&ended("a", RunStatus::Interrupted)).unwrap();
    recorder.emit(&resumed("a", 2)).unwrap();
    let mut unmeasured = session(Timestamp(START.0 + 90_000), Some(1.0), Some(1.0));
    unmeasured.energy = None;
    recorder.emit(&measured("a", unmeasured)).unwrap();
    let row = store.emissions(&run_id).unwrap()[0];
    assert_eq!((row.kwh, row.cpu_energy, row.co2_kg), (None, None, None), "nobody measured the second session");
}

#[test]
fn a_run_without_energy_has_no_row() {
    let store = Store::memory().unwrap();
    let mut recorder = store.recorder();
    recorder.emit(&started("a", 1)).unwrap();
    let mut unmeasured = session(START, None, None);
    unmeasured.energy = None;
    recorder.emit(&measured("a", unmeasured)).unwrap();
    assert!(store.emissions(&RunId::new("a")).unwrap().is_empty());
    assert!(recorder.emit(&measured("b", session(START, None, None))).is_err(), "run b was not begun");
}
