//! Rules about Rust code.

use super::finding::Finding;
use super::tokens::{self, as_group, attribute, is_punct, line, word};
use proc_macro2::{Delimiter, TokenTree};

/// Longer functions fail.
pub(crate) const LONGEST_FUNCTION: usize = 100;

/// Methods of f32 and f64 whose result may differ between platforms or compilers.
const BANNED_FLOAT: &[&str] = &[
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "exp", "exp2", "exp_m1",
    "hypot", "ln", "ln_1p", "log", "log10", "log2", "mul_add", "powf", "powi", "sin", "sin_cos", "sinh", "tan", "tanh",
];

/// Where numbers must have the same bits on every machine.
const EXACT: &[&str] = &["crates/kernels/src/", "crates/engine/src/"];

/// Where `unsafe` may stand: instruction sets, the one memory map, the one thread pool, foreign functions.
const UNSAFE: &[&str] = &[
    "crates/kernels/src/arch",
    "crates/kernels/src/table",
    "crates/engine/src/gguf",
    "crates/engine/src/pool.rs",
    "crates/host/src/",
];

const WHY_FLOAT: &str = "the numerics contract allows only + − × ÷ √ and conversions; libm and FMA change bits";
const WHY_UNSAFE: &str = "unsafe code has few, known homes, so that it can be reviewed as a whole";
const WHY_STUB: &str = "what is in the repository works; what is missing is absent";
const WHY_LENGTH: &str = "a function fits on a screen or two; longer ones hide a second subject";
const WHY_MOD: &str = "mod.rs is a folder's table of contents; logic has a file with a name";
const WHY_IGNORE: &str = "a test that is switched off says why";
const WHY_PARSE: &str = "every source file compiles";

/// A function and how many lines it takes, signature and braces included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    pub(crate) lines: usize,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) line: usize,
}

/// What one file breaks, and how long its functions are.
pub(crate) fn check(path: &str, text: &str) -> (Vec<Finding>, Vec<Length>) {
    let stream = match tokens::parse(text) {
        Ok(stream) => stream,
        Err(error) => return (vec![Finding::new(path, 0, error, WHY_PARSE)], Vec::new()),
    };
    let mut file = File { path, findings: Vec::new(), lengths: Vec::new() };
    tokens::each_list(&stream, &mut |list, in_test| {
        for index in 0..list.len() {
            file.unfinished(list, index);
            file.unsafe_code(list, index);
            file.ignored_test(list, index);
            file.length(list, index);
            if !in_test {
                file.float(list, index);
            }
        }
    });
    // Below tests/, mod.rs is how Cargo shares code between test programs.
    if path.contains("/src/") && path.ends_with("/mod.rs") {
        for token in stream {
            let logic = word(&token).filter(|word| matches!(&**word, "fn" | "struct" | "enum" | "impl" | "trait"));
            if let Some(word) = logic {
                file.found(line(&token), format!("`{word}` in a mod.rs"), WHY_MOD);
            }
        }
    }
    (file.findings, file.lengths)
}

struct File<'a> {
    path: &'a str,
    findings: Vec<Finding>,
    lengths: Vec<Length>,
}

impl File<'_> {
    fn found(&mut self, line: usize, what: String, why: &'static str) {
        self.findings.push(Finding::new(self.path, line, what, why));
    }

    fn unfinished(&mut self, list: &[TokenTree], index: usize) {
        let Some(name) = word(&list[index]).filter(|name| name == "todo" || name == "unimplemented") else { return };
        if list.get(index + 1).is_some_and(|next| is_punct(next, '!')) {
            self.found(line(&list[index]), format!("`{name}!`"), WHY_STUB);
        }
    }

    fn unsafe_code(&mut self, list: &[TokenTree], index: usize) {
        let home = UNSAFE.iter().any(|home| self.path.starts_with(home));
        let shipped = self.path.contains("/src/");
        if shipped && !home && word(&list[index]).is_some_and(|word| word == "unsafe") {
            self.found(line(&list[index]), "`unsafe` away from home".to_owned(), WHY_UNSAFE);
        }
    }

    fn ignored_test(&mut self, list: &[TokenTree], index: usize) {
        if attribute(list, index).is_some_and(|inside| inside.stream().to_string() == "ignore") {
            self.found(line(&list[index]), "`#[ignore]` without a reason".to_owned(), WHY_IGNORE);
        }
    }

    fn length(&mut self, list: &[TokenTree], index: usize) {
        if word(&list[index]).is_none_or(|word| word != "fn") {
            return;
        }
        let Some(name) = list.get(index + 1).and_then(word) else { return };
        let rest = list[index + 1..].iter().take_while(|token| !is_punct(token, ';'));
        let Some(body) = rest.filter_map(as_group).find(|group| group.delimiter() == Delimiter::Brace) else { return };
        let start = line(&list[index]);
        let lines = body.span_close().end().line + 1 - start;
        if lines > LONGEST_FUNCTION {
            let what = format!("`{name}` takes {lines} lines; the longest allowed is {LONGEST_FUNCTION}");
            self.found(start, what, WHY_LENGTH);
        }
        self.lengths.push(Length { lines, name, path: self.path.to_owned(), line: start });
    }

    fn float(&mut self, list: &[TokenTree], index: usize) {
        if !EXACT.iter().any(|folder| self.path.starts_with(folder)) {
            return;
        }
        let Some(name) = word(&list[index]).filter(|name| BANNED_FLOAT.contains(&&**name)) else { return };
        let before = |back: usize| index.checked_sub(back).map(|index| &list[index]);
        let called = list.get(index + 1).and_then(as_group).is_some_and(|g| g.delimiter() == Delimiter::Parenthesis);
        let method = called && before(1).is_some_and(|token| is_punct(token, '.'));
        let path = before(1).is_some_and(|token| is_punct(token, ':'))
            && before(3).and_then(word).is_some_and(|word| word == "f32" || word == "f64");
        if method || path {
            self.found(line(&list[index]), format!("the platform's `{name}`"), WHY_FLOAT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    fn findings(path: &str, text: &str) -> Vec<(usize, String)> {
        check(path, text).0.into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    const ENGINE: &str = "crates/engine/src/sample.rs";

    #[test]
    fn platform_floats_are_banned_where_bits_matter() {
        let text = "fn f(x: f32) -> f32 {\n    let y = x.exp();\n    f64::ln(2.0);\n    (y + 1.0).mul_add(x, y)\n}";
        let told: Vec<usize> = findings(ENGINE, text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(told, [2, 3, 4]);
        assert!(findings("crates/eval/src/stats.rs", text).is_empty());
    }

    #[test]
    fn own_functions_tests_comments_and_strings_may_say_exp() {
        let text = "// x.exp()\nfn f(x: f32) -> f32 { math::exp(x) + exp(x) }\nconst S: &str = \"x.exp()\";\n\
                    #[cfg(test)]\nmod tests {\n    fn g() { 1f32.exp(); }\n    #[test]\n    fn h() { 2f32.ln(); }\n}";
        assert!(findings(ENGINE, text).is_empty());
    }

    #[test]
    fn code_after_a_test_module_is_no_test_code() {
        let text = "#[cfg(test)]\nmod tests { fn g() { 1f32.exp(); } }\nfn f() { 1f32.exp(); }";
        assert_eq!(findings(ENGINE, text), [(3, "the platform's `exp`".to_owned())]);
    }

    #[test]
    fn unsafe_stays_at_home() {
        let text = "fn f() {\n    unsafe { g() }\n}";
        assert_eq!(findings("crates/eval/src/run.rs", text), [(2, "`unsafe` away from home".to_owned())]);
        assert!(findings("crates/kernels/src/arch/avx2.rs", text).is_empty());
        assert!(findings("crates/eval/src/run.rs", "#![deny(unsafe_code)]\nconst S: &str = \"unsafe\";").is_empty());
    }

    #[test]
    fn stubs_fail_anywhere() {
        assert_eq!(findings("crates/cli/src/main.rs", "fn f() {\n todo!()\n}"), [(2, "`todo!`".to_owned())]);
        assert_eq!(findings("crates/cli/tests/a.rs", "fn f() { unimplemented!(\"x\") }").len(), 1);
        assert!(findings("crates/cli/src/main.rs", "fn todo() { todo() }").is_empty());
    }

    #[test]
    fn a_function_may_take_a_hundred_lines_and_not_one_more() {
        let function = |lines: usize| format!("fn long() {{\n{}}}", "    g();\n".repeat(lines - 2));
        assert!(findings("crates/cli/src/main.rs", &function(100)).is_empty());
        assert_eq!(
            findings("crates/cli/src/main.rs", &function(101)),
            [(1, "`long` takes 101 lines; the longest allowed is 100".to_owned())]
        );
        let (_, lengths) = check("a.rs", "trait T {\n    fn a();\n    fn b() {\n    }\n}");
        assert_eq!(lengths.iter().map(|length| (length.name.as_str(), length.lines)).collect::<Vec<_>>(), [("b", 2)]);
    }

    #[test]
    fn mod_rs_is_a_table_of_contents() {
        let contents = "//! fn in a comment\n#[path = \"b.rs\"]\nmod a;\npub use a::B;\n";
        assert!(findings("crates/eval/src/spec/mod.rs", contents).is_empty());
        let logic = format!("{contents}fn f() {{}}\npub struct S;\n");
        let told = findings("crates/eval/src/spec/mod.rs", &logic);
        assert_eq!(told, [(5, "`fn` in a mod.rs".to_owned()), (6, "`struct` in a mod.rs".to_owned())]);
        assert!(findings("crates/eval/src/spec/parse.rs", &logic).is_empty());
    }

    #[test]
    fn a_test_is_switched_off_with_a_reason() {
        assert_eq!(findings("a/tests/b.rs", "#[test]\n#[ignore]\nfn f() {}").len(), 1);
        assert!(findings("a/tests/b.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}").is_empty());
    }

    #[test]
    fn broken_source_is_a_finding_and_no_panic() {
        assert_eq!(findings("a.rs", "fn f( {").len(), 1);
    }
}
