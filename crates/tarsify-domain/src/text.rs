//! Texts with bounds. A value of these types is trimmed, free of NUL and of the right length,
//! wherever it came from.

use std::fmt;

use url::Url;

use crate::error::Misfit;

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $min:literal..=$max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Fewest characters.
            pub const MIN: usize = $min;
            /// Most characters.
            pub const MAX: usize = $max;

            /// Trims the text and checks it.
            ///
            /// # Errors
            /// When it is too short, too long or holds a NUL character.
            pub fn parse(text: &str) -> Result<Self, Misfit> {
                bounded(text, Self::MIN, Self::MAX).map(Self)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

text!(
    /// The title of a tars model.
    Title, 1..=200
);
text!(
    /// A longer description.
    Description, 0..=5_000
);
text!(
    /// The name a person is shown by.
    PersonName, 2..=100
);
text!(
    /// What a developer says about himself.
    Bio, 0..=500
);
text!(
    /// The name of an endpoint or of a base model.
    Name, 1..=200
);
text!(
    /// A container image reference.
    DockerImage, 1..=500
);
text!(
    /// The kind of GPU an endpoint runs on.
    GpuType, 1..=100
);
text!(
    /// The file or media format of an output, such as `png`.
    OutputFormat, 1..=50
);
text!(
    /// What somebody looks for in the market.
    SearchText, 1..=100
);

/// A name in a URL: lower-case letters and digits in groups joined by single hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

impl Slug {
    /// Most characters.
    pub const MAX: usize = 200;
    /// The pattern, for documents.
    pub const PATTERN: &'static str = "^[a-z0-9]+(-[a-z0-9]+)*$";

    /// Trims and lower-cases the text, then checks it.
    ///
    /// # Errors
    /// When it is empty, too long, or holds anything but letters, digits and single hyphens
    /// between them.
    pub fn parse(text: &str) -> Result<Self, Misfit> {
        let slug = bounded(text, 1, Self::MAX)?.to_ascii_lowercase();
        let well_formed = slug.split('-').all(|group| {
            !group.is_empty()
                && group
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        if well_formed {
            Ok(Self(slug))
        } else {
            Err(Misfit::new(
                "pattern",
                "may hold only letters a-z, digits and single hyphens between them, such as anime-generator",
            ))
        }
    }

    /// The slug.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// An e-mail address, lower-cased. Whether it can receive mail is for its owner to prove.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Most characters.
    pub const MAX: usize = 255;

    /// Trims and lower-cases the text, then checks its form.
    ///
    /// # Errors
    /// When it is too long or not of the form `name@host`.
    pub fn parse(text: &str) -> Result<Self, Misfit> {
        // Lower-casing can make a text longer, so it comes before measuring.
        let address = bounded(&text.to_lowercase(), 3, Self::MAX)?;
        let well_formed = match address.rsplit_once('@') {
            Some((name, host)) => {
                !name.is_empty()
                    && !name.contains('@')
                    && !address.chars().any(|c| c.is_whitespace() || c.is_control())
                    && host.split('.').all(|label| !label.is_empty())
            }
            None => false,
        };
        if well_formed {
            Ok(Self(address))
        } else {
            Err(Misfit::new(
                "format",
                "must be an e-mail address, such as ada@example.com",
            ))
        }
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Where a picture of a person lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvatarUrl(String);

impl AvatarUrl {
    /// Most characters.
    pub const MAX: usize = 2_048;

    /// Checks the address and brings it into its usual form, in which nothing stands unescaped
    /// that a page could take for something else.
    ///
    /// # Errors
    /// When it is too long, no absolute http(s) address, or carries a user or a password.
    pub fn parse(text: &str) -> Result<Self, Misfit> {
        let written = bounded(text, 1, Self::MAX)?;
        let url = Url::parse(&written).ok().filter(|url| {
            let anonymous = url.username().is_empty() && url.password().is_none();
            matches!(url.scheme(), "http" | "https") && url.has_host() && anonymous
        });
        let url = url.ok_or_else(|| {
            let message = "must be an absolute http or https address without user and password";
            Misfit::new("format", message)
        })?;
        bounded(url.as_str(), 1, Self::MAX).map(Self)
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A country by its two letters of ISO 3166-1, upper-cased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country(&'static str);

/// Every officially assigned ISO 3166-1 alpha-2 code.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

impl Country {
    /// Checks the code.
    ///
    /// # Errors
    /// When it is not assigned to a country.
    pub fn parse(text: &str) -> Result<Self, Misfit> {
        let code = text.trim().to_ascii_uppercase();
        COUNTRIES
            .split(' ')
            .find(|known| *known == code)
            .map(Self)
            .ok_or_else(|| {
                Misfit::new(
                    "format",
                    "must be the two letters of a country (ISO 3166-1), such as DE",
                )
            })
    }

    /// The two letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// Refuses text that PostgreSQL cannot store.
///
/// # Errors
/// When the text holds a NUL character.
pub fn without_nul(text: &str) -> Result<(), Misfit> {
    if text.contains('\0') {
        return Err(Misfit::new("pattern", "must not hold a NUL character"));
    }
    Ok(())
}

fn bounded(text: &str, min: usize, max: usize) -> Result<String, Misfit> {
    without_nul(text)?;
    let text = text.trim();
    let length = text.chars().count();
    if length < min {
        let message = if length == 0 {
            "must not be empty".to_owned()
        } else {
            format!("must have at least {min} characters")
        };
        return Err(Misfit::new("minLength", message));
    }
    if length > max {
        return Err(Misfit::new(
            "maxLength",
            format!("must have at most {max} characters, not {length}"),
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
