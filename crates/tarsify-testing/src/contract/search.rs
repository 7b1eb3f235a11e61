//! What searching the market must find. A word is a run of letters and digits; a model
//! matches when each word of the search, in any case, begins a word of its title, slug or
//! description; a search without words finds nothing.

use tarsify_domain::catalog::{
    BaseModel, Category, MarketQuery, MarketSort, TarsModel, TarsModelStatus,
};
use tarsify_domain::id::DeveloperId;

use super::World;
use super::market::found;
use crate::builders::{
    base_model, description, price, search_text, slug, tars_model, title, unique,
};

/// A developer with a base model, who publishes.
struct Shop {
    world: World,
    developer: DeveloperId,
    base: BaseModel,
}

impl Shop {
    async fn open(world: World) -> Self {
        let developer = world.developer("dora").await.id;
        let base = world.base_model().await;
        Self {
            world,
            developer,
            base,
        }
    }

    /// A draft with this title whose slug and description match nothing by chance.
    fn draft(&self, called: &str) -> TarsModel {
        TarsModel {
            title: title(called),
            slug: slug(&format!("x{}", unique())),
            description: None,
            ..tars_model(&self.base, self.developer)
        }
    }

    async fn sell(&self, called: &str) -> TarsModel {
        self.world.publish(self.draft(called)).await
    }

    async fn search(&self, text: &str) -> Vec<String> {
        let query = MarketQuery {
            category: None,
            search: Some(search_text(text)),
            sort: MarketSort::Relevance,
        };
        let entries = found(&self.world, &query).await;
        let titles = entries.iter().map(|entry| entry.title.to_string());
        titles.collect()
    }

    async fn assert_finds(&self, text: &str, expected: &[&str]) {
        let mut titles = self.search(text).await;
        titles.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(titles, expected, "searching {text:?}");
    }
}

pub(super) async fn every_word_must_begin_a_word(world: World) {
    let shop = Shop::open(world).await;
    shop.sell("Anime Generator").await;
    shop.sell("Logo Generator").await;
    for (text, expected) in [
        ("generator", vec!["Anime Generator", "Logo Generator"]),
        ("gen", vec!["Anime Generator", "Logo Generator"]),
        ("anime", vec!["Anime Generator"]),
        ("  gen   a ", vec!["Anime Generator"]),
        ("anime anime", vec!["Anime Generator"]),
        ("nime", vec![]),
        ("anime logo", vec![]),
        ("generators", vec![]),
        ("animegenerator", vec![]),
    ] {
        shop.assert_finds(text, &expected).await;
    }
}

pub(super) async fn words_may_match_in_different_places(world: World) {
    let shop = Shop::open(world).await;
    let model = TarsModel {
        slug: slug("portrait-studio-3"),
        description: Some(description("Paints faces in oil.\nAlso in watercolour.")),
        ..shop.draft("Rembrandt")
    };
    shop.world.publish(model).await;
    for text in [
        "rembrandt portrait oil",
        "studio",
        "3",
        "portrait-studio",
        "watercol",
        "face rem stud",
    ] {
        shop.assert_finds(text, &["Rembrandt"]).await;
    }
    shop.assert_finds("rembrandt portrait acrylic", &[]).await;
}

pub(super) async fn case_does_not_matter_in_any_script(world: World) {
    let shop = Shop::open(world).await;
    shop.sell("Ölgemälde ПОРТРЕТ LOGO").await;
    for text in ["ölge", "ÖLGE", "портрет", "Портрет", "logo", "LoGo"] {
        shop.assert_finds(text, &["Ölgemälde ПОРТРЕТ LOGO"]).await;
    }
}

pub(super) async fn punctuation_parts_words(world: World) {
    let shop = Shop::open(world).await;
    let model = TarsModel {
        description: Some(description(
            "See docs/fine_tuning.md or https://example.com/gallery?kind=neon&x=1, \
             or write to studio@example.org; <b>bold</b> claims, <retro> style, R&B;.",
        )),
        ..shop.draft("Logo/Banner (SDXL-Turbo) v3.5")
    };
    let called = model.title.to_string();
    shop.world.publish(model).await;
    for text in [
        "logo",
        "banner",
        "sdxl",
        "turbo",
        "v3",
        "5",
        "fine",
        "tuning",
        "md",
        "gallery",
        "neon",
        "studio",
        "org",
        "bold",
        "claims",
        "retro",
        "r b",
        "logo/ban",
        "v3.5",
        "example.com",
    ] {
        shop.assert_finds(text, &[&called]).await;
    }
}

pub(super) async fn every_word_counts_as_written(world: World) {
    let shop = Shop::open(world).await;
    shop.sell("The Art of the Running Man").await;
    shop.sell("007").await;
    for (text, expected) in [
        ("the", vec!["The Art of the Running Man"]),
        ("of", vec!["The Art of the Running Man"]),
        ("run", vec!["The Art of the Running Man"]),
        ("runs", vec![]),
        ("men", vec![]),
        ("00", vec!["007"]),
        ("7", vec![]),
    ] {
        shop.assert_finds(text, &expected).await;
    }
}

pub(super) async fn hostile_texts_find_nothing_and_break_nothing(world: World) {
    let shop = Shop::open(world).await;
    shop.sell("Anime Generator").await;
    for text in [
        "'; DROP TABLE tars_models; --",
        "anime') OR TRUE --",
        "$1 $2",
        "%(s)s",
        "\\x00",
        "nothing:*",
        "zzz | anime",
        "🦀crab",
        "{\"a\":1}",
    ] {
        shop.assert_finds(text, &[]).await;
    }
    shop.assert_finds("anime", &["Anime Generator"]).await;
    shop.assert_finds(&"a".repeat(100), &[]).await;
    shop.assert_finds("a b c d e f g h i j k l m n o p q r s t u v w x y z", &[])
        .await;
}

pub(super) async fn operators_are_only_punctuation(world: World) {
    let shop = Shop::open(world).await;
    shop.sell("Anime Generator").await;
    for text in [
        "anime:*",
        "anime:A",
        "!anime",
        "anime & generator",
        "anime | generator",
        "generator <-> anime",
        "generator <2> anime",
        "'anime'",
        "\"anime generator\"",
        "(anime",
        "anime\\",
        "%anime_",
        "-anime",
    ] {
        let expected: &[&str] = match text {
            // Their letters and digits are words, and nothing begins with a 2.
            "generator <2> anime" => &[],
            _ => &["Anime Generator"],
        };
        shop.assert_finds(text, expected).await;
    }
}

pub(super) async fn a_search_without_words_finds_nothing(world: World) {
    let shop = Shop::open(world).await;
    shop.sell("Anime Generator").await;
    for text in [
        "'", "''", "\"", "\\", ":*", "& | !", "%", "_", "*", "()", "<->", "-", "…", "🦀", "--",
    ] {
        shop.assert_finds(text, &[]).await;
    }
}

pub(super) async fn the_title_outweighs_the_description(world: World) {
    let shop = Shop::open(world).await;
    for number in 0..3 {
        let model = TarsModel {
            description: Some(description("Every portrait you want.")),
            ..shop.draft(&format!("Mentions {number}"))
        };
        shop.world.publish(model).await;
    }
    let model = TarsModel {
        description: Some(description("Paints faces.")),
        ..shop.draft("Portrait Studio")
    };
    shop.world.publish(model).await;
    let titles = shop.search("portrait").await;
    assert_eq!(titles.len(), 4);
    assert_eq!(titles.first().unwrap(), "Portrait Studio");
}

pub(super) async fn searches_sort_filter_and_page(world: World) {
    let shop = Shop::open(world).await;
    for credits in [30, 10, 20] {
        let model = TarsModel {
            price: price(credits),
            ..shop.draft("Anime")
        };
        shop.world.publish(model).await;
    }
    shop.sell("Logo").await;
    let endpoint = shop.world.endpoint().await;
    let sound = BaseModel {
        category: Category::Audio,
        ..base_model(&endpoint)
    };
    let sound = shop.world.store_base_model(sound).await;
    let model = TarsModel {
        base_model: sound.into(),
        ..shop.draft("Anime Voices")
    };
    shop.world.publish(model).await;
    for sort in [
        MarketSort::Newest,
        MarketSort::Popular,
        MarketSort::Price,
        MarketSort::PriceDescending,
        MarketSort::Title,
        MarketSort::Relevance,
    ] {
        let query = MarketQuery {
            category: Some(Category::Image),
            search: Some(search_text("anime")),
            sort,
        };
        let entries = found(&shop.world, &query).await;
        let prices: Vec<_> = entries.iter().map(|e| e.price.credits().get()).collect();
        assert_eq!(prices.len(), 3, "{sort:?}");
        match sort {
            MarketSort::Price => assert_eq!(prices, [10, 20, 30]),
            MarketSort::PriceDescending => assert_eq!(prices, [30, 20, 10]),
            _ => {}
        }
    }
}

pub(super) async fn only_what_is_published_is_found(world: World) {
    let shop = Shop::open(world).await;
    shop.world.store_tars_model(shop.draft("Anime Draft")).await;
    let published = shop.sell("Anime Published").await;
    shop.assert_finds("anime", &["Anime Published"]).await;
    let archived = TarsModel {
        status: TarsModelStatus::Archived,
        ..published
    };
    shop.world.tars_models.revise(&archived).await.unwrap();
    shop.assert_finds("anime", &[]).await;
}

pub(super) async fn edits_are_found_at_once(world: World) {
    let shop = Shop::open(world).await;
    let model = shop.sell("Anime").await;
    let edited = TarsModel {
        title: title("Logo"),
        slug: slug("brand-maker"),
        description: Some(description("For shops.")),
        ..model
    };
    shop.world.tars_models.revise(&edited).await.unwrap();
    shop.assert_finds("anime", &[]).await;
    for text in ["logo", "brand", "shop"] {
        shop.assert_finds(text, &["Logo"]).await;
    }
}
