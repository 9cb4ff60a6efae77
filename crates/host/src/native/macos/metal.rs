//! The default Metal device, as JSON: `{"name": "Apple M4 Pro", "working_set_bytes": …, "allocated_bytes": …,
//! "largest_buffer_bytes": …, "unified_memory": true}`. A key is null where this macOS does not know the property.
#![expect(unsafe_code, reason = "foreign functions have no other door")]

use super::core_foundation::Object;
use super::library::{open, symbol};
use super::objective_c::Runtime;
use crate::source::{Answer, Unanswered};

const METAL: &str = "/System/Library/Frameworks/Metal.framework/Metal";
/// A program without windows gets no default device unless this is loaded too.
const CORE_GRAPHICS: &str = "/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics";

pub(in crate::native) fn device() -> Answer {
    let runtime = Runtime::load()?;
    // Where it cannot be loaded the next call answers null, which is told apart below.
    let _ = open(CORE_GRAPHICS);
    let metal = open(METAL)?;
    // SAFETY: the type is the one that Metal's header declares.
    let create: unsafe extern "C" fn() -> Object = unsafe { symbol(metal, "MTLCreateSystemDefaultDevice")? };
    let _pool = runtime.pool();
    // SAFETY: it takes nothing and may be called by any thread.
    let device = unsafe { create() };
    if device.is_null() {
        return Err(Unanswered::Absent);
    }
    // SAFETY: the device lives until it is released below, the pool until the end, and the methods return what the
    // protocol MTLDevice declares.
    let facts = unsafe {
        serde_json::json!({
            "name": runtime.text(device, c"name"),
            "working_set_bytes": runtime.number(device, c"recommendedMaxWorkingSetSize"),
            "allocated_bytes": runtime.number(device, c"currentAllocatedSize"),
            "largest_buffer_bytes": runtime.number(device, c"maxBufferLength"),
            "unified_memory": runtime.truth(device, c"hasUnifiedMemory"),
        })
    };
    // SAFETY: creating the device gave us one reference, and it is not used any more.
    unsafe { runtime.release(device) };
    Ok(facts.to_string())
}
