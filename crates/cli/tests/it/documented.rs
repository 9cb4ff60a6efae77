//! `docs/reference/json.md` against what the program prints: every key has a row, and every row a key.

use crate::cross_arch::run_of;
use crate::support::Home;
use puma_testkit::fault_server::{Behaviour, FaultServer};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Objects whose keys depend on the data: written `{…}` in the page.
const FREE: [&str; 19] = [
    "backend.settings",
    "hashes.templates",
    "dataset.columns",
    "dataset.train_answers",
    "dataset.priorities",
    "[].columns",
    "[].answers",
    "[].skipped",
    "run_statuses",
    "metrics",
    "diffs",
    "rows",
    "environment",
    "gguf.tensor_types",
    "findings[].numbers",
    // Described in a sentence of their own, not key by key.
    "catalogue",
    "other[]",
    "models[].budget",
    "models[].local[].layers",
];

/// Keys of the outputs of one command, as the page writes them.
#[derive(Debug, Default)]
struct Keys {
    seen: BTreeSet<String>,
    /// Values that were null or an empty list: nothing can be said about what is inside.
    unknown: BTreeSet<String>,
}

impl Keys {
    fn of(outputs: &[Value]) -> Self {
        let mut keys = Self::default();
        for output in outputs {
            keys.walk("", output);
        }
        keys
    }

    fn walk(&mut self, path: &str, value: &Value) {
        match value {
            Value::Object(map) if !FREE.contains(&path) => {
                for (key, inner) in map {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    self.seen.insert(path.clone());
                    self.walk(&path, inner);
                }
            }
            Value::Array(items) => {
                let path = format!("{path}[]");
                if items.is_empty() {
                    self.unknown.insert(path.clone());
                }
                items.iter().for_each(|item| self.walk(&path, item));
            }
            Value::Null => {
                self.unknown.insert(path.to_owned());
            }
            _ => {}
        }
    }

    fn may_hold(&self, key: &str) -> bool {
        self.seen.contains(key) || self.unknown.iter().any(|open| key.starts_with(&format!("{open}.")))
    }
}

/// The keys in the tables of the section whose heading names `command`.
fn documented(command: &str) -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/json.md");
    let text = std::fs::read_to_string(&page).expect("the page is in the repository");
    let section = text
        .split("\n## ")
        .find(|section| section.starts_with(&format!("`{command}`")))
        .unwrap_or_else(|| panic!("no section of {} is headed `{command}`", page.display()));
    section.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned())).collect()
}

#[track_caller]
fn agrees(command: &str, outputs: &[Value]) {
    let keys = Keys::of(outputs);
    let rows = documented(command);
    let missing: Vec<&String> = keys.seen.difference(&rows).collect();
    assert!(missing.is_empty(), "docs/reference/json.md has no row under `{command}` for {missing:?}");
    let stale: Vec<&String> = rows.iter().filter(|row| !keys.may_hold(row)).collect();
    assert!(stale.is_empty(), "docs/reference/json.md describes under `{command}` what is not printed: {stale:?}");
}

/// A home in which a triage run and an estimation run, the latest, are stored.
fn home_with_runs() -> (Home, [Value; 2]) {
    let home = Home::new();
    let triage = home.run_json(&["--instances", "4"]);
    let model = home.model();
    let estimation = home
        .puma(&[
            "run",
            "--scenario",
            "estimation",
            "--model",
            &model,
            "--instances",
            "4",
            "--max-tokens",
            "4",
            "--json",
        ])
        .json();
    (home, [triage, estimation])
}

#[test]
fn every_key_of_a_run_is_documented() {
    let (home, [triage, estimation]) = home_with_runs();
    let shown = home.puma(&["show", "latest", "--json"]).json();
    let forms = ["gender_swap_prefix_male", "gender_swap_prefix_female"];
    let run = ["--instances", "4", "--repeat", "2", "--perturbation", forms[0], "--perturbation", forms[1]];
    let model = home.model();
    let pairs = ["run", "--scenario", "prioritization", "--model", &model, "--instances", "4", "--max-tokens", "4"];
    let pairs = home.puma(&[&pairs[..], &["--json"]].concat()).json();
    agrees("puma run", &[triage, estimation, pairs, shown, home.run_json(&run)]);
}

#[test]
fn every_key_of_metrics_is_documented() {
    agrees("puma metrics", &[Home::new().puma(&["metrics", "--json"]).json()]);
}

#[test]
fn every_key_of_stability_is_documented() {
    let home = Home::new();
    home.run_json(&["--instances", "4", "--repeat", "2"]);
    agrees("puma stability", &[home.puma(&["stability", "latest", "--json"]).json()]);
}

#[test]
fn every_key_of_list_runs_is_documented() {
    let (home, _) = home_with_runs();
    agrees("puma list-runs", &[home.puma(&["list-runs", "--json"]).json()]);
}

#[test]
fn every_key_of_validate_baseline_is_documented() {
    let home = Home::new();
    home.run_json(&["--instances", "4"]);
    let args = ["validate-baseline", "--run", "latest", "--tolerance", "1", "--json"];
    let published = home.puma(&args).json();
    home.run_json(&["--instances", "4", "--fresh"]);
    agrees("puma validate-baseline", &[published, home.puma(&args).json()]);
}

#[test]
fn every_key_of_selfcheck_is_documented() {
    let home = Home::new();
    let server = FaultServer::start(Behaviour::default());
    let args = ["selfcheck", "--model", "smollm2:135m", "--instances", "3", "--backend", "llama-server", "--json"];
    let of_server = home.puma(&[&args[..], &["--endpoint", &server.url()]].concat()).json();
    let model = home.model();
    let embedded = ["selfcheck", "--model", &model, "--instances", "3", "--max-tokens", "4", "--json"];
    agrees("puma selfcheck", &[of_server, home.puma(&embedded).json()]);
}

#[test]
fn every_key_of_engine_digest_is_documented() {
    let home = Home::new();
    agrees("puma engine digest", &[home.puma(&["engine", "digest", &home.model(), "--json"]).json()]);
}

#[test]
fn every_key_of_bench_engine_is_documented() {
    let home = Home::new();
    let model = home.model();
    let short = ["--prompt", "8", "--generate", "4", "--triage", "2", "--repetitions", "1", "--roofline", "--json"];
    let bench = |more: &[&str]| home.puma(&[&["bench", "engine", &model], more].concat()).json();
    agrees("puma bench engine", &[bench(&short)]);
    agrees("puma bench engine --first-token", &[bench(&["--first-token", "--json"])]);
}

#[test]
fn every_key_of_compare_is_documented() {
    let (home, [triage, estimation]) = home_with_runs();
    let id = |report: &Value| report["run_id"].as_str().expect("a run has an id").to_owned();
    let compared = |args: &[&str]| home.puma(&[&["compare"], args, &["--json"]].concat()).json();
    let strategy = home.run_json(&["--instances", "4", "--strategy", "rcoif"]);
    agrees(
        "puma compare",
        &[
            compared(&[&id(&triage), &id(&estimation)]),
            compared(&[&id(&triage), &id(&strategy)]),
            compared(&[&id(&estimation), &id(&estimation)]),
        ],
    );
    agrees("puma leaderboard", &[home.puma(&["leaderboard", "--json"]).json()]);
    let more = home.run_json(&["--instances", "12"]);
    let again = home.run_json(&["--instances", "12", "--strategy", "rcoif"]);
    agrees("puma wilcoxon", &[home.puma(&["wilcoxon", &id(&more), &id(&again), "--json"]).json()]);
}

#[test]
fn every_key_of_power_is_documented() {
    let (home, [triage, estimation]) = home_with_runs();
    let id = |report: &Value| report["run_id"].as_str().expect("a run has an id").to_owned();
    let power = |args: &[&str]| home.puma(&[&["power"], args, &["--json"]].concat()).json();
    let outputs = [
        power(&["--n", "200"]),
        power(&["--metric", "mae", "--sd", "3", "--effect", "0.5"]),
        power(&["--against", "0.6", "--n", "50"]),
        power(&["--run", &id(&triage), "--run", &id(&triage)]),
        power(&["--run", &id(&estimation), "--sd", "2"]),
    ];
    agrees("puma power", &outputs);
}

#[test]
fn every_key_of_bundle_is_documented() {
    let (home, _) = home_with_runs();
    let file = home.path("out.puma-bundle").display().to_string();
    let bundle = |args: &[&str]| home.puma(&[&["bundle"], args, &["--json"]].concat());
    agrees("puma bundle export", &[bundle(&["export", "-o", &file]).json()]);
    agrees("puma bundle show", &[bundle(&["show", &file]).json()]);
    let cut = home.write("cut.puma-bundle", &std::fs::read(&file).expect("the bundle can be read")[..300]);
    let damaged = serde_json::from_str(&bundle(&["verify", &cut]).stdout).expect("it is JSON");
    agrees("puma bundle verify", &[bundle(&["verify", &file]).json(), damaged]);
    let elsewhere = Home::new();
    agrees("puma bundle import", &[elsewhere.puma(&["bundle", "import", &file, "--json"]).json()]);
}

#[test]
fn every_key_of_cross_arch_is_documented() {
    let home = Home::new();
    let (first, second) = (run_of(&home, "4", &[]), run_of(&home, "3", &[]));
    let compared = home.puma(&["cross-arch", &first, &second, "--force", "--json"]);
    agrees("puma cross-arch", &[serde_json::from_str(&compared.stdout).expect("JSON whatever the verdict")]);
}

#[test]
fn every_key_of_models_is_documented() {
    let home = Home::new();
    let model = home.model();
    agrees("puma models list", &[home.puma(&["models", "list", "--json"]).json()]);
    agrees("puma models show", &[home.puma(&["models", "show", &model, "--json"]).json()]);
    agrees("puma models where", &[home.puma(&["models", "where", &model, "--json"]).json()]);
    agrees("puma models recommended", &[home.puma(&["models", "recommended", "--json"]).json()]);
}

#[test]
fn every_key_of_fit_is_documented() {
    let (home, _) = home_with_runs();
    let on = |machine: &str| {
        let path = puma_testkit::machines::path(machine).display().to_string();
        home.puma(&["--host", &path, "fit", "--json"]).json()
    };
    let own = home.puma(&["fit", &home.model(), "--json"]).json();
    agrees("puma fit", &[own, on("mac-m2-24gb"), on("gpu-two-rtx3090"), on("gpu-strix-halo-128gb")]);
}

#[test]
fn every_key_of_the_housekeeping_commands_is_documented() {
    let (home, _) = home_with_runs();
    agrees("puma datasets", &[home.puma(&["datasets", "--json"]).json()]);
    let check = home.puma(&["datasets", "check", "--scenario", "triage_jira", "--json"]);
    agrees("puma datasets check", &[check.json()]);
    let of = |scenario: &str| home.puma(&["baselines", "--scenario", scenario, "--json"]).json();
    agrees("puma baselines", &[of("triage_jira"), of("estimation_tawos")]);
    agrees("puma cache stats", &[home.puma(&["cache", "stats", "--json"]).json()]);
    agrees("puma db status", &[home.puma(&["db", "status", "--json"]).json()]);
    agrees("puma preflight", &[home.puma(&["preflight", "--model", &home.model(), "--json"]).json()]);
    agrees("puma agent --once", &[home.puma(&["agent", "--once"]).json()]);
    let mut env = home.puma(&["env", "--json"]).json();
    env["machine"].take();
    agrees("puma env", &[env]);
    agrees("puma doctor", &[home.puma(&["doctor", "--json"]).json()]);
}

#[test]
fn every_key_of_every_recorded_machine_is_documented() {
    let home = Home::new();
    let of_machine = |name: &String| {
        let file = puma_testkit::machines::path(name).display().to_string();
        home.puma(&["profile", "--host", &file, "--json"]).json()
    };
    let outputs: Vec<Value> = puma_testkit::machines::names().iter().map(of_machine).collect();
    agrees("puma profile", &outputs);
}

#[test]
fn every_key_of_the_monitor_is_documented() {
    let home = Home::new();
    let look =
        |more: &[&str]| home.puma(&[&["monitor", "--once", "--interval", "0.2", "--json"], more].concat()).json();
    let recorded = |name: &str| puma_testkit::machines::path(name).display().to_string();
    agrees(
        "puma monitor",
        &[look(&[]), look(&["--host", &recorded("mac-m3-max-36gb")]), look(&["--host", &recorded("gpu-h200")])],
    );
}

#[cfg(unix)]
#[test]
fn every_key_of_up_and_down_is_documented() {
    use crate::fake_ollama::{free_address, program, serve_line};
    let home = Home::new();
    program(home.dir.path(), "ollama", &serve_line());
    let address = free_address();
    let puma = |args: &[&str]| {
        let path = format!("{}:/usr/bin:/bin", home.path("bin").display());
        crate::support::Ended::from(home.command(args).env("PATH", path).output().expect("the program starts"))
    };
    let up = puma(&["up", "--endpoint", &address, "--json"]);
    let env = puma(&["env", "--json"]);
    // First of all, so that nothing is left running if a page lags behind.
    let down = puma(&["down", "--json"]).json();
    agrees("puma down", &[down, puma(&["down", "--json"]).json()]);
    agrees("puma up", &[up.json()]);
    // The machine is described under `puma profile`.
    let mut env = env.json();
    env["machine"].take();
    agrees("puma env", &[env]);
}
