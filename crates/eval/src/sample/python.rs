//! CPython's `random.Random(int)`: the draws behind upstream's perturbations and few-shot examples.

use super::mersenne::MersenneTwister;
use std::collections::BTreeSet;

/// `random.Random(seed)` of CPython 3.11 and later.
#[derive(Clone)]
pub struct PythonRandom {
    twister: MersenneTwister,
}

impl PythonRandom {
    /// Seeds with the 32-bit words of `seed`, least significant first.
    pub fn new(seed: u64) -> Self {
        let low = (seed & 0xffff_ffff) as u32;
        let high = (seed >> 32) as u32;
        let words = if high == 0 { vec![low] } else { vec![low, high] };
        Self { twister: MersenneTwister::from_words(&words) }
    }

    /// `getrandbits(bits)` for 0 to 64 bits.
    pub fn getrandbits(&mut self, bits: u32) -> u64 {
        assert!(bits <= 64, "64 bits at most");
        match bits {
            0 => 0,
            1..=32 => u64::from(self.twister.next_u32() >> (32 - bits)),
            _ => {
                let low = u64::from(self.twister.next_u32());
                let high = u64::from(self.twister.next_u32() >> (64 - bits));
                (high << 32) | low
            }
        }
    }

    /// `random()`: a float in [0, 1) with 53 random bits.
    pub fn random(&mut self) -> f64 {
        let high = f64::from(self.twister.next_u32() >> 5);
        let low = f64::from(self.twister.next_u32() >> 6);
        (high * 67_108_864.0 + low) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A uniform number below `limit` (`_randbelow`); 0 for `limit` 0, where CPython raises.
    pub fn randbelow(&mut self, limit: usize) -> usize {
        if limit == 0 {
            return 0;
        }
        let bits = usize::BITS - limit.leading_zeros();
        loop {
            let draw = self.getrandbits(bits);
            if draw < limit as u64 {
                return draw as usize;
            }
        }
    }

    /// `randint(0, last)`, both ends included.
    pub fn randint(&mut self, last: usize) -> usize {
        self.randbelow(last + 1)
    }

    /// `choice(items)`; `None` if there are none.
    pub fn choice<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() { None } else { items.get(self.randbelow(items.len())) }
    }

    /// `shuffle(items)`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.randbelow(i + 1));
        }
    }

    /// Positions that `sample(range(len), count)` picks, in its order. `count` beyond `len` gives `len` positions,
    /// where CPython raises.
    pub fn sample(&mut self, len: usize, count: usize) -> Vec<usize> {
        let count = count.min(len);
        if len <= set_size(count) {
            let mut pool: Vec<usize> = (0..len).collect();
            return (0..count)
                .map(|i| {
                    let at = self.randbelow(len - i);
                    let last = pool[len - i - 1];
                    std::mem::replace(&mut pool[at], last)
                })
                .collect();
        }
        let mut seen = BTreeSet::new();
        (0..count)
            .map(|_| {
                loop {
                    let at = self.randbelow(len);
                    if seen.insert(at) {
                        return at;
                    }
                }
            })
            .collect()
    }
}

/// Up to this length CPython copies the population instead of remembering what it has drawn: 21, plus
/// 4^ceil(log4(3·count)) for more than five draws.
fn set_size(count: usize) -> usize {
    if count <= 5 {
        return 21;
    }
    let mut power = 1usize;
    while power < 3 * count {
        power *= 4;
    }
    21 + power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeding_with_a_wide_integer_uses_both_words() {
        // CPython 3.11: random.Random(2**40 + 7).getrandbits(64) and random.Random(42).random().
        assert_eq!(PythonRandom::new((1 << 40) + 7).getrandbits(64), 13_785_699_202_830_676_186);
        assert_eq!(PythonRandom::new(42).random(), 0.639_426_798_457_883_7);
    }
}
