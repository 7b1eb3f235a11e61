//! Reads how models do from the sums of their days, and what has not been added to these yet.
//! Executions are never looked at.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tarsify_domain::earnings::{
    Analytics, AnalyticsDay, AnalyticsRepository, Period, RunSums, TimeBucket, TopModel,
};
use tarsify_domain::id::{DeveloperId, TarsModelId};
use tarsify_domain::money::Millicredits;
use tarsify_domain::{RepoError, Timestamp};
use uuid::Uuid;

use crate::pool::Database;
use crate::statement::{Binds, Statement};
use crate::stored;

/// Where the duration `took_ms` falls on a scale of eight steps to each doubling. Exact numbers,
/// because a step that begins at a whole power must not depend on how a float is rounded.
pub(crate) const BUCKET: &str =
    "floor(8 * log(2::numeric, greatest(took_ms, 1)::numeric))::integer";

/// How many models are the top ones.
const MOST_TOP: i64 = 10;

/// The sums in PostgreSQL.
pub struct PgAnalyticsRepository {
    database: Database,
}

impl PgAnalyticsRepository {
    /// Reads them from `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl AnalyticsRepository for PgAnalyticsRepository {
    async fn find(
        &self,
        developer: DeveloperId,
        model: Option<TarsModelId>,
        period: Period,
    ) -> Result<Option<Analytics>, RepoError> {
        let statement = statement(developer, model, period);
        let rows = self.database.read(&statement).await;
        gathered(rows.map_err(|failure| failure.into_repo())?)
    }
}

/// All parts in one statement, because a tally moves runs from one table to the other.
fn statement(developer: DeveloperId, model: Option<TarsModelId>, period: Period) -> Statement {
    let mut binds = Binds::default();
    let developer = binds.uuid(developer.uuid());
    let mut wanted = vec![format!("developer_id = {developer}")];
    let mut is_his = "true".to_owned();
    if let Some(model) = model {
        let model = binds.uuid(model.uuid());
        wanted.push(format!("tars_model_id = {model}"));
        is_his = format!(
            "EXISTS (SELECT 1 FROM tars_models WHERE id = {model} AND developer_id = {developer})"
        );
    }
    if let Some(days) = period.days() {
        let days = binds.number(i64::from(days));
        wanted.push(format!(
            "day > (now() AT TIME ZONE 'UTC')::date - {days}::integer"
        ));
    }
    let wanted = wanted.join(" AND ");
    let sql = format!(
        "WITH runs AS MATERIALIZED (\
            SELECT tars_model_id, day, completed, failed, cancelled, gross, earned \
            FROM model_days WHERE {wanted} \
            UNION ALL \
            SELECT tars_model_id, day, CASE WHEN status = 'COMPLETED' THEN 1 ELSE 0 END, \
                CASE WHEN status IN ('FAILED', 'TIMED_OUT') THEN 1 ELSE 0 END, \
                CASE WHEN status = 'CANCELLED' THEN 1 ELSE 0 END, gross, earned \
            FROM untallied WHERE {wanted}\
         ), times AS (\
            SELECT s.bucket, s.runs FROM model_day_times s \
            WHERE (s.tars_model_id, s.day) IN (SELECT tars_model_id, day FROM runs) \
            UNION ALL \
            SELECT {BUCKET}, 1 FROM untallied \
            WHERE status = 'COMPLETED' AND took_ms IS NOT NULL AND {wanted}\
         ), top AS (\
            SELECT tars_model_id, {SUMS} FROM runs GROUP BY tars_model_id \
            ORDER BY sum(earned) DESC, sum(gross) DESC, tars_model_id LIMIT {MOST_TOP}\
         ) \
         SELECT 'his' AS part, 0::bigint AS place, NULL::timestamptz AS day, \
            NULL::integer AS bucket, NULL::uuid AS model_id, NULL::text AS slug, \
            NULL::text AS title, 0::bigint AS completed, 0::bigint AS failed, \
            0::bigint AS cancelled, 0::bigint AS gross, 0::bigint AS earned \
         WHERE {is_his} \
         UNION ALL \
         SELECT 'day', day - DATE '2000-01-01', day::timestamp AT TIME ZONE 'UTC', NULL, NULL, \
            NULL, NULL, {SUMS} FROM runs GROUP BY day \
         UNION ALL \
         SELECT 'time', bucket, NULL, bucket, NULL, NULL, NULL, sum(runs)::bigint, 0, 0, 0, 0 \
         FROM times GROUP BY bucket \
         UNION ALL \
         SELECT 'top', row_number() OVER (\
                ORDER BY k.earned DESC, k.gross DESC, k.tars_model_id\
            ), NULL, NULL, t.id, t.slug, t.title, \
            k.completed, k.failed, k.cancelled, k.gross, k.earned \
         FROM top k JOIN tars_models t ON t.id = k.tars_model_id \
         ORDER BY part, place"
    );
    Statement::new(sql, binds)
}

/// The sums of what is in `runs`.
const SUMS: &str = "sum(completed)::bigint AS completed, sum(failed)::bigint AS failed, \
    sum(cancelled)::bigint AS cancelled, sum(gross)::bigint AS gross, \
    sum(earned)::bigint AS earned";

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct PartRow {
    #[diesel(sql_type = Text)]
    part: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    day: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Integer>)]
    bucket: Option<i32>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    model_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    slug: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    title: Option<String>,
    #[diesel(embed)]
    sums: SumsRow,
}

#[derive(Clone, Copy, QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct SumsRow {
    #[diesel(sql_type = BigInt)]
    completed: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
    #[diesel(sql_type = BigInt)]
    cancelled: i64,
    #[diesel(sql_type = BigInt)]
    gross: i64,
    #[diesel(sql_type = BigInt)]
    earned: i64,
}

impl TryFrom<SumsRow> for RunSums {
    type Error = RepoError;

    fn try_from(row: SumsRow) -> Result<Self, RepoError> {
        let SumsRow {
            completed,
            failed,
            cancelled,
            gross,
            earned,
        } = row;
        Ok(Self {
            completed: stored::count("completed", completed)?,
            failed: stored::count("failed", failed)?,
            cancelled: stored::count("cancelled", cancelled)?,
            gross: Millicredits::new(gross),
            earned: Millicredits::new(earned),
        })
    }
}

/// Puts the parts together; none when the model is not his.
fn gathered(rows: Vec<PartRow>) -> Result<Option<Analytics>, RepoError> {
    let mut analytics = Analytics::default();
    let mut is_his = false;
    for row in rows {
        let PartRow {
            part,
            day,
            bucket,
            model_id,
            slug,
            title,
            sums,
        } = row;
        match (part.as_str(), day, bucket, model_id) {
            ("his", ..) => is_his = true,
            ("day", Some(day), ..) => {
                let sums = sums.try_into()?;
                add(&mut analytics.sums, sums);
                let day = day.date();
                analytics.days.push(AnalyticsDay { day, sums });
            }
            ("time", _, Some(bucket), _) => {
                let bucket = TimeBucket(stored::checked("bucket", u16::try_from(bucket))?);
                let runs = stored::count("runs", sums.completed)?;
                analytics.times.push((bucket, runs));
            }
            ("top", _, _, Some(id)) => analytics.top.push(TopModel {
                id: TarsModelId::from_uuid(id),
                slug: slug.unwrap_or_default(),
                title: title.unwrap_or_default(),
                sums: sums.try_into()?,
            }),
            _ => return stored::checked("part", Err("no such part")),
        }
    }
    Ok(is_his.then_some(analytics))
}

fn add(all: &mut RunSums, more: RunSums) {
    let RunSums {
        completed,
        failed,
        cancelled,
        gross,
        earned,
    } = more;
    all.completed += completed;
    all.failed += failed;
    all.cancelled += cancelled;
    all.gross = Millicredits::new(all.gross.get() + gross.get());
    all.earned = Millicredits::new(all.earned.get() + earned.get());
}
