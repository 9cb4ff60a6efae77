//! Run specs: upstream's hashes, and one clear message for everything that can be wrong with a file.

use puma_eval::spec::{
    Compat, InlineSpec, ParserMode, RunSpec, SHIPPED, STRATEGIES, SpecError, parse, shipped, spec_hash, to_yaml,
};

const MINIMAL: &str = "id: t\nscenario: triage_jira\nmodels: [m]\n";

fn spec(name: &str) -> RunSpec {
    parse(shipped(name).expect("it is shipped"), name).expect("shipped specs parse")
}

fn hash(spec: &RunSpec) -> String {
    spec_hash(spec).as_str().to_owned()
}

fn errors(yaml: &str) -> SpecError {
    parse(yaml, "my.yaml").expect_err("the file is wrong")
}

#[test]
fn the_published_spec_hashes_come_out_equal() {
    // Published by upstream PUMA with its results.
    assert_eq!(hash(&spec("live_smoke_triage")), "e2f6342c4e792132");
    assert_eq!(hash(&spec("live_smoke_estimation")), "7467e1ac795fe418");
    assert_eq!(hash(&spec("gate_f7_smoke")), "f85b64bd49708883");
    for (name, without_energy, with_energy) in [
        ("baseline_triage", "1a2adeb0e829e30b", "5cdcac316d06f2ca"),
        ("baseline_estimation_canonical", "26d0e07aaa7949ec", "4d4e4d2cbd53ba91"),
    ] {
        let mut spec = spec(name);
        assert_eq!(hash(&spec), with_energy, "{name} as shipped since v4.0");
        spec.sustainability.codecarbon = false;
        assert_eq!(hash(&spec), without_energy, "{name} as published");
    }
}

#[test]
fn hashes_equal_those_that_python_computes() {
    // Written by `scripts/golden/spec.py` with PyYAML and Python's json. One of the texts has an extra top-level key,
    // which upstream drops and we refuse.
    let golden: Vec<(String, String, String)> = serde_json::from_str(include_str!("golden/spec.json")).unwrap();
    assert_eq!(golden.len(), 21);
    for (yaml, expected, canonical) in golden {
        let parsed = parse(&yaml, "golden.yaml");
        if yaml.starts_with("defaults:") {
            assert!(parsed.unwrap_err().to_string().contains("golden.yaml:1:1: `defaults` is no key of a run spec"));
            continue;
        }
        let spec = parsed.unwrap_or_else(|error| panic!("{yaml}\n{error}"));
        assert_eq!(hash(&spec), expected, "of\n{yaml}\nwhose canonical JSON is\n{canonical}");
    }
}

#[test]
fn all_twelve_shipped_specs_parse_and_their_ids_and_hashes_differ() {
    let specs: Vec<RunSpec> = SHIPPED.iter().map(|(name, yaml)| parse(yaml, name).unwrap()).collect();
    assert_eq!(specs.len(), 12);
    let mut ids: Vec<&str> = specs.iter().map(|spec| spec.id.as_str()).collect();
    let mut hashes: Vec<String> = specs.iter().map(hash).collect();
    for names in [&mut ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>(), &mut hashes] {
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 12);
    }
    ids.sort_unstable();
    assert_eq!(ids[0], "baseline_estimation_canonical_v1");
    assert!(
        specs.iter().all(|spec| spec.inference.seed == 42 && spec.inference.temperature == 0.0 && spec.repeat == 1)
    );
}

#[test]
fn ten_specs_in_upstreams_style_parse() {
    let variants: [&str; 10] = [
        "id: a\nscenario: triage_jira\nmodels: [qwen2.5:3b]\n",
        "# comment\nid: \"b\"   # another\ndescription: >\n  folded\n  text\nscenario: triage_jira\nmodels:\n- qwen2.5:3b\n- llama3:8b\n",
        "---\nid: c\nscenario: estimation_tawos\nmodels: ['gemma3:1b']\nmetrics: [mae, mdae, rmse]\n...\n",
        "{id: d, scenario: prioritization_jira, models: [m], metrics: [accuracy]}",
        "id: e\nscenario: triage_jira\nmodels: &m [a, b]\nadaptation: {strategy: [zero-shot, few-shot-3, egi], cot: [no, yes]}\n",
        "id: f\nscenario: triage_jira\nmodels: [m]\ninference:\n  temperature: 0.7\n  seed: 123\n  max_tokens: 1_024\n  logprobs: on\n  top_logprobs: 20\nadaptation:\n  strategy: [self-consistency]\n",
        "id: g\r\nscenario: triage_jira\r\nmodels:\r\n  - m\r\nsample_size: 10000\r\n",
        "\u{feff}id: h\nscenario: triage_jira\nmodels: [m]\nperturbations: [typos_5pct, tech_noise]\nrepeat: 5\n",
        "id: i\nscenario: triage_jira\nmodels: [m]\ninference:\n  format: {type: object, properties: {label: {enum: [Critical, Minor]}}}\n",
        "id: j\nscenario: triage_jira\nmodels: [m]\nprofile_required: cpu-lite\nsustainability: {codecarbon: true, country_iso: DEU}\nmetrics: [f1_macro, latency_p95, latency.p50, per_class.Critical.f1]\n",
    ];
    for yaml in variants {
        let spec = parse(yaml, "variant.yaml").unwrap_or_else(|error| panic!("{yaml}\n{error}"));
        assert_eq!(parse(&to_yaml(&spec), "frozen.yaml").unwrap(), spec, "the frozen form of\n{yaml}");
    }
    let votes = parse(variants[5], "f").unwrap();
    assert_eq!((votes.inference.max_tokens, votes.inference.logprobs), (1024, true));
}

#[test]
fn defaults_are_upstreams() {
    let spec = parse(MINIMAL, "t").unwrap();
    assert_eq!(spec.sample_size, 100);
    assert_eq!(spec.adaptation.strategy, ["zero-shot"]);
    assert_eq!(spec.adaptation.cot, [false]);
    assert_eq!((spec.inference.temperature, spec.inference.seed, spec.inference.max_tokens), (0.0, 42, 256));
    assert_eq!((spec.inference.logprobs, spec.inference.top_logprobs, spec.inference.format), (false, 0, None));
    assert_eq!(spec.metrics, ["f1_macro"]);
    assert_eq!((spec.sustainability.codecarbon, spec.sustainability.country_iso.as_str()), (false, "ESP"));
    assert_eq!(
        (spec.repeat, spec.profile_required, spec.parser, spec.compat),
        (1, None, ParserMode::FinalAnswer, None)
    );
}

#[test]
fn our_own_keys_leave_the_hash_alone_until_they_say_something() {
    let plain = parse(MINIMAL, "t").unwrap();
    let spelled_out =
        parse(&format!("{MINIMAL}parser: final-answer\ncompat: null\ndescription: words\n"), "t").unwrap();
    let imitating = parse(&format!("{MINIMAL}parser: first-match\ncompat: puma-4\n"), "t").unwrap();
    assert_eq!(hash(&plain), hash(&spelled_out));
    assert_ne!(hash(&plain), hash(&imitating));
    assert_eq!((imitating.parser, imitating.compat), (ParserMode::FirstMatch, Some(Compat::Puma4)));
}

#[test]
fn every_problem_of_a_file_is_reported_with_its_place() {
    let yaml = "id: t\nscenario: triage\nmodels: [m, m]\nsample_size: 0\ninference:\n  temperatura: 0.7\n  temperature: hot\n  top_logprobs: 21\n  seed: -1\nadaptation:\n  strategy: [few_shot_3, self-consistency]\nperturbations: [typos, case_upper, case_upper]\nmetrics: [f1_marco]\nrepeat: 1.5\n";
    insta::assert_snapshot!(errors(yaml), @r#"
    my.yaml:2:11: there is no scenario `triage`
      hint: did you mean `triage_jira`? known: triage_jira, estimation_tawos, prioritization_jira
    my.yaml:3:13: `m` is listed twice in `models`
      hint: list it once; `repeat` is for repetitions
    my.yaml:4:14: `sample_size` is 0; it must be from 1 to 10000
      hint: the default is 100; remove the line to get it
    my.yaml:6:3: `temperatura` is no key of `inference`
      hint: did you mean `temperature`? known keys: temperature, seed, max_tokens, logprobs, top_logprobs, format, answer
    my.yaml:7:16: `inference.temperature` must be a number, but it is the text "hot"
    my.yaml:8:17: `inference.top_logprobs` is 21; it must be from 0 to 20
      hint: the default is 0; remove the line to get it
    my.yaml:9:9: `inference.seed` is -1; it must be from 0 to 4294967295
      hint: the default is 42; remove the line to get it
    my.yaml:11:14: there is no strategy `few_shot_3`
      hint: did you mean `few-shot-3`? known: zero-shot, zero-shot-cot, one-shot, few-shot-3, few-shot-5, few-shot-8, cot-few-shot, rcoif, contextual-anchoring, self-consistency, egi
    my.yaml:12:17: there is no perturbation `typos`
      hint: did you mean `typos_5pct`? known: typos_5pct, case_upper, case_lower, truncate_50pct, tech_noise, gender_swap_prefix_male, gender_swap_prefix_female, register_shift_informal, pair_swap, whitespace, unicode_confusables, shorten_sentences, label_order, option_rename
    my.yaml:12:36: `case_upper` is listed twice in `perturbations`
      hint: list it once; `repeat` is for repetitions
    my.yaml:13:11: there is no metric `f1_marco`
      hint: did you mean `f1_macro`?
    my.yaml:14:9: `repeat` must be a whole number, but it is the number 1.5
    "#);
}

#[test]
fn a_perturbation_that_the_scenario_cannot_take_is_named_with_its_place() {
    let yaml = |scenario: &str| {
        format!("id: t\nscenario: {scenario}\nmodels: [m]\nperturbations: [pair_swap, option_rename]\n")
    };
    insta::assert_snapshot!(errors(&yaml("effort_tawos")), @"
    my.yaml:4:17: `pair_swap` cannot be applied to `effort_tawos`: it swaps the two issues of a pair, and this scenario shows one issue at a time
      hint: remove it from the list
    my.yaml:4:28: `option_rename` cannot be applied to `effort_tawos`: its answers are numbers, and another name for 5 would be another number
      hint: remove it from the list
    ");
    assert!(parse(&yaml("prioritization_jira"), "t").is_ok());
}

#[test]
fn a_file_without_the_three_required_keys_names_them() {
    insta::assert_snapshot!(errors("description: x\n"), @r"
    my.yaml:1:1: `id` is missing
      hint: name the experiment, for example `id: my_first_run`
    my.yaml:1:1: `scenario` is missing
      hint: one of triage_jira, estimation_tawos, prioritization_jira
    my.yaml:1:1: `models` is missing
      hint: list at least one model, for example `models: [smollm2:135m]`
    ");
}

#[test]
fn yaml_traps_get_a_hint_that_says_what_to_type() {
    insta::assert_snapshot!(errors("id: 7\nscenario: triage_jira\nmodels: qwen2.5:3b\nsustainability:\n  country_iso: NO\n"), @r#"
    my.yaml:1:5: `id` must be text, but it is the number 7
      hint: write "7" in quotes
    my.yaml:3:9: `models` must be a list, but it is the text "qwen2.5:3b"
      hint: write `models: [qwen2.5:3b]`
    my.yaml:5:16: `sustainability.country_iso` must be text, but it is the truth value NO
      hint: YAML reads NO as true or false; write "NO" in quotes
    "#);
    insta::assert_snapshot!(errors("id: t\nscenario: triage_jira\nmodels: [m]\ninference:\n  max_tokens: \"256\"\nperturbations:\n"), @r#"
    my.yaml:5:15: `inference.max_tokens` must be a whole number, but it is the text "256"
      hint: write 256 without quotes
    my.yaml:6:14: `perturbations` must be a list, but it is empty
      hint: give `perturbations` a value, or remove the line to get the default
    "#);
    insta::assert_snapshot!(errors("id: t\nid: u\nscenario: triage_jira\nmodels: [m]\ninference: zero-shot\n"), @r#"
    my.yaml:2:1: `id` is given twice; the first one is on line 1
      hint: keep one `id`
    my.yaml:5:12: `inference` must hold temperature, seed, max_tokens, logprobs, top_logprobs, format, answer, but it is the text "zero-shot"
      hint: indent `temperature: …` below `inference:`, or remove the line
    "#);
}

#[test]
fn self_consistency_at_temperature_zero_is_refused_where_it_is_named() {
    let yaml = "id: t\nscenario: triage_jira\nmodels: [m]\nadaptation:\n  strategy:\n    - zero-shot\n    - self-consistency\n";
    insta::assert_snapshot!(errors(yaml), @r"
    my.yaml:7:7: `self-consistency` votes over several samples, and at temperature 0 they are all the same
      hint: set `inference.temperature` above 0 (0.7 is usual), or drop `self-consistency`
    ");
}

#[test]
fn broken_yaml_is_one_message_with_its_place() {
    insta::assert_snapshot!(errors("id: t\nmodels: [a, b\nscenario: triage_jira\n"), @r"
    my.yaml:3:9: this is not valid YAML: illegal placement of ':' indicator
      hint: check the indentation, quotes and brackets at this place
    ");
    insta::assert_snapshot!(errors(""), @r"
    my.yaml:1:1: the file is empty
      hint: a run spec needs at least `id`, `scenario` and `models`
    ");
    insta::assert_snapshot!(errors("- a\n- b\n"), @r"
    my.yaml:1:1: a run spec is a list of `key: value` lines, and this is none
      hint: a run spec needs at least `id`, `scenario` and `models`
    ");
    insta::assert_snapshot!(errors("id: t\n---\nid: u\n"), @r"
    my.yaml:2:1: a second YAML document starts here
      hint: keep one run spec per file: put what follows `---` into a file of its own
    ");
    insta::assert_snapshot!(errors("id: *nowhere\n"), @r"
    my.yaml:1:5: this is not valid YAML: while parsing node, found unknown anchor
      hint: check the indentation, quotes and brackets at this place
    ");
}

#[test]
fn flags_make_the_spec_a_file_would_make() {
    let from_flags = InlineSpec {
        scenario: "triage".to_owned(),
        models: vec!["smollm2:135m".to_owned()],
        strategies: vec!["few_shot_3".to_owned(), "Zero-Shot".to_owned()],
        instances: Some(50),
        ..InlineSpec::default()
    }
    .into_spec()
    .unwrap();
    let from_file = parse(
        "id: inline_triage_jira\nscenario: triage_jira\nmodels: ['smollm2:135m']\nsample_size: 50\nadaptation:\n  strategy: [few-shot-3, zero-shot]\n",
        "file",
    )
    .unwrap();
    assert_eq!(from_flags, from_file);
    assert_eq!(spec_hash(&from_flags), spec_hash(&from_file));
    for strategy in STRATEGIES.into_iter().filter(|name| *name != "self-consistency") {
        let inline = InlineSpec {
            scenario: "effort_tawos".to_owned(),
            models: vec!["m".to_owned()],
            strategies: vec![strategy.replace('-', "_")],
            ..InlineSpec::default()
        };
        let spec = inline.into_spec().unwrap();
        assert_eq!((spec.adaptation.strategy[0].as_str(), spec.metrics[0].as_str()), (strategy, "mae"));
    }
}

#[test]
fn wrong_flags_are_named_as_flags() {
    let inline = InlineSpec {
        scenario: "triaje".to_owned(),
        models: Vec::new(),
        strategies: vec!["self_consistency".to_owned(), "zeroshot".to_owned()],
        instances: Some(20_000),
        ..InlineSpec::default()
    };
    insta::assert_snapshot!(inline.into_spec().unwrap_err(), @r"
    command line: there is no scenario `triaje`
      hint: did you mean `triage_jira`? known: triage_jira, estimation_tawos, prioritization_jira
    command line: `--instances` is 20000; it must be from 1 to 10000
      hint: leave the flag away to get the default that the help states
    command line: `--model` is empty
      hint: name at least one, for example `--model smollm2:135m`
    command line: `self-consistency` votes over several samples, and at temperature 0 they are all the same
      hint: set `--temperature` above 0 (0.7 is usual), or drop `self-consistency`
    command line: there is no strategy `zeroshot`
      hint: did you mean `zero-shot`? known: zero-shot, zero-shot-cot, one-shot, few-shot-3, few-shot-5, few-shot-8, cot-few-shot, rcoif, contextual-anchoring, self-consistency, egi
    ");
}

proptest::proptest! {
    #[test]
    fn any_text_gives_a_spec_or_messages_but_no_panic(yaml in "[ -~\n\u{e9}\u{1F600}]{0,200}") {
        if let Err(error) = parse(&yaml, "any.yaml") {
            proptest::prop_assert!(!error.problems.is_empty());
        }
    }

    #[test]
    fn a_frozen_spec_parses_to_itself(
        id in "[a-zA-Z0-9_.:\u{e9} -]{0,12}x", description in "\\PC{0,40}", model in "\\PC{0,12}x",
        temperature in 0.0f64..=2.0, seed: u32,
    ) {
        let mut spec = parse(MINIMAL, "t").unwrap();
        (spec.id, spec.description, spec.models) = (id, description, vec![model]);
        (spec.inference.temperature, spec.inference.seed) = (temperature, u64::from(seed));
        let again = parse(&to_yaml(&spec), "frozen").unwrap();
        proptest::prop_assert_eq!(&again, &spec);
        proptest::prop_assert_eq!(spec_hash(&again), spec_hash(&spec));
    }
}
