//! The few functions of CoreFoundation that reading a report needs.
#![expect(unsafe_code, reason = "foreign functions have no other door")]

use super::library::{open, symbol};
use crate::source::Unanswered;
use std::ffi::{CStr, c_char, c_void};

/// A pointer to an object of CoreFoundation or of the Objective-C runtime.
pub(super) type Object = *const c_void;

const PATH: &str = "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation";
const UTF8: u32 = 0x0800_0100;
/// Names of counters are a few words.
const LONGEST_TEXT: usize = 256;

/// Functions by their names in CoreFoundation.
#[derive(Clone, Copy)]
pub(super) struct CoreFoundation {
    release: unsafe extern "C" fn(Object),
    string_create: unsafe extern "C" fn(Object, *const c_char, u32) -> Object,
    string_copy_out: unsafe extern "C" fn(Object, *mut c_char, isize, u32) -> u8,
    dictionary_get: unsafe extern "C" fn(Object, Object) -> Object,
    dictionary_copy: unsafe extern "C" fn(Object, isize, Object) -> Object,
    array_count: unsafe extern "C" fn(Object) -> isize,
    array_get: unsafe extern "C" fn(Object, isize) -> Object,
}

/// An object that is released when it is dropped.
pub(super) struct Owned {
    functions: CoreFoundation,
    object: Object,
}

// SAFETY: objects of CoreFoundation may be used by one thread after another; no reference to the pointer is shared.
unsafe impl Send for Owned {}

impl Owned {
    pub(super) fn get(&self) -> Object {
        self.object
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the object is not null and was handed to us with one reference, which ends here.
        unsafe { (self.functions.release)(self.object) }
    }
}

impl CoreFoundation {
    /// # Errors
    /// This macOS lacks one of the functions.
    pub(super) fn load() -> Result<Self, Unanswered> {
        let library = open(PATH)?;
        // SAFETY: every type is the one that CoreFoundation's headers declare for the name.
        unsafe {
            Ok(Self {
                release: symbol(library, "CFRelease")?,
                string_create: symbol(library, "CFStringCreateWithCString")?,
                string_copy_out: symbol(library, "CFStringGetCString")?,
                dictionary_get: symbol(library, "CFDictionaryGetValue")?,
                dictionary_copy: symbol(library, "CFDictionaryCreateMutableCopy")?,
                array_count: symbol(library, "CFArrayGetCount")?,
                array_get: symbol(library, "CFArrayGetValueAtIndex")?,
            })
        }
    }

    /// Takes over the one reference that a function whose name says `Create` or `Copy` returned; `None` for null.
    pub(super) fn own(&self, object: Object) -> Option<Owned> {
        (!object.is_null()).then_some(Owned { functions: *self, object })
    }

    pub(super) fn string(&self, text: &CStr) -> Option<Owned> {
        // SAFETY: `text` ends with a zero byte; a null allocator stands for the default one.
        self.own(unsafe { (self.string_create)(std::ptr::null(), text.as_ptr(), UTF8) })
    }

    /// A copy that can be changed.
    ///
    /// # Safety
    /// `dictionary` is a living dictionary.
    pub(super) unsafe fn copied(&self, dictionary: Object) -> Option<Owned> {
        // SAFETY: the caller vouches for the dictionary; a capacity of 0 sets no bound.
        self.own(unsafe { (self.dictionary_copy)(std::ptr::null(), 0, dictionary) })
    }

    /// The text of a string; `None` for null and for strings that are too long to be a name.
    ///
    /// # Safety
    /// `string` is null or a living string.
    pub(super) unsafe fn text(&self, string: Object) -> Option<String> {
        let mut buffer = [0_u8; LONGEST_TEXT];
        if string.is_null() {
            return None;
        }
        // SAFETY: the caller vouches for the string; the buffer is as long as it is said to be.
        let fits = unsafe { (self.string_copy_out)(string, buffer.as_mut_ptr().cast(), LONGEST_TEXT as isize, UTF8) };
        if fits == 0 {
            return None;
        }
        CStr::from_bytes_until_nul(&buffer).ok()?.to_str().ok().map(str::to_owned)
    }

    /// The elements of the array that `dictionary` keeps under `key`; none when it keeps none. They live as long as the
    /// dictionary.
    ///
    /// # Safety
    /// `dictionary` is a living dictionary, and what it keeps under `key` is an array.
    pub(super) unsafe fn array_in(&self, dictionary: Object, key: &Owned) -> Vec<Object> {
        // SAFETY: the caller vouches for both; indices stay below the count.
        unsafe {
            let array = (self.dictionary_get)(dictionary, key.get());
            if array.is_null() {
                return Vec::new();
            }
            (0..(self.array_count)(array)).map(|index| (self.array_get)(array, index)).collect()
        }
    }
}
