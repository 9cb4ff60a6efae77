//! The country of the machine's time zone.

use super::table::{Country, find};
use crate::source::HostSource;

/// Guesses by the name of the time zone, with the zone table that comes with the system (`zone.tab`: ISO code,
/// coordinates, name). A zone of no country (`Etc/UTC`) says nothing.
pub fn guess(host: &dyn HostSource) -> Option<&'static Country> {
    let zone = zone(host)?;
    let table = host.read("/usr/share/zoneinfo/zone.tab").ok()?;
    let code = table.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut columns = line.split('\t');
        let code = columns.next()?;
        (columns.nth(1)? == zone).then(|| code.to_owned())
    })?;
    find(&code)
}

/// `Europe/Madrid`, from `TZ`, the link of `/etc/localtime`, or `/etc/timezone`.
fn zone(host: &dyn HostSource) -> Option<String> {
    let named = |text: &str| {
        let name = text.rsplit_once("zoneinfo/").map_or(text, |(_, name)| name).trim().trim_start_matches(':');
        name.contains('/').then(|| name.to_owned())
    };
    if let Some(zone) = host.variable("TZ") {
        // A zone the user set counts even where it names no country.
        return named(&zone);
    }
    let link = host.link("/etc/localtime").ok();
    link.and_then(|target| named(&target)).or_else(|| named(&host.read("/etc/timezone").ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Kept, RecordedHost, Recording};

    const TABLE: &str =
        "# a comment\nES\t+4024-00341\tEurope/Madrid\tSpain (mainland)\nMX\t+1924-09909\tAmerica/Mexico_City\n";

    fn in_zone(variable: Option<&str>, link: Option<&str>, file: Option<&str>) -> RecordedHost {
        let keep = |path: &str, text: Option<&str>| text.map(|text| (path.to_owned(), Kept::Text(text.to_owned())));
        let table = Some(("/usr/share/zoneinfo/zone.tab".to_owned(), Kept::Text(TABLE.to_owned())));
        RecordedHost::new(Recording {
            format: 1,
            variables: variable.map(|zone| ("TZ".to_owned(), zone.to_owned())).into_iter().collect(),
            links: keep("/etc/localtime", link).into_iter().collect(),
            files: table.into_iter().chain(keep("/etc/timezone", file)).collect(),
            ..Recording::default()
        })
    }

    #[test]
    fn a_time_zone_names_its_country() {
        let code = |host: RecordedHost| guess(&host).map(|country| country.iso3.as_str());
        assert_eq!(code(in_zone(None, Some("/usr/share/zoneinfo/Europe/Madrid"), None)), Some("ESP"));
        assert_eq!(code(in_zone(None, Some("/var/db/timezone/zoneinfo/America/Mexico_City"), None)), Some("MEX"));
        assert_eq!(code(in_zone(None, None, Some("Europe/Madrid\n"))), Some("ESP"));
        assert_eq!(code(in_zone(Some(":Europe/Madrid"), Some("zoneinfo/America/Mexico_City"), None)), Some("ESP"));
    }

    #[test]
    fn a_zone_of_no_country_names_none() {
        for host in [
            in_zone(None, None, None),
            in_zone(None, Some("/usr/share/zoneinfo/Etc/UTC"), Some("Europe/Madrid")),
            in_zone(Some("UTC"), Some("/usr/share/zoneinfo/Europe/Madrid"), None),
            in_zone(None, None, Some("nonsense")),
        ] {
            assert_eq!(guess(&host), None, "{:?}", host.recording());
        }
    }
}
