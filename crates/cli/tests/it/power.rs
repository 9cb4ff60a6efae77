//! `puma power`: planning a study.

use crate::support::Home;

#[test]
fn a_project_lead_learns_what_two_hundred_issues_can_show() {
    let home = Home::new();
    let said = home.puma(&["power", "--n", "200", "--discordance", "0.3"]).stdout;
    assert!(said.starts_with("With 200 issues you can see a difference in accuracy of 11."), "{said}");
    assert!(said.contains("80.0 % of such studies") && said.contains("30.0 % of the issues"), "{said}");
    let table = home.puma(&["power", "--n", "200"]).stdout;
    assert!(["10.0 %", "20.0 %", "30.0 %", "40.0 %"].iter().all(|row| table.contains(row)), "{table}");
    let errors = home.puma(&["power", "--metric", "mae", "--sd", "4", "--effect", "1"]).stdout;
    assert!(errors.contains("you need 126 issues"), "{errors}");
}

#[test]
fn what_is_asked_for_can_be_had_back() {
    let home = Home::new();
    let power = |args: &[&str]| home.puma(&[&["power", "--discordance", "0.25"], args, &["--json"]].concat()).json();
    let needed = power(&["--effect", "0.1"])["plans"][0]["n"].as_u64().expect("a number of issues");
    let reached = power(&["--effect", "0.1", "--n", &needed.to_string()]);
    assert_eq!(reached["computed"], "power");
    assert!(reached["plans"][0]["power"].as_f64().is_some_and(|share| (0.8..0.85).contains(&share)), "{reached}");
    let stricter = power(&["--effect", "0.1", "--comparisons", "6"])["plans"][0]["n"].as_u64().expect("a number");
    assert!(stricter > needed, "{stricter} and {needed}");
}

#[test]
fn runs_say_what_to_assume() {
    let home = Home::new();
    let ids = [&["--instances", "6"][..], &["--instances", "6", "--strategy", "rcoif"]]
        .map(|more| home.run_json(more)["run_id"].as_str().expect("an id").to_owned());
    let planned = home.puma(&["power", "--run", &ids[0], "--run", &ids[1], "--json"]).json();
    assert_eq!(planned["pilot"]["paired"]["pairs"], 6);
    assert_eq!(planned["plans"][0]["n"], 6);
    let alone = home.puma(&["power", "--run", &ids[0], "--json"]).json();
    assert_eq!((&alone["pilot"]["instances"], &alone["pilot"]["paired"]), (&6.into(), &serde_json::Value::Null));
    home.puma(&["power", "--run", &ids[0], "--metric", "mae"]).fails(2, &["mae"]);
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let home = Home::new();
    let refused = |args: &[&str], said: &str| drop(home.puma(&[&["power"], args].concat()).fails(2, &[said]));
    refused(&[], "hint:");
    refused(&["--n", "10", "--effect", "0.1", "--power", "0.9"], "nothing is left to compute");
    refused(&["--n", "10", "--alpha", "1.5"], "--alpha 1.5");
    refused(&["--n", "10", "--sd", "2"], "--sd says nothing about --metric accuracy");
    refused(&["--metric", "mae", "--n", "10"], "--sd POINTS");
    refused(&["--metric", "mae", "--n", "10", "--sd", "1", "--discordance", "0.2"], "--discordance says nothing");
    refused(&["--effect", "-1"], "--effect -1 is no number above 0");
    refused(&["--n", "0"], "--n");
}
