//! Random text for the parsers' tests, the same on every run.

/// A small generator (xorshift64, Marsaglia 2003).
pub(crate) struct Random(u64);

impl Random {
    /// Starts from a number other than zero.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }

    /// Returns up to `most` letters of the alphabet.
    pub(crate) fn text(&mut self, alphabet: &str, most: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..self.next(most + 1)).map(|_| letters[self.next(letters.len())]).collect()
    }
}
