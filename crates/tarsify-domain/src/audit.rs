//! Who did something as an administrator, and why: kept with what he did.

use crate::error::Misfit;
use crate::id::DeveloperId;
use crate::people::Admin;

/// An administrator, as he is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who vouches for him.
    pub issuer: String,
    /// Who he is there.
    pub subject: String,
    /// His developer profile, if he has one.
    pub developer: Option<DeveloperId>,
}

impl From<&Admin> for Actor {
    fn from(admin: &Admin) -> Self {
        Self {
            issuer: admin.identity.key.issuer.clone(),
            subject: admin.identity.key.subject.clone(),
            developer: admin.developer,
        }
    }
}

/// Why something was done: 1 to 1,000 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Most characters.
    pub const MAX: usize = 1_000;

    /// Trims and checks the text.
    ///
    /// # Errors
    /// When nothing is left, it is too long, or it holds a NUL.
    pub fn parse(text: &str) -> Result<Self, Misfit> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > Self::MAX {
            return Err(Misfit::new("length", "must have 1 to 1000 characters"));
        }
        if text.contains('\0') {
            return Err(Misfit::new("pattern", "must not contain a NUL character"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
