//! The kernel's perf events: the answer is an array of `PerfCounter`, those of one event together, in the order of sockets.

use crate::energy::PerfCounter;
use crate::source::{Answer, Unanswered};
use perf_event::events::Dynamic;
use perf_event::{Builder, Counter};
use std::io;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The performance monitoring unit that counts joules.
const POWER: &str = "/sys/bus/event_source/devices/power";
/// Package, memory, whole platform. Cores and the integrated GPU are parts of the package.
const EVENTS: [&str; 3] = ["energy-pkg", "energy-ram", "energy-psys"];

/// One event of one socket, open for as long as the program runs.
struct Open {
    event: &'static str,
    socket: u32,
    joules_per_step: f64,
    counter: Counter,
}

type Opened = Result<Mutex<Vec<Open>>, Unanswered>;

/// The energy counters, from zero when they were first asked for.
pub(super) fn energy() -> Answer {
    static OPEN: OnceLock<Opened> = OnceLock::new();
    read(OPEN.get_or_init(|| open(Path::new(POWER), &EVENTS).map(Mutex::new)))
}

fn read(opened: &Opened) -> Answer {
    let mut counters = opened.as_ref().map_err(Clone::clone)?.lock().unwrap_or_else(PoisonError::into_inner);
    let values: Result<Vec<PerfCounter>, io::Error> = (counters.iter_mut())
        .map(|open| {
            let count = open.counter.read()?;
            Ok(PerfCounter {
                event: open.event.to_owned(),
                socket: open.socket,
                count,
                joules_per_step: open.joules_per_step,
            })
        })
        .collect();
    let values = values.map_err(|error| why(&error))?;
    serde_json::to_string(&values).map_err(|error| Unanswered::Failed(error.to_string()))
}

/// Opens those of `events` that the unit has, on one processor of each socket.
fn open(unit: &Path, events: &[&'static str]) -> Result<Vec<Open>, Unanswered> {
    if !unit.exists() {
        return Err(Unanswered::Absent);
    }
    let processors = std::fs::read_to_string(unit.join("cpumask")).map_or(vec![0], |text| processor_list(&text));
    let mut opened = Vec::new();
    let known = |event: &&&str| unit.join("events").join(event).exists();
    for event in events.iter().filter(known) {
        for (socket, processor) in (0u32..).zip(&processors) {
            opened.push(open_one(unit, event, socket, *processor).map_err(|error| why(&error))?);
        }
    }
    if opened.is_empty() { Err(Unanswered::Absent) } else { Ok(opened) }
}

fn open_one(unit: &Path, event: &'static str, socket: u32, processor: usize) -> io::Result<Open> {
    let description = Dynamic::builder(unit)?.event(event)?.build().map_err(io::Error::other)?;
    // Energy has no user or kernel side: the unit refuses to leave either out.
    let mut counter =
        Builder::new(description).any_pid().one_cpu(processor).exclude_kernel(false).exclude_hv(false).build()?;
    counter.enable()?;
    let scale = std::fs::read_to_string(unit.join("events").join(format!("{event}.scale"))).unwrap_or_default();
    let joules_per_step = scale.trim().parse().map_err(|_| io::Error::other(format!("{event} has no scale")))?;
    Ok(Open { event, socket, joules_per_step, counter })
}

/// The processors of a list such as `0,64` or `0-1`.
fn processor_list(text: &str) -> Vec<usize> {
    let range = |part: &str| -> Option<std::ops::RangeInclusive<usize>> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    };
    text.trim().split(',').filter_map(range).flatten().collect()
}

fn why(error: &io::Error) -> Unanswered {
    match error.kind() {
        io::ErrorKind::NotFound => Unanswered::Absent,
        io::ErrorKind::PermissionDenied => Unanswered::Denied,
        _ => Unanswered::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_listed_singly_and_in_ranges() {
        assert_eq!(processor_list("0,64\n"), [0, 64]);
        assert_eq!(processor_list("0-2,9"), [0, 1, 2, 9]);
        assert_eq!(processor_list("nonsense"), [0usize; 0]);
    }

    #[test]
    fn an_event_of_this_kernel_counts_upwards_where_it_may_be_opened() {
        // The time stamp counter is an event of the same kind as the energy counters, and there are more machines with it.
        let unit = Path::new("/sys/bus/event_source/devices/msr");
        let opened = Dynamic::builder(unit).and_then(|mut unit| unit.event("tsc").map(|event| event.build()));
        let Ok(Ok(description)) = opened else { return };
        let built = Builder::new(description).any_pid().one_cpu(0).exclude_kernel(false).exclude_hv(false).build();
        let Ok(mut counter) = built else { return };
        counter.enable().expect("it was opened");
        let open = Open { event: "tsc", socket: 0, joules_per_step: 0.5, counter };
        let opened: Opened = Ok(Mutex::new(vec![open]));
        let count = || -> u64 {
            let text = read(&opened).expect("an answer");
            let counters: Vec<PerfCounter> = serde_json::from_str(&text).expect("the shape it is read by");
            assert_eq!((counters.len(), counters[0].event.as_str()), (1, "tsc"));
            counters[0].count
        };
        let first = count();
        assert!(count() > first);
    }

    #[test]
    fn a_unit_that_is_not_there_is_absent() {
        let opened = open(Path::new("/sys/bus/event_source/devices/no such unit"), &EVENTS);
        assert_eq!(opened.err(), Some(Unanswered::Absent));
    }
}
