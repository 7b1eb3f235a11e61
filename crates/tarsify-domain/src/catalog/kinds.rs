//! The closed sets of words in the catalogue. Clients must treat them as open.

use crate::words::words;

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
