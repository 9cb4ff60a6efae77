//! What the whole Mac draws, in watts, as its system management controller says (key `PSTR`). The answer is a JSON number.
#![expect(unsafe_code, reason = "foreign functions have no other door")]

use super::core_foundation::Object;
use super::library::{open, symbol};
use crate::source::{Answer, Unanswered};
use std::ffi::{CStr, c_char, c_void};
use std::sync::{LazyLock, Mutex, PoisonError};

const IO_KIT: &str = "/System/Library/Frameworks/IOKit.framework/IOKit";
const SYSTEM: &str = "/usr/lib/libSystem.B.dylib";

/// System total power.
const KEY: u32 = u32::from_be_bytes(*b"PSTR");
/// The one type this key has had: a little-endian float.
const FLOAT: u32 = u32::from_be_bytes(*b"flt ");
/// The controller's function that takes and returns a [`Message`].
const SELECTOR: u32 = 2;
const READ_BYTES: u8 = 5;
const READ_KEY_INFO: u8 = 9;

/// What is sent to the controller and comes back.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Message {
    key: u32,
    version: [u8; 6],
    limits: Limits,
    info: KeyInfo,
    result: u8,
    status: u8,
    command: u8,
    index: u32,
    bytes: [u8; 32],
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Limits {
    version: u16,
    length: u16,
    watts: [u32; 3],
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct KeyInfo {
    size: u32,
    kind: u32,
    attributes: u8,
}

const _: () = assert!(size_of::<Message>() == 80, "the driver refuses messages of another size");
const _: () = assert!(std::mem::offset_of!(Message, info) == 28 && std::mem::offset_of!(Message, bytes) == 48);

type Call = unsafe extern "C" fn(u32, u32, *const c_void, usize, *mut c_void, *mut usize) -> i32;

/// An open connection, kept for as long as the program runs.
struct Controller {
    connection: u32,
    call: Call,
    info: KeyInfo,
}

static CONTROLLER: LazyLock<Result<Mutex<Controller>, Unanswered>> =
    LazyLock::new(|| Controller::open().map(Mutex::new));

pub(in crate::native) fn system_power() -> Answer {
    let controller = CONTROLLER.as_ref().map_err(Clone::clone)?;
    let watts = controller.lock().unwrap_or_else(PoisonError::into_inner).watts()?;
    if !watts.is_finite() {
        return Err(failed(format!("says {watts}")));
    }
    Ok(watts.to_string())
}

fn failed(what: impl std::fmt::Display) -> Unanswered {
    Unanswered::Failed(format!("the system management controller {what}"))
}

impl Controller {
    fn open() -> Result<Self, Unanswered> {
        let io_kit = open(IO_KIT)?;
        // SAFETY: the type is the one that IOKit's header declares.
        let call: Call = unsafe { symbol(io_kit, "IOConnectCallStructMethod")? };
        let mut controller = Self { connection: connect()?, call, info: KeyInfo::default() };
        let asked = controller.exchange(Message { key: KEY, command: READ_KEY_INFO, ..Message::default() })?;
        if asked.info.kind != FLOAT || asked.info.size != 4 {
            return Err(failed("keeps the system power in a form of its own"));
        }
        controller.info = asked.info;
        Ok(controller)
    }

    fn exchange(&self, message: Message) -> Result<Message, Unanswered> {
        let mut answer = Message::default();
        let mut size = size_of::<Message>();
        // SAFETY: the connection is open; both messages have the size that is named, and outlive the call.
        let code = unsafe {
            (self.call)(
                self.connection,
                SELECTOR,
                (&raw const message).cast(),
                size_of::<Message>(),
                (&raw mut answer).cast(),
                &raw mut size,
            )
        };
        match (code, answer.result) {
            (0, 0) => Ok(answer),
            (0, 132) => Err(Unanswered::Absent),
            (0, result) => Err(failed(format!("answers with error {result}"))),
            (code, _) => Err(failed(format!("cannot be asked ({code:#x})"))),
        }
    }

    fn watts(&self) -> Result<f32, Unanswered> {
        let asked = Message { key: KEY, command: READ_BYTES, info: self.info, ..Message::default() };
        let [a, b, c, d, ..] = self.exchange(asked)?.bytes;
        Ok(f32::from_le_bytes([a, b, c, d]))
    }
}

/// Opens the controller's service: `AppleSMCKeysEndpoint` on Apple's chips, the first `AppleSMC` on Intel's.
fn connect() -> Result<u32, Unanswered> {
    let io_kit = open(IO_KIT)?;
    // SAFETY: every type is the one that IOKit's headers declare for the name; `mach_task_self_` is a variable.
    let (matching, services, next, name_of, open_service, release, task) = unsafe {
        (
            symbol::<unsafe extern "C" fn(*const c_char) -> Object>(io_kit, "IOServiceMatching")?,
            symbol::<unsafe extern "C" fn(u32, Object, *mut u32) -> i32>(io_kit, "IOServiceGetMatchingServices")?,
            symbol::<unsafe extern "C" fn(u32) -> u32>(io_kit, "IOIteratorNext")?,
            symbol::<unsafe extern "C" fn(u32, *mut c_char) -> i32>(io_kit, "IORegistryEntryGetName")?,
            symbol::<unsafe extern "C" fn(u32, u32, u32, *mut u32) -> i32>(io_kit, "IOServiceOpen")?,
            symbol::<unsafe extern "C" fn(u32) -> i32>(io_kit, "IOObjectRelease")?,
            *symbol::<*const u32>(open(SYSTEM)?, "mach_task_self_")?,
        )
    };
    let mut iterator = 0;
    // SAFETY: the name ends with a zero byte; the second call consumes the dictionary that the first one made.
    if unsafe { services(0, matching(c"AppleSMC".as_ptr()), &raw mut iterator) } != 0 || iterator == 0 {
        return Err(Unanswered::Absent);
    }
    let mut chosen = 0;
    loop {
        // SAFETY: the iterator lives until it is released below.
        let service = unsafe { next(iterator) };
        if service == 0 {
            break;
        }
        let mut name = [0_u8; 128];
        // SAFETY: IOKit writes a name of at most 128 bytes with its zero.
        let named = unsafe { name_of(service, name.as_mut_ptr().cast()) } == 0;
        let name = CStr::from_bytes_until_nul(&name).unwrap_or_default();
        let better = named && name == c"AppleSMCKeysEndpoint";
        let unwanted = if better || chosen == 0 { std::mem::replace(&mut chosen, service) } else { service };
        if unwanted != 0 {
            // SAFETY: the service is ours and not used any more.
            unsafe { release(unwanted) };
        }
    }
    let mut connection = 0;
    // SAFETY: a service of 0 is refused by the call; what is released is ours and not used any more.
    let code = unsafe {
        let code = open_service(chosen, task, 0, &raw mut connection);
        release(chosen);
        release(iterator);
        code
    };
    if chosen == 0 {
        return Err(Unanswered::Absent);
    }
    if code != 0 { Err(failed(format!("cannot be opened ({code:#x})"))) } else { Ok(connection) }
}
