//! Small pieces of sentences.

/// `1 job`, `2 jobs`.
pub(super) fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// `a, b and c`.
pub(super) fn listed<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// `name value`, or that it is not recorded.
pub(super) fn known(name: &str, value: Option<impl AsRef<str>>) -> String {
    match value.as_ref().map(AsRef::as_ref).filter(|value| !value.is_empty()) {
        Some(value) => format!("{name} {value}"),
        None => format!("{name} not recorded"),
    }
}

/// Gibibytes, as memory is sold.
pub(super) fn gibibytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_as_people_write_them() {
        assert_eq!(listed::<&str>(&[]), "");
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(known("digest", None::<&str>), "digest not recorded");
        assert_eq!(known("digest", Some("")), "digest not recorded");
        assert_eq!((counted(1, "job"), counted(0, "job")), ("1 job".to_owned(), "0 jobs".to_owned()));
    }
}
