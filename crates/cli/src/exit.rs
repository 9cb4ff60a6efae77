//! The program's exit codes, as documented.

/// Why the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitKind {
    Ok,
    OperationFailed,
    InvalidInput,
    OutsideTolerance,
    HardwareInsufficient,
    NothingMatched,
    Interrupted,
}

pub(crate) struct ExitCode {
    pub kind: ExitKind,
    pub code: u8,
    pub meaning: &'static str,
}

const fn row(kind: ExitKind, code: u8, meaning: &'static str) -> ExitCode {
    ExitCode { kind, code, meaning }
}

/// Every exit code. Help and reference are made from this table.
pub(crate) const EXIT_CODES: [ExitCode; 7] = [
    row(ExitKind::Ok, 0, "Success."),
    row(ExitKind::OperationFailed, 1, "The operation failed: a server, a file, a model or the disk gave up."),
    row(ExitKind::InvalidInput, 2, "Usage or input is invalid; nothing was started."),
    row(
        ExitKind::OutsideTolerance,
        3,
        "A result differs from the expected one (`engine digest --expect`, `cross-arch`). `validate-baseline` ends with 1 instead, \
         as upstream PUMA does.",
    ),
    row(ExitKind::HardwareInsufficient, 4, "This machine cannot run what was asked."),
    row(
        ExitKind::NothingMatched,
        5,
        "Nothing matched the filter. `list-runs` ends with 2 instead, as upstream PUMA documents.",
    ),
    row(ExitKind::Interrupted, 130, "Interrupted; finished jobs are stored and `puma run --resume` goes on."),
];

impl ExitKind {
    pub(crate) fn code(self) -> u8 {
        EXIT_CODES.iter().find(|row| row.kind == self).map_or(1, |row| row.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_code() {
        let mut codes: Vec<u8> = EXIT_CODES.iter().map(|row| row.kind.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), EXIT_CODES.len());
    }
}
