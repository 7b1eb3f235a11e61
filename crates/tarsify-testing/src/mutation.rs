//! Inputs that are almost right: good ones, changed by chance. The chance has a seed, so that what was
//! found once is found again. `scripts/fuzz` tries far more of them than a run of the tests does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// How many are tried when nobody wants more.
const FEW: u32 = 3_000;
/// What one of them may take, on a slow machine and without optimisation.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes that one of them may have.
const LARGEST: usize = 64 * 1024;
/// How often one input is changed before it is tried.
const MOST_CHANGES: usize = 5;

/// What parsers trip over.
const WORDS: [&[u8]; 28] = [
    b"0",
    b"-1",
    b"-0",
    b"1e999",
    b"9223372036854775807",
    b"18446744073709551616",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"{\"a\":",
    b"[[[[[[[[",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\0",
    b"\xff",
    b"\xc0\x80",
    b"\xe2\x80\xae",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\t",
    b",",
    b"=",
    b".",
    b":",
    b"%00",
];

/// Has `law` hold for these inputs and for what chance makes of them: 3,000, or as many as fit into
/// `TARSIFY_FUZZ_SECONDS`; `TARSIFY_FUZZ_SEED` makes it another chance.
///
/// # Panics
/// When the law panics, with the input that made it; when one input takes unduly long.
pub fn almost(inputs: &[&[u8]], mut law: impl FnMut(&[u8])) {
    let mut hold = |input: &[u8]| {
        let began = Instant::now();
        let held = catch_unwind(AssertUnwindSafe(|| law(input)));
        let shown = input.escape_ascii();
        assert!(held.is_ok(), "the law does not hold for b\"{shown}\"");
        let took = began.elapsed();
        assert!(took < PATIENCE, "{took:?} for b\"{shown}\"");
    };
    inputs.iter().for_each(|input| hold(input));
    let end =
        setting("TARSIFY_FUZZ_SECONDS").map(|most| Instant::now() + Duration::from_secs(most));
    let mut chance = Chance(setting("TARSIFY_FUZZ_SEED").unwrap_or(1).max(1));
    let mut tried = 0;
    while end.map_or(tried < FEW, |end| Instant::now() < end) {
        tried += 1;
        hold(&chance.change(inputs));
    }
}

fn setting(name: &str) -> Option<u64> {
    let value = std::env::vars_os().find(|(known, _)| known == name)?.1;
    let number = value.to_str().and_then(|text| text.parse().ok());
    Some(number.unwrap_or_else(|| panic!("{name} must be a whole number")))
}

/// Marsaglia's xorshift: short, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap();
        usize::try_from(self.next() % end).unwrap()
    }

    fn one_of<'a>(&mut self, all: &[&'a [u8]]) -> &'a [u8] {
        all[self.below(all.len())]
    }

    /// A place between two bytes, or at an end.
    fn place(&mut self, input: &[u8]) -> usize {
        self.below(input.len() + 1)
    }

    /// A piece, most often a short one.
    fn piece(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let start = self.place(input);
        let most = input.len() - start;
        let most = if self.below(4) == 0 {
            most
        } else {
            most.min(8)
        };
        start..start + self.below(most + 1)
    }

    fn change(&mut self, inputs: &[&[u8]]) -> Vec<u8> {
        let mut input = self.one_of(inputs).to_vec();
        for _ in 0..=self.below(MOST_CHANGES) {
            self.change_once(&mut input, inputs);
            input.truncate(LARGEST);
        }
        input
    }

    fn change_once(&mut self, input: &mut Vec<u8>, inputs: &[&[u8]]) {
        let place = self.place(input);
        match self.below(9) {
            0 if place < input.len() => input[place] ^= 1 << self.below(8),
            1 if place < input.len() => input[place] = self.next().to_le_bytes()[0],
            2 => {
                let word = self.one_of(&WORDS);
                input.splice(place..place, word.iter().copied());
            }
            3 => {
                let (word, piece) = (self.one_of(&WORDS), self.piece(input));
                input.splice(piece, word.iter().copied());
            }
            4 => {
                let piece = self.piece(input);
                input.drain(piece);
            }
            5 => {
                let piece = self.piece(input);
                let often = 1 << self.below(8);
                let again = input[piece].repeat(often);
                input.splice(place..place, again);
            }
            6 => input.truncate(place),
            7 => {
                let other = self.one_of(inputs);
                let piece = self.piece(other);
                input.splice(place..place, other[piece].iter().copied());
            }
            _ => {
                let other = self.one_of(inputs);
                let from = self.place(other);
                input.truncate(place);
                input.extend_from_slice(&other[from..]);
            }
        }
    }
}
