//! What an executable file says about itself.

use object::elf::FileHeader64;
use object::macho::MachHeader64;
use object::read::elf::{ElfFile, FileHeader as _, ProgramHeader as _};
use object::read::macho::MachOFile;
use object::{Architecture, Endianness, File, Object, ObjectKind};
use std::fmt;

/// The facts that decide where an executable runs.
#[derive(Clone, Debug)]
pub(crate) struct Executable {
    pub(crate) format: Format,
    pub(crate) architecture: Architecture,
    /// Whether it can be loaded anywhere in memory.
    pub(crate) position_independent: bool,
    /// The program that loads its libraries; `None` if it is static.
    pub(crate) interpreter: Option<String>,
    /// The libraries it cannot start without, sorted.
    pub(crate) libraries: Vec<String>,
    /// The newest version of glibc whose functions it asks for.
    pub(crate) glibc: Option<(u32, u32)>,
    /// The oldest macOS that starts it.
    pub(crate) macos: Option<(u32, u32)>,
}

/// How it is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Elf,
    MachO,
}

impl Executable {
    /// Reads the facts from a file's bytes.
    ///
    /// # Errors
    /// The bytes are no 64-bit ELF or Mach-O executable, or contradict themselves.
    pub(crate) fn read(image: &[u8]) -> Result<Executable, String> {
        let facts = match File::parse(image) {
            Ok(File::Elf64(file)) => of_elf(&file),
            Ok(File::MachO64(file)) if file.kind() == ObjectKind::Executable => of_mach_o(&file),
            Ok(other) => return Err(format!("this is {:?}, no 64-bit ELF or Mach-O executable", other.format())),
            Err(error) => Err(error),
        };
        facts.map_err(|error| format!("this is no executable that can be read: {error}"))
    }
}

fn of_elf(file: &ElfFile<'_, FileHeader64<Endianness>>) -> object::Result<Executable> {
    let (endian, data) = (file.endian(), file.data());
    let mut interpreter = None;
    for segment in file.elf_program_headers() {
        if let Some(path) = segment.interpreter(endian, data)? {
            interpreter = Some(text(path));
        }
    }
    let sections = file.elf_section_table();
    let mut glibc = None;
    if let Some((mut needs, link)) = sections.gnu_verneed(endian, data)? {
        let strings = sections.strings(endian, data, link)?;
        while let Some((_, mut versions)) = needs.next()? {
            while let Some(version) = versions.next()? {
                glibc = glibc.max(glibc_version(&text(version.name(endian, strings)?)));
            }
        }
    }
    Ok(Executable {
        format: Format::Elf,
        architecture: file.architecture(),
        position_independent: file.elf_header().e_type(endian) == object::elf::ET_DYN,
        interpreter,
        libraries: libraries(file)?,
        glibc,
        macos: None,
    })
}

fn of_mach_o(file: &MachOFile<'_, MachHeader64<Endianness>>) -> object::Result<Executable> {
    let macos = file.build_version()?.map(|(version, _)| {
        let oldest = version.minos.get(file.endian());
        (oldest.major().into(), oldest.minor().into())
    });
    let flags = file.macho_header().flags.get(file.endian());
    Ok(Executable {
        format: Format::MachO,
        architecture: file.architecture(),
        position_independent: flags.contains(object::macho::MH_PIE),
        interpreter: None,
        libraries: libraries(file)?,
        glibc: None,
        macos,
    })
}

fn libraries<'data>(file: &impl Object<'data>) -> object::Result<Vec<String>> {
    let mut found = Vec::new();
    for library in file.import_libraries()? {
        found.push(text(library?.name()));
    }
    found.sort();
    Ok(found)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `GLIBC_2.28` and `GLIBC_2.2.5` as their first two numbers; `None` for other symbol versions, private ones among them.
fn glibc_version(name: &str) -> Option<(u32, u32)> {
    let mut numbers = name.strip_prefix("GLIBC_")?.split('.').map(str::parse);
    let mut next = || numbers.next().and_then(Result::ok);
    Some((next()?, next()?))
}

impl fmt::Display for Executable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?} {:?}", self.format, self.architecture)?;
        if self.position_independent {
            write!(out, ", position-independent")?;
        }
        match (self.format, &self.interpreter) {
            (Format::Elf, None) => write!(out, ", static")?,
            (Format::Elf, Some(interpreter)) => write!(out, ", loaded by {interpreter}")?,
            (Format::MachO, _) => {}
        }
        if !self.libraries.is_empty() {
            write!(out, ", loads {}", self.libraries.join(" "))?;
        }
        if let Some((major, minor)) = self.glibc {
            write!(out, ", glibc {major}.{minor} or newer")?;
        }
        if let Some((major, minor)) = self.macos {
            write!(out, ", macOS {major}.{minor} or newer")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Executable, glibc_version};

    #[test]
    fn symbol_versions_are_compared_as_numbers() {
        assert_eq!(glibc_version("GLIBC_2.2.5"), Some((2, 2)));
        assert!(glibc_version("GLIBC_2.28") > glibc_version("GLIBC_2.4"));
        for other in ["GLIBC_PRIVATE", "GLIBC_ABI_DT_RELR", "GCC_3.0", "GLIBC_2"] {
            assert_eq!(glibc_version(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_executable_is_an_error() {
        for bytes in [&b""[..], b"#!/bin/sh\n", b"\x7fELF\x02\x01\x01", &[0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1]] {
            assert!(Executable::read(bytes).is_err(), "{bytes:?}");
        }
    }

    /// `readelf` of binutils is the oracle; a C compiler brings it along, so it is where Rust links.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn the_facts_are_those_that_readelf_prints() {
        let path = std::env::current_exe().expect("a test knows its program");
        let path = path.to_string_lossy();
        let read = |option: &str| crate::command::output("readelf", &["-W", option, &path]).expect("readelf runs");
        let own = Executable::read(&std::fs::read(&*path).expect("readable")).expect("it runs, so it can be read");

        let between = |text: &str, before: &str, after: char| -> Vec<String> {
            let rest = text.split(before).skip(1);
            rest.filter_map(|rest| Some(rest.split_once(after)?.0.to_owned())).collect()
        };
        let mut needed = between(&read("--dynamic"), "Shared library: [", ']');
        needed.sort();
        assert_eq!(own.libraries, needed);
        assert_eq!(own.interpreter, between(&read("--segments"), "program interpreter: ", ']').pop());
        let versions = between(&read("--version-info"), "Name: ", ' ');
        assert_eq!(own.glibc, versions.iter().filter_map(|name| glibc_version(name)).max());
        assert!(own.glibc.is_some());
    }
}
