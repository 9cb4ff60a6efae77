//! `puma engine digest`: one digest for a model, whatever computes it.

use crate::support::Home;

#[test]
fn the_digest_is_the_same_for_every_path() {
    let home = Home::new();
    let model = home.model();
    let digest = |more: &[&str]| {
        let report = home.puma(&[&["engine", "digest", &model, "--json"][..], more].concat()).json();
        assert_eq!(report["contract"], "N1");
        report["digest"].as_str().expect("a digest").to_owned()
    };
    let expected = digest(&["--simd", "scalar", "--threads", "1", "--batch", "1"]);
    for more in [&["--threads", "2"][..], &["--batch", "8"], &["--no-prefix-reuse"], &["--order", "3"], &[]] {
        assert_eq!(digest(more), expected, "{more:?}");
    }
    let half = home.puma(&["engine", "digest", &model, "--kv-type", "f16", "--json"]).json();
    assert_eq!(half["contract"], "N1+kv-f16");
    assert_ne!(half["digest"], expected);
    assert_eq!(home.puma(&["engine", "digest", &model, "--expect", &expected]).code, Some(0));
    home.puma(&["engine", "digest", &model, "--expect", "00"]).fails(3, &["expected 00", "hint:"]);
}
