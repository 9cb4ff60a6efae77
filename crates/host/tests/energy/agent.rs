//! A container that reads its host's joules through an agent.

use crate::support::{linux, missing, open, open_with};
use puma_core::clock::Clock;
use puma_core::measure::{Channel, Quality};
use puma_host::Machine;
use puma_host::energy::agent::{Agent, AgentAddress, AgentSnapshot, PATH};
use puma_host::energy::{Chain, ChainOptions};
use puma_testkit::scripted_host::{ManualClock, ScriptedHost};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server says: a status line's code and a body, from the token it was given.
type Say = Box<dyn FnMut(Option<&str>) -> (u16, String) + Send>;

/// An HTTP server that says one thing. Ends with the test's process.
fn serve(say: Say) -> AgentAddress {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let say = Mutex::new(say);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let lines: Vec<String> = (BufReader::new(stream.try_clone().expect("a handle")).lines())
                .map(|line| line.expect("text"))
                .take_while(|line| !line.is_empty())
                .collect();
            assert!(lines[0].starts_with(&format!("GET {PATH} ")), "{}", lines[0]);
            let lower = |line: &String| line.to_lowercase().starts_with("authorization: bearer ");
            let token = lines.iter().find(|line| lower(line)).map(|line| line[22..].trim().to_owned());
            let (status, body) = (say.lock().expect("no panic before"))(token.as_deref());
            let answer =
                format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).expect("the client reads");
        }
    });
    AgentAddress { url, token: Some("open sesame".to_owned()) }
}

/// A host whose package draws 80 W and whose memory 6 W, on a clock of its own.
fn host(clock: &ManualClock) -> Agent {
    let zones = "/sys/class/powercap";
    let host = ScriptedHost::new("linux", clock.clone())
        .folder(zones, &["intel-rapl:0", "intel-rapl:0:0"])
        .file("/proc/cpuinfo", "vendor_id\t: GenuineIntel\n")
        .file(&format!("{zones}/intel-rapl:0/name"), "package-0\n")
        .file(&format!("{zones}/intel-rapl:0:0/name"), "dram\n")
        .changing_file(&format!("{zones}/intel-rapl:0/energy_uj"), |now, _| Ok(format!("{}", now.as_micros() * 80)))
        .changing_file(&format!("{zones}/intel-rapl:0:0/energy_uj"), |now, _| Ok(format!("{}", now.as_micros() * 6)));
    Agent::new(open(host), Arc::new(clock.clone()))
}

fn through(address: AgentAddress) -> Chain {
    let options = ChainOptions { agent: Some(address), ..ChainOptions::default() };
    open_with(ScriptedHost::new("linux", ManualClock::default()), &linux(), &options)
}

#[test]
fn a_container_counts_what_its_host_counts_from_the_moment_it_looks() {
    let clock = ManualClock::default();
    clock.advance(Duration::from_secs(1000));
    let mut agent = host(&clock);
    let mut chain = through(serve(Box::new(move |token| match token {
        Some("open sesame") => (200, serde_json::to_string(&agent.snapshot()).expect("JSON")),
        _ => (401, String::new()),
    })));
    assert_eq!(chain.meters.len(), 1);
    let meter = chain.meters[0].as_mut();
    assert_eq!((meter.source(), meter.quality()), ("host agent: RAPL powercap", Quality::Measured));
    assert!(meter.read(clock.monotonic()).expect("a reading").iter().all(|reading| reading.energy_j == 0.0));
    for _ in 0..10 {
        clock.advance(Duration::from_secs(1));
        meter.read(clock.monotonic()).expect("a reading");
    }
    let readings = meter.read(clock.monotonic()).expect("a reading");
    let seen: Vec<_> = readings.iter().map(|reading| (reading.channel, reading.energy_j.round())).collect();
    assert_eq!(seen, [(Channel::Dram, 60.0), (Channel::Package, 800.0)]);
    assert!(meter.losses().is_empty());
}

#[test]
fn an_agent_that_is_started_anew_loses_the_time_in_between() {
    let clock = ManualClock::default();
    let agent = Arc::new(Mutex::new(host(&clock)));
    let served = Arc::clone(&agent);
    let mut chain = through(serve(Box::new(move |_| {
        (200, serde_json::to_string(&served.lock().expect("the agent").snapshot()).expect("JSON"))
    })));
    let meter = chain.meters[0].as_mut();
    let mut read_at = |seconds: u64| {
        clock.advance(Duration::from_secs(seconds));
        let readings = meter.read(clock.monotonic()).expect("a reading");
        (
            readings.iter().find(|reading| reading.channel == Channel::Package).expect("the package").energy_j,
            meter.losses(),
        )
    };
    assert_eq!(read_at(1).0, 0.0);
    assert_eq!(read_at(10).0.round(), 800.0);
    *agent.lock().expect("the agent") = host(&clock);
    let (energy_j, losses) = read_at(5);
    assert_eq!(energy_j.round(), 800.0);
    assert_eq!(losses.len(), 2);
    assert!(losses.iter().all(|loss| loss.duration == Duration::from_secs(5) && loss.reason.contains("anew")));
    let (energy_j, losses) = read_at(5);
    assert_eq!((energy_j.round(), losses.len()), (1200.0, 0));
}

#[test]
fn an_agent_that_goes_away_is_an_error_and_not_a_zero() {
    let clock = ManualClock::default();
    let mut agent = host(&clock);
    let mut asked = 0;
    let mut chain = through(serve(Box::new(move |_| {
        asked += 1;
        if asked > 3 { (503, String::new()) } else { (200, serde_json::to_string(&agent.snapshot()).expect("JSON")) }
    })));
    let meter = chain.meters[0].as_mut();
    let results: Vec<_> = (0..4)
        .map(|_| {
            clock.advance(Duration::from_secs(1));
            meter.read(clock.monotonic()).map(|readings| readings.len()).map_err(|error| error.to_string())
        })
        .collect();
    assert_eq!(results[..2], [Ok(2), Ok(2)]);
    assert_eq!(results[3], Err("the host's agent: it answers with status 503".to_owned()));
}

#[test]
fn an_agent_that_cannot_be_used_is_missing_with_the_reason_and_this_machine_answers_for_itself() {
    let snapshot = |format: u32| {
        let clock = ManualClock::default();
        let snapshot = AgentSnapshot { format, ..host(&clock).snapshot() };
        serde_json::to_string(&snapshot).expect("JSON")
    };
    let later = snapshot(7);
    let cases: [(Say, &str, &str); 4] = [
        (Box::new(|_| (401, String::new())), "wants another token", "token that `puma agent` printed"),
        (Box::new(|_| (200, "<html>".to_owned())), "no snapshot", "start `puma agent`"),
        (Box::new(|_| (200, "{}".to_owned())), "it has no format", "start `puma agent`"),
        (Box::new(move |_| (200, later.clone())), "format 7", "same version"),
    ];
    for (say, reason, hint) in cases {
        let chain = through(serve(say));
        let missing = missing(&chain, "host agent");
        assert!(missing.reason.contains(reason), "{}", missing.reason);
        assert!(missing.hint.as_deref().is_some_and(|text| text.contains(hint)), "{:?}", missing.hint);
        assert!(chain.missing.iter().any(|missing| missing.source == "RAPL powercap"), "its own counters were tried");
    }
    let nobody = AgentAddress { url: "http://127.0.0.1:9".to_owned(), token: None };
    assert!(missing(&through(nobody), "host agent").reason.contains("cannot be reached"));
}

#[test]
fn this_machine_does_not_answer_for_a_model_on_another_one() {
    let nobody = AgentAddress { url: "http://127.0.0.1:9".to_owned(), token: None };
    let machine = Machine { memory_bytes: Some(8 << 30), ..linux() };
    let meters = |model_elsewhere| {
        let options = ChainOptions { agent: Some(nobody.clone()), model_elsewhere, ..ChainOptions::default() };
        let chain = open_with(ScriptedHost::new("linux", ManualClock::default()), &machine, &options);
        assert!(missing(&chain, "host agent").reason.contains("cannot be reached"));
        chain.meters.len()
    };
    assert_eq!((meters(false), meters(true)), (1, 0));
}

#[test]
fn a_snapshot_is_the_documented_json() {
    let clock = ManualClock::default();
    let mut agent = host(&clock);
    agent.snapshot();
    clock.advance(Duration::from_secs(2));
    let json = serde_json::to_value(agent.snapshot()).expect("JSON");
    assert_eq!(
        (json["format"].as_u64(), json["started_at"].as_i64(), json["measured_at"].as_i64()),
        (Some(1), Some(0), Some(2000))
    );
    let expected = serde_json::json!([
        { "channel": "dram", "device": "dram-0", "energy_j": 12.0, "may_rest": false },
        { "channel": "package", "device": "package-0", "energy_j": 160.0, "may_rest": false },
    ]);
    let source = &json["sources"][0];
    assert_eq!((&source["source"], &source["quality"]), (&"RAPL powercap".into(), &"measured".into()));
    assert_eq!(source["counters"], expected);
}
