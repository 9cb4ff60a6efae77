//! Machines of every kind, from their facts to the verdict.

use crate::models::{GIB, LLAMA_3_8B, QWEN2_5_3B, QWEN2_5_7B, QWEN3_30B_A3B, SMOLLM2_135M, f16};
use puma_core::measure::{Quality, Reading};
use puma_host::Machine;
use puma_host::fit::{Budget, EngineRules, Fit, PoolKind, Verdict, budget, judge};
use puma_host::machine::{Apple, Gpu, GpuVendor};

pub(crate) fn mac(brand: &str, memory_gib: u64, macos: &str) -> Machine {
    Machine {
        os: "macos".to_owned(),
        os_version: Some(macos.to_owned()),
        arch: "aarch64".to_owned(),
        cpu: Some(brand.to_owned()),
        memory_bytes: Some(memory_gib * GIB),
        apple: Some(Apple { brand: brand.to_owned(), ..Apple::default() }),
        ..Machine::default()
    }
}

pub(crate) fn linux(memory_gib: u64, free_gib: u64, gpus: Vec<Gpu>) -> Machine {
    Machine {
        os: "linux".to_owned(),
        arch: "x86_64".to_owned(),
        cpu: Some("a processor".to_owned()),
        memory_bytes: Some(memory_gib * GIB),
        memory_available_bytes: Some(free_gib * GIB),
        gpus,
        ..Machine::default()
    }
}

pub(crate) fn card(name: &str, address: &str, memory: u64, free: Option<u64>) -> Gpu {
    Gpu {
        vendor: GpuVendor::Nvidia,
        name: name.to_owned(),
        pci_address: Some(address.to_owned()),
        driver: None,
        memory_bytes: Some(Reading::new(memory, "NVML", Quality::Measured)),
        memory_free_bytes: free,
        shared_memory_bytes: None,
        unified: false,
        integrated: false,
        bandwidth_gb_s: None,
        cores: None,
        compute_target: None,
        power_limit_w: None,
        energy_counter: None,
    }
}

pub(crate) fn apu(carve_out_gib: u64, shared_gib: u64) -> Gpu {
    Gpu {
        vendor: GpuVendor::Amd,
        integrated: true,
        shared_memory_bytes: Some(shared_gib * GIB),
        ..card("AMD Radeon 8060S", "0000:c5:00.0", carve_out_gib * GIB, None)
    }
}

pub(crate) fn fit(machine: &Machine, model: crate::models::Dimensions, context: u32) -> Fit {
    let rules = EngineRules::LLAMA_SERVER;
    judge(&model.shape(), &f16(context), &rules, &budget(machine, &rules).expect("a machine with memory"))
}

#[test]
fn a_small_mac_runs_small_models_and_pages_on_larger_ones() {
    let m1 = mac("Apple M1", 8, "15.2");
    assert_eq!(fit(&m1, QWEN2_5_3B, 8192).verdict, Verdict::Fits);
    // 4.31 GiB of weights with 0.44 GiB of cache need the margin.
    assert_eq!(fit(&m1, QWEN2_5_7B, 8192).verdict, Verdict::Tight);
    let paging = fit(&m1, LLAMA_3_8B, 16_384);
    assert_eq!(paging.verdict, Verdict::WillPage, "{}", paging.reason);
    assert_eq!(paging.hint, None, "a higher limit would leave the system too little");
    assert_eq!(fit(&m1, QWEN3_30B_A3B, 4096).verdict, Verdict::WillNotFit);
}

#[test]
fn a_mac_that_could_be_told_to_allow_more_is_told_how() {
    let m3 = mac("Apple M3 Pro", 18, "15.2");
    let model = crate::models::Dimensions { layers: 90, ..LLAMA_3_8B };
    let paging = fit(&m3, model, 4096);
    assert_eq!(paging.verdict, Verdict::WillPage, "{}", paging.reason);
    let hint = paging.hint.unwrap();
    let mebibytes: u64 = hint.split("wired_limit_mb=").nth(1).unwrap().split('`').next().unwrap().parse().unwrap();
    assert!(mebibytes << 20 >= paging.needs.total_bytes() && 18 * GIB - (mebibytes << 20) >= 4 * GIB, "{hint}");
}

#[test]
fn a_newer_macos_allows_more() {
    let model = crate::models::Dimensions { layers: 78, ..LLAMA_3_8B };
    assert_eq!(fit(&mac("Apple M4", 16, "15.2"), model, 4096).verdict, Verdict::WillPage);
    assert_eq!(fit(&mac("Apple M4", 16, "26.1"), model, 4096).verdict, Verdict::Tight);
}

#[test]
fn what_metal_says_wins_over_the_table() {
    let mut machine = mac("Apple M4 Pro", 24, "26.1");
    let said = Reading::new(12_000 << 20, "Metal", Quality::Measured);
    machine.apple.as_mut().unwrap().working_set_bytes = Some(said);
    let Budget::Metal { working_set, .. } = budget(&machine, &EngineRules::OLLAMA).unwrap() else { panic!() };
    assert_eq!((working_set.total_bytes, working_set.quality), (12_000 << 20, Quality::Measured));
}

#[test]
fn a_six_gigabyte_laptop_card_holds_a_three_billion_model_and_part_of_a_seven() {
    let free = Some(5_700 << 20);
    let laptop = linux(16, 12, vec![card("NVIDIA GeForce RTX 2060 Mobile", "0000:01:00.0", 6 * GIB, free)]);
    let small = fit(&laptop, QWEN2_5_3B, 8192);
    assert_eq!((small.verdict, small.gpu_layers), (Verdict::Fits, Some(36)), "{}", small.reason);
    let large = fit(&laptop, QWEN2_5_7B, 14_336);
    assert_eq!((large.verdict, large.gpu_layers), (Verdict::Tight, Some(28)), "{}", large.reason);
    let long = fit(&laptop, QWEN2_5_7B, 32_768);
    assert_eq!(long.verdict, Verdict::PartialOffload, "{}", long.reason);
    assert!((1..28).contains(&long.gpu_layers.unwrap()), "{:?}", long.gpu_layers);
    // One more layer would not have had room: 155 MiB of weights and 64 MiB of cache each, 0.4 GiB of output.
    let layer = QWEN2_5_7B.shape().layers[0];
    let bytes = layer.weights_bytes + layer.kv_bytes(&f16(32_768), &EngineRules::LLAMA_SERVER);
    assert!(long.gpu_bytes + bytes > (5_700 << 20) - GIB);
}

#[test]
fn a_large_card_holds_everything_and_two_cards_share() {
    let h200 = linux(512, 400, vec![card("NVIDIA H200", "0000:18:00.0", 141 * GIB, Some(140 * GIB))]);
    assert_eq!(fit(&h200, QWEN3_30B_A3B, 262_144).verdict, Verdict::Fits);
    let one = card("NVIDIA GeForce RTX 3090", "0000:01:00.0", 24 * GIB, Some(23 * GIB));
    let two = Gpu { pci_address: Some("0000:02:00.0".to_owned()), ..one.clone() };
    let model = crate::models::Dimensions { layers: 200, ..LLAMA_3_8B };
    assert_eq!(fit(&linux(64, 60, vec![one.clone()]), model, 4096).verdict, Verdict::PartialOffload);
    assert_eq!(fit(&linux(64, 60, vec![one.clone(), two]), model, 4096).verdict, Verdict::Fits);
    // The same card seen twice is still one card.
    assert_eq!(fit(&linux(64, 60, vec![one.clone(), one]), model, 4096).verdict, Verdict::PartialOffload);
}

#[test]
fn a_pod_is_held_to_its_limit() {
    let mut pod = linux(64, 60, Vec::new());
    pod.memory_limit_bytes = Some(4 * GIB);
    pod.memory_limit_used_bytes = Some(GIB / 2);
    let Budget::Cpu { host } = budget(&pod, &EngineRules::EMBEDDED).unwrap() else { panic!() };
    assert_eq!((host.kind, host.total_bytes, host.available_bytes), (PoolKind::Cgroup, 4 * GIB, 7 * GIB / 2));
    assert_eq!(fit(&pod, SMOLLM2_135M, 8192).verdict, Verdict::Fits);
    assert_eq!(fit(&pod, QWEN2_5_7B, 8192).verdict, Verdict::WillPage);
    assert_eq!(fit(&pod, QWEN3_30B_A3B, 8192).verdict, Verdict::WillNotFit);
}

#[test]
fn memory_others_use_is_not_there_but_could_be() {
    let busy = fit(&linux(16, 3, Vec::new()), QWEN2_5_7B, 4096);
    assert_eq!(busy.verdict, Verdict::WillNotFit);
    assert!(busy.hint.unwrap().contains("13.00 GiB"));
}

#[test]
fn the_embedded_engine_never_counts_a_gpu() {
    let h200 = linux(32, 30, vec![card("NVIDIA H200", "0000:18:00.0", 141 * GIB, Some(140 * GIB))]);
    assert!(matches!(budget(&h200, &EngineRules::EMBEDDED).unwrap(), Budget::Cpu { .. }));
    let translated = Machine {
        apple: Some(Apple { brand: "Apple M2".to_owned(), translated: true, ..Apple::default() }),
        ..mac("Apple M2", 16, "15.0")
    };
    assert!(matches!(budget(&translated, &EngineRules::OLLAMA).unwrap(), Budget::Cpu { .. }));
}

#[test]
fn an_unknown_memory_is_an_error_and_not_a_guess() {
    assert!(budget(&Machine::default(), &EngineRules::EMBEDDED).is_err());
}

#[test]
fn a_board_with_unified_memory_has_one_pool() {
    let spark = Gpu { unified: true, memory_bytes: None, ..card("NVIDIA GB10", "0000:01:00.0", 0, None) };
    let machine = linux(128, 120, vec![spark]);
    let Budget::Integrated { pool, carve_out_bytes, .. } = budget(&machine, &EngineRules::OLLAMA).unwrap() else {
        panic!()
    };
    assert_eq!((pool.total_bytes, carve_out_bytes), (128 * GIB, 0));
    assert_eq!(fit(&machine, QWEN3_30B_A3B, 131_072).verdict, Verdict::Fits);
}
