//! Recording this machine and answering for it.

use crate::support::Home;
use serde_json::Value;

/// The machine as `puma env` shows it, without what changes from one second to the next.
fn machine(home: &Home, host: &[&str]) -> Value {
    let arguments: Vec<&str> = ["env", "--json"].iter().chain(host).copied().collect();
    let mut machine = home.puma(&arguments).json()["machine"].take();
    for changing in ["memory_available_bytes", "memory_limit_used_bytes", "disk_free_bytes", "recorded"] {
        machine[changing] = Value::Null;
    }
    machine
}

#[test]
fn a_recorded_machine_answers_as_this_one_and_is_not_overwritten() {
    let home = Home::new();
    let file = home.write("machine.puma-host", "precious");
    home.puma(&["doctor", "--record", &file]).fails(2, &["machine.puma-host", "exists", "--force"]);
    assert_eq!(std::fs::read_to_string(&file).expect("still there"), "precious");

    let recorded = home.puma(&["doctor", "--record", &file, "--force"]);
    assert_eq!(recorded.code, Some(0), "{}", recorded.stderr);
    assert!(recorded.stdout.contains("files") && recorded.stderr.contains("were replaced"), "{}", recorded.stdout);
    assert_eq!(machine(&home, &["--host", &file]), machine(&home, &[]));

    home.puma(&["doctor", "--record", "other.puma-host", "--host", &file]).fails(2, &["recorded already"]);
    home.puma(&["doctor", "--record", "missing-folder/m.puma-host"]).fails(1, &["missing-folder", "cannot be written"]);
}
