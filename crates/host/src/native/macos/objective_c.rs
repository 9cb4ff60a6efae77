//! Messages to objects of the Objective-C runtime.
#![expect(unsafe_code, reason = "foreign functions have no other door")]

use super::core_foundation::Object;
use super::library::{open, symbol};
use crate::source::Unanswered;
use libloading::Library;
use std::ffi::{CStr, c_char};

const PATH: &str = "/usr/lib/libobjc.A.dylib";

/// The runtime. Its one message function is declared anew for every signature.
pub(super) struct Runtime {
    library: &'static Library,
    selector: unsafe extern "C" fn(*const c_char) -> Object,
    release: unsafe extern "C" fn(Object),
    push_pool: unsafe extern "C" fn() -> Object,
    pop_pool: unsafe extern "C" fn(Object),
}

/// Objects that methods hand out without a reference live until this is dropped.
pub(super) struct Pool<'a> {
    runtime: &'a Runtime,
    pool: Object,
}

impl Drop for Pool<'_> {
    fn drop(&mut self) {
        // SAFETY: the pool was pushed on this thread (the type is not `Send`) and is the innermost one.
        unsafe { (self.runtime.pop_pool)(self.pool) }
    }
}

impl Runtime {
    /// # Errors
    /// This macOS lacks one of the functions.
    pub(super) fn load() -> Result<Self, Unanswered> {
        let library = open(PATH)?;
        // SAFETY: every type is the one that the runtime's headers declare for the name.
        unsafe {
            Ok(Self {
                library,
                selector: symbol(library, "sel_registerName")?,
                release: symbol(library, "objc_release")?,
                push_pool: symbol(library, "objc_autoreleasePoolPush")?,
                pop_pool: symbol(library, "objc_autoreleasePoolPop")?,
            })
        }
    }

    pub(super) fn pool(&self) -> Pool<'_> {
        // SAFETY: a pool may be pushed at any time; `Pool` pops it.
        Pool { runtime: self, pool: unsafe { (self.push_pool)() } }
    }

    /// Ends the caller's reference.
    ///
    /// # Safety
    /// `object` is null or an object of which the caller holds a reference and makes no use afterwards.
    pub(super) unsafe fn release(&self, object: Object) {
        // SAFETY: the caller vouches for it.
        unsafe { (self.release)(object) }
    }

    /// What `object` answers to a message without arguments; `None` when it does not know the message.
    ///
    /// # Safety
    /// `object` is a living object, and the method of that name returns a `T` in one register.
    unsafe fn send<T>(&self, object: Object, name: &CStr) -> Option<T> {
        // SAFETY: both signatures are those of the messages; every object answers the first one.
        unsafe {
            let knows: unsafe extern "C" fn(Object, Object, Object) -> u8 =
                symbol(self.library, "objc_msgSend").ok()?;
            let method = (self.selector)(name.as_ptr());
            if knows(object, (self.selector)(c"respondsToSelector:".as_ptr()), method) == 0 {
                return None;
            }
            let ask: unsafe extern "C" fn(Object, Object) -> T = symbol(self.library, "objc_msgSend").ok()?;
            Some(ask(object, method))
        }
    }

    /// # Safety
    /// `object` is a living object whose method of that name returns an unsigned integer of 64 bits.
    pub(super) unsafe fn number(&self, object: Object, name: &CStr) -> Option<u64> {
        // SAFETY: the caller vouches for it.
        unsafe { self.send(object, name) }
    }

    /// # Safety
    /// `object` is a living object whose method of that name returns a `BOOL`.
    pub(super) unsafe fn truth(&self, object: Object, name: &CStr) -> Option<bool> {
        // SAFETY: the caller vouches for it; a `BOOL` is one byte on every Mac.
        unsafe { self.send::<u8>(object, name) }.map(|byte| byte != 0)
    }

    /// # Safety
    /// `object` is a living object whose method of that name returns a string or nil, and a pool is open.
    pub(super) unsafe fn text(&self, object: Object, name: &CStr) -> Option<String> {
        // SAFETY: the caller vouches for the object; the bytes live as long as the pool, and are copied here.
        unsafe {
            let string: Object = self.send(object, name)?;
            if string.is_null() {
                return None;
            }
            let bytes: *const c_char = self.send(string, c"UTF8String")?;
            if bytes.is_null() {
                return None;
            }
            Some(CStr::from_ptr(bytes).to_string_lossy().into_owned())
        }
    }
}
