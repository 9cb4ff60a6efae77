//! Names that a machine gives itself and its user.

use super::shapes::bounded;
use super::words::is_word;
use crate::source::HostSource;
use regex::Regex;

/// Files that hold nothing but an identifier.
const IDENTIFIERS: [&str; 9] = [
    "/etc/machine-id",
    "/proc/sys/kernel/random/boot_id",
    "/sys/class/dmi/id/product_serial",
    "/sys/class/dmi/id/product_uuid",
    "/sys/class/dmi/id/board_serial",
    "/sys/class/dmi/id/chassis_serial",
    "/sys/class/dmi/id/product_asset_tag",
    "/proc/device-tree/serial-number",
    "/sys/firmware/devicetree/base/serial-number",
];

/// Words to be taken out wherever they stand, the longest first.
#[derive(Clone, Debug, Default)]
pub struct Names {
    names: Vec<Name>,
}

#[derive(Clone, Debug)]
struct Name {
    word: String,
    pattern: Regex,
    placeholder: &'static str,
}

impl Names {
    /// Asks `host` for the names of its user and of itself, and for its serial numbers.
    pub fn ask(host: &dyn HostSource) -> Self {
        let mut names = Self::default();
        let said = |program: &str, arguments: &[&str]| host.ask(program, arguments).unwrap_or_default();
        let read = |path: &str| host.read(path).unwrap_or_default();
        names.add("user", &said("id", &["-un"]));
        names.add("host", &read("/proc/sys/kernel/hostname"));
        names.add("host", &read("/etc/hostname"));
        if host.os() == "macos" {
            names.add("user", &said("id", &["-F"]));
            names.add("host", &said("/usr/sbin/scutil", &["--get", "ComputerName"]));
            names.add("host", &said("/usr/sbin/scutil", &["--get", "LocalHostName"]));
            names.add("host", &host.sysctl("kern.hostname").unwrap_or_default());
        }
        for path in IDENTIFIERS {
            names.add("identifier", &read(path));
        }
        names
    }

    /// `name` is taken out as a whole word, and so is its part before the first dot (a host's short name). A word that
    /// systems use themselves (`root`, `max`) names nobody and stays.
    pub fn add(&mut self, placeholder: &'static str, name: &str) {
        let name = name.trim_matches(['\0', '\n', ' ', '\t']);
        for word in [name, name.split('.').next().unwrap_or(name)] {
            let identifies = word.chars().count() >= 3 && !is_word(word);
            // Firmware that was never told a serial number says so in words or zeros.
            let told = placeholder != "identifier" || word.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
            if identifies && told && !self.names.iter().any(|known| known.word == word) {
                let pattern = Regex::new(&format!("(?i){}", regex::escape(word)));
                self.names.extend(pattern.ok().map(|pattern| Name { word: word.to_owned(), pattern, placeholder }));
            }
        }
        self.names.sort_by_key(|name| std::cmp::Reverse(name.word.len()));
    }

    /// `text` without the names.
    pub(super) fn replace(&self, text: &str) -> String {
        let replace = |text: String, name: &Name| bounded(&name.pattern, &text, |_| Some(name.placeholder.to_owned()));
        self.names.iter().fold(text.to_owned(), replace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_out_as_whole_words_only() {
        let mut names = Names::default();
        names.add("user", "Ann\n");
        names.add("host", "anns-mac.local");
        names.add("user", "root");
        names.add("identifier", "To be filled by O.E.M.");
        assert_eq!(names.replace("ann channel anns-mac anns-mac.local root"), "user channel host host root");
        assert_eq!(names.replace("To be filled by O.E.M."), "To be filled by O.E.M.");
    }
}
