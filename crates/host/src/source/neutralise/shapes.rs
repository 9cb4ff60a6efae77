//! Identifiers that can be told by their shape, in any text.

use super::placeholder::Placeholders;
use regex::{Captures, Regex};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::LazyLock;

/// Addresses that are reserved for documentation, and an unassigned hardware address.
const IPV4: &str = "192.0.2.1";
const IPV6: &str = "2001:db8::1";
const MAC: &str = "02:00:00:00:00:00";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern written here")
}

static UUID: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[0-9a-fA-F]{8}(?:(?:-[0-9a-fA-F]{4}){3}-|(?:_[0-9a-fA-F]{4}){3}_)[0-9a-fA-F]{12}"));
static MAC_ADDRESS: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}"));
static FOUR_NUMBERS: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"));
static DASHED_ADDRESS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bip(?:-[0-9]{1,3}){4}\b"));
static WITH_COLONS: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9a-fA-F]*:[0-9a-fA-F:]+(?:\.[0-9]{1,3}){0,3}"));
static HEX: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9a-fA-F]{12,}"));
static AT: LazyLock<Regex> = LazyLock::new(|| pattern(r"[\p{L}\p{N}._%+-]+@[\p{L}][\p{L}\p{N}.-]*"));
static HOME: LazyLock<Regex> = LazyLock::new(|| pattern(r#"((?:/home|/Users|\\Users)[/\\])([^/\\\s"':,;]+)"#));
/// A name of an identifier, `:` or `=`, and its value up to the end of the line or of the JSON value.
static KEYED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r#"(?i)((?:serial|uuid|udid|asset[ _-]?tag|machine[ _-]?id|boot[ _-]?id|computer[ _]?name|(?:host|user)_?name|unique[ _-]?id)"#,
        r#"(?:[\p{L} _().-][\p{L}\p{N} _().-]{0,23})?"?[ \t]*[:=][ \t]*)("[^"\n]*"|<[^>\n]*>|[^\s,;{}\[\]"<][^,;\n{}\[\]"]*)"#
    ))
});

/// `text` with every identifier of a known shape replaced.
pub(super) fn replace(text: &str, places: &mut Placeholders) -> String {
    let text = KEYED.replace_all(text, |found: &Captures| format!("{}{}", &found[1], keyed(&found[2], places)));
    let text = UUID.replace_all(&text, |found: &Captures| places.uuid(&found[0]));
    let text = DASHED_ADDRESS.replace_all(&text, "ip-192-0-2-1");
    let text = bounded(&MAC_ADDRESS, &text, |_| Some(MAC.to_owned()));
    let text = bounded(&WITH_COLONS, &text, |found| ipv6(found).then(|| IPV6.to_owned()));
    let text = replace_found(&FOUR_NUMBERS, &text, |text, at| ipv4(text, at).then(|| IPV4.to_owned()));
    let text = bounded(&HEX, &text, |found| is_id(found).then(|| places.named("id", &found.to_ascii_lowercase())));
    let text = AT.replace_all(&text, |found: &Captures| {
        // Who built libkrun's kernel is how that kernel is told.
        if &found[0] == "root@libkrunfw" { found[0].to_owned() } else { "user@host".to_owned() }
    });
    HOME.replace_all(&text, |found: &Captures| {
        let name = if &found[2] == "Shared" { "Shared" } else { "user" };
        format!("{}{name}", &found[1])
    })
    .into_owned()
}

/// The value of an identifier's key, its quotes kept. Words that say there is none stay.
fn keyed(value: &str, places: &mut Placeholders) -> String {
    let inner = value.trim_matches(['"', '<', '>']).trim();
    if inner.is_empty() || matches!(inner, "null" | "true" | "false" | "None" | "N/A" | "0") || UUID.is_match(inner) {
        return value.to_owned();
    }
    let name = places.named("serial", inner);
    if value.starts_with('"') { format!("\"{name}\"") } else { name }
}

fn replace_found(pattern: &Regex, text: &str, with: impl Fn(&str, Range<usize>) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for found in pattern.find_iter(text) {
        if let Some(replacement) = with(text, found.range()) {
            out.push_str(&text[done..found.start()]);
            out.push_str(&replacement);
            done = found.end();
        }
    }
    out.push_str(&text[done..]);
    out
}

/// Replaces what `with` takes, where no letter or digit touches it.
pub(super) fn bounded(pattern: &Regex, text: &str, mut with: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for found in pattern.find_iter(text) {
        let before = text[..found.start()].chars().next_back();
        let after = text[found.end()..].chars().next();
        if [before, after].into_iter().flatten().any(char::is_alphanumeric) {
            continue;
        }
        if let Some(replacement) = with(found.as_str()) {
            out.push_str(&text[done..found.start()]);
            out.push_str(&replacement);
            done = found.end();
        }
    }
    out.push_str(&text[done..]);
    out
}

fn ipv6(found: &str) -> bool {
    let text = found.trim_end_matches('.');
    let address = text.parse::<Ipv6Addr>().or_else(|_| text.trim_end_matches(':').parse());
    address.is_ok_and(|address| !address.is_unspecified() && !address.is_loopback() && text != IPV6)
}

/// Kernels and drivers have versions of four numbers too: those touch a letter, or a dash with a letter behind it.
fn ipv4(text: &str, at: Range<usize>) -> bool {
    let before = text[..at.start].chars().next_back();
    let mut after = text[at.end..].chars();
    let (next, second) = (after.next(), after.next());
    let longer = before.is_some_and(|c| c.is_alphanumeric() || c == '.')
        || next.is_some_and(char::is_alphanumeric)
        || (next == Some('.') && second.is_some_and(|c| c.is_ascii_digit()))
        || (next == Some('-') && second.is_some_and(char::is_alphabetic));
    let Ok(IpAddr::V4(address)) = text[at].parse::<IpAddr>() else { return false };
    !longer && !address.is_loopback() && !address.is_unspecified() && address != Ipv4Addr::new(192, 0, 2, 1)
}

/// Long enough for a container's or a machine's id. Plain decimal numbers are counters.
fn is_id(found: &str) -> bool {
    let digits = found.bytes().filter(u8::is_ascii_digit).count();
    let letters = found.len() - digits;
    letters > 0 && (digits > 0 || found.len() >= 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str) -> String {
        replace(text, &mut Placeholders::default())
    }

    #[test]
    fn identifiers_become_placeholders() {
        for (text, expected) in [
            ("Serial\t\t: 10000000a1b2c3d4\nModel\t\t: Pi\n", "Serial\t\t: serial1\nModel\t\t: Pi\n"),
            (
                r#"{"serial_number":"C02XYZ","chip_type":"Apple M2"}"#,
                r#"{"serial_number":"serial1","chip_type":"Apple M2"}"#,
            ),
            (r#""IOPlatformSerialNumber" = "C02XYZ""#, r#""IOPlatformSerialNumber" = "serial1""#),
            ("GPU-8f6f2c1a-1111-2222-3333-444455556666", "GPU-00000000-0000-0000-0000-000000000001"),
            ("link/ether 3c:22:fb:12:34:56 brd", "link/ether 02:00:00:00:00:00 brd"),
            ("inet 10.1.2.3/24 via 10.1.2.1", "inet 192.0.2.1/24 via 192.0.2.1"),
            ("fe80::3e22:fbff:fe12:3456/64", "2001:db8::1/64"),
            ("(builder@buildhost.example.org)", "(user@host)"),
            ("/home/jane/models /Users/jane C:\\Users\\jane\\x", "/home/user/models /Users/user C:\\Users\\user\\x"),
            ("docker-0123456789abcdef0123456789abcdef.scope", "docker-id1.scope"),
            ("node ip-10-1-2-3.ec2", "node ip-192-0-2-1.ec2"),
        ] {
            assert_eq!(replaced(text), expected);
        }
    }

    #[test]
    fn facts_of_a_similar_shape_stay() {
        for text in [
            "5.15.167.4-microsoft-standard-WSL2",
            "6.19.13-orbstack-gbd1dc07b8cf4",
            "9223372036854771712",
            "max_energy_range_uj 262143328850",
            "0000:01:00.0",
            "0::/",
            "pid:[4026531836]",
            "id 0x10000039c, registered",
            "VirtualApple @ 2.50GHz",
            "proc 8:4:4",
            "/run/host_mark/Users rw",
            "127.0.0.1:11434",
            "serial: null",
        ] {
            assert_eq!(replaced(text), text);
        }
    }
}
