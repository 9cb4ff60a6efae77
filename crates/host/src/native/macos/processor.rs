//! How the processors spent their time since the system started, in ticks over all of them, as JSON:
//! `{"user": …, "system": …, "idle": …, "nice": …}`.
#![expect(unsafe_code, reason = "foreign functions have no other door")]

use super::library::{open, symbol};
use crate::source::{Answer, Unanswered};
use std::sync::LazyLock;

const SYSTEM: &str = "/usr/lib/libSystem.B.dylib";
/// `HOST_CPU_LOAD_INFO`, which fills in four counters of 32 bits.
const CPU_LOAD: i32 = 3;
const COUNTERS: u32 = 4;

type Statistics = unsafe extern "C" fn(u32, i32, *mut u32, *mut u32) -> i32;

/// The kernel's function, and the port to ask it by. Every call for the port counts one more use of it, so it is kept.
static KERNEL: LazyLock<Result<(Statistics, u32), Unanswered>> = LazyLock::new(|| {
    let system = open(SYSTEM)?;
    // SAFETY: both types are those that the kernel's headers declare; asking for the port takes nothing.
    unsafe {
        let this_host: unsafe extern "C" fn() -> u32 = symbol(system, "mach_host_self")?;
        Ok((symbol(system, "host_statistics")?, this_host()))
    }
});

pub(in crate::native) fn ticks() -> Answer {
    let (statistics, this_host) = KERNEL.clone()?;
    let mut ticks = [0_u32; COUNTERS as usize];
    let mut count = COUNTERS;
    // SAFETY: the buffer holds as many counters as `count` says, which is what this kind of statistics needs.
    let code = unsafe { statistics(this_host, CPU_LOAD, ticks.as_mut_ptr(), &raw mut count) };
    if code != 0 || count != COUNTERS {
        return Err(Unanswered::Failed(format!("the kernel tells no processor times ({code})")));
    }
    let [user, system, idle, nice] = ticks;
    Ok(serde_json::json!({ "user": user, "system": system, "idle": idle, "nice": nice }).to_string())
}
