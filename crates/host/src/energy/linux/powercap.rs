//! RAPL through the kernel's powercap files: the counters of Intel and AMD processors.

use crate::energy::chain::Missing;
use crate::energy::counter::{Counter, CounterLimits};
use crate::source::{HostSource, Unanswered};
use puma_core::measure::{Channel, Loss, Meter, MeterError, MeterReading, Quality};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Where the kernel keeps the zones.
const ROOT: &str = "/sys/class/powercap";
/// The variable that names the folder when a container sees it elsewhere.
const ROOT_VARIABLE: &str = "PUMA_POWERCAP_ROOT";
const SOURCE: &str = "RAPL powercap";
/// No socket, let alone its memory, draws more; see [`CounterLimits::implausible_power_w`].
const IMPLAUSIBLE_SOCKET_W: f64 = 1500.0;
/// Counters of one machine that differ by less than this share are one counter seen twice.
const MIRROR_SHARE: f64 = 1e-6;

/// One zone that is counted.
#[derive(Clone, Debug)]
struct Zone {
    path: String,
    counter: Counter,
}

/// Reads the energy of every zone.
pub(in crate::energy) struct Powercap {
    host: Arc<dyn HostSource>,
    zones: Vec<Zone>,
    quality: Quality,
    note: Option<String>,
}

/// A zone as the files describe it.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    path: String,
    channel: Channel,
    device: String,
    /// Seen through the memory-mapped interface, which shows the same counters once more.
    mapped: bool,
    energy_uj: u64,
    range_uj: Option<u64>,
}

impl Powercap {
    /// Finds the zones that can be read.
    ///
    /// # Errors
    /// There are none, or the user may not read them.
    pub(in crate::energy) fn open(host: &Arc<dyn HostSource>) -> Result<Self, Missing> {
        let root = host.variable(ROOT_VARIABLE).unwrap_or_else(|| ROOT.to_owned());
        let root = root.trim_end_matches('/');
        let names = host.list(root).map_err(|why| no_folder(root, &why))?;
        let mut refused = None;
        let mut found = Vec::new();
        for path in zone_paths(host.as_ref(), root, &names) {
            match describe(host.as_ref(), &path) {
                Ok(zone) => found.extend(zone),
                Err(Unanswered::Denied) => refused = Some(path),
                Err(_) => {}
            }
        }
        if let Some(path) = refused {
            return Err(denied(&path));
        }
        let (found, note) = without_doubles(found);
        if found.is_empty() {
            return Err(Missing::new(SOURCE, &[Channel::Package, Channel::Dram])
                .because(format!("{root} has no zone whose energy can be read"))
                .hint(format!(
                    "in a container, bind the host's /sys/devices/virtual/powercap and set {ROOT_VARIABLE}"
                )));
        }
        let zones = found.into_iter().map(Zone::from).collect();
        Ok(Self { host: Arc::clone(host), zones, quality: quality(host.as_ref()), note })
    }
}

impl From<Found> for Zone {
    fn from(found: Found) -> Self {
        let limits = CounterLimits {
            joules_per_step: 1e-6,
            range_steps: found.range_uj,
            implausible_power_w: IMPLAUSIBLE_SOCKET_W,
        };
        Self { path: found.path, counter: Counter::new(found.channel, found.device, limits) }
    }
}

impl Meter for Powercap {
    fn source(&self) -> &str {
        SOURCE
    }

    fn quality(&self) -> Quality {
        self.quality
    }

    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn note(&self) -> Option<String> {
        self.note.clone()
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let mut readings = Vec::with_capacity(self.zones.len());
        let mut failure = None;
        for zone in &mut self.zones {
            match self.host.read(&format!("{}/energy_uj", zone.path)) {
                Ok(text) => match text.trim().parse() {
                    Ok(energy_uj) => readings.push(MeterReading {
                        channel: zone.counter.channel(),
                        device: zone.counter.device().to_owned(),
                        energy_j: zone.counter.update(energy_uj, now),
                    }),
                    Err(_) => failure = Some(format!("{}/energy_uj does not hold a number", zone.path)),
                },
                Err(why) => failure = Some(format!("{}/energy_uj: {why}", zone.path)),
            }
        }
        match failure {
            Some(message) if readings.is_empty() => Err(MeterError { message, fatal: false }),
            _ => Ok(readings),
        }
    }

    fn losses(&mut self) -> Vec<Loss> {
        self.zones.iter_mut().flat_map(|zone| zone.counter.take_losses()).collect()
    }
}

/// `intel-rapl:0`, `intel-rapl:0:2`, `intel-rapl-mmio:0`, …, whether the folder lists them flat (as `/sys/class`) or one
/// inside the other (as `/sys/devices`).
fn zone_paths(host: &dyn HostSource, root: &str, names: &[String]) -> Vec<String> {
    let is_zone = |name: &str| name.starts_with("intel-rapl") && name.contains(':');
    let is_control = |name: &str| name.starts_with("intel-rapl") && !name.contains(':');
    let mut paths: BTreeMap<String, String> = BTreeMap::new();
    let mut pending: Vec<String> =
        names.iter().filter(|name| is_zone(name) || is_control(name)).map(|name| format!("{root}/{name}")).collect();
    while let Some(path) = pending.pop() {
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let inside = host.list(&path).unwrap_or_default();
        pending.extend(
            inside.iter().filter(|inner| is_zone(inner) && **inner != name).map(|inner| format!("{path}/{inner}")),
        );
        if is_zone(&name) {
            paths.entry(name).or_insert(path);
        }
    }
    paths.into_values().collect()
}

/// What a zone counts; `None` for parts of a package, which its own counter includes.
fn describe(host: &dyn HostSource, path: &str) -> Result<Option<Found>, Unanswered> {
    let name = host.read(&format!("{path}/name"))?;
    let name = name.trim();
    let folder = path.rsplit('/').next().unwrap_or_default();
    let (channel, device) = match name {
        "dram" => (Channel::Dram, format!("dram-{}", folder.split(':').nth(1).unwrap_or("0"))),
        "psys" => (Channel::System, "psys".to_owned()),
        package if package.starts_with("package") => (Channel::Package, package.to_owned()),
        _ => return Ok(None),
    };
    let number = |file: &str| -> Result<Option<u64>, Unanswered> {
        Ok(host.read(&format!("{path}/{file}"))?.trim().parse().ok())
    };
    let Some(energy_uj) = number("energy_uj")? else { return Ok(None) };
    let range_uj = number("max_energy_range_uj").ok().flatten().filter(|range| *range > 0);
    Ok(Some(Found { path: path.to_owned(), channel, device, mapped: folder.contains("mmio"), energy_uj, range_uj }))
}

/// One entry for each counter: the memory-mapped view of a zone is left out beside the plain one, and so are zones that
/// show another zone's count (Threadripper and EPYC list one socket several times).
fn without_doubles(mut found: Vec<Found>) -> (Vec<Found>, Option<String>) {
    found.sort_by(|a, b| (a.mapped, &a.path).cmp(&(b.mapped, &b.path)));
    let mut kept: Vec<Found> = Vec::new();
    let mut mirrors = Vec::new();
    for zone in found {
        if kept.iter().any(|other| other.channel == zone.channel && other.device == zone.device) {
            continue;
        }
        if let Some(other) = kept.iter().find(|other| mirrors_of(other, &zone)) {
            mirrors.push(format!("{} shows the counter of {}", zone.device, other.device));
            continue;
        }
        kept.push(zone);
    }
    kept.sort_by(|a, b| (a.channel, &a.device).cmp(&(b.channel, &b.device)));
    (kept, (!mirrors.is_empty()).then(|| format!("{}: counted once", mirrors.join(", "))))
}

fn mirrors_of(one: &Found, other: &Found) -> bool {
    let (a, b) = (one.energy_uj, other.energy_uj);
    #[expect(clippy::cast_precision_loss, reason = "a share of it is compared")]
    let near = a.abs_diff(b) as f64 <= MIRROR_SHARE * a.max(b) as f64;
    one.channel == other.channel && a > 0 && near
}

/// Intel measures since Haswell; AMD's counters come from a model of the chip's activity.
pub(super) fn quality(host: &dyn HostSource) -> Quality {
    let text = host.read("/proc/cpuinfo").unwrap_or_default();
    match text.contains("GenuineIntel") {
        true => Quality::Measured,
        false => Quality::VendorModel,
    }
}

fn no_folder(root: &str, why: &Unanswered) -> Missing {
    let missing = Missing::new(SOURCE, &[Channel::Package, Channel::Dram]);
    match why {
        Unanswered::Denied => denied(root),
        Unanswered::Absent => {
            missing.because(format!("{root} is not there: this kernel or virtual machine shows no energy counters"))
        }
        other => missing.because(format!("{root}: {other}")),
    }
}

/// Why root alone can read it, and the three ways to let a user.
fn denied(path: &str) -> Missing {
    Missing::new(SOURCE, &[Channel::Package, Channel::Dram])
        .because(format!(
            "{path}: permission denied. Since Linux 5.10 only root reads energy counters, because they leak secrets (PLATYPUS)"
        ))
        .hint(
            "as root, one of: `chmod -R a+r /sys/class/powercap/intel-rapl/` (until the next boot); a udev rule that gives the \
             files to a group of yours (lasting); `setcap cap_dac_read_search+ep` on the puma program (lasting, for puma alone)",
        )
}
