//! Numbers as comparisons print them.

/// A value, as precise as its unit deserves; `-` where there is none.
pub(crate) fn plain(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.*}", digits(unit)))
}

/// A difference with its sign; a difference that rounds to nothing is 0 without one.
pub(super) fn signed(value: Option<f64>, unit: &str) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let text = format!("{value:+.*}", digits(unit));
    if text.contains(|c: char| c.is_ascii_digit() && c != '0') { text } else { text[1..].to_owned() }
}

/// An interval of values; empty where there is none.
pub(crate) fn interval(low: Option<f64>, high: Option<f64>, unit: &str) -> String {
    match (low, high) {
        (Some(_), Some(_)) => format!("[{}, {}]", plain(low, unit), plain(high, unit)),
        _ => String::new(),
    }
}

/// An interval of differences; empty where there is none.
pub(super) fn with_interval(low: Option<f64>, high: Option<f64>, unit: &str) -> String {
    match (low, high) {
        (Some(_), Some(_)) => format!("[{}, {}]", signed(low, unit), signed(high, unit)),
        _ => String::new(),
    }
}

/// `p = 0.0123`, `p < 0.0001`.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.0001 { "p < 0.0001".to_owned() } else { format!("p = {p:.4}") }
}

fn digits(unit: &str) -> usize {
    match unit {
        "count" | "tokens" | "ms" | "tokens/s" => 1,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::{p_value, plain, signed, with_interval};

    #[test]
    fn nothing_has_no_sign_and_the_unknown_is_a_dash() {
        assert_eq!((signed(Some(-0.00001), ""), signed(Some(0.25), "")), ("0.0000".to_owned(), "+0.2500".to_owned()));
        assert_eq!((plain(None, ""), plain(Some(12.345), "ms")), ("-".to_owned(), "12.3".to_owned()));
        assert_eq!(with_interval(Some(-0.5), Some(0.0), ""), "[-0.5000, 0.0000]");
        assert_eq!(with_interval(None, None, ""), "");
        assert_eq!((p_value(0.5), p_value(1e-9)), ("p = 0.5000".to_owned(), "p < 0.0001".to_owned()));
    }
}
