//! The program `puma`.

fn main() {}
