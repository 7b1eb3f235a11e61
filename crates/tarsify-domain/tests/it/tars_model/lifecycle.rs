//! Every status against every wish, and against wishes at random.

use proptest::prelude::*;
use proptest::sample::select;
use tarsify_domain::Expected;
use tarsify_domain::catalog::{TarsModel, TarsModelChange, TarsModelStatus};
use tarsify_testing::builders::title;

use crate::workshop::{Workshop, answer};

use TarsModelStatus::{Archived, Draft, Published};
use Wish::{Archive, Publish, Remove, Revise};

#[derive(Debug, Clone, Copy)]
enum Wish {
    Publish,
    Archive,
    Remove,
    Revise,
}

impl Wish {
    async fn ask(self, shop: &Workshop, model: &TarsModel) -> String {
        let (developer, id, any) = (model.developer_id, model.id, &Expected::Any);
        let change = TarsModelChange {
            title: Some(title("Another title")),
            ..TarsModelChange::default()
        };
        match self {
            Publish => answer(shop.tars.publish(developer, id, any).await),
            Archive => answer(shop.tars.archive(developer, id, any).await),
            Remove => answer(shop.tars.remove(developer, id, any).await),
            Revise => answer(shop.tars.revise(developer, id, any, change).await),
        }
    }
}

/// Before, how often it was run, the wish, the answer, and the status after; none is gone.
type Row = (
    TarsModelStatus,
    u64,
    Wish,
    &'static str,
    Option<TarsModelStatus>,
);

const TABLE: [Row; 24] = [
    (Draft, 0, Publish, "ok", Some(Published)),
    (Draft, 0, Archive, "ok", Some(Archived)),
    (Draft, 0, Remove, "ok", None),
    (Draft, 0, Revise, "ok", Some(Draft)),
    (Draft, 3, Publish, "ok", Some(Published)),
    (Draft, 3, Archive, "ok", Some(Archived)),
    (Draft, 3, Remove, "ok", Some(Archived)),
    (Draft, 3, Revise, "ok", Some(Draft)),
    (
        Published,
        0,
        Publish,
        "StatusForbids(Published)",
        Some(Published),
    ),
    (Published, 0, Archive, "ok", Some(Archived)),
    (
        Published,
        0,
        Remove,
        "StatusForbids(Published)",
        Some(Published),
    ),
    (Published, 0, Revise, "ok", Some(Published)),
    (
        Published,
        3,
        Publish,
        "StatusForbids(Published)",
        Some(Published),
    ),
    (Published, 3, Archive, "ok", Some(Archived)),
    (
        Published,
        3,
        Remove,
        "StatusForbids(Published)",
        Some(Published),
    ),
    (Published, 3, Revise, "ok", Some(Published)),
    (Archived, 0, Publish, "ok", Some(Published)),
    (
        Archived,
        0,
        Archive,
        "StatusForbids(Archived)",
        Some(Archived),
    ),
    (Archived, 0, Remove, "ok", None),
    (Archived, 0, Revise, "ok", Some(Archived)),
    (Archived, 3, Publish, "ok", Some(Published)),
    (
        Archived,
        3,
        Archive,
        "StatusForbids(Archived)",
        Some(Archived),
    ),
    (Archived, 3, Remove, "ok", Some(Archived)),
    (Archived, 3, Revise, "ok", Some(Archived)),
];

#[tokio::test]
async fn each_status_allows_what_it_should_and_leads_where_it_should() {
    for (before, runs, wish, wanted, after) in TABLE {
        let shop = Workshop::new();
        let model = shop.model(before).await;
        shop.store
            .edit_tars_model(model.id, |stored| stored.total_runs = runs);
        let row = format!("{wish:?} on {before:?} after {runs} runs");
        assert_eq!(wish.ask(&shop, &model).await, wanted, "{row}");
        let left = shop.stored(&model).await.map(|left| left.status);
        assert_eq!(left, after, "{row}");
    }
}

/// What a refused wish must leave untouched is everything.
#[tokio::test]
async fn a_refused_wish_changes_nothing() {
    for (before, runs, wish, wanted, _) in TABLE {
        if wanted == "ok" {
            continue;
        }
        let shop = Workshop::new();
        let model = shop.model(before).await;
        shop.store
            .edit_tars_model(model.id, |stored| stored.total_runs = runs);
        let untouched = shop.stored(&model).await;
        let revision = shop.changes.revision();
        shop.later();
        wish.ask(&shop, &model).await;
        assert_eq!(
            shop.stored(&model).await,
            untouched,
            "{wish:?} on {before:?}"
        );
        assert_eq!(shop.changes.revision(), revision, "{wish:?} on {before:?}");
    }
}

/// What the table says of a model that is there.
fn foretold(status: TarsModelStatus, runs: u64, wish: Wish) -> (String, Option<TarsModelStatus>) {
    let row = TABLE.iter().find(|(before, ran, named, ..)| {
        *before == status && (*ran > 0) == (runs > 0) && format!("{named:?}") == format!("{wish:?}")
    });
    let (_, _, _, answer, after) = row.unwrap();
    ((*answer).to_owned(), *after)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_wishes_goes_as_the_table_says(
        runs in 0_u64..2,
        wishes in prop::collection::vec(select(vec![Publish, Archive, Remove, Revise]), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(follow(runs, &wishes));
    }
}

async fn follow(runs: u64, wishes: &[Wish]) {
    let shop = Workshop::new();
    let made = shop.model(Draft).await;
    shop.store
        .edit_tars_model(made.id, |stored| stored.total_runs = runs);
    let mut expected = Some(Draft);
    for wish in wishes {
        let before = shop.stored(&made).await;
        let (wanted, after) = match expected {
            Some(status) => foretold(status, runs, *wish),
            None => ("NotFound".to_owned(), None),
        };
        shop.later();
        assert_eq!(wish.ask(&shop, &made).await, wanted, "{wishes:?}");
        let left = shop.stored(&made).await;
        assert_eq!(left.as_ref().map(|left| left.status), after, "{wishes:?}");
        if let (Some(before), Some(left)) = (before, left) {
            // The row moves when the wish was granted and only then, except that removing
            // what is archived and was run has nothing left to do.
            let moved = left.version > before.version;
            assert_eq!(moved, left != before, "{wishes:?}");
            assert_eq!(left.created_at, made.created_at, "{wishes:?}");
            assert!(left.status != Published || left.published_at.is_some());
        }
        expected = after;
    }
}
