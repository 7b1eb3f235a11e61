//! The schema refuses by name what the domain refuses too.

use tarsify_domain::Scope;
use tarsify_domain::catalog::TarsModelRepository;

use crate::things::{Shop, new_consumer};
use tarsify_domain::people::ConsumerRepository;

/// A table, a value that it must not take, and what refuses it.
const BOUNDS: &[(&str, &str, &str)] = &[
    (
        "tars_models",
        "price_credits = -1",
        "tars_models_price_credits_check",
    ),
    (
        "tars_models",
        "price_credits = 1000001",
        "tars_models_price_credits_check",
    ),
    ("tars_models", "status = 'LOST'", "tars_models_status_check"),
    (
        "tars_models",
        "status = 'PUBLISHED'",
        "tars_models_published_at_check",
    ),
    ("tars_models", "title = ''", "tars_models_title_check"),
    (
        "tars_models",
        "title = repeat('x', 201)",
        "tars_models_title_check",
    ),
    ("tars_models", "slug = 'Upper'", "tars_models_slug_check"),
    ("tars_models", "slug = 'a--b'", "tars_models_slug_check"),
    (
        "tars_models",
        "description = repeat('x', 5001)",
        "tars_models_description_check",
    ),
    (
        "tars_models",
        "config_overrides = '[]'",
        "tars_models_config_overrides_check",
    ),
    (
        "tars_models",
        "total_runs = -1",
        "tars_models_total_runs_check",
    ),
    ("tars_models", "version = 0", "tars_models_version_check"),
    (
        "tars_models",
        "developer_id = gen_random_uuid()",
        "tars_models_developer_fkey",
    ),
    (
        "tars_models",
        "base_model_id = gen_random_uuid()",
        "tars_models_base_model_fkey",
    ),
    (
        "base_models",
        "category = 'SMELL'",
        "base_models_category_check",
    ),
    (
        "base_models",
        "output_type = 'SMELL'",
        "base_models_output_type_check",
    ),
    (
        "base_models",
        "input_schema = 'true'",
        "base_models_input_schema_check",
    ),
    (
        "base_models",
        "estimated_seconds = 0",
        "base_models_estimated_seconds_check",
    ),
    (
        "base_models",
        "timeout_seconds = 604801",
        "base_models_timeout_seconds_check",
    ),
    (
        "base_models",
        "output_format = ''",
        "base_models_output_format_check",
    ),
    (
        "base_models",
        "endpoint_id = gen_random_uuid()",
        "base_models_endpoint_fkey",
    ),
    ("endpoints", "source = 'MOON'", "endpoints_source_check"),
    (
        "endpoints",
        "provider_endpoint_id = 'a/b'",
        "endpoints_provider_endpoint_id_check",
    ),
    (
        "endpoints",
        "provider_endpoint_id = '..'",
        "endpoints_provider_endpoint_id_check",
    ),
    ("endpoints", "gpu_type = ''", "endpoints_gpu_type_check"),
    ("endpoints", "limits = '1'", "endpoints_limits_check"),
    ("people", "status = 'ASLEEP'", "people_status_check"),
    ("people", "role = 'KING'", "people_role_check"),
    ("people", "role = 'ADMIN'", "people_consumer_role_check"),
    ("people", "realm = 'MARTIANS'", "people_realm_check"),
    ("people", "name = 'x'", "people_name_check"),
    ("people", "email = repeat('x', 256)", "people_email_check"),
    (
        "people",
        "avatar_url = repeat('x', 2049)",
        "people_avatar_url_check",
    ),
    ("consumers", "run_count = -1", "consumers_run_count_check"),
    ("consumers", "realm = 'DEVELOPERS'", "consumers_realm_check"),
    ("developers", "country = 'de'", "developers_country_check"),
    (
        "developers",
        "bio = repeat('x', 501)",
        "developers_bio_check",
    ),
    (
        "developers",
        "id = gen_random_uuid()",
        "developers_person_fkey",
    ),
    ("catalog_version", "id = 2", "catalog_version_id_check"),
];

#[tokio::test]
async fn every_bound_of_the_domain_is_a_named_constraint() {
    let shop = Shop::open().await;
    shop.draft(1).await;
    shop.consumers.register(&new_consumer(2)).await.unwrap();
    for (table, set, constraint) in BOUNDS {
        // Whatever depends on the row must not be what refuses.
        let alone = match (*table, *set) {
            ("developers", "id = gen_random_uuid()") => "DELETE FROM tars_models; ",
            _ => "",
        };
        let refusal = shop
            .test
            .refusal(&format!("{alone}UPDATE {table} SET {set}"))
            .await;
        assert_eq!(refusal.as_deref(), Some(*constraint), "{table}: {set}");
    }
}

#[tokio::test]
async fn a_row_of_one_realm_cannot_hang_on_a_person_of_the_other() {
    let shop = Shop::open().await;
    shop.consumers.register(&new_consumer(1)).await.unwrap();
    for (sql, constraint) in [
        (
            "INSERT INTO developers (id) SELECT id FROM people",
            "developers_person_fkey",
        ),
        (
            "INSERT INTO identities SELECT 'DEVELOPERS', 'i', 's', id, now() FROM people",
            "identities_person_fkey",
        ),
        ("DELETE FROM people", "consumers_person_fkey"),
    ] {
        assert_eq!(
            shop.test.refusal(sql).await.as_deref(),
            Some(constraint),
            "{sql}"
        );
    }
}

#[tokio::test]
async fn addresses_and_slugs_are_unique_without_regard_to_case() {
    let shop = Shop::open().await;
    shop.consumers.register(&new_consumer(1)).await.unwrap();
    let twin = "INSERT INTO people (id, realm, email, email_is_verified, created_at, updated_at) \
        SELECT gen_random_uuid(), realm, upper(email), true, now(), now() FROM people";
    assert_eq!(
        shop.test.refusal(twin).await.as_deref(),
        Some("people_email_unique")
    );
}

#[tokio::test]
async fn a_stored_value_that_the_domain_refuses_is_an_internal_error() {
    let shop = Shop::open().await;
    let model = shop.draft(1).await;
    shop.test
        .sql("UPDATE tars_models SET config_overrides = '{\"lockedInputs\": 5, \"promptPrefix\": \"hush\"}'")
        .await;
    let error = shop
        .tars_models
        .find(Scope::System, model.id)
        .await
        .unwrap_err();
    let tarsify_domain::RepoError::Internal(source) = &error else {
        panic!("{error:?}");
    };
    assert!(
        !format!("{source} {source:?}").contains("hush"),
        "{source:?}"
    );
}

/// Foreign keys to what is never deleted, in tables where each index would cost every write.
const BARE: [&str; 9] = [
    "clawbacks_developer_fkey",
    "executions_base_model_fkey",
    "executions_developer_fkey",
    "executions_endpoint_fkey",
    "grants_consumer_fkey",
    "holds_maturing_fkey",
    "idempotency_keys_execution_fkey",
    "maturings_developer_fkey",
    "purchases_package_fkey",
];

#[tokio::test]
async fn every_foreign_key_has_an_index() {
    let shop = Shop::open().await;
    // One that leaves out nulls is as good: nothing refers to a null.
    let bare = "SELECT conname FROM pg_constraint c \
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] \
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND NOT EXISTS ( \
            SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1] \
            AND coalesce(pg_get_expr(i.indpred, i.indrelid), '') \
                IN ('', format('(%I IS NOT NULL)', a.attname))) \
        ORDER BY conname";
    assert_eq!(shop.test.sql(bare).await, BARE);
}
