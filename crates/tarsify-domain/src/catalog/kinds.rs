//! The closed sets of words in the catalogue. Clients must treat them as open.

use crate::error::Misfit;

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
            pub fn parse(text: &str) -> Result<Self, Misfit> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(Misfit::new(
                        "enum",
                        concat!("must be one of:", $(" ", $word,)+),
                    )),
                }
            }
        }
    };
}

words!(
    /// What a model makes or works on.
    Category {
        /// Pictures.
        Image = "IMAGE",
        /// Speech, music, sounds.
        Audio = "AUDIO",
        /// Text, also from speech.
        Text = "TEXT",
        /// Moving pictures.
        Video = "VIDEO",
        /// Documents.
        Document = "DOCUMENT",
    }
);
words!(
    /// The kind of thing a run returns.
    OutputType {
        /// A picture.
        Image = "IMAGE",
        /// A sound file.
        Audio = "AUDIO",
        /// Text.
        Text = "TEXT",
        /// Some other file.
        File = "FILE",
        /// Structured data.
        Json = "JSON",
    }
);
words!(
    /// Where an endpoint's worker comes from.
    EndpointSource {
        /// The provider's own collection.
        Hub = "HUB",
        /// An image the operator built.
        Custom = "CUSTOM",
    }
);
words!(
    /// Whose protocol an endpoint speaks.
    Provider {
        /// RunPod Serverless, also spoken by the built-in emulator.
        RunPod = "runpod",
    }
);
words!(
    /// Where a tars model is in its life.
    TarsModelStatus {
        /// Being made; only its developer sees it.
        Draft = "DRAFT",
        /// In the market.
        Published = "PUBLISHED",
        /// Taken out of the market.
        Archived = "ARCHIVED",
    }
);
