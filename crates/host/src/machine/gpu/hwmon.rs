//! The sensors that a driver publishes for its device.

use super::text;
use crate::source::HostSource;

/// The sensor folder of a device, `…/hwmon/hwmon4`, whose `name` is one of `names`.
pub(crate) fn folder(host: &dyn HostSource, device: &str, names: &[&str]) -> Option<String> {
    let parent = format!("{device}/hwmon");
    let mut folders = host.list(&parent).ok()?;
    folders.retain(|name| name.starts_with("hwmon"));
    folders
        .into_iter()
        .map(|name| format!("{parent}/{name}"))
        .find(|folder| host.read(&format!("{folder}/name")).is_ok_and(|name| names.contains(&name.trim())))
}

/// A file in watts that the driver keeps in microwatts.
pub(crate) fn watts(host: &dyn HostSource, folder: &str, file: &str) -> Option<f64> {
    let microwatts = text::number(&host.read(&format!("{folder}/{file}")).ok()?)?;
    text::power(microwatts / 1e6)
}

/// A file in joules that the driver keeps in microjoules. Zero is a counter that does not count.
pub(crate) fn joules(host: &dyn HostSource, folder: &str, file: &str) -> Option<f64> {
    let microjoules = text::positive(&host.read(&format!("{folder}/{file}")).ok()?)?;
    Some(microjoules as f64 / 1e6)
}
