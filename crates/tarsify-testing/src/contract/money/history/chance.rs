//! Numbers that only a seed decides.

use uuid::Uuid;

/// A source of numbers: splitmix64, which every seed starts well.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `least` to `most`.
    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        let many = u64::try_from(most - least + 1).expect("there is a number between");
        let step = i64::try_from(self.number() % many).expect("it is small");
        least + step
    }

    /// Once in so many times.
    pub(super) fn once_in(&mut self, times: i64) -> bool {
        self.between(1, times) == 1
    }

    /// A place in a list of this length; none in an empty one.
    pub(super) fn place(&mut self, length: usize) -> Option<usize> {
        let last = i64::try_from(length).expect("it is short") - 1;
        let place = (last >= 0).then(|| self.between(0, last))?;
        Some(usize::try_from(place).expect("it is not below nothing"))
    }

    /// One of these; none when there are none.
    pub(super) fn one_of<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        let place = self.place(all.len())?;
        Some(all[place].clone())
    }

    pub(super) fn id(&mut self) -> Uuid {
        let (high, low) = (u128::from(self.number()), u128::from(self.number()));
        let bits = (high << 64) | low;
        let plain = bits & !(0xF000_u128 << 64) & !(0xC_u128 << 60);
        Uuid::from_u128(plain | (0x7000_u128 << 64) | (0x8_u128 << 60))
    }
}
