//! Bundles: a run leaves the machine without its owner's traces and is the same run wherever it arrives.

use crate::support::{Ended, Home};
use puma_store::bundle;
use std::path::Path;

/// A run in a home whose folders have telling names: data and model lie below them.
fn home_with_private_paths() -> (Home, String) {
    let home = Home::new();
    let folder = home.path("acme-secret-project");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    std::fs::rename(home.path("tiny.gguf"), folder.join("tiny.gguf")).expect("the model can be moved");
    let issues: String = (1..=6)
        .map(|number| {
            let priority = ["Critical", "Major", "Minor"][number % 3];
            format!("Zanzibar export fails {number},{priority}\n")
        })
        .collect();
    std::fs::write(folder.join("issues.csv"), format!("headline,urgency\n{issues}")).expect("the data can be written");
    let (data, model) =
        (folder.join("issues.csv").display().to_string(), folder.join("tiny.gguf").display().to_string());
    let run = ["run", "--scenario", "triage_jira", "--model", &model, "--data", &data, "--max-tokens", "3"];
    let columns = ["--columns", "title=headline,priority=urgency", "--top-logprobs", "3", "--json"];
    let report = home.puma(&[&run[..], &columns].concat()).json();
    let run_id = report["run_id"].as_str().expect("a run has an id").to_owned();
    (home, run_id)
}

/// The same run on one thread and without the cache.
fn run_again(home: &Home) {
    let (data, model) = (home.path("acme-secret-project/issues.csv"), home.path("acme-secret-project/tiny.gguf"));
    let (data, model) = (data.display().to_string(), model.display().to_string());
    let run = ["run", "--scenario", "triage_jira", "--model", &model, "--data", &data, "--max-tokens", "3"];
    let more = ["--columns", "title=headline,priority=urgency", "--top-logprobs", "3", "--threads", "1", "--no-cache"];
    assert_eq!(home.puma(&[&run[..], &more].concat()).code, Some(0));
}

fn exported(home: &Home, name: &str, more: &[&str]) -> String {
    let file = home.path(name).display().to_string();
    let ended = home.puma(&[&["bundle", "export", "latest", "-o", &file], more].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stdout.trim(), file);
    file
}

fn unpacked(file: &str) -> String {
    let bytes = std::fs::read(file).expect("the bundle can be read");
    String::from_utf8_lossy(&zstd::decode_all(bytes.as_slice()).expect("it is zstd")).into_owned()
}

#[test]
fn no_folder_and_no_name_of_the_owner_leaves_the_machine() {
    let (home, _) = home_with_private_paths();
    let text = unpacked(&exported(&home, "out.puma-bundle", &[]));
    let own = home.dir.path().display().to_string();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let mut secrets = vec!["acme-secret".to_owned(), own];
    // Names that are also words of the system name nobody.
    secrets.extend(Some(host.trim().to_owned()).filter(|host| host.len() > 8));
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is in the bundle");
    }
    for kept in ["tiny.gguf", "issues.csv", "Zanzibar export fails 3", "only the file name is kept"] {
        assert!(text.contains(kept), "{kept} is not in the bundle");
    }
}

#[test]
fn names_in_messages_facts_and_addresses_are_replaced() {
    let home = Home::new();
    let mut run = crate::paper::fixed();
    let own = home.dir.path().display().to_string();
    let header = &mut run.header;
    header.dataset.source = format!("{own}/acme-secret/issues.csv");
    header.backend.endpoint = Some("https://jane:hunter2@gpu-box.acme-secret.example:8443/v1".to_owned());
    header.backend.settings.insert("adapter".to_owned(), "/srv/acme-secret/lora.bin".to_owned());
    header.models[0].source = Some("llama-server: /srv/acme-secret/m.gguf".to_owned());
    header.spec["description"] = format!("kept in {own}/acme/notes for jane.doe@acme-secret.example").into();
    header.machine["surroundings"] = serde_json::json!({"signs": [{
        "place": "/proc/sys/kernel/osrelease", "seen": "hostname: acme-secret-7", "means": "serial number: ACMESECRET1",
    }]});
    run.records[0].error = Some(format!("`{own}/x.gguf` on gpu-box.acme-secret.example and 10.1.2.3 failed"));
    run.records[1].completions[0].attempts = vec![puma_core::Attempt {
        number: 1,
        duration_ms: puma_core::Millis(1.0),
        waited_ms: puma_core::Millis(0.0),
        error: Some("no answer from /Users/jane-acme-secret/sock".to_owned()),
        http_status: None,
    }];
    let energy = run.sessions[0].energy.as_mut().expect("it was measured");
    energy.channels[0].device = "GPU-8f6f2c1a-1111-2222-3333-444455556666".to_owned();
    energy.warnings = vec![format!("nothing in {own} can be read")];
    let source = crate::paper::bundled(&home, "source", &run);
    let target = home.path("target.puma-bundle").display().to_string();
    assert_eq!(home.puma(&["bundle", "export", &source, "-o", &target]).code, Some(0));
    let text = unpacked(&target).to_lowercase();
    for secret in [own.to_lowercase().as_str(), "acme", "jane", "hunter2", "10.1.2.3", "8f6f2c1a"] {
        let at = text.find(secret).map(|at| text[at.saturating_sub(60)..].chars().take(120).collect::<String>());
        assert_eq!(at, None, "{secret} is in the bundle");
    }
    for kept in
        ["https://server:8443/v1", "llama-server: m.gguf", "lora.bin", "/proc/sys/kernel/osrelease", "issues.csv"]
    {
        assert!(text.contains(kept), "{kept} is not in the bundle");
    }
    assert_eq!(home.puma(&["bundle", "verify", &target]).code, Some(0));
    let again = home.path("again.puma-bundle").display().to_string();
    assert_eq!(home.puma(&["bundle", "export", &target, "-o", &again]).code, Some(0));
    let run = |file: &str| {
        bundle::read(std::fs::read(file).expect("the bundle can be read").as_slice()).expect("it is sound").1
    };
    assert_eq!(run(&again), run(&target), "what is neutral stays as it is");
}

#[test]
fn a_bundle_stands_for_its_run_in_every_command() {
    let (home, run_id) = home_with_private_paths();
    let file = exported(&home, "out.puma-bundle", &[]);
    let elsewhere = Home::new();
    elsewhere.puma(&["list-runs"]).fails(1, &["there is no database"]);
    let run = home.puma(&["show", &run_id, "--json"]).json();
    let shown = elsewhere.puma(&["show", &file, "--json"]).json();
    for key in ["metrics", "outcomes", "predictions_summary_hash", "logprobs_digest", "dataset", "timing"] {
        let (mut there, mut here) = (run[key].clone(), shown[key].clone());
        if key == "dataset" {
            there["source"].take();
            here["source"].take();
        }
        if key == "metrics" {
            for side in [&mut there, &mut here] {
                side.as_array_mut().expect("a list").iter_mut().for_each(|metric| drop(metric["model"].take()));
            }
        }
        assert_eq!(here, there, "{key}");
    }
    let predictions = |home: &Home, run: &str| home.puma(&["show", run, "--predictions"]).stdout;
    assert_eq!(predictions(&elsewhere, &file), predictions(&home, &run_id));
    let compared = elsewhere.puma(&["compare", &file, &file, "--json"]).json();
    assert_eq!((&compared["predictions_equal"], &compared["logprobs_equal"]), (&true.into(), &true.into()));
    let baseline = ["validate-baseline", "--run", &file, "--expected-f1", "0", "--tolerance", "1"];
    assert_eq!(elsewhere.puma(&baseline).code, Some(0));
}

#[test]
fn an_imported_run_is_listed_and_stays_what_it_was() {
    let (home, run_id) = home_with_private_paths();
    let file = exported(&home, "out.puma-bundle", &[]);
    let elsewhere = Home::new();
    let import = ["bundle", "import", &file, "--json"];
    assert_eq!(elsewhere.puma(&import).json(), serde_json::json!({"run_id": run_id, "new": true}));
    assert_eq!(elsewhere.puma(&import).json()["new"], false);
    let listed = elsewhere.puma(&["list-runs", "--json"]).json();
    assert_eq!((&listed[0]["run_id"], &listed[0]["status"]), (&run_id.as_str().into(), &"done".into()));
    assert!(listed[0]["f1_macro"].is_number(), "{listed}");
    let again = elsewhere.path("again.puma-bundle").display().to_string();
    assert_eq!(elsewhere.puma(&["bundle", "export", &run_id, "-o", &again]).code, Some(0));
    let run = |file: &str| {
        bundle::read(std::fs::read(file).expect("the bundle can be read").as_slice()).expect("it is sound").1
    };
    assert_eq!(run(&again), run(&file));
    // The machine it comes from keeps its paths, so there the neutral copy is another run of that name.
    home.puma(&["bundle", "import", &file]).fails(1, &["is here already with other content", "hint:"]);
}

#[test]
fn exporting_twice_gives_the_same_bytes_and_never_overwrites() {
    let (home, run_id) = home_with_private_paths();
    let (one, two) = (exported(&home, "one.puma-bundle", &[]), exported(&home, "two.puma-bundle", &[]));
    let bytes = |file: &str| std::fs::read(file).expect("the bundle can be read");
    assert!(bytes(&one) == bytes(&two));
    home.puma(&["bundle", "export", "latest", "-o", &one]).fails(1, &["exists already", "hint:"]);
    let ended = home.puma(&["bundle", "export"]);
    assert_eq!(ended.stdout.trim(), format!("{run_id}.puma-bundle"));
    assert!(bytes(&home.path(&format!("{run_id}.puma-bundle")).display().to_string()) == bytes(&one));
    let left: Vec<String> = std::fs::read_dir(home.dir.path())
        .expect("the folder can be listed")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".part"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_private_backlog_stays_at_home_and_still_pairs() {
    let (home, _) = home_with_private_paths();
    let open = exported(&home, "open.puma-bundle", &[]);
    let closed = exported(&home, "closed.puma-bundle", &["--without-texts"]);
    let text = unpacked(&closed);
    assert!(!text.contains("Zanzibar") && !text.contains("headline fails"), "an issue text is in the bundle");
    let ended = home.puma(&["bundle", "verify", &closed]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let read = |file: &str| {
        bundle::read(std::fs::read(file).expect("the bundle can be read").as_slice()).expect("it is sound").1
    };
    let (with, without) = (read(&open), read(&closed));
    for (with, without) in with.records.iter().zip(&without.records) {
        assert_eq!((&with.instance_id, &with.prompt_hash), (&without.instance_id, &without.prompt_hash));
        assert_eq!((&with.answer, &with.confidence), (&without.answer, &without.confidence));
        assert!(without.prompt.is_empty());
        for (with, without) in with.completions.iter().zip(&without.completions) {
            assert_eq!(with.tokens.len(), without.tokens.len());
            assert!(!with.tokens.is_empty());
            for (with, without) in with.tokens.iter().zip(&without.tokens) {
                assert_eq!(with.logprob.to_bits(), without.logprob.to_bits());
                assert!(with.token.is_empty() || with.token != without.token);
                assert_eq!(without.id, None);
            }
        }
    }
    // Another machine that ran the same prompts makes the same fingerprints.
    run_again(&home);
    let again = read(&exported(&home, "closed-again.puma-bundle", &["--without-texts"]));
    assert_ne!(again.header.run_id, without.header.run_id);
    let words = |run: &puma_core::RecordedRun| -> Vec<String> {
        let completions = run.records.iter().flat_map(|record| &record.completions);
        completions
            .flat_map(|one| one.tokens.iter().map(|token| token.token.clone()).chain([one.text.clone()]))
            .collect()
    };
    assert_eq!(words(&again), words(&without));
    let shown = home.puma(&["show", &closed, "--json"]).json();
    assert_eq!(
        shown["metrics"].as_array().map(Vec::len),
        home.puma(&["show", &open, "--json"]).json()["metrics"].as_array().map(Vec::len)
    );
}

#[test]
fn damage_is_named_and_never_taken_for_a_run() {
    let (home, _) = home_with_private_paths();
    let file = exported(&home, "out.puma-bundle", &[]);
    let verified = home.puma(&["bundle", "verify", &file]);
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    assert!(verified.stdout.contains("is sound") && verified.stdout.contains("nobody has signed it"));
    let bytes = std::fs::read(&file).expect("the bundle can be read");
    let cut = home.write("cut.puma-bundle", &bytes[..bytes.len() / 2]);
    home.puma(&["bundle", "verify", &cut]).fails(1, &["is not sound"]);
    let findings = home.puma(&["bundle", "verify", &cut, "--json"]);
    let findings: serde_json::Value = serde_json::from_str(&findings.stdout).expect("it is JSON");
    assert_eq!(findings["sound"], false);
    assert!(findings["findings"][0]["what"].as_str().is_some_and(|what| what.contains("too early")), "{findings}");
    for command in
        [&["show", &cut][..], &["compare", &cut, &file], &["bundle", "import", &cut], &["bundle", "show", &cut]]
    {
        home.puma(command).fails(1, &["is not sound", "puma bundle verify"]);
    }
    home.puma(&["bundle", "verify", "nowhere.puma-bundle"]).fails(2, &["cannot be opened"]);
    home.puma(&["show", "nowhere.puma-bundle"]).fails(2, &["cannot be opened", "puma bundle export"]);
    let text = home.write("notes.txt", "no bundle");
    home.puma(&["bundle", "verify", &text]).fails(1, &["is not sound"]);
}

#[test]
fn a_bundle_that_lies_about_its_answers_is_found_out() {
    let (home, _) = home_with_private_paths();
    let file = exported(&home, "out.puma-bundle", &[]);
    let read = |file: &str| bundle::inspect(std::fs::read(file).expect("the bundle can be read").as_slice());
    let inspection = read(&file);
    let (mut run, hashes) = (inspection.run.expect("it is sound"), inspection.hashes.expect("it is sound"));
    run.records[0].confidence = Some(0.987_654);
    let mut lie = Vec::new();
    let contents =
        bundle::Contents { run: &run, texts: true, neutralised: Vec::new(), hashes, puma_version: "0".to_owned() };
    bundle::write(contents, &mut lie).expect("it can be written");
    let lie = home.write("lie.puma-bundle", lie);
    let ended: Ended = home.puma(&["bundle", "verify", &lie]).fails(1, &["is not sound: 1 finding"]);
    assert!(ended.stdout.contains("hashes.json: predictions_summary_hash is"), "{}", ended.stdout);
    assert!(Path::new(&lie).exists());
    home.puma(&["bundle", "import", &lie]).fails(1, &["predictions_summary_hash"]);
}

#[test]
fn show_says_what_is_inside() {
    let (home, run_id) = home_with_private_paths();
    let file = exported(&home, "out.puma-bundle", &[]);
    let text = home.puma(&["bundle", "show", &file]).stdout;
    for said in [
        &run_id,
        "6 predictions of 6 jobs",
        "predictions.jsonl",
        "with issue texts",
        "model tiny.gguf sha256:",
        "replaced before",
    ] {
        assert!(text.contains(said), "nothing says {said} in {text}");
    }
}
