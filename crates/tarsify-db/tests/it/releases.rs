//! Two releases run beside each other on one schema while the newer one is rolled out: whatever the
//! last release found there has to be there still, as it was (`migrations/README.md`).

mod compare;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use self::compare::{offences, refusals};
use crate::support::{Outside, database};

const OFFERED: &str = include_str!("../../../../migrations/offered.sql");

/// The version that is being worked on.
const PRESENT: &str = env!("CARGO_PKG_VERSION");

/// What the schema of each release offered, by its version.
fn releases() -> BTreeMap<[u32; 3], PathBuf> {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let files = fs::read_dir(migrations).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let versioned = files.filter_map(|file| {
        let name = file.file_name()?.to_str()?;
        let version = name.strip_prefix("release-")?.strip_suffix(".txt")?;
        Some((numbers(version), file.clone()))
    });
    versioned.collect()
}

fn numbers(version: &str) -> [u32; 3] {
    let numbers: Vec<u32> = version
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    numbers.try_into().unwrap()
}

/// Offences that somebody has looked at and answers for: the thing, and why nobody is hurt.
fn accepted() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/accepted.txt");
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_last_release_still_finds_everything_it_needs() {
    let test = database().await;
    let present = test.sql(OFFERED).await;
    let releases = releases();
    let Some((version, last)) = releases.range(..numbers(PRESENT)).next_back() else {
        // Nobody runs anything older.
        return;
    };
    let [major, minor, patch] = version;
    let last = fs::read_to_string(last).unwrap();
    let hurt = refusals(offences(&last, &present.join("\n")), &accepted());
    assert!(
        hurt.is_empty(),
        "release {major}.{minor}.{patch} could not go on beside this schema:\n{}\nExpand now: leave what it \
         uses as it is, and add beside it. Contract one release later, when none of its processes runs any \
         more. More in migrations/README.md.",
        hurt.join("\n")
    );
}

#[tokio::test]
async fn what_is_kept_of_the_version_at_work_is_what_its_schema_offers() {
    let test = database().await;
    let present = test.sql(OFFERED).await.join("\n");
    let kept = releases().remove(&numbers(PRESENT));
    let kept = kept.and_then(|file| fs::read_to_string(file).ok());
    assert!(
        kept.as_deref().map(str::trim_end) == Some(present.as_str()),
        "migrations/release-{PRESENT}.txt is not what the schema offers: run scripts/release-schema and commit \
         the file. When {PRESENT} is released already, begin the next version in Cargo.toml first"
    );
}

/// Steps that would hurt a program of the last release, and what is said of each.
const HURTING: [(&str, &str); 25] = [
    (
        "DROP TABLE idempotency_keys",
        "table idempotency_keys is gone",
    ),
    ("DROP VIEW invariant_e3", "view invariant_e3 is gone"),
    (
        "ALTER TABLE people DROP COLUMN avatar_url",
        "column people.avatar_url is gone",
    ),
    (
        "ALTER TABLE people RENAME COLUMN name TO full_name",
        "column people.name is gone",
    ),
    (
        "ALTER TABLE developers ALTER COLUMN bio TYPE varchar(100)",
        "column developers.bio was `text` and is `character varying(100)`",
    ),
    (
        "ALTER TABLE developers ALTER COLUMN bio SET NOT NULL",
        "column developers.bio was `text` and is `text not null`",
    ),
    (
        "ALTER TABLE people ALTER COLUMN version DROP NOT NULL",
        "column people.version was",
    ),
    (
        "ALTER TABLE people ALTER COLUMN role DROP DEFAULT",
        "column people.role was",
    ),
    (
        "ALTER TABLE people ADD COLUMN shoe_size int NOT NULL",
        "column people.shoe_size is new, and the old program does not give it",
    ),
    (
        "ALTER TABLE people DROP CONSTRAINT people_name_check",
        "check people.people_name_check is gone",
    ),
    (
        "ALTER TABLE people DROP CONSTRAINT people_status_check, ADD CONSTRAINT people_status_check \
         CHECK (status IN ('ACTIVE', 'DISABLED', 'ASLEEP'))",
        "check people.people_status_check was",
    ),
    (
        "ALTER TABLE people ADD CONSTRAINT people_short CHECK (char_length(name) < 50)",
        "check people.people_short is new, and refuses what the old program may write",
    ),
    (
        "DROP INDEX tars_models_slug_unique",
        "unique tars_models.tars_models_slug_unique is gone",
    ),
    (
        "CREATE UNIQUE INDEX people_name_unique ON people (lower(name))",
        "unique people.people_name_unique is new, and refuses",
    ),
    (
        "ALTER TABLE people ADD COLUMN handle text NOT NULL DEFAULT ''; \
         CREATE UNIQUE INDEX handles ON people (realm, handle)",
        "unique people.handles is new, and refuses",
    ),
    (
        "ALTER TABLE people ADD COLUMN handle text GENERATED ALWAYS AS (lower(name)) STORED UNIQUE",
        "unique people.people_handle_key is new, and refuses",
    ),
    (
        "ALTER TABLE people ADD COLUMN handle text; CREATE UNIQUE INDEX names ON people (name) INCLUDE (handle)",
        "unique people.names is new, and refuses",
    ),
    (
        "ALTER TABLE people ADD COLUMN handle text UNIQUE NULLS NOT DISTINCT",
        "unique people.people_handle_key is new, and refuses",
    ),
    (
        "ALTER TABLE people ADD COLUMN most int NOT NULL DEFAULT 9, \
         ADD CONSTRAINT people_most CHECK (char_length(name) <= most)",
        "check people.people_most is new, and refuses",
    ),
    // Whether what it is filled with passes has to be seen to.
    (
        "ALTER TABLE people ADD COLUMN badge_count int NOT NULL DEFAULT 0 CHECK (badge_count > 0)",
        "check people.people_badge_count_check is new, and refuses",
    ),
    (
        "ALTER TABLE people ADD COLUMN handle text, ADD CHECK (name <> '' OR handle IS NOT NULL)",
        "check people.people_check is new, and refuses",
    ),
    (
        "ALTER TABLE people ADD COLUMN parent uuid DEFAULT gen_random_uuid() REFERENCES people (id)",
        "reference people.people_parent_fkey is new, and refuses",
    ),
    (
        "CREATE TRIGGER people_stay BEFORE DELETE ON people \
         FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_record()",
        "trigger people.people_stay is new, and it may refuse",
    ),
    (
        "DROP TRIGGER executions_frozen ON executions",
        "trigger executions.executions_frozen is gone",
    ),
    (
        "ALTER FUNCTION has_room_for_run(uuid, bigint) RENAME TO has_room",
        "function has_room_for_run(of_consumer uuid, most bigint) is gone",
    ),
];

/// Steps that it does not notice.
const HARMLESS: [&str; 9] = [
    "CREATE TABLE badges (id uuid PRIMARY KEY, person uuid NOT NULL REFERENCES people (id))",
    "CREATE TABLE badges (id uuid PRIMARY KEY); CREATE TRIGGER badges_stay BEFORE DELETE ON badges \
     FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_record()",
    "ALTER TABLE people ADD COLUMN motto text",
    "ALTER TABLE people ADD COLUMN badge_count int NOT NULL DEFAULT 0",
    "ALTER TABLE people ADD COLUMN badge_count int CHECK (badge_count >= 0), ADD COLUMN parent uuid \
     REFERENCES people (id)",
    "ALTER TABLE people ADD COLUMN handle text; CREATE UNIQUE INDEX handles ON people (handle) \
     WHERE handle IS NOT NULL",
    "CREATE INDEX people_by_name ON people (name)",
    "CREATE FUNCTION badges_of(person uuid) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'",
    "DROP INDEX IF EXISTS executions_pending",
];

#[tokio::test]
async fn every_step_that_would_hurt_the_last_release_is_named_and_no_other() {
    let test = database().await;
    let outside = Outside::connect(&test.url).await;
    let before = outside.sql(OFFERED).await.join("\n");
    assert_eq!(offences(&before, &before), Vec::<String>::new());
    let hurting = HURTING.map(|(step, said)| (step, Some(said)));
    for (step, said) in hurting.into_iter().chain(HARMLESS.map(|step| (step, None))) {
        outside.sql(&format!("BEGIN; {step}")).await;
        let after = outside.sql(OFFERED).await.join("\n");
        outside.sql("ROLLBACK").await;
        let found = offences(&before, &after);
        let as_said = match said {
            Some(said) => found.iter().any(|offence| offence.contains(said)),
            None => found.is_empty(),
        };
        assert!(as_said, "{step}: {found:#?}");
    }
}

#[test]
fn what_somebody_answers_for_is_let_through_and_nothing_else() {
    let before = "table people\ncheck people.status: (status) one";
    let after = "table people\ncheck people.status: (status) one or two";
    let found = offences(before, after);
    let answer = "check people.status: the old program never reads the new one".to_owned();
    assert_eq!(refusals(found.clone(), &[answer]), Vec::<String>::new());
    for stranger in [
        "check people.stat: why",
        "check people.status",
        "check people.status: ",
    ] {
        assert_eq!(refusals(found.clone(), &[stranger.to_owned()]), found);
    }
}
