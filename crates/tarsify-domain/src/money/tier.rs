//! What a consumer is to the marketplace, by what he has bought in his life.

use crate::money::Credits;

/// A consumer's standing. Whoever buys more may ask more often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// Its name.
    pub name: &'static str,
    /// From how many bought credits on.
    pub from: Credits,
    /// What he has of the ordinary limits, in hundredths.
    pub percent: u32,
}

impl Tier {
    /// All of them, the lowest first, which everybody has.
    pub const ALL: [Self; 4] = [
        Self::new("free", 0, 100),
        Self::new("basic", 100, 150),
        Self::new("premium", 500, 200),
        Self::new("vip", 2_000, 300),
    ];

    const fn new(name: &'static str, from: i64, percent: u32) -> Self {
        Self {
            name,
            from: Credits::new(from),
            percent,
        }
    }

    /// The tier of who has bought so much.
    #[must_use]
    pub fn of(lifetime_purchased: Credits) -> Self {
        let [lowest, ..] = Self::ALL;
        Self::ALL
            .into_iter()
            .rev()
            .find(|tier| tier.from <= lifetime_purchased)
            .unwrap_or(lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_highest_that_was_reached() {
        let cases = [
            (-5, "free"),
            (0, "free"),
            (99, "free"),
            (100, "basic"),
            (499, "basic"),
            (500, "premium"),
            (1_999, "premium"),
            (2_000, "vip"),
            (i64::MAX, "vip"),
        ];
        for (bought, name) in cases {
            assert_eq!(Tier::of(Credits::new(bought)).name, name, "{bought}");
        }
    }
}
