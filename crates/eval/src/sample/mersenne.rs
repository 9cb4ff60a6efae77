//! The Mersenne Twister MT19937, the generator behind both NumPy's legacy `RandomState` and CPython's `random`.
//!
//! Source: Matsumoto and Nishimura 1998, "Mersenne Twister: a 623-dimensionally equidistributed uniform
//! pseudo-random number generator", with the seeding routines of their 2002 revision.

const WORDS: usize = 624;
const SHIFT: usize = 397;

/// MT19937; yields 32-bit words.
#[derive(Clone)]
pub struct MersenneTwister {
    state: [u32; WORDS],
    next: usize,
}

impl MersenneTwister {
    /// Seeds with one word (`init_genrand`), as NumPy's legacy seeding does.
    pub fn from_word(seed: u32) -> Self {
        let mut state = [0u32; WORDS];
        state[0] = seed;
        for i in 1..WORDS {
            let previous = state[i - 1];
            state[i] = 1_812_433_253u32.wrapping_mul(previous ^ (previous >> 30)).wrapping_add(i as u32);
        }
        Self { state, next: WORDS }
    }

    /// Seeds with a list of words (`init_by_array`), as CPython's `random.seed(int)` does. `key` must not be empty.
    pub fn from_words(key: &[u32]) -> Self {
        assert!(!key.is_empty(), "a Mersenne Twister key holds at least one word");
        let mut twister = Self::from_word(19_650_218);
        let state = &mut twister.state;
        let (mut i, mut j) = (1, 0);
        for _ in 0..WORDS.max(key.len()) {
            let previous = state[i - 1];
            let mixed = state[i] ^ (previous ^ (previous >> 30)).wrapping_mul(1_664_525);
            state[i] = mixed.wrapping_add(key[j]).wrapping_add(j as u32);
            (i, j) = (i + 1, (j + 1) % key.len());
            if i >= WORDS {
                state[0] = state[WORDS - 1];
                i = 1;
            }
        }
        for _ in 1..WORDS {
            let previous = state[i - 1];
            let mixed = state[i] ^ (previous ^ (previous >> 30)).wrapping_mul(1_566_083_941);
            state[i] = mixed.wrapping_sub(i as u32);
            i += 1;
            if i >= WORDS {
                state[0] = state[WORDS - 1];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        twister
    }

    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.next == WORDS {
            self.refill();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    fn refill(&mut self) {
        for i in 0..WORDS {
            let joined = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % WORDS] & 0x7fff_ffff);
            let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + SHIFT) % WORDS] ^ (joined >> 1) ^ twist;
        }
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::MersenneTwister;

    #[test]
    fn output_equals_the_published_reference_streams() {
        // First words of `mt19937ar.out` (key 0x123, 0x234, 0x345, 0x456) by the authors of the generator, and of
        // the default seed 5489, whose 10,000th word the C++ standard fixes as 4123659995.
        let mut keyed = MersenneTwister::from_words(&[0x123, 0x234, 0x345, 0x456]);
        let head: Vec<u32> = (0..5).map(|_| keyed.next_u32()).collect();
        assert_eq!(head, [1_067_595_299, 955_945_823, 477_289_528, 4_107_218_783, 4_228_976_476]);
        let mut plain = MersenneTwister::from_word(5489);
        assert_eq!((0..10_000).map(|_| plain.next_u32()).last(), Some(4_123_659_995));
    }
}
