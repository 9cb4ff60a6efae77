//! Rust source as tokens with lines: comments and strings cannot be mistaken for code.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Reads source text.
///
/// # Errors
/// It is no Rust.
pub(crate) fn parse(text: &str) -> Result<TokenStream, String> {
    text.parse().map_err(|error| format!("is no Rust: {error}"))
}

/// Calls `visit` for every list of tokens: the file itself, then the inside of each bracket, outermost first. The flag
/// says whether the list belongs to test code (`#[cfg(test)]` or `#[test]`).
pub(crate) fn each_list(stream: &TokenStream, visit: &mut dyn FnMut(&[TokenTree], bool)) {
    inside(stream.clone(), false, visit);
}

fn inside(stream: TokenStream, in_test: bool, visit: &mut dyn FnMut(&[TokenTree], bool)) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    // A list is told in parts, so that the items of a module can be test code or not one by one.
    let mut start = 0;
    let mut test_item = false;
    for (index, token) in tokens.iter().enumerate() {
        if let Some(attribute) = attribute(&tokens, index) {
            test_item |= marks_test(attribute);
        }
        let ends = match token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => punct.as_char() == ';',
            _ => false,
        };
        if ends || index + 1 == tokens.len() {
            let part = &tokens[start..=index];
            visit(part, in_test || test_item);
            for group in part.iter().filter_map(as_group) {
                inside(group.stream(), in_test || test_item, visit);
            }
            (start, test_item) = (index + 1, false);
        }
    }
}

/// The inside of the attribute that starts at `index` (`#[…]` or `#![…]`).
pub(crate) fn attribute(tokens: &[TokenTree], index: usize) -> Option<&Group> {
    if !is_punct(tokens.get(index)?, '#') {
        return None;
    }
    let next = if is_punct(tokens.get(index + 1)?, '!') { index + 2 } else { index + 1 };
    as_group(tokens.get(next)?).filter(|group| group.delimiter() == Delimiter::Bracket)
}

fn marks_test(attribute: &Group) -> bool {
    let text = attribute.stream().to_string().replace(' ', "");
    text == "test" || text == "cfg(test)" || text.starts_with("cfg(all(test")
}

pub(crate) fn as_group(token: &TokenTree) -> Option<&Group> {
    if let TokenTree::Group(group) = token { Some(group) } else { None }
}

pub(crate) fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// The identifier, if the token is one.
pub(crate) fn word(token: &TokenTree) -> Option<String> {
    if let TokenTree::Ident(ident) = token { Some(ident.to_string()) } else { None }
}

/// The text of a string literal.
pub(crate) fn string(token: &TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = token else { return None };
    literal.to_string().strip_prefix('"')?.strip_suffix('"').map(str::to_owned)
}

pub(crate) fn line(token: &TokenTree) -> usize {
    token.span().start().line
}
