//! The counters of IOReport's group "Energy Model", as JSON: `[{"name": "CPU Energy", "unit": "mJ", "value": 1701}, …]`,
//! in the order in which the system lists them. They count up since the system started; the parts of a part are there
//! too, so that not all may be added.
#![expect(unsafe_code, reason = "foreign functions have no other door")]

use super::core_foundation::{CoreFoundation, Object, Owned};
use super::library::{open, symbol};
use crate::source::{Answer, Unanswered};
use std::sync::{LazyLock, Mutex, PoisonError};

const PATH: &str = "/usr/lib/libIOReport.dylib";

/// Functions of a library that Apple does not document; their types are those that open-source tools have used since
/// macOS 11.
#[derive(Clone, Copy)]
struct Functions {
    copy_channels: unsafe extern "C" fn(Object, Object, u64, u64, u64) -> Object,
    subscribe: unsafe extern "C" fn(Object, Object, *mut Object, u64, Object) -> Object,
    sample: unsafe extern "C" fn(Object, Object, Object) -> Object,
    name: unsafe extern "C" fn(Object) -> Object,
    unit: unsafe extern "C" fn(Object) -> Object,
    value: unsafe extern "C" fn(Object, i32) -> i64,
}

/// What is asked for, kept between calls: subscribing takes much longer than sampling.
struct Subscription {
    foundation: CoreFoundation,
    functions: Functions,
    subscription: Owned,
    channels: Owned,
    key: Owned,
}

static SUBSCRIPTION: LazyLock<Result<Mutex<Subscription>, Unanswered>> =
    LazyLock::new(|| Subscription::open().map(Mutex::new));

pub(in crate::native) fn energy() -> Answer {
    let subscription = SUBSCRIPTION.as_ref().map_err(Clone::clone)?;
    subscription.lock().unwrap_or_else(PoisonError::into_inner).sample()
}

fn failed(what: &str) -> Unanswered {
    Unanswered::Failed(format!("IOReport {what}"))
}

impl Functions {
    fn load() -> Result<Self, Unanswered> {
        let library = open(PATH)?;
        // SAFETY: see the struct: every type is the one in use for the name.
        unsafe {
            Ok(Self {
                copy_channels: symbol(library, "IOReportCopyChannelsInGroup")?,
                subscribe: symbol(library, "IOReportCreateSubscription")?,
                sample: symbol(library, "IOReportCreateSamples")?,
                name: symbol(library, "IOReportChannelGetChannelName")?,
                unit: symbol(library, "IOReportChannelGetUnitLabel")?,
                value: symbol(library, "IOReportSimpleGetIntegerValue")?,
            })
        }
    }
}

impl Subscription {
    fn open() -> Result<Self, Unanswered> {
        let foundation = CoreFoundation::load()?;
        let functions = Functions::load()?;
        let no_memory = || failed("got no memory");
        let group = foundation.string(c"Energy Model").ok_or_else(no_memory)?;
        let key = foundation.string(c"IOReportChannels").ok_or_else(no_memory)?;
        let null = std::ptr::null();
        // SAFETY: the group is a living string; null asks for every subgroup. The result is ours (its name says Copy).
        let all = unsafe { (functions.copy_channels)(group.get(), null, 0, 0, 0) };
        let all = foundation.own(all).ok_or(Unanswered::Absent)?;
        // SAFETY: `all` is a living dictionary.
        let wanted = unsafe { foundation.copied(all.get()) }.ok_or_else(no_memory)?;
        let mut subscribed: Object = null;
        // SAFETY: the channels are a living, changeable dictionary, and `subscribed` outlives the call.
        let subscription = unsafe { (functions.subscribe)(null, wanted.get(), &raw mut subscribed, 0, null) };
        let subscription = foundation.own(subscription).ok_or_else(|| failed("refused the subscription"))?;
        // Channels that cannot be reported may be missing among those subscribed to.
        let channels = foundation.own(subscribed).ok_or_else(|| failed("subscribed to no channel"))?;
        Ok(Self { foundation, functions, subscription, channels, key })
    }

    fn sample(&self) -> Answer {
        // SAFETY: subscription and channels belong together and live as long as `self`. The result is ours.
        let sample = unsafe { (self.functions.sample)(self.subscription.get(), self.channels.get(), std::ptr::null()) };
        let sample = self.foundation.own(sample).ok_or_else(|| failed("gave no sample"))?;
        // SAFETY: a sample is a dictionary that keeps an array of channels under this key.
        let channels = unsafe { self.foundation.array_in(sample.get(), &self.key) };
        let counters = channels.into_iter().filter_map(|channel| {
            // SAFETY: the channel lives as long as the sample; name and unit are strings of it, or null.
            let (name, unit, value) = unsafe {
                (
                    self.foundation.text((self.functions.name)(channel))?,
                    self.foundation.text((self.functions.unit)(channel))?,
                    (self.functions.value)(channel, 0),
                )
            };
            Some(serde_json::json!({ "name": name, "unit": unit.trim(), "value": value }))
        });
        Ok(serde_json::Value::Array(counters.collect()).to_string())
    }
}
