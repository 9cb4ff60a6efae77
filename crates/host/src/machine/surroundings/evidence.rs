//! Votes, and how they are counted.

use crate::machine::{HostOs, Sign, Surroundings};

/// Votes that together make a container or a virtual machine. No single weak sign reaches it: a file such as
/// `/.dockerenv` also lies in machines that were built from a container's image.
const ENOUGH: i32 = 4;

/// What a sign can speak for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// A container, of this name where the sign tells.
    Container(Option<&'static str>),
    /// A virtual machine, of this name where the sign tells.
    Guest(Option<&'static str>),
    /// The system of the physical machine.
    Host(HostOs),
    /// Instructions are translated.
    Translated,
}

/// Claims with their weights: 1 to 3 support others, 4 to 6 stand alone, 8 leaves no doubt. Negative speaks against.
pub(super) type Votes = &'static [(Claim, i32)];

/// Everything seen so far.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    signs: Vec<(Sign, i32)>,
    votes: Vec<(Claim, i32)>,
}

impl Evidence {
    /// `seen` must not name a person or a machine: it is stored with runs.
    pub(super) fn add(&mut self, place: &str, seen: &str, means: &str, votes: Votes) {
        let weight = votes.iter().map(|vote| vote.1.abs()).max().unwrap_or(0);
        let seen = seen.trim().chars().take(80).collect();
        self.signs.push((Sign { place: place.to_owned(), seen, means: means.to_owned() }, weight));
        self.votes.extend(votes);
    }

    /// What the votes amount to.
    pub(super) fn verdict(mut self) -> Surroundings {
        let container = self.winner(|claim| match claim {
            Claim::Container(name) => Some(name),
            _ => None,
        });
        let virtual_machine = self.winner(|claim| match claim {
            Claim::Guest(name) => Some(name),
            _ => None,
        });
        let host_os = self.host(virtual_machine.is_some());
        let translated = self.votes.iter().any(|vote| vote.0 == Claim::Translated);
        self.signs.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
        Surroundings {
            container: container.map(str::to_owned),
            virtual_machine: virtual_machine.map(str::to_owned),
            host_os,
            translated,
            signs: self.signs.into_iter().map(|(sign, _)| sign).collect(),
        }
    }

    /// The name with most votes, `unnamed` when none has a name; `None` when all votes together are too few.
    fn winner(&self, name_of: impl Fn(Claim) -> Option<Option<&'static str>>) -> Option<&'static str> {
        let votes: Vec<(Option<&'static str>, i32)> =
            self.votes.iter().filter_map(|(claim, weight)| Some((name_of(*claim)?, *weight))).collect();
        if votes.iter().map(|vote| vote.1).sum::<i32>() < ENOUGH {
            return None;
        }
        let sum = |name| votes.iter().filter(|vote| vote.0 == Some(name)).map(|vote| vote.1).sum::<i32>();
        // Of equal names the one seen first.
        let names = votes.iter().filter_map(|vote| vote.0).rev();
        Some(names.max_by_key(|name| sum(*name)).unwrap_or("unnamed"))
    }

    /// Containers share their host's kernel; only a virtual machine can hide another system.
    fn host(&self, virtual_machine: bool) -> HostOs {
        let sum = |os| self.votes.iter().filter(|vote| vote.0 == Claim::Host(os)).map(|vote| vote.1).sum::<i32>();
        let best = [HostOs::Linux, HostOs::Windows, HostOs::Macos].into_iter().max_by_key(|os| sum(*os));
        match best.filter(|os| sum(*os) >= ENOUGH) {
            Some(os) => os,
            None if virtual_machine => HostOs::Unknown,
            None => HostOs::Linux,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: Claim = Claim::Container(Some("docker"));
    const NO_CONTAINER: Claim = Claim::Container(None);

    fn verdict(votes: Votes) -> Surroundings {
        let mut evidence = Evidence::default();
        evidence.add("here", "something", "something", votes);
        evidence.verdict()
    }

    #[test]
    fn one_weak_sign_is_not_enough_and_counter_evidence_counts() {
        assert_eq!(verdict(&[(DOCKER, 2)]).container, None);
        assert_eq!(verdict(&[(DOCKER, 2), (NO_CONTAINER, 3)]).container.as_deref(), Some("docker"));
        assert_eq!(verdict(&[(DOCKER, 6), (NO_CONTAINER, -3)]).container, None);
        assert_eq!(verdict(&[(NO_CONTAINER, 5)]).container.as_deref(), Some("unnamed"));
    }

    #[test]
    fn the_kernel_of_a_container_is_its_hosts_and_that_of_a_guest_is_not() {
        assert_eq!(verdict(&[(DOCKER, 6)]).host_os, HostOs::Linux);
        assert_eq!(verdict(&[(Claim::Guest(None), 6)]).host_os, HostOs::Unknown);
        assert_eq!(verdict(&[(Claim::Guest(None), 6), (Claim::Host(HostOs::Macos), 5)]).host_os, HostOs::Macos);
    }
}
