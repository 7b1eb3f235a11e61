use tarsify_domain::catalog::{Category, OutputType};
use tarsify_domain::id::TarsModelId;
use tarsify_domain::text::{Name, Slug, Title};

use super::*;

fn of(number: usize, catalog_version: i64) -> OfRow {
    OfRow {
        tars_model_id: Uuid::from_u128(number.try_into().unwrap()),
        base_model_id: Uuid::nil(),
        catalog_version,
    }
}

fn model() -> ModelRef {
    ModelRef {
        id: TarsModelId::from_uuid(Uuid::nil()),
        slug: Slug::parse("a-model").unwrap(),
        title: Title::parse("A model").unwrap(),
        base_model_name: Name::parse("A base").unwrap(),
        category: Category::Text,
        output_type: OutputType::Json,
        estimated_seconds: 1,
    }
}

#[test]
fn so_many_are_kept_and_then_none_of_them() {
    let mut kept = Kept::default();
    for number in 0..MOST {
        kept.keep(&of(number, 7), &model());
    }
    assert_eq!(kept.models.len(), MOST);
    kept.keep(&of(MOST, 7), &model());
    assert_eq!(kept.models.len(), 1);
}

#[test]
fn those_of_one_state_of_the_catalogue_are_kept() {
    let mut kept = Kept::default();
    kept.keep(&of(1, 7), &model());
    kept.keep(&of(2, 8), &model());
    // Read before the change, and here after it.
    kept.keep(&of(3, 7), &model());
    assert_eq!(kept.version, 8);
    assert_eq!(
        kept.models.keys().copied().collect::<Vec<_>>(),
        [of(2, 8).which()]
    );
}
