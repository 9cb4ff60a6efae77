//! What `puma cross-arch` shows to people, as text or Markdown.

mod document;
mod evidence;
mod sections;

pub(crate) use sections::document;
