//! Libraries of the system, opened by name.
#![expect(unsafe_code, reason = "foreign functions have no other door")]

use crate::source::Unanswered;
use libloading::Library;

/// Opens a library of macOS for as long as the program runs. Most are no files: the loader keeps them in its cache.
///
/// # Errors
/// This macOS has no such library.
pub(super) fn open(path: &'static str) -> Result<&'static Library, Unanswered> {
    // SAFETY: `path` names one of Apple's own libraries, whose initialisers any program may run at any time.
    let library = unsafe { Library::new(path) }.map_err(|_| Unanswered::Absent)?;
    Ok(Box::leak(Box::new(library)))
}

/// The function or variable `name`, as a copied pointer.
///
/// # Safety
/// `T` is a function pointer or raw pointer that fits what `name` stands for.
///
/// # Errors
/// The library has no such symbol.
pub(super) unsafe fn symbol<T: Copy>(library: &'static Library, name: &'static str) -> Result<T, Unanswered> {
    // SAFETY: the caller vouches for the type; the library is never closed, so that the copy stays valid.
    let found = unsafe { library.get::<T>(name.as_bytes()) };
    found.map(|symbol| *symbol).map_err(|_| Unanswered::Failed(format!("this macOS has no {name}")))
}
