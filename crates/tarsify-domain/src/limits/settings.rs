//! What an administrator decides about limits, and the reading of it. Settings that would lock
//! people out, the administrator among them, cannot be made.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{LimitCategory, Quota};
use crate::catalog::Provider;
use crate::catalog::endpoint::EndpointLimits;
use crate::error::{Issue, Misfit};
use crate::money::Credits;

/// By how much a tier has more, or less, than the ordinary limits: 0.1 to 100 times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Multiplier {
    hundredths: u32,
}

impl Multiplier {
    /// Neither more nor less.
    pub const ONE: Self = Self { hundredths: 100 };
    const LEAST: u32 = 10;
    const MOST: u32 = 10_000;

    const fn hundredths(hundredths: u32) -> Self {
        Self { hundredths }
    }

    /// So many times `number`, rounded down, and at least 1.
    #[must_use]
    pub fn times(self, number: u32) -> u32 {
        let product = u64::from(number) * u64::from(self.hundredths) / 100;
        u32::try_from(product).unwrap_or(u32::MAX).max(1)
    }

    /// As it is written in JSON.
    #[must_use]
    pub fn to_json(self) -> Value {
        if self.hundredths.is_multiple_of(100) {
            json!(self.hundredths / 100)
        } else {
            json!(f64::from(self.hundredths) / 100.0)
        }
    }

    fn read(value: &Value) -> Result<Self, Misfit> {
        let misfit = || {
            Misfit::new(
                "range",
                "must be a number between 0.1 and 100 with at most two decimals",
            )
        };
        let Value::Number(number) = value else {
            return Err(misfit());
        };
        let text = number.to_string();
        let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
        let part = match part.len() {
            1 => format!("{part}0"),
            2 => part.to_owned(),
            _ => return Err(misfit()),
        };
        let hundredths = format!("{whole}{part}").parse::<u32>().ok();
        hundredths
            .filter(|hundredths| (Self::LEAST..=Self::MOST).contains(hundredths))
            .map(Self::hundredths)
            .ok_or_else(misfit)
    }
}

/// A consumer's standing. Whoever buys more may ask more often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    /// Its name.
    pub name: String,
    /// From how many credits on, bought in a whole life.
    pub min_purchased: Credits,
    /// What he has of the limits that are counted by who asks.
    pub multiplier: Multiplier,
}

impl Tier {
    /// Most of them.
    pub const MOST: usize = 20;
    const LONGEST_NAME: usize = 40;
    const MOST_PURCHASED: i64 = 1_000_000_000;

    fn new(name: &str, min_purchased: i64, hundredths: u32) -> Self {
        Self {
            name: name.to_owned(),
            min_purchased: Credits::new(min_purchased),
            multiplier: Multiplier::hundredths(hundredths),
        }
    }
}

/// The limits on callers and towards providers, as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSettings {
    tiers: Vec<Tier>,
    limits: BTreeMap<LimitCategory, Quota>,
    max_concurrent_runs: u32,
    providers: BTreeMap<Provider, EndpointLimits>,
}

/// What is changed of the limits; absent keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitSettingsPatch {
    /// All tiers anew, the lowest first.
    pub tiers: Option<Vec<Tier>>,
    /// The categories that get another limit.
    pub limits: Option<BTreeMap<LimitCategory, Quota>>,
    /// How many runs of an ordinary consumer may be unfinished at once.
    pub max_concurrent_runs: Option<u32>,
    /// The providers that get other limits for all of their endpoints together; each anew.
    pub providers: Option<BTreeMap<Provider, EndpointLimits>>,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let limits = LimitCategory::ALL.iter().map(|category| {
            let many = match category {
                LimitCategory::GlobalApi => 200,
                LimitCategory::UserApi => 60,
                LimitCategory::TaskCreation | LimitCategory::AuthAction => 10,
                LimitCategory::Upload => 30,
                LimitCategory::AuthSession => 120,
            };
            (*category, Quota::per_minute(many))
        });
        Self {
            tiers: vec![
                Tier::new("free", 0, 100),
                Tier::new("basic", 100, 150),
                Tier::new("premium", 500, 200),
                Tier::new("vip", 2_000, 300),
            ],
            limits: limits.collect(),
            max_concurrent_runs: 5,
            providers: BTreeMap::new(),
        }
    }
}

impl LimitSettings {
    /// Most of anything in a minute.
    pub const MOST: u32 = 1_000_000;
    /// Fewest in a minute of what an administrator meets on his way to these settings: reading
    /// them, changing them, and a few attempts that went wrong.
    pub const FEWEST_FOR_MENDING: u32 = 10;
    /// Most runs at once.
    pub const MOST_CONCURRENT_RUNS: u32 = 100_000;

    /// The tiers, the lowest first, which everybody has.
    #[must_use]
    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// The limit of a category.
    #[must_use]
    pub fn quota(&self, category: LimitCategory) -> Quota {
        let quota = self.limits.get(&category).copied();
        quota.unwrap_or(Quota::per_minute(Self::FEWEST_FOR_MENDING))
    }

    /// How many runs of an ordinary consumer may be unfinished at once.
    #[must_use]
    pub const fn max_concurrent_runs(&self) -> u32 {
        self.max_concurrent_runs
    }

    /// The limits of each provider that has any, for all of its endpoints together.
    #[must_use]
    pub const fn providers(&self) -> &BTreeMap<Provider, EndpointLimits> {
        &self.providers
    }

    /// The tier of who has bought so much.
    #[must_use]
    pub fn tier_of(&self, lifetime_purchased: Credits) -> Option<&Tier> {
        let reached = |tier: &&Tier| tier.min_purchased <= lifetime_purchased;
        let highest = self.tiers.iter().rev().find(reached);
        highest.or_else(|| self.tiers.first())
    }

    /// The same with what `patch` mentions.
    #[must_use]
    pub fn changed(&self, patch: LimitSettingsPatch) -> Self {
        let LimitSettingsPatch {
            tiers,
            limits,
            max_concurrent_runs,
            providers,
        } = patch;
        let mut changed = self.clone();
        changed.tiers = tiers.unwrap_or(changed.tiers);
        changed.limits.extend(limits.unwrap_or_default());
        changed.max_concurrent_runs = max_concurrent_runs.unwrap_or(changed.max_concurrent_runs);
        changed.providers.extend(providers.unwrap_or_default());
        let none = EndpointLimits::default();
        changed.providers.retain(|_, limits| *limits != none);
        changed
    }

    /// Reads what [`LimitSettings::to_json`] wrote.
    ///
    /// # Errors
    /// Every fault with its path.
    pub fn parse(document: &Value) -> Result<Self, Vec<Issue>> {
        let field = |name: &str| document.get(name).unwrap_or(&Value::Null);
        let mut issues = Vec::new();
        let mut note = |name: &str, found: Vec<Issue>| {
            let prefix = format!("/{name}");
            issues.extend(found.into_iter().map(|issue| issue.under(&prefix)));
        };
        let tiers = LimitSettingsPatch::read_tiers(field("tiers"));
        let tiers = tiers.map_err(|found| note("tiers", found)).ok();
        let limits = LimitSettingsPatch::read_limits(field("limits"));
        let limits = limits.map_err(|found| note("limits", found)).ok();
        let runs = LimitSettingsPatch::read_max_concurrent_runs(field("maxConcurrentRuns"));
        let runs = runs.map_err(|found| note("maxConcurrentRuns", found)).ok();
        // What was written before there were any does not name them.
        let providers = document
            .get("providers")
            .map(LimitSettingsPatch::read_providers);
        let providers = providers.transpose();
        let providers = providers.map_err(|found| note("providers", found));
        if issues.is_empty() {
            Ok(Self::default().changed(LimitSettingsPatch {
                tiers,
                limits,
                max_concurrent_runs: runs,
                providers: providers.unwrap_or_default(),
            }))
        } else {
            Err(issues)
        }
    }

    /// The settings as they are stored and shown.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let tiers = self.tiers.iter().map(|tier| {
            json!({
                "name": tier.name,
                "minPurchased": tier.min_purchased.get(),
                "multiplier": tier.multiplier.to_json(),
            })
        });
        let limits = LimitCategory::ALL.iter().map(|category| {
            let max = json!({ "max": self.quota(*category).get() });
            (category.as_str().to_owned(), max)
        });
        json!({
            "tiers": tiers.collect::<Vec<_>>(),
            "limits": limits.collect::<Map<_, _>>(),
            "maxConcurrentRuns": self.max_concurrent_runs,
            "providers": self.providers.iter()
                .map(|(provider, limits)| (provider.as_str().to_owned(), limits.to_json()))
                .collect::<Map<_, _>>(),
        })
    }
}

impl LimitSettingsPatch {
    /// Reads `[{name, minPurchased, multiplier}]`, the lowest first.
    ///
    /// # Errors
    /// Every fault with its path.
    pub fn read_tiers(value: &Value) -> Result<Vec<Tier>, Vec<Issue>> {
        let Value::Array(items) = value else {
            return Err(one("type", "must be a list of tiers"));
        };
        if items.is_empty() || items.len() > Tier::MOST {
            let message = format!("must have 1 to {} tiers", Tier::MOST);
            return Err(one("length", message));
        }
        let mut issues = Vec::new();
        let mut tiers: Vec<Tier> = Vec::new();
        for (number, item) in items.iter().enumerate() {
            let prefix = format!("/{number}");
            let read = read_tier(item).and_then(|tier| fits_behind(&tiers, &tier).map(|()| tier));
            match read {
                Ok(tier) => tiers.push(tier),
                Err(found) => issues.extend(found.into_iter().map(|issue| issue.under(&prefix))),
            }
        }
        if issues.is_empty() {
            Ok(tiers)
        } else {
            Err(issues)
        }
    }

    /// Reads `{globalApi: {max}, …}`.
    ///
    /// # Errors
    /// Every fault with its path.
    pub fn read_limits(value: &Value) -> Result<BTreeMap<LimitCategory, Quota>, Vec<Issue>> {
        let Value::Object(items) = value else {
            return Err(one(
                "type",
                "must be an object with a limit for each category",
            ));
        };
        let mut issues = Vec::new();
        let mut limits = BTreeMap::new();
        for (name, item) in items {
            let read = LimitCategory::parse(name)
                .map_err(|misfit| misfit.at(""))
                .and_then(|category| Ok((category, read_limit(category, item)?)));
            match read {
                Ok((category, quota)) => {
                    limits.insert(category, quota);
                }
                Err(issue) => issues.push(issue.under(&format!("/{name}"))),
            }
        }
        if issues.is_empty() {
            Ok(limits)
        } else {
            Err(issues)
        }
    }

    /// Reads `{runpod: {maxConcurrency, …}, …}`; null takes a provider's limits away.
    ///
    /// # Errors
    /// Every fault with its path.
    pub fn read_providers(value: &Value) -> Result<BTreeMap<Provider, EndpointLimits>, Vec<Issue>> {
        let Value::Object(items) = value else {
            return Err(one(
                "type",
                "must be an object with the limits of each provider",
            ));
        };
        let mut issues = Vec::new();
        let mut providers = BTreeMap::new();
        for (name, item) in items {
            let read = Provider::parse(name)
                .map_err(|misfit| vec![misfit.at("")])
                .and_then(|provider| {
                    let limits = match item {
                        Value::Null => EndpointLimits::default(),
                        item => EndpointLimits::read(item)?,
                    };
                    Ok((provider, limits))
                });
            match read {
                Ok((provider, limits)) => {
                    providers.insert(provider, limits);
                }
                Err(found) => {
                    let prefix = format!("/{name}");
                    issues.extend(found.into_iter().map(|issue| issue.under(&prefix)));
                }
            }
        }
        if issues.is_empty() {
            Ok(providers)
        } else {
            Err(issues)
        }
    }

    /// Reads how many runs of an ordinary consumer may be unfinished at once.
    ///
    /// # Errors
    /// When it is no number, nothing, or too many.
    pub fn read_max_concurrent_runs(value: &Value) -> Result<u32, Vec<Issue>> {
        let (least, most) = (1, LimitSettings::MOST_CONCURRENT_RUNS);
        let message = || {
            format!(
                "must be a whole number between {least} and {most}; with 0 nobody could run anything"
            )
        };
        within(value, least, most).ok_or_else(|| one("range", message()))
    }
}

fn one(code: &'static str, message: impl Into<String>) -> Vec<Issue> {
    vec![Misfit::new(code, message).at("")]
}

fn within(value: &Value, least: u32, most: u32) -> Option<u32> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.filter(|number| (least..=most).contains(number))
}

fn read_limit(category: LimitCategory, value: &Value) -> Result<Quota, Issue> {
    let (least, why) = match category {
        LimitCategory::GlobalApi | LimitCategory::UserApi | LimitCategory::AuthSession => (
            LimitSettings::FEWEST_FOR_MENDING,
            "; with less, an administrator could not come back to mend it",
        ),
        LimitCategory::TaskCreation | LimitCategory::Upload | LimitCategory::AuthAction => {
            (1, "; with 0 everybody would be locked out")
        }
    };
    let most = LimitSettings::MOST;
    let max = value.get("max").unwrap_or(&Value::Null);
    within(max, least, most)
        .map(Quota::per_minute)
        .ok_or_else(|| {
            let message = format!("must be a whole number between {least} and {most}{why}");
            Misfit::new("range", message).at("/max")
        })
}

fn read_tier(value: &Value) -> Result<Tier, Vec<Issue>> {
    let field = |name: &str| value.get(name).unwrap_or(&Value::Null);
    let mut issues = Vec::new();
    let name = field("name").as_str().map(str::trim).filter(|name| {
        let length = name.chars().count();
        (1..=Tier::LONGEST_NAME).contains(&length) && !name.chars().any(char::is_control)
    });
    if name.is_none() {
        let message = "must be a text of 1 to 40 characters without control characters";
        issues.push(Misfit::new("length", message).at("/name"));
    }
    let min_purchased = field("minPurchased").as_i64();
    let min_purchased =
        min_purchased.filter(|credits| (0..=Tier::MOST_PURCHASED).contains(credits));
    if min_purchased.is_none() {
        let message = "must be a whole number of credits between 0 and 1000000000";
        issues.push(Misfit::new("range", message).at("/minPurchased"));
    }
    let multiplier = Multiplier::read(field("multiplier"));
    let multiplier = multiplier.map_err(|misfit| issues.push(misfit.at("/multiplier")));
    match (name, min_purchased, multiplier) {
        (Some(name), Some(min_purchased), Ok(multiplier)) => Ok(Tier {
            name: name.to_owned(),
            min_purchased: Credits::new(min_purchased),
            multiplier,
        }),
        _ => Err(issues),
    }
}

/// The first begins at nothing, so that everybody has one; each other begins above the one before.
fn fits_behind(tiers: &[Tier], next: &Tier) -> Result<(), Vec<Issue>> {
    let mut issues = Vec::new();
    match tiers.last() {
        None if next.min_purchased != Credits::ZERO => {
            let message = "must be 0 for the first tier: somebody who has bought nothing needs one";
            issues.push(Misfit::new("const", message).at("/minPurchased"));
        }
        Some(before) if next.min_purchased <= before.min_purchased => {
            let message = format!(
                "must be more than {}, where the tier before it begins",
                before.min_purchased.get()
            );
            issues.push(Misfit::new("order", message).at("/minPurchased"));
        }
        None | Some(_) => {}
    }
    if tiers.iter().any(|tier| tier.name == next.name) {
        let message = "must not be the name of another tier";
        issues.push(Misfit::new("uniqueItems", message).at("/name"));
    }
    if issues.is_empty() {
        Ok(())
    } else {
        Err(issues)
    }
}

#[cfg(test)]
mod tests;
