//! What is found in the market, and that nothing which can be typed breaks it.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use tarsify_domain::PageRequest;
use tarsify_domain::catalog::{
    Category, MarketQuery, MarketRepository, MarketSort, TarsModelRepository,
};
use tarsify_domain::text::{Description, SearchText, Slug, Title};

use crate::things::{Shop, tars_model};

const MODELS: [(&str, &str, &str); 6] = [
    (
        "anime-generator",
        "Anime Generator",
        "Paints in the style of films",
    ),
    (
        "logo-maker",
        "Logo Maker",
        "Draws marks, not anime pictures",
    ),
    ("portrait-studio", "Faces", "People as they are"),
    ("voice", "Text-to-Speech v1.5", "Reads a file/text aloud"),
    ("bobs", "Bob's Burger", "O'Reilly wrote it"),
    ("gruesse", "Größe Ünder", "日本語 のテスト"),
];

async fn market() -> Shop {
    let shop = Shop::open().await;
    let developer = shop.developer(1).await;
    let base = shop.base_model(1, Category::Image).await;
    for (number, (slug, title, description)) in (1..).zip(MODELS) {
        let mut model = tars_model(number, developer.id, &base);
        model.slug = Slug::parse(slug).unwrap();
        model.title = Title::parse(title).unwrap();
        model.description = Some(Description::parse(description).unwrap());
        shop.tars_models.create(&model).await.unwrap();
        shop.publish(model).await;
    }
    shop
}

async fn found(shop: &Shop, text: &str) -> Vec<String> {
    let query = MarketQuery {
        category: None,
        search: Some(SearchText::parse(text).unwrap()),
        sort: MarketSort::Relevance,
    };
    let list = shop.market.list(&query, &PageRequest::default()).await;
    let list = list.unwrap_or_else(|error| panic!("{text:?}: {error:?}"));
    assert_eq!(
        usize::try_from(list.total).unwrap(),
        list.items.len(),
        "{text:?}"
    );
    list.items
        .into_iter()
        .map(|entry| entry.slug.to_string())
        .collect()
}

#[tokio::test]
async fn words_are_found_where_people_expect_them() {
    let shop = market().await;
    for (typed, why, expected) in [
        (
            "anime",
            "the title before the description",
            vec!["anime-generator", "logo-maker"],
        ),
        (
            "anim",
            "an unfinished word",
            vec!["anime-generator", "logo-maker"],
        ),
        ("ANIME gen", "in any case", vec!["anime-generator"]),
        ("generator anime", "in any order", vec!["anime-generator"]),
        ("anime-generator", "a slug", vec!["anime-generator"]),
        (
            "portrait",
            "a word of the slug only",
            vec!["portrait-studio"],
        ),
        ("studio", "its second word", vec!["portrait-studio"]),
        (
            "people",
            "a word of the description",
            vec!["portrait-studio"],
        ),
        ("anime -logo", "a sign is no operator", vec!["logo-maker"]),
        ("mak log", "every word unfinished", vec!["logo-maker"]),
        ("text-to-speech", "a compound", vec!["voice"]),
        ("speech", "a part of a compound", vec!["voice"]),
        ("v1.5", "a version", vec!["voice"]),
        ("file", "one of two joined by a slash", vec!["voice"]),
        ("bob's", "a quote", vec!["bobs"]),
        ("o'reilly", "another", vec!["bobs"]),
        ("größ", "letters beyond ASCII", vec!["gruesse"]),
        ("日本語", "another script", vec!["gruesse"]),
        ("nime", "the middle of a word", vec![]),
        ("anime nothing", "one of two words only", vec![]),
        ("'", "no word", vec![]),
        ("&|!", "no word", vec![]),
        ("-", "no word", vec![]),
    ] {
        assert_eq!(found(&shop, typed).await, expected, "{typed:?}: {why}");
    }
}

#[tokio::test]
async fn nothing_that_can_be_typed_breaks_a_search() {
    let shop = market().await;
    for hostile in [
        "'",
        "''",
        "'''",
        ":*",
        "&|!",
        "a & b",
        "a | !b",
        "(",
        ")",
        "((a",
        "a:*b",
        "a:ABCD",
        "<->",
        "a <-> b",
        "\\",
        "\\'",
        "a\\",
        "a'",
        "'a",
        "\"",
        "\"a",
        "a\"b\"",
        "%",
        "_",
        "--",
        "; DROP TABLE people",
        "$1",
        "or",
        "or or",
        "-or",
        "not",
        "\u{1}",
        "\u{200b}",
        "🦀",
        "ﬁ",
        "a\u{301}",
        "http://a.b/c?d=e",
        "a@b.c",
        "1e400",
        "-1",
        "+",
        "0x",
        "<b>x</b>",
        "&amp;",
    ] {
        found(&shop, hostile).await;
    }
    let mut runner = TestRunner::deterministic();
    let marks = "[ '\"&|!:*()<>\\\\/._@%a-cOR1-]{1,30}";
    for pattern in [marks, "\\PC{1,60}"] {
        for _ in 0..150 {
            let typed = pattern.new_tree(&mut runner).unwrap().current();
            if SearchText::parse(&typed).is_ok() {
                found(&shop, &typed).await;
            }
        }
    }
}
