//! The errors that docs/speed-model.md states are the errors of this code, and reach the goal.

use super::constants::{Constants, m_series_samples, sample_of};
use super::engine_table::{Row, Use, rows};
use super::errors::Errors;
use super::fit::{Form, Term};
use super::input::{Processor, SpeedInput};
use super::m_series::{self, Weights};
use super::predict::predict;
use super::prediction::Prediction;
use super::prefill_fit::CardPrefill;
use puma_core::measure::{Quality, Reading};
use std::fmt::Write;

const PAGE: &str = include_str!("../../../../docs/speed-model.md");
const METAL: Form = Form { known_efficiency: None, terms: &[Term::Roof, Term::Layers, Term::LayersByGeneration] };

/// What stands between the marks of a generated block.
fn block(name: &str) -> &'static str {
    let begin = format!("<!-- {name} -->\n");
    let start = PAGE.find(&begin).unwrap_or_else(|| panic!("the page has no mark {begin}")) + begin.len();
    let end = PAGE[start..].find("<!-- end -->").expect("the block ends");
    &PAGE[start..start + end]
}

fn compare(name: &str, text: &str) {
    assert!(block(name) == text, "docs/speed-model.md, block `{name}`, must read:\n{text}");
}

fn line(what: &str, errors: Option<Errors>) -> String {
    errors.map_or_else(String::new, |e| {
        format!("| {what} | {} | {:.1} | {:.1} | {:.1} |\n", e.count, e.median_percent, e.mean_percent, e.max_percent)
    })
}

/// Held-out log ratios of the M-series decode cells with their weights.
fn decode_held_out() -> Vec<(Weights, f64)> {
    let weights: Vec<Weights> =
        m_series::table().iter().filter(|cell| cell.decode_tokens_per_s.is_some()).map(|cell| cell.weights).collect();
    weights.into_iter().zip(METAL.held_out(&m_series_samples())).collect()
}

#[test]
fn decode_on_apple_silicon_is_predicted_within_five_percent_out_of_generation() {
    let constants = Constants::fitted();
    let errors = constants.metal_2025.errors_held_out.expect("there are 79 cells");
    assert_eq!(errors.count, 79);
    assert!(errors.median_percent <= 5.0 && errors.mean_percent <= 5.0, "{errors:?}");
    for wanted in Weights::ALL {
        let of: Vec<f64> = decode_held_out().iter().filter(|(w, _)| *w == wanted).map(|(_, ratio)| *ratio).collect();
        assert!(Errors::of(&of).expect("each kind has cells").median_percent <= 5.0, "{wanted:?}");
    }
}

#[test]
fn the_page_states_the_errors_of_the_fits() {
    let c = Constants::fitted();
    let mut text = String::from("| what | cases | median % | mean % | largest % |\n|---|---|---|---|---|\n");
    text += &line("decode, M1 to M4, in sample", c.metal_2025.errors_in_sample);
    text += &line("decode, M1 to M4, generation left out", c.metal_2025.errors_held_out);
    for (weights, name) in [(Weights::F16, "F16"), (Weights::Q8, "Q8_0"), (Weights::Q4, "Q4_0")] {
        let of: Vec<f64> = decode_held_out().iter().filter(|(w, _)| *w == weights).map(|(_, ratio)| *ratio).collect();
        text += &line(&format!("… of these {name}"), Errors::of(&of));
    }
    text += &line("decode, Metal builds of 2026, in sample", c.metal_2026.errors_in_sample);
    text += &line("decode, Metal builds of 2026, machine left out", c.metal_2026.errors_held_out);
    text += &line("decode, CUDA, in sample", c.cuda.errors_in_sample);
    text += &line("decode, CUDA, card left out", c.cuda.errors_held_out);
    text += &line("decode, Vulkan, in sample", c.vulkan.errors_in_sample);
    text += &line("decode, Vulkan, card left out", c.vulkan.errors_held_out);
    text += &line("prefill, M1 to M4, in sample", c.apple_prefill.errors_in_sample);
    text += &line("prefill, M1 to M4, chip left out", c.apple_prefill.errors_chip_held_out);
    text += &line("prefill, M1 to M4, generation left out", c.apple_prefill.errors_generation_held_out);
    text += &line("prefill, CUDA by the vendor's TFLOP/s, card left out", c.cuda_prefill.errors_by_vendor_held_out);
    text += &line("prefill, Vulkan by the vendor's TFLOP/s, card left out", c.vulkan_prefill.errors_by_vendor_held_out);
    compare("errors", &text);
}

#[test]
fn the_page_states_the_constants_of_the_fits() {
    let c = Constants::fitted();
    let mut text = String::from(
        "| engine | efficiency | ms a layer | + ms a layer / generation | + ms a layer, experts | 90 % within × or ÷ |\n\
         |---|---|---|---|---|---|\n",
    );
    for (name, of) in [
        ("Metal to 2025", &c.metal_2025),
        ("Metal 2026", &c.metal_2026),
        ("CUDA", &c.cuda),
        ("CUDA, stacked memory", &c.cuda_stacked),
        ("Vulkan", &c.vulkan),
        ("Vulkan, Intel", &c.vulkan_intel),
    ] {
        let _ = writeln!(
            text,
            "| {name} | {:.3} | {:.3} | {:.3} | {:.3} | {:.2} |",
            of.efficiency,
            of.overhead_ms_per_layer,
            of.overhead_ms_per_layer_by_generation,
            of.mixture_ms_per_layer,
            of.spread
        );
    }
    let apple = &c.apple_prefill;
    let cores: Vec<String> = apple.gflops_per_core.iter().map(|(g, gflops)| format!("M{g} {gflops:.0}")).collect();
    let _ = write!(
        text,
        "\nPrefill, GFLOP/s a GPU core: {}; {:.2} times as much with each\ngeneration beyond. F16 weights × {:.2}, two \
         dies × {:.2}.\n90 % within × or ÷ {:.2}, for generations not in the table {:.2} and more. Of their \
         vendor's FP16 figure,\ncards reach {} (CUDA) and {} (Vulkan); with experts × {:.2}.\n",
        cores.join(", "),
        apple.growth,
        apple.float_factor,
        apple.two_dies_factor,
        apple.spread,
        apple.spread_unknown_generation,
        shares(&c.cuda_prefill),
        shares(&c.vulkan_prefill),
        c.cuda_prefill.mixture_factor.expect("CUDA has mixtures"),
    );
    compare("constants", &text);
}

fn shares(prefill: &CardPrefill) -> String {
    let shares = prefill.by_vendor_tflops.iter().map(|(family, share)| format!("{family:?} {share:.2}"));
    shares.collect::<Vec<_>>().join(", ")
}

/// The question that a row of the table answers.
fn question(row: &Row) -> SpeedInput {
    let processor = match row.apple_generation {
        Some(generation) => Processor::AppleGpu { generation, gpu_cores: row.gpu_cores },
        None => Processor::Gpu { name: row.machine.clone(), fp16_tflops: row.fp16_tflops },
    };
    SpeedInput {
        engine: row.engine,
        processor,
        bandwidth_gb_s: Some(Reading::new(row.bandwidth_gb_s, "table", Quality::Estimated)),
        weights_active_bytes: (row.active_gb * 1e9) as u64,
        kv_bytes_at_position: 0,
        layers: row.layers,
        mixture_of_experts: row.mixture == 1,
        parameters_active: Some((row.active_b * 1e9) as u64),
        attention_width: Some(row.attention_width),
        prompt_tokens: row.prompt_tokens.unwrap_or(0),
        float_weights: false,
        offload: None,
        paging: None,
    }
}

struct Check {
    text: String,
    log_ratio: f64,
    inside: bool,
}

fn check<T>(row: &Row, phase: &str, measured: f64, prediction: &Prediction<T>) -> Check {
    let estimate = prediction.estimate().unwrap_or_else(|| panic!("{} {}", row.machine, row.model));
    let inside = (estimate.low..=estimate.high).contains(&measured);
    let error = (estimate.tokens_per_s / measured - 1.0) * 100.0;
    let text = format!(
        "| {} | {} | {} | {phase} | {measured} | {:.1} | {:.1} – {:.1} | {error:+.0} | {} | {} |\n",
        row.engine.as_str(),
        row.machine,
        row.model,
        estimate.tokens_per_s,
        estimate.low,
        estimate.high,
        if inside { "yes" } else { "no" },
        row.source
    );
    Check { text, log_ratio: (estimate.tokens_per_s / measured).ln(), inside }
}

#[test]
fn the_page_states_the_errors_on_models_that_were_not_fitted() {
    let mut text = String::from(
        "| engine | machine | model | phase | measured | predicted | 90 % | error % | inside | source |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut checks = Vec::new();
    for row in rows() {
        let prediction = predict(&question(row));
        if row.decode == Some(Use::Check) {
            checks.push(check(row, "decode", row.tg_tok_s.expect("a use needs a speed"), &prediction.decode));
        }
        if row.prefill == Some(Use::Check) && row.gpu_cores.is_some() {
            checks.push(check(row, "prefill", row.pp_tok_s.expect("a use needs a speed"), &prediction.prefill));
        }
    }
    checks.iter().for_each(|check| text += &check.text);
    let errors = Errors::of(&checks.iter().map(|check| check.log_ratio).collect::<Vec<_>>()).expect("there are rows");
    let inside = checks.iter().filter(|check| check.inside).count();
    let _ = write!(
        text,
        "\n{} speeds: median error {:.1} %, mean {:.1} %, largest {:.0} %; {inside} inside the 90 % interval.\n",
        errors.count, errors.median_percent, errors.mean_percent, errors.max_percent
    );
    compare("checks", &text);
    assert!(inside * 100 >= checks.len() * 80, "{inside} of {} inside", checks.len());
}

#[test]
fn a_model_with_one_term_is_far_worse() {
    let one_term = Form { known_efficiency: None, terms: &[Term::Roof] }.held_out(&m_series_samples());
    let errors = Errors::of(&one_term).expect("there are 79 cells");
    let ours = Constants::fitted().metal_2025.errors_held_out.expect("there are 79 cells");
    assert!(errors.mean_percent > 3.0 * ours.mean_percent, "{errors:?} {ours:?}");
}

#[test]
fn every_row_has_a_time() {
    assert!(rows().iter().all(|row| sample_of(row).is_some()));
}

/// Compares every number of `oracle` with the number of the same name in `ours`.
fn agree(path: &str, oracle: &serde_json::Value, ours: &serde_json::Value) {
    match oracle {
        serde_json::Value::Object(fields) => {
            assert!(!fields.is_empty(), "{path}");
            fields.iter().for_each(|(name, value)| agree(&format!("{path}.{name}"), value, &ours[name]));
        }
        serde_json::Value::Number(number) => {
            let (wanted, found) = (number.as_f64().expect("a number"), ours.as_f64().expect(path));
            assert!((found - wanted).abs() <= 1e-6 * wanted.abs().max(1e-3), "{path}: {found}, SciPy says {wanted}");
        }
        other => panic!("{path}: {other}"),
    }
}

#[test]
fn the_constants_and_errors_are_those_that_scipy_finds() {
    let golden = include_str!("../../tests/golden/speed_model.json");
    let mut oracle: serde_json::Value = serde_json::from_str(golden).expect("the golden file is JSON");
    let ours = serde_json::to_value(Constants::fitted()).expect("constants are plain numbers");
    // Ours pairs every generation with its figure, and has the newer ones of another table behind.
    let per_core = oracle["apple_prefill"]["gflops_per_core"].take();
    oracle["apple_prefill"].as_object_mut().expect("an object").remove("gflops_per_core");
    let per_core = per_core.as_array().expect("a list");
    assert_eq!(per_core.len(), 4);
    for (index, wanted) in per_core.iter().enumerate() {
        agree("gflops_per_core", wanted, &ours["apple_prefill"]["gflops_per_core"][index][1]);
    }
    agree("constants", &oracle, &ours);
}
