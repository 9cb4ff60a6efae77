//! Other platforms than this one: the program is built, linked and, where an emulator can, run; and ARM computes the same
//! bits.

use crate::cross::{self, ARM_LINUX, MAC, Provided, Zig};
use crate::{command, workspace};
use std::path::Path;
use std::process::Command;

/// ARM processors that the emulator knows, the newest last, and the instruction sets that must be found on each.
const PROCESSORS: [(&str, &str); 3] = [
    ("cortex-a72", "scalar,neon"),
    ("neoverse-n1", "scalar,neon,neon-dotprod"),
    ("max", "scalar,neon,neon-dotprod,neon-i8mm"),
];
/// What runs on each of them: which instruction sets there are, and digests, those of models with the best of them. Expected
/// values are committed, so that passing means having the bits of x86_64.
const DIGESTS: &str = "-p puma-kernels -p puma-engine --test levels --test digest -- expected_levels committed";
/// What runs on the newest, with each of its instruction sets.
const EMULATED_TESTS: [&str; 2] = ["-p puma-host", "-p puma-kernels"];
const EMULATOR: &str = "qemu-aarch64-static";
/// Where a test of the program looks for the words that start it on another processor.
const OTHER_MACHINE: &str = "PUMA_TEST_OTHER_MACHINE";
const OTHER_MACHINE_TEST: &str = "cross_arch::the_program_for_another_processor_computes_the_same_bits";
/// Where Debian's libc6-arm64-cross puts the C library for it.
const ARM_LIBRARIES: &str = "/usr/aarch64-linux-gnu";
/// Set on machines that must be able to do all of this.
const EXPECT: &str = "PUMA_EXPECT_PLATFORMS";

/// Builds and links the program for Macs and for ARM Linux, and runs what can be emulated. What cannot be done here is
/// said, or is an error where `PUMA_EXPECT_PLATFORMS` is set.
///
/// # Errors
/// The program cannot be built for a platform, is not what the platform needs, or fails under emulation.
pub(crate) fn check() -> Result<(), String> {
    let zig = match Zig::provide()? {
        Provided::Here(zig) => zig,
        Provided::Missing { reason } => return left_out("the program was built for no other platform", &reason),
    };
    for target in [&MAC, &ARM_LINUX] {
        if let Err(reason) = cross::standard_library(target) {
            left_out(&format!("the program was not built for {}", target.triple), &reason)?;
            continue;
        }
        command::run_command(zig.build(target, &[]).args(["--package", "puma"]))?;
        let program = workspace::target_directory()?.join(target.triple).join("debug/puma");
        let image =
            std::fs::read(&program).map_err(|error| format!("{} cannot be read: {error}", program.display()))?;
        eprintln!("xtask platforms: {}: {}", target.triple, target.check(&image)?);
        if target.triple == ARM_LINUX.triple {
            emulated(&zig, &program)?;
        }
    }
    Ok(())
}

/// The words that precede a program for ARM Linux to run it here; `None` where there is no emulator.
pub(crate) fn emulator() -> Option<[&'static str; 5]> {
    let here = command::works(EMULATOR, &["--version"]) && Path::new(ARM_LIBRARIES).is_dir();
    here.then_some(emulator_of(PROCESSORS[PROCESSORS.len() - 1].0))
}

fn emulator_of(processor: &'static str) -> [&'static str; 5] {
    [EMULATOR, "-cpu", processor, "-L", ARM_LIBRARIES]
}

fn emulated(zig: &Zig, program: &Path) -> Result<(), String> {
    let Some(emulator) = emulator() else {
        let reason = "Debian's qemu-user-static and libc6-arm64-cross make it possible";
        return left_out("nothing was run on an emulated ARM processor", reason);
    };
    command::run_command(Command::new(emulator[0]).args(&emulator[1..]).arg(program).arg("--version"))?;
    for (processor, levels) in PROCESSORS {
        emulated_test(zig, &emulator_of(processor), levels, DIGESTS)?;
    }
    let (_, levels) = PROCESSORS[PROCESSORS.len() - 1];
    EMULATED_TESTS.iter().try_for_each(|test| emulated_test(zig, &emulator, levels, test))?;
    both_programs(&emulator, program)
}

fn emulated_test(zig: &Zig, emulator: &[&str], levels: &str, test: &str) -> Result<(), String> {
    let mut cargo = zig.test(&ARM_LINUX, emulator);
    // Emulated, a backtrace takes so long that tests which wait for one miss their time; and no load is what it seems.
    cargo
        .env("RUST_BACKTRACE", "0")
        .env("PUMA_EXPECT_LEVELS", levels)
        .env_remove("PUMA_TEST_CODECARBON")
        .env_remove("PUMA_TEST_SCIENCE_PYTHON")
        .env_remove("PUMA_EXPECT_SERVERS");
    command::run_command(cargo.args(test.split(' ')))
}

/// The native and the emulated program make a run of the same spec each, and must have computed the same bits.
fn both_programs(emulator: &[&str], program: &Path) -> Result<(), String> {
    let words = format!("{} {}", emulator.join(" "), program.display());
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "-p", "puma", "--test", "it", OTHER_MACHINE_TEST]).env(OTHER_MACHINE, words);
    command::run_command(cargo.current_dir(workspace::root()))
}

fn left_out(what: &str, reason: &str) -> Result<(), String> {
    if std::env::var_os(EXPECT).is_some() {
        return Err(format!("{what}, and {EXPECT} is set: {reason}"));
    }
    eprintln!("xtask platforms: {what}: {reason}");
    Ok(())
}
