//! Laws of learning from own runs.

use super::input::{Engine, Processor, SpeedInput};
use super::learn::{Correction, Observation, Phase, learn};
use super::predict::predict;
use super::prediction::{Basis, Prediction, SpeedPrediction};
use proptest::prelude::*;
use puma_core::Timestamp;
use puma_core::measure::{Quality, Reading};

/// A dense model with 4 bits on processor cores; `billions` of parameters in `layers`.
fn input(billions: f64, layers: u32) -> SpeedInput {
    SpeedInput {
        engine: Engine::Embedded,
        processor: Processor::Cpu,
        bandwidth_gb_s: Some(Reading::new(50.0, "test", Quality::Measured)),
        weights_active_bytes: (billions * 0.6e9) as u64,
        kv_bytes_at_position: 0,
        layers,
        mixture_of_experts: false,
        parameters_active: Some((billions * 1e9) as u64),
        attention_width: None,
        prompt_tokens: 256,
        float_weights: false,
        offload: None,
        paging: None,
    }
}

fn raw(input: &SpeedInput) -> f64 {
    predict(input).decode.estimate().expect("the bandwidth is known").tokens_per_s
}

/// A run of a model of `billions`, `by` times as fast as predicted.
fn run(billions: f64, by: f64, at: i64) -> Observation {
    let input = input(billions, 24);
    let measured = raw(&input) * by;
    Observation::new(&input, Phase::Decode, format!("{billions:.6}"), Timestamp(at), measured).expect("a sound speed")
}

/// One layer count and sizes too alike to calibrate, so that only the factor acts.
fn alike(ratios: &[f64]) -> Vec<Observation> {
    ratios.iter().enumerate().map(|(i, by)| run(1.0 + i as f64 / 100.0, *by, i as i64)).collect()
}

fn factor(observations: &[Observation]) -> f64 {
    learn(observations).factor(Engine::Embedded, Phase::Decode).expect("there are runs").factor
}

fn tokens_per_s<T>(prediction: &Prediction<T>) -> f64 {
    prediction.estimate().expect("something is known").tokens_per_s
}

proptest! {
    #[test]
    fn unbiased_predictions_are_left_alone(noise in prop::collection::vec(0.9..1.1_f64, 2..12)) {
        // Every ratio with its inverse: the typical one is 1.
        let ratios: Vec<f64> = noise.iter().flat_map(|ratio| [*ratio, 1.0 / ratio]).collect();
        prop_assert!((factor(&alike(&ratios)).ln()).abs() < 0.02);
    }

    #[test]
    fn a_machine_that_is_always_k_times_as_fast_is_believed_after_some_runs(k in 0.3..3.0_f64, n in 6_usize..20) {
        let ratios = vec![k; n];
        prop_assert!((factor(&alike(&ratios)).ln() - k.ln()).abs() <= 0.02 * k.ln().abs() + 1e-9);
    }

    #[test]
    fn few_runs_are_believed_less_and_never_beyond_what_they_say(k in 0.3..3.0_f64, n in 1_usize..12) {
        let (few, more) = (factor(&alike(&vec![k; n])).ln(), factor(&alike(&vec![k; n + 1])).ln());
        prop_assert!(few.abs() <= more.abs() + 1e-12 && more.abs() <= k.ln().abs() + 1e-12);
        prop_assert!(few * k.ln() >= 0.0);
        let held_back = 1.0 - few / k.ln();
        prop_assert!(n > 2 || k.ln().abs() < 1e-3 || held_back > 0.02, "{n} runs, {held_back} held back");
    }

    #[test]
    fn scaling_every_measurement_scales_the_factor_in_the_limit(
        ratios in prop::collection::vec(0.8..1.25_f64, 20..40), k in 0.5..2.0_f64,
    ) {
        let scaled: Vec<f64> = ratios.iter().map(|ratio| ratio * k).collect();
        let moved = factor(&alike(&scaled)).ln() - factor(&alike(&ratios)).ln();
        // What is kept back is the variance of the location by what was believed of the bias: under 6 % here.
        prop_assert!((moved - k.ln()).abs() <= 0.06 * k.ln().abs() + 1e-9);
    }

    #[test]
    fn the_order_of_observations_makes_no_difference(
        runs in prop::collection::vec((1_u32..4, 0.5..2.0_f64, 0_i64..3), 1..25), seed in any::<u64>(),
    ) {
        let observations: Vec<Observation> =
            runs.iter().map(|(size, by, at)| run(f64::from(*size), *by, *at)).collect();
        let mut shuffled = observations.clone();
        for i in (1..shuffled.len()).rev() {
            shuffled.swap(i, (seed.wrapping_mul(i as u64 + 7) >> 33) as usize % (i + 1));
        }
        prop_assert_eq!(learn(&observations), learn(&shuffled));
    }

    #[test]
    fn one_wild_run_among_several_moves_little(
        ratios in prop::collection::vec(0.95..1.05_f64, 5..12), wild in prop_oneof![0.01..0.2_f64, 5.0..100.0_f64],
    ) {
        let with: Vec<f64> = ratios.iter().copied().chain([wild]).collect();
        prop_assert!((factor(&alike(&with)).ln() - factor(&alike(&ratios)).ln()).abs() < 0.1);
    }

    #[test]
    fn two_models_of_different_size_give_back_the_machine_they_were_made_on(
        gb_s in 5.0..45.0_f64, ms_per_layer in 0.005..0.5_f64, asked in 0.1..8.0_f64,
    ) {
        let time_ms = |input: &SpeedInput| {
            input.weights_active_bytes as f64 / 1e6 / gb_s + f64::from(input.layers) * ms_per_layer
        };
        let observations: Vec<Observation> = [(0.135, 30), (1.7, 24)]
            .map(|(billions, layers)| {
                let of = input(billions, layers);
                let measured = 1000.0 / time_ms(&of);
                Observation::new(&of, Phase::Decode, format!("{billions}"), Timestamp(0), measured).expect("sound")
            })
            .to_vec();
        let unseen = input(asked, 28);
        let corrected = learn(&observations).apply(&unseen, &predict(&unseen));
        let estimate = corrected.decode.estimate().expect("it is calibrated");
        prop_assert_eq!(estimate.basis, Basis::Calibrated);
        prop_assert!((estimate.tokens_per_s * time_ms(&unseen) / 1000.0 - 1.0).abs() < 1e-6);
    }
}

#[test]
fn nine_of_ten_next_models_lie_in_the_learned_interval() {
    // 1000 machines of 6 models each, scattered by 10 %; the seventh is asked about.
    let mut state = 7_u64;
    let mut normal = || {
        let mut sum = 0.0;
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            sum += (state >> 11) as f64 / (1_u64 << 53) as f64;
        }
        sum - 6.0
    };
    let mut inside = 0;
    for _ in 0..1000 {
        let bias = 0.3 * normal();
        let ratios: Vec<f64> = (0..6).map(|_| (bias + 0.1 * normal()).exp()).collect();
        let next = (bias + 0.1 * normal()).exp();
        let learned = learn(&alike(&ratios));
        let factor = learned.factor(Engine::Embedded, Phase::Decode).expect("there are runs");
        inside += usize::from((next / factor.factor).ln().abs() <= factor.spread.ln());
    }
    assert!((880..=930).contains(&inside), "{inside} of 1000");
}

#[test]
fn without_runs_a_prediction_stays_as_it_is() {
    let asked = input(1.0, 24);
    let prediction = predict(&asked);
    assert_eq!(learn(&[]), Correction::default());
    assert_eq!(Correction::default().apply(&asked, &prediction), prediction);
}

#[test]
fn the_interval_is_the_learned_one_after_three_runs() {
    let asked = input(1.0, 24);
    let prediction = predict(&asked);
    let width = |of: &SpeedPrediction| of.decode.estimate().map(|e| e.high / e.low).expect("decode is known");
    let after = |n: usize| learn(&alike(&vec![1.3; n])).apply(&asked, &prediction);
    assert!(width(&after(1)) >= width(&prediction) * 0.999 && width(&after(2)) >= width(&prediction) * 0.999);
    assert!(width(&after(3)) < width(&prediction));
    assert_eq!(after(1).decode.estimate().map(|e| e.basis), Some(Basis::Extrapolated));
    assert_eq!(after(3).decode.estimate().map(|e| e.basis), Some(Basis::Calibrated));
}

#[test]
fn prefill_on_processor_cores_is_known_after_a_run() {
    let asked = input(1.0, 24);
    assert!(predict(&asked).prefill.estimate().is_none());
    let run = Observation::new(&asked, Phase::Prefill, "a", Timestamp(0), 120.0).expect("a sound speed");
    assert_eq!(run.predicted_tokens_per_s, None);
    let twice = input(2.0, 24);
    let corrected = learn(&[run]).apply(&twice, &predict(&twice));
    assert!((tokens_per_s(&corrected.prefill) - 60.0).abs() < 1e-6);
    // One phase teaches nothing about the other.
    assert_eq!(corrected.decode, predict(&twice).decode);
}

#[test]
fn without_a_bandwidth_speed_goes_by_size() {
    let unknown = |billions: f64| SpeedInput { bandwidth_gb_s: None, ..input(billions, 24) };
    let run = Observation::new(&unknown(1.0), Phase::Decode, "a", Timestamp(0), 30.0).expect("a sound speed");
    let corrected = learn(&[run]).apply(&unknown(2.0), &predict(&unknown(2.0)));
    assert!((tokens_per_s(&corrected.decode) - 15.0).abs() < 1e-6);
}

#[test]
fn engines_learn_apart() {
    let learned = learn(&alike(&[2.0, 2.0, 2.0]));
    let other = SpeedInput { engine: Engine::LlamaCpu, ..input(1.0, 24) };
    assert_eq!(learned.apply(&other, &predict(&other)), predict(&other));
}

#[test]
fn only_the_newest_runs_of_a_model_count() {
    let old = (0..9).map(|at| run(1.0, 0.5, at));
    let new = (9..18).map(|at| run(1.0, 1.5, at));
    let both: Vec<Observation> = old.chain(new.clone()).collect();
    assert_eq!(factor(&both), factor(&new.collect::<Vec<_>>()));
}

#[test]
fn a_speed_that_is_no_number_is_no_observation() {
    let asked = input(1.0, 24);
    for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Observation::new(&asked, Phase::Decode, "a", Timestamp(0), speed), None);
    }
}

#[test]
fn an_observation_survives_being_stored() {
    let run = run(1.0, 1.1, 7);
    let text = serde_json::to_string(&run).expect("it is plain data");
    assert_eq!(serde_json::from_str::<Observation>(&text).expect("it was just written"), run);
}
