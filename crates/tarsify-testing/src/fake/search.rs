//! How the market's search reads texts: as runs of letters and digits in lower case.

use tarsify_domain::catalog::MarketEntry;
use tarsify_domain::text::SearchText;

const IN_TITLE: i64 = 100;
const IN_SLUG: i64 = 10;
const IN_DESCRIPTION: i64 = 1;

/// The words of a text.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// How well the entry matches, or `None` when one of the words begins no word of it, or when
/// there are no words at all.
pub(super) fn relevance(search: &SearchText, entry: &MarketEntry) -> Option<i64> {
    let fields = [
        (IN_TITLE, words(entry.title.as_str())),
        (IN_SLUG, words(entry.slug.as_str())),
        (
            IN_DESCRIPTION,
            words(entry.description.as_ref().map_or("", |text| text.as_str())),
        ),
    ];
    let wanted = words(search.as_str());
    let mut sum = None;
    for word in wanted {
        let begins = |text: &Vec<String>| text.iter().any(|its| its.starts_with(&word));
        let (weight, _) = fields.iter().find(|(_, text)| begins(text))?;
        sum = Some(sum.unwrap_or(0) + weight);
    }
    sum
}
