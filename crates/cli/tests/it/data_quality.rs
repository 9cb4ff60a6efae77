//! `puma baselines` and `puma datasets check`: what a score is worth, and whether the data deserves one.

use crate::support::Home;

/// Forty issues in blocks of one priority, with keys that tell it.
fn leaking() -> String {
    let mut csv = "key,title,description,priority\n".to_owned();
    for (label, number) in ["Critical", "Major", "Minor", "Trivial"].iter().flat_map(|l| (0..12).map(move |n| (l, n))) {
        let (a, b) = (number * 7 % 11, number * 5 % 13);
        csv +=
            &format!("{}-{number},w{a} w{b} and w{},w{} w{} of w{},{label}\n", &label[..3], a + b, a * b, b + 2, a + 3);
    }
    csv
}

#[test]
fn baselines_of_a_file_are_told_in_four_forms() {
    let home = Home::new();
    let file = home.write("issues.csv", leaking());
    let told = |more: &[&str]| home.puma(&[&["baselines", &file, "--scenario", "triage_jira"], more].concat());
    let text = told(&[]).stdout;
    assert!(text.contains("5-fold cross-fitting, at least ") && text.contains("48 instances judged"), "{text}");
    assert!(told(&["--markdown"]).stdout.contains("| most_frequent | 0.100 ["));
    let csv = told(&["--csv"]).stdout;
    assert!(csv.starts_with("dataset,scenario,baseline,metric,value,ci_low,ci_high,n,basis\n"), "{csv}");
    assert!(csv.contains("\"issues\",triage_jira,stratified,accuracy,0.25,"), "{csv}");
    let json = told(&["--instances", "8", "--json"]).json();
    assert_eq!((json["instances"].as_u64(), json["rows"].as_u64()), (Some(8), Some(48)));
    told(&["--json", "--csv"]).fails(2, &["cannot be used with"]);
}

#[test]
fn a_run_says_whether_the_model_beats_judges_that_read_no_prompt() {
    let home = Home::new();
    let report = home.run_json(&["--instances", "16"]);
    let rows = report["against_baselines"].as_array().expect("a list");
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[1]["baseline"], "tfidf_linear");
    // A report without the data says the same.
    let shown = home.puma(&["show", "latest", "--json"]).json();
    assert_eq!(shown["against_baselines"], report["against_baselines"]);
    assert_eq!(shown["baselines"], report["baselines"]);
    let text = home.puma(&["show", "latest"]).stdout;
    assert!(text.contains("Judges that read no prompt") && text.contains("tfidf_linear"), "{text}");
}

#[test]
fn a_check_warns_and_ends_with_1_only_when_asked_or_when_rows_cannot_be_read() {
    let home = Home::new();
    let file = home.write("issues.csv", leaking());
    let check = |file: &str, more: &[&str]| {
        home.puma(&[&["datasets", "check", file, "--scenario", "triage_jira"], more].concat())
    };
    let ended = check(&file, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("warning: the beginning of the key alone predicts the priority"), "{}", ended.stdout);
    assert!(ended.stdout.contains("the rows are sorted by priority"), "{}", ended.stdout);
    check(&file, &["--strict"]).fails(1, &["--strict"]);

    let torn = home.write("torn.csv", leaking() + "X-1,too few\nX-2,t,d,Enormous\n");
    let ended = check(&torn, &["--json"]);
    assert_eq!(ended.code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((report["errors"].as_u64(), report["rows"].as_u64()), (Some(2), Some(48)));

    let latin = home.write("latin.csv", b"key,title,priority\nA-1,caf\xe9,Major\n");
    let ended = check(&latin, &[]).fails(1, &["cannot be used as it is"]);
    assert!(ended.stdout.contains("Windows-1252"), "{}", ended.stdout);
    check(&file, &["--columns", "title=nowhere"]).fails(2, &["nowhere"]);
    assert_eq!(check("triage_sample", &[]).code, Some(0), "a sample set has a name");
}
