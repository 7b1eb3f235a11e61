//! What is told of an execution's output while it is made. It is a courtesy to who watches; the
//! result is the truth.

use serde::{Deserialize, Serialize};

/// Who watches the output of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Whether anybody does now.
    pub is_here: bool,
    /// How far the output was told; nothing before a worker has begun to.
    pub told: Option<OutputTold>,
}

/// How far the output of an execution was told. It is private to workers: what is held back may be
/// a piece of what the developer keeps to himself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OutputTold {
    /// The lease under which this was written last.
    pub epoch: i64,
    /// The attempt whose job it was; others are not told of beside it.
    pub attempt: u32,
    /// How many parts were told.
    pub parts: u32,
    /// How many bytes these were.
    pub bytes: u32,
    /// Whether any letter was among them.
    pub has_text: bool,
    /// What was read and must not be told before it is known how it goes on.
    pub held: String,
    /// Whether something may have been read that nobody has written down: what comes after it may be
    /// the rest of what the developer keeps to himself.
    pub may_lack: bool,
    /// Whether nothing more is told.
    pub is_over: bool,
}
