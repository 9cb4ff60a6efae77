//! What a model that may stay silent when in doubt would reach: accuracy by the share of records it answers.
//!
//! Records are answered in the order of their confidence, the surest first; equal confidences share their rights and
//! wrongs evenly. Answers without a confidence come after all others. What could not be read comes last and is wrong, so
//! silence cannot shorten the list.

/// Where a record stands in the order.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// The rank of its confidence, 0 for the lowest; equal confidences share the lower rank.
    Sure(u32),
    /// Answered, with no telling how sure.
    Unknown,
    NoAnswer,
}

/// Counts records and right answers by place.
#[derive(Clone)]
pub(super) struct SelectiveTally {
    /// Ascending.
    confidences: Vec<f64>,
    /// (records, right answers) by place, first the two without a confidence.
    places: Vec<(u32, u32)>,
    /// Σ 1/k over the first k, grown as needed.
    harmonic: Vec<f64>,
    records: usize,
}

impl SelectiveTally {
    /// Takes the confidences that can occur, ascending.
    pub(super) fn new(confidences: Vec<f64>) -> Self {
        let places = vec![(0, 0); confidences.len() + 2];
        Self { confidences, places, harmonic: vec![0.0], records: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.places.fill((0, 0));
        self.records = 0;
    }

    pub(super) fn add(&mut self, place: Place, right: bool) {
        let index = match place {
            Place::NoAnswer => 0,
            Place::Unknown => 1,
            Place::Sure(rank) => rank as usize + 2,
        };
        let (records, rights) = &mut self.places[index];
        *records += 1;
        *rights += u32::from(right);
        self.records += 1;
    }

    /// Records counted.
    pub(super) fn records(&self) -> usize {
        self.records
    }

    /// (records, right answers) of each block of equal confidence, the surest first.
    fn blocks(&self) -> impl Iterator<Item = (f64, f64)> {
        let filled = self.places.iter().rev().filter(|(records, _)| *records > 0);
        filled.map(|(records, rights)| (f64::from(*records), f64::from(*rights)))
    }

    /// Area under the curve of risk against coverage: the mean share of wrong answers among the k surest, over every k
    /// (Geifman and El-Yaniv 2017). NaN where no answer has a confidence to order by.
    pub(super) fn area(&mut self) -> f64 {
        for k in self.harmonic.len()..=self.records {
            self.harmonic.push(self.harmonic[k - 1] + 1.0 / k as f64);
        }
        let (mut before, mut wrong, mut area) = (0, 0.0, 0.0);
        for (records, rights) in self.blocks() {
            let end = before + records as usize;
            // Of the k surest, `wrong` + (k − before)·rate are wrong.
            let rate = (records - rights) / records;
            let inverse = self.harmonic[end] - self.harmonic[before];
            area += (wrong - before as f64 * rate) * inverse + rate * records;
            wrong += records - rights;
            before = end;
        }
        if self.confidences.is_empty() { f64::NAN } else { area / self.records as f64 }
    }

    /// Accuracy of the surest `percent` of the records, at least one; NaN where [`area`](Self::area) is.
    pub(super) fn accuracy_at(&self, percent: usize) -> f64 {
        if self.confidences.is_empty() {
            return f64::NAN;
        }
        self.accuracy_of_first((self.records * percent).div_ceil(100) as f64)
    }

    /// Accuracy of the `n` surest records.
    pub(super) fn accuracy_of_first(&self, n: f64) -> f64 {
        let (mut left, mut right) = (n, 0.0);
        for (records, rights) in self.blocks() {
            let taken = left.min(records);
            right += rights * taken / records;
            left -= taken;
            if left <= 0.0 {
                break;
            }
        }
        right / n
    }

    /// The confidence of the `n`-th surest record, if it has one.
    pub(super) fn confidence_of(&self, n: usize) -> Option<f64> {
        let mut seen = 0;
        for (confidence, (records, _)) in self.confidences.iter().zip(&self.places[2..]).rev() {
            seen += *records as usize;
            if seen >= n {
                return Some(*confidence);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, SelectiveTally};

    fn tally(records: &[(Option<u32>, bool)]) -> SelectiveTally {
        let mut tally = SelectiveTally::new(vec![0.2, 0.4, 0.6, 0.8]);
        records.iter().for_each(|(rank, right)| tally.add(rank.map_or(Place::NoAnswer, Place::Sure), *right));
        tally
    }

    #[test]
    fn the_area_is_the_mean_risk_of_every_beginning() {
        let mut surest_first = tally(&[(Some(3), true), (Some(2), false), (Some(1), true), (None, false)]);
        let expected = (0.0 + 1.0 / 2.0 + 1.0 / 3.0 + 2.0 / 4.0) / 4.0;
        assert!((surest_first.area() - expected).abs() < 1e-15);
        assert_eq!(surest_first.accuracy_at(50), 0.5);
        assert_eq!((surest_first.confidence_of(1), surest_first.confidence_of(4)), (Some(0.8), None));
    }

    #[test]
    fn equal_confidences_share_their_rights_evenly() {
        let mut tied = tally(&[(Some(1), true), (Some(1), false)]);
        assert!((tied.area() - 0.5).abs() < 1e-15);
        assert_eq!(tied.accuracy_at(50), 0.5);
    }

    #[test]
    fn falling_silent_where_one_was_right_never_helps() {
        let mut before = tally(&[(Some(3), true), (Some(2), true), (Some(0), false)]);
        let mut after = tally(&[(Some(3), true), (None, false), (Some(0), false)]);
        assert!(after.area() > before.area());
    }
}
