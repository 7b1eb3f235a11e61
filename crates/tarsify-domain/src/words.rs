//! Closed sets of words: how they are stored, sent and read.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every word of the set.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word as it is stored and sent.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Reads the word, exactly as it is written.
            ///
            /// # Errors
            /// When the set has no such word.
            pub fn parse(text: &str) -> Result<Self, $crate::Misfit> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::Misfit::new(
                        "enum",
                        concat!("must be one of:", $(" ", $word,)+),
                    )),
                }
            }
        }
    };
}

pub(crate) use words;
