//! `puma cross-arch` on the tiny model, and on another machine's program where one is named.

use crate::support::{Ended, Home};
use serde_json::Value;
use std::io::Write as _;
use std::process::Command;

/// The words that start the same program for another processor, as `cargo xtask platforms` sets them.
const OTHER: &str = "PUMA_TEST_OTHER_MACHINE";

fn run_id(report: &Value) -> &str {
    report["run_id"].as_str().expect("a run has an id")
}

/// A run of four issues, computed anew, whose answers end after `max_tokens`.
pub(crate) fn run_of(home: &Home, max_tokens: &str, more: &[&str]) -> String {
    let model = home.model();
    let args = ["run", "--scenario", "triage_jira", "--model", &model, "--instances", "4", "--no-cache", "--json"];
    run_id(&home.puma(&[&args[..], &["--max-tokens", max_tokens], more].concat()).json()).to_owned()
}

/// Two runs of one experiment, and one that stops a token earlier.
fn three_runs() -> (Home, [String; 3]) {
    let home = Home::new();
    let runs =
        [run_of(&home, "4", &[]), run_of(&home, "4", &["--threads", "1", "--shuffle", "7"]), run_of(&home, "3", &[])];
    (home, runs)
}

#[test]
fn two_runs_of_the_embedded_engine_are_bit_equal_in_every_respect() {
    let (home, [first, second, _]) = three_runs();
    let verdict = home.puma(&["cross-arch", &first, &second, "--require", "bit-equal", "--json"]).json();
    assert_eq!((&verdict["valid"], &verdict["level"]), (&true.into(), &"bit-equal".into()));
    assert_eq!(verdict["hypotheses"]["h2"], "holds");
    let tokens = &verdict["groups"][0]["tokens"];
    assert_eq!(tokens["same_tokens"], 4);
    assert_eq!(tokens["listed"]["equal_bits"], tokens["listed"]["n"]);
    assert!(tokens["listed"]["n"].as_u64() >= Some(4 * 20), "twenty alternatives at every token: {tokens}");
    let text = home.puma(&["cross-arch", &first, &second]);
    assert_eq!(text.code, Some(0), "{}", text.stderr);
    let sections =
        ["Verdict: bit-equal logits", "1. Identity", "2. Answers that", "3. Hypotheses", "4. Verdict", "5. First"];
    let places: Vec<usize> = sections
        .iter()
        .map(|title| text.stdout.find(title).unwrap_or_else(|| panic!("no {title:?} in {}", text.stdout)))
        .collect();
    assert!(places.is_sorted(), "{}", text.stdout);
    let markdown = home.puma(&["cross-arch", &first, &second, "--markdown"]).stdout;
    assert!(markdown.contains("## 3. Hypotheses") && markdown.contains("| --- |"), "{markdown}");
}

#[test]
fn the_noise_floor_stands_beside_the_differences() {
    let (home, [first, second, _]) = three_runs();
    let floor = r#"{"zero": false, "level": "same-labels", "label_flips": 0, "token_changes": 1,
        "logprob_mean_abs": 0.0625, "logprob_p99_abs": 0.25, "logprob_max_abs": 0.75}"#;
    let file = home.write("noise.json", format!(r#"{{"scenario": "triage_jira", "floor": {floor}}}"#));
    let text = home.puma(&["cross-arch", &first, &second, "--noise", &file]).stdout;
    let row = text.lines().find(|line| line.contains("one machine alone")).unwrap_or_else(|| panic!("{text}"));
    assert!(["same labels", "0.0625", "0.2500", "0.7500"].iter().all(|part| row.contains(part)), "{row}");
    assert!(text.contains("does not repeat itself"), "{text}");
    let json = home.puma(&["cross-arch", &first, &second, "--noise", &file, "--json"]).json();
    assert_eq!(json["noise"]["logprob_max_abs"], 0.75);
    let other = home.write("other.json", "{}");
    home.puma(&["cross-arch", &first, &second, "--noise", &other]).fails(2, &["no report of a self-check", "hint:"]);
}

#[test]
fn another_question_is_refused_before_any_verdict_and_judged_when_forced() {
    let (home, [first, _, shorter]) = three_runs();
    let refused = home.puma(&["cross-arch", &first, &shorter]);
    assert!(refused.stdout.contains("INVALID: these runs are not one experiment"), "{}", refused.stdout);
    assert!(refused.stdout.contains("Verdict: none, nothing is judged"), "{}", refused.stdout);
    refused.fails(2, &["another most tokens", "--force"]);
    let forced = home.puma(&["cross-arch", &first, &shorter, "--force", "--require", "same-tokens", "--json"]);
    let verdict: Value = serde_json::from_str(&forced.stdout).expect("JSON comes before the failure");
    assert_eq!((&verdict["valid"], &verdict["forced"]), (&false.into(), &true.into()));
    assert_eq!(verdict["groups"][0]["tokens"]["divergences"][0]["right_token"], Value::Null, "the second ended there");
    forced.fails(3, &["\"same tokens\" was required"]);
}

#[test]
fn a_run_without_logprobs_is_compared_as_text_and_says_what_is_missing() {
    let home = Home::new();
    let spec = "id: silent\nscenario: triage_jira\nmodels: [MODEL]\nsample_size: 3\ninference: {max_tokens: 4}\n";
    let spec = home.write("silent.yaml", spec.replace("MODEL", &home.model()));
    let ids: Vec<String> =
        (0..2).map(|_| run_id(&home.puma(&["run", &spec, "--no-cache", "--json"]).json()).to_owned()).collect();
    let verdict = home.puma(&["cross-arch", &ids[0], &ids[1], "--json"]).json();
    assert_eq!(verdict["level"], "same-tokens");
    assert_eq!(verdict["hypotheses"]["h2"], "not_testable");
    let detail = verdict["groups"][0]["hypotheses"][2]["detail"].as_str().expect("a reason");
    assert!(detail.contains("neither run has logprobs"), "{detail}");
    home.puma(&["cross-arch", &ids[0], &ids[1], "--require", "bit-equal"]).fails(3, &["bit-equal logits"]);
}

/// Both programs run the same spec and write a bundle; the two bundles must be bit-equal. On an emulated processor this
/// takes a minute, so `cargo xtask platforms` asks for it.
#[test]
fn the_program_for_another_processor_computes_the_same_bits() {
    let Ok(words) = std::env::var(OTHER) else {
        // A failed write to standard error leaves nothing to tell anybody.
        let _ = writeln!(std::io::stderr(), "not run: {OTHER} names no program for another processor");
        return;
    };
    let home = Home::new();
    let model = home.model();
    let run =
        ["run", "--scenario", "triage_jira", "--model", &model, "--instances", "6", "--max-tokens", "6", "--no-cache"];
    let own = home.path("own.puma-bundle").display().to_string();
    let other = home.path("other.puma-bundle").display().to_string();
    let elsewhere = |arguments: &[&str]| {
        let mut all = words.split(' ');
        let mut command = Command::new(all.next().expect("at least the program"));
        command.args(all).args(arguments).env_clear().env("HOME", home.dir.path());
        command.env("PUMA_DATA_DIR", home.path("other")).current_dir(home.dir.path());
        Ended::from(command.output().expect("the other program starts"))
    };
    for (ended, what) in [
        (home.puma(&run), "runs"),
        (home.puma(&["bundle", "export", "latest", "--output", &own]), "writes a bundle"),
        (elsewhere(&run), "runs elsewhere"),
        (elsewhere(&["bundle", "export", "latest", "--output", &other]), "writes a bundle elsewhere"),
    ] {
        assert_eq!(ended.code, Some(0), "{what}: {}", ended.stderr);
    }
    let verdict = home.puma(&["cross-arch", &own, &other, "--require", "bit-equal", "--json"]).json();
    let architecture = |side: &str| verdict[side]["machine"]["architecture"].clone();
    assert_ne!(architecture("left"), architecture("right"), "the other program is for another processor");
    let tokens = &verdict["groups"][0]["tokens"];
    assert_eq!(tokens["listed"]["equal_bits"], tokens["listed"]["n"]);
    assert_eq!(tokens["listed"]["max_abs"], 0.0);
}
