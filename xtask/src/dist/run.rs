//! From a commit to archives.

use super::archive::{self, Entry};
use super::{Options, checksums, licences, pages, source};
use crate::cross::{self, Provided, Target, Zig};
use crate::{command, platforms, workspace};
use std::path::{Path, PathBuf};

/// Builds, checks and packs the program for every platform asked for, and writes the checksums.
///
/// # Errors
/// A tool is missing, a build fails, an executable is not what its platform needs, or a file cannot be written.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let zig = match Zig::provide()? {
        Provided::Here(zig) => zig,
        Provided::Missing { reason } => return Err(format!("archives are built with zig: {reason}")),
    };
    let version = source::version()?;
    let time = source::time()?;
    for line in source::changed_files()? {
        eprintln!("xtask dist: not as committed: {line}");
    }
    let target_directory = workspace::target_directory()?;
    let out = options.out.clone().unwrap_or_else(|| target_directory.join("dist"));
    std::fs::create_dir_all(&out).map_err(|error| format!("{} cannot be made: {error}", out.display()))?;

    let mut built = Vec::new();
    for target in &options.targets {
        built.push(build(&zig, target, &target_directory, &version)?);
    }
    let mut common = source::files()?;
    common.extend(pages::entries(built.iter().find_map(|built| built.start.as_deref()))?);
    for Built { target, image, .. } in built {
        let mut entries = common.clone();
        entries.push(Entry::plain("LICENSES.md", licences::page(&target, &zig)?));
        entries.push(Entry::executable("puma", image));
        let name = name(&version, target.triple);
        let archive = archive::tar_gz(&name, &entries, time)?;
        let path = out.join(format!("{name}.tar.gz"));
        std::fs::write(&path, &archive).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
        eprintln!("xtask dist: {} ({} bytes)", path.display(), archive.len());
    }
    print!("{}", checksums::write(&out)?);
    Ok(())
}

/// An executable that keeps what its platform promises.
struct Built {
    target: Target,
    image: Vec<u8>,
    /// The words that start it on this machine, if any do.
    start: Option<Vec<String>>,
}

/// An archive's name without ending; also that of the one folder in it.
fn name(version: &str, triple: &str) -> String {
    format!("puma-{version}-{triple}")
}

/// Builds the executable for a platform, reads it, and has it tell its version where this machine can start it.
fn build(zig: &Zig, target: &Target, target_directory: &Path, version: &str) -> Result<Built, String> {
    cross::standard_library(target)?;
    let flags = without_own_paths(target_directory)?;
    let mut cargo = zig.build(target, &flags);
    command::run_command(cargo.args(["--package", "puma", "--release", "--locked"]))?;
    let path = target_directory.join(target.triple).join("release/puma");
    let image = std::fs::read(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let facts = target.check(&image)?;
    eprintln!("xtask dist: {}: {} bytes, {facts}", target.triple, image.len());
    let start = start(target, &path);
    match &start {
        None => eprintln!("xtask dist: {} was not started: this machine cannot run it", target.triple),
        Some(words) => {
            let words: Vec<&str> = words.iter().map(String::as_str).chain(["--version"]).collect();
            let printed = command::output(words[0], &words[1..])?;
            if !printed.starts_with(&format!("puma {version}")) {
                return Err(format!("the program for {} says it is {printed:?}, not puma {version}", target.triple));
            }
        }
    }
    Ok(Built { target: *target, image, start })
}

/// Flags that replace the folders of this machine in what the compiler writes into the executable.
fn without_own_paths(target_directory: &Path) -> Result<Vec<String>, String> {
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let cargo_home = cargo_home.ok_or("there is neither CARGO_HOME nor a home folder")?;
    let flag = |folder: &Path, name: &str| format!("--remap-path-prefix={}={name}", folder.display());
    Ok(vec![flag(workspace::root(), "puma"), flag(target_directory, "target"), flag(&cargo_home, "cargo")])
}

/// The words that start an executable on this machine: natively, emulated, or not at all.
fn start(target: &Target, path: &Path) -> Option<Vec<String>> {
    let path = path.to_string_lossy().into_owned();
    if target.os() == std::env::consts::OS && target.triple.starts_with(std::env::consts::ARCH) {
        return Some(vec![path]);
    }
    let emulator = platforms::emulator().filter(|_| target.triple == cross::ARM_LINUX.triple)?;
    Some(emulator.into_iter().map(str::to_owned).chain([path]).collect())
}

#[cfg(test)]
mod tests {
    use super::{name, without_own_paths};
    use crate::workspace;
    use std::path::Path;

    #[test]
    fn an_archive_is_named_by_program_version_and_platform() {
        assert_eq!(name("1.2.3", "aarch64-apple-darwin"), "puma-1.2.3-aarch64-apple-darwin");
    }

    #[test]
    fn the_checkouts_own_folder_is_among_the_replaced_ones() {
        let flags = without_own_paths(Path::new("built")).expect("a test has a home folder");
        assert!(flags.contains(&format!("--remap-path-prefix={}=puma", workspace::root().display())), "{flags:?}");
        assert!(flags.contains(&"--remap-path-prefix=built=target".to_owned()));
    }
}
