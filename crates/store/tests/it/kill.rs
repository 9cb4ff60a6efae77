//! `kill -9` at any moment loses nothing that was committed and leaves a run that goes on.

use crate::fixture::{ended, finished, record, resumed, started};
use puma_core::{EventSink as _, JobId, RunId, RunStatus};
use puma_store::Store;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const DATABASE: &str = "PUMA_STORE_TEST_DATABASE";
/// Tells the child to stop after its first job and stay.
const HOLD: &str = "PUMA_STORE_TEST_HOLD";
const JOBS: usize = 800;
const KILLS: u64 = 25;

/// The killed process: this same program with [`DATABASE`] set. Without it there is nothing to do.
#[test]
fn child_that_records_until_it_is_killed() {
    let Some(path) = std::env::var_os(DATABASE) else { return };
    let store = Store::open(path).unwrap();
    let run_id = RunId::new("a");
    let mut recorder = store.recorder();
    let begun = store.find_run("a").is_ok();
    recorder.emit(&if begun { resumed("a", JOBS) } else { started("a", JOBS) }).unwrap();
    let done = store.finished_jobs(&run_id).unwrap();
    let mut out = std::io::stdout();
    for index in (0..JOBS).filter(|index| !done.contains(&record(*index).job_id)) {
        recorder.emit(&finished("a", record(index))).unwrap();
        // The promise under test: once `emit` returned, the job is safe.
        writeln!(out, "safe {index}").unwrap();
        out.flush().unwrap();
        if std::env::var_os(HOLD).is_some() {
            // Nobody writes: it waits here, with the run open, until it is killed.
            std::io::stdin().read_line(&mut String::new()).unwrap();
        }
    }
}

fn child(path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "kill::child_that_records_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(DATABASE, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// The jobs a child calls safe, as it does.
fn safe_jobs(child: &mut Child) -> impl Iterator<Item = usize> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    lines.filter_map(|line| line.rsplit_once("safe ").and_then(|(_, index)| index.parse().ok()))
}

/// Lets a child record, kills it after `acknowledged` jobs and some `spin` more, and returns the jobs it called safe.
fn record_and_kill(path: &Path, acknowledged: usize, spin: Duration) -> Vec<usize> {
    let mut child = child(path).spawn().unwrap();
    let mut jobs = safe_jobs(&mut child);
    let mut safe: Vec<usize> = jobs.by_ref().take(acknowledged).collect();
    std::thread::sleep(spin);
    child.kill().unwrap();
    child.wait().unwrap();
    safe.extend(jobs);
    safe
}

#[test]
fn a_run_of_a_living_process_is_refused_and_of_a_killed_one_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    let mut child = child(&path).env(HOLD, "1").spawn().unwrap();
    assert!(safe_jobs(&mut child).next().is_some());
    let store = Store::open(&path).unwrap();
    let writer = format!("process {}", child.id());
    let mut recorder = store.recorder();
    let error = recorder.emit(&resumed("a", JOBS)).unwrap_err();
    assert_eq!(error.message, format!("run a is being written by {writer}"));
    assert_eq!(store.writer_of(&RunId::new("a")), Some(writer));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(store.writer_of(&RunId::new("a")), None);
    recorder.emit(&resumed("a", JOBS)).expect("nothing of the dead process is in the way");
}

#[test]
fn nothing_committed_is_lost_by_kill_at_random_moments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    let run_id = RunId::new("a");
    let mut safe: BTreeSet<JobId> = BTreeSet::new();
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    for round in 0..KILLS {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The first rounds are killed before their first job, so also while the file and the run are being made.
        let acknowledged = if round < 5 { 0 } else { (state >> 33) as usize % 40 };
        let spin = Duration::from_micros((state >> 17) % if round < 5 { 30_000 } else { 2_000 });
        safe.extend(record_and_kill(&path, acknowledged, spin).into_iter().map(|index| record(index).job_id));

        let store = Store::open(&path).unwrap();
        let status = store.status().unwrap();
        assert_eq!(status.problems, Vec::<String>::new(), "after kill {round}");
        assert_eq!(store.writer_of(&run_id), None, "a dead process holds no lock");
        if store.find_run("a").is_ok() {
            let found = store.finished_jobs(&run_id).unwrap();
            assert!(safe.is_subset(&found), "kill {round} lost a job that was called safe");
            for each in store.load_run(&run_id).unwrap().records {
                let index = each.instance_id.as_str().trim_start_matches("ISSUE-").parse().unwrap();
                assert_eq!(each, record(index), "half a job was kept");
            }
        }
    }
    assert!(safe.len() >= 100, "only {} jobs were recorded: the kills came too early to prove anything", safe.len());

    let store = Store::open(&path).unwrap();
    let mut recorder = store.recorder();
    recorder.emit(&resumed("a", JOBS)).unwrap();
    let done = store.finished_jobs(&run_id).unwrap();
    for index in (0..JOBS).filter(|index| !done.contains(&record(*index).job_id)) {
        recorder.emit(&finished("a", record(index))).unwrap();
    }
    recorder.emit(&ended("a", RunStatus::Done)).unwrap();
    let expected: Vec<_> = (0..JOBS).map(record).collect();
    assert_eq!(store.load_run(&run_id).unwrap().records, expected, "equal to a run that nobody killed");
}
