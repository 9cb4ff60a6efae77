//! The platforms PUMA is handed out for, and what an executable of each promises its user.

use super::executable::{Executable, Format};
use super::signature;
use object::Architecture;

/// A platform.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// Cargo's name of it.
    pub(crate) triple: &'static str,
    architecture: Architecture,
    runs_on: RunsOn,
}

/// What must be on a user's machine.
#[derive(Clone, Copy, Debug)]
enum RunsOn {
    /// Linux with a C library at least this old.
    Glibc(u32, u32),
    /// Any Linux: nothing is loaded at the start.
    AnyLinux,
    /// macOS at least this old, and nothing but its libSystem.
    MacOs(u32, u32),
}

/// The oldest that Rust supports, of 2012: Red Hat 7, Debian 8, Ubuntu 14.04 and everything since.
const GLIBC: RunsOn = RunsOn::Glibc(2, 17);

/// The first macOS for Apple Silicon.
pub(crate) const MAC: Target =
    Target { triple: "aarch64-apple-darwin", architecture: Architecture::Aarch64, runs_on: RunsOn::MacOs(11, 0) };

pub(crate) const ARM_LINUX: Target =
    Target { triple: "aarch64-unknown-linux-gnu", architecture: Architecture::Aarch64, runs_on: GLIBC };

/// Every platform, in the order in which they are built.
pub(crate) const TARGETS: [Target; 4] = [
    Target { triple: "x86_64-unknown-linux-gnu", architecture: Architecture::X86_64, runs_on: GLIBC },
    Target { triple: "x86_64-unknown-linux-musl", architecture: Architecture::X86_64, runs_on: RunsOn::AnyLinux },
    ARM_LINUX,
    MAC,
];

/// What a Linux program may load: the parts of glibc.
const GLIBC_PARTS: &[&str] = &[
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
];
/// What a Mac program may load.
const MAC_PARTS: &[&str] = &["/usr/lib/libSystem.B.dylib"];

impl Target {
    /// The platform of a name.
    ///
    /// # Errors
    /// There is none; the message names those there are.
    pub(crate) fn named(name: &str) -> Result<Target, String> {
        let found = TARGETS.into_iter().find(|target| target.triple == name);
        let known = || TARGETS.map(|target| target.triple).join(", ");
        found.ok_or_else(|| format!("there is no target `{name}`; there are {}", known()))
    }

    /// What zig must be told so that the executable keeps its promises.
    pub(crate) fn link_flags(&self) -> &'static [&'static str] {
        match self.runs_on {
            RunsOn::Glibc(..) => &[],
            // It makes static executables with fixed addresses otherwise.
            RunsOn::AnyLinux => &["-pie"],
            // The libc crate asks for libiconv, which nothing here calls; and the executable's UUID is a hash over all of it,
            // debugging data with the folders of this machine included, unless they are left out.
            RunsOn::MacOs(..) => &["-Wl,-dead_strip_dylibs", "-Wl,-S"],
        }
    }

    /// The operating system, as `std::env::consts::OS` calls it.
    pub(crate) fn os(&self) -> &'static str {
        match self.runs_on {
            RunsOn::Glibc(..) | RunsOn::AnyLinux => "linux",
            RunsOn::MacOs(..) => "macos",
        }
    }

    /// How cargo-zigbuild is told the platform: with the oldest glibc the executable shall run on.
    pub(crate) fn with_oldest_glibc(&self) -> String {
        match self.runs_on {
            RunsOn::Glibc(major, minor) => format!("{}.{major}.{minor}", self.triple),
            RunsOn::AnyLinux | RunsOn::MacOs(..) => self.triple.to_owned(),
        }
    }

    /// The oldest macOS the executable shall run on, if it is for a Mac.
    pub(crate) fn oldest_macos(&self) -> Option<String> {
        match self.runs_on {
            RunsOn::MacOs(major, minor) => Some(format!("{major}.{minor}")),
            RunsOn::Glibc(..) | RunsOn::AnyLinux => None,
        }
    }

    /// Reads an executable and compares it with what this platform promises.
    ///
    /// # Errors
    /// It is no executable of this platform, needs more than promised, or is a Mac's without a valid signature.
    pub(crate) fn check(&self, image: &[u8]) -> Result<Executable, String> {
        let executable = Executable::read(image)?;
        let wrong = |what: String| Err(format!("the executable for {} {what}", self.triple));
        if executable.architecture != self.architecture {
            return wrong(format!("is for {:?}", executable.architecture));
        }
        let (format, parts) = match self.runs_on {
            RunsOn::Glibc(..) => (Format::Elf, GLIBC_PARTS),
            RunsOn::AnyLinux => (Format::Elf, &[][..]),
            RunsOn::MacOs(..) => (Format::MachO, MAC_PARTS),
        };
        if executable.format != format {
            return wrong(format!("is {:?}, not {format:?}", executable.format));
        }
        if !executable.position_independent {
            return wrong("can be loaded at one address only, which helps those who attack it".to_owned());
        }
        if let Some(foreign) = executable.libraries.iter().find(|library| !parts.contains(&library.as_str())) {
            return wrong(format!("loads {foreign}; it may load {parts:?}"));
        }
        match self.runs_on {
            RunsOn::Glibc(major, minor) if executable.glibc.is_none_or(|needed| needed > (major, minor)) => {
                wrong(format!("needs glibc {:?}, not {major}.{minor} or older", executable.glibc))
            }
            RunsOn::AnyLinux if executable.interpreter.is_some() => {
                wrong(format!("is not static: it asks for {}", executable.interpreter.unwrap_or_default()))
            }
            RunsOn::MacOs(major, minor) if executable.macos.is_none_or(|needed| needed > (major, minor)) => {
                wrong(format!("needs macOS {:?}, not {major}.{minor} or older", executable.macos))
            }
            RunsOn::MacOs(..) => {
                signature::verify(image).map_err(|reason| format!("macOS would kill the executable: {reason}"))?;
                Ok(executable)
            }
            RunsOn::Glibc(..) | RunsOn::AnyLinux => Ok(executable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn a_target_is_found_by_cargos_name_and_a_wrong_one_is_told_the_right_ones() {
        let target = Target::named("aarch64-unknown-linux-gnu").expect("it is in the table");
        assert_eq!(target.with_oldest_glibc(), "aarch64-unknown-linux-gnu.2.17");
        let mac = Target::named("aarch64-apple-darwin").expect("it is in the table");
        assert_eq!((mac.with_oldest_glibc(), mac.oldest_macos()), (mac.triple.to_owned(), Some("11.0".to_owned())));
        let error = Target::named("arm64").expect_err("it is in no table");
        assert!(error.contains("`arm64`") && error.contains("x86_64-unknown-linux-musl"), "{error}");
    }

    #[test]
    fn what_is_no_executable_is_refused() {
        let target = Target::named("x86_64-unknown-linux-gnu").expect("it is in the table");
        assert!(target.check(b"#!/bin/sh\n").is_err());
    }

    #[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
    #[test]
    fn an_executable_is_refused_where_it_does_not_belong() {
        let own = std::fs::read(std::env::current_exe().expect("a test knows its program")).expect("readable");
        for (name, reason) in [
            ("aarch64-unknown-linux-gnu", "is for X86_64"),
            ("aarch64-apple-darwin", "is for X86_64"),
            ("x86_64-unknown-linux-musl", "it may load []"),
        ] {
            let error = Target::named(name).and_then(|target| target.check(&own).map(|_| ())).expect_err(name);
            assert!(error.contains(reason), "{error}");
        }
    }
}
