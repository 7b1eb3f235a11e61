//! Who goes with whom, and what each is told when something goes wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::sql_types::BigInt;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt;

use super::*;
use crate::settings::DatabaseSettings;

type Outcome = Result<Vec<Told>, Failure>;

/// Writes nowhere, when it is let.
struct Fake;

struct Ask {
    key: Uuid,
    number: i64,
    desk: Arc<Desk>,
}

#[derive(QueryableByName, Debug, PartialEq)]
#[diesel(check_for_backend(Pg))]
struct Told {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

struct Desk {
    /// What was written, statement by statement.
    written: Mutex<Vec<Vec<i64>>>,
    /// One permit for each statement that has begun.
    begun: Semaphore,
    /// One permit for each that may end.
    gate: Semaphore,
    outcome: fn(&[i64]) -> Outcome,
}

impl Together for Fake {
    type Item = Ask;
    type Answer = Told;

    const MADE_AT: &'static Location<'static> = Location::caller();

    fn key(item: &Ask) -> Uuid {
        item.key
    }

    fn statement(_items: &[Arc<Ask>]) -> Statement {
        unreachable!("it is not sent")
    }

    async fn write(_database: &Database, items: &[Arc<Ask>]) -> Outcome {
        let numbers: Vec<_> = items.iter().map(|item| item.number).collect();
        let desk = &items[0].desk;
        desk.written.lock().unwrap().push(numbers.clone());
        desk.begun.add_permits(1);
        desk.gate.acquire().await.unwrap().forget();
        (desk.outcome)(&numbers)
    }
}

fn well(numbers: &[i64]) -> Outcome {
    Ok(numbers.iter().map(|&number| Told { number }).collect())
}

/// Two statements are on their way, of the first two; whoever comes now has to wait.
struct Place {
    writers: Arc<Writers<Fake>>,
    desk: Arc<Desk>,
    asking: JoinSet<(i64, Result<Told, Failure>)>,
}

impl Place {
    async fn open(outcome: fn(&[i64]) -> Outcome) -> Self {
        let mut settings = DatabaseSettings::new("postgresql://nobody@127.0.0.1:1/nothing");
        settings.acquire_timeout = Duration::from_millis(20);
        let target = Arc::new(settings.connection().unwrap());
        let database = Database::unopened(&target, &settings).unwrap();
        let mut place = Self {
            writers: Arc::new(Writers::new(&database)),
            desk: Arc::new(Desk {
                written: Mutex::default(),
                begun: Semaphore::new(0),
                gate: Semaphore::new(0),
                outcome,
            }),
            asking: JoinSet::new(),
        };
        for number in [1, 2] {
            place.ask(number);
            place.begun(1).await;
        }
        place
    }

    fn ask(&mut self, number: i64) -> AbortHandle {
        self.ask_about(number, number)
    }

    fn ask_about(&mut self, what: i64, number: i64) -> AbortHandle {
        let writers = Arc::clone(&self.writers);
        let desk = Arc::clone(&self.desk);
        self.asking.spawn(async move {
            let key = Uuid::from_u128(what.unsigned_abs().into());
            let asked = writers.write(Ask { key, number, desk }).await;
            (number, asked)
        })
    }

    async fn begun(&self, statements: u32) {
        let begun = self.desk.begun.acquire_many(statements).await;
        begun.unwrap().forget();
    }

    async fn until_in_line(&self, many: usize) {
        let line = &self.writers.line;
        while line.max_capacity() - line.capacity() != many {
            tokio::task::yield_now().await;
        }
    }

    fn waiting(&self) -> usize {
        self.writers.database.connections().waiting
    }

    /// Lets everything go, and answers what each was told, in their order.
    async fn answers(&mut self) -> Vec<(i64, Result<Told, Failure>)> {
        self.desk.gate.add_permits(1_000);
        let mut answers = Vec::new();
        while let Some(answer) = self.asking.join_next().await {
            answers.push(answer.unwrap());
        }
        answers.sort_by_key(|(number, _)| *number);
        answers
    }

    async fn assert_all_told(&mut self) {
        for (number, answer) in self.answers().await {
            assert_eq!(answer.unwrap(), Told { number });
        }
    }

    /// Statement by statement.
    fn written(&self) -> Vec<Vec<i64>> {
        self.desk.written.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn whoever_comes_first_goes_alone_and_the_others_together() {
    let mut place = Place::open(well).await;
    for number in 3..=12 {
        place.ask(number);
    }
    place.until_in_line(10).await;
    place.assert_all_told().await;
    assert_eq!(place.written(), [vec![1], vec![2], (3..=12).collect()]);
}

#[tokio::test]
async fn a_statement_has_a_limit_and_the_line_too() {
    let mut place = Place::open(well).await;
    for number in 3..=66 {
        place.ask(number);
    }
    place.until_in_line(LINE).await;
    assert_eq!(place.waiting(), 0);
    place.ask(67);
    while place.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    let (number, refused) = place.asking.join_next().await.unwrap().unwrap();
    assert_eq!(number, 67);
    let Err(Failure::Unavailable(error)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(error.to_string(), TOO_LONG);
    assert_eq!(place.waiting(), 0);
    place.assert_all_told().await;
    let written: Vec<_> = [vec![1], vec![2], (3..=34).collect(), (35..=66).collect()].into();
    assert_eq!(place.written(), written);
}

#[tokio::test]
async fn two_about_the_same_never_go_together() {
    let mut place = Place::open(well).await;
    for number in [3, 5, 6] {
        place.ask_about(3, number);
    }
    place.ask(7);
    place.until_in_line(4).await;
    place.assert_all_told().await;
    assert_eq!(
        place.written(),
        [vec![1], vec![2], vec![3, 7], vec![5], vec![6]]
    );
}

#[tokio::test]
async fn who_has_gone_is_not_written() {
    let mut place = Place::open(well).await;
    let gone = place.ask(3);
    place.until_in_line(1).await;
    place.ask(4);
    place.until_in_line(2).await;
    gone.abort();
    let error = place.asking.join_next().await.unwrap().unwrap_err();
    assert!(error.is_cancelled());
    place.assert_all_told().await;
    assert_eq!(place.written(), [[1], [2], [4]]);
}

#[tokio::test]
async fn a_panic_loses_the_answer_and_nothing_else() {
    let mut place = Place::open(|numbers| match numbers {
        [1] | [2] => panic!("on purpose"),
        _ => well(numbers),
    })
    .await;
    place.ask(3);
    place.until_in_line(1).await;
    for (number, answer) in place.answers().await {
        match (number, answer) {
            (1 | 2, Err(Failure::Lost(error))) => assert_eq!(error.to_string(), UNANSWERED),
            (3, Ok(told)) => assert_eq!(told, Told { number }),
            other => panic!("{other:?}"),
        }
    }
    // Both lanes are still there.
    place.begun(1).await;
    place.desk.gate.forget_permits(usize::MAX);
    for number in [4, 5] {
        place.ask(number);
        place.begun(1).await;
    }
    place.assert_all_told().await;
}

#[tokio::test]
async fn with_too_few_answers_nobody_is_told_any() {
    let mut place = Place::open(|numbers| well(&numbers[numbers.len() / 2..])).await;
    for number in [3, 4, 5] {
        place.ask(number);
    }
    place.until_in_line(3).await;
    for (number, answer) in place.answers().await {
        match (number, answer) {
            (1 | 2, Ok(told)) => assert_eq!(told, Told { number }),
            (3..=5, Err(Failure::Lost(_))) => {}
            other => panic!("{other:?}"),
        }
    }
    // Nothing is written twice: it may have taken place.
    assert_eq!(place.written(), [vec![1], vec![2], vec![3, 4, 5]]);
}

#[derive(Debug, thiserror::Error)]
#[error("no {0:?}")]
struct No(Vec<i64>);

#[tokio::test]
async fn what_would_befall_each_is_told_to_all() {
    let mut place =
        Place::open(|numbers| Err(Failure::Unavailable(No(numbers.into()).into()))).await;
    for number in [3, 4, 5] {
        place.ask(number);
    }
    place.until_in_line(3).await;
    for (number, answer) in place.answers().await {
        let Err(Failure::Unavailable(error)) = answer else {
            panic!("{number} {answer:?}")
        };
        match number {
            1 | 2 => {
                // Who is alone is told by the error itself.
                let No(whose) = error.downcast_ref().unwrap();
                assert_eq!(whose, &[number]);
            }
            _ => assert_eq!(error.to_string(), "no [3, 4, 5]"),
        }
    }
    assert_eq!(place.written(), [vec![1], vec![2], vec![3, 4, 5]]);
}

#[tokio::test]
async fn what_one_is_refused_refuses_nobody_else() {
    let mut place = Place::open(|numbers| match numbers {
        [_, _, ..] | [4] => Err(Failure::Unexpected(No(numbers.into()).into())),
        _ => well(numbers),
    })
    .await;
    for number in [3, 4, 5] {
        place.ask(number);
    }
    place.until_in_line(3).await;
    for (number, answer) in place.answers().await {
        match answer {
            Ok(told) => assert_eq!(told, Told { number }),
            Err(Failure::Unexpected(error)) => assert_eq!(error.to_string(), "no [4]"),
            other => panic!("{number} {other:?}"),
        }
    }
    let mut alone = place.written().split_off(3);
    alone.sort();
    assert_eq!(alone, [[3], [4], [5]]);
}

type Fields = BTreeMap<&'static str, String>;

/// Keeps what is told of each span.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<BTreeMap<u64, Fields>>>);

struct Fill<'a>(&'a mut Fields);

impl Visit for Fill<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: tracing::Subscriber> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _context: Context<'_, S>) {
        let mut spans = self.0.lock().unwrap();
        let fields = spans.entry(id.into_u64()).or_default();
        attributes.record(&mut Fill(fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _context: Context<'_, S>) {
        let mut spans = self.0.lock().unwrap();
        values.record(&mut Fill(spans.entry(id.into_u64()).or_default()));
    }
}

#[tokio::test]
async fn each_has_a_span_of_his_own() {
    let spans = Spans::default();
    let _listening = registry().with(spans.clone()).set_default();
    let mut place = Place::open(|numbers| match numbers {
        [1] => Err(Failure::Lost("it broke".into())),
        _ => well(numbers),
    })
    .await;
    for number in [3, 4] {
        place.ask(number);
    }
    place.until_in_line(2).await;
    place.answers().await;
    let spans = spans.0.lock().unwrap();
    let mut seen = Vec::new();
    for span in spans.values() {
        assert_eq!(span["group"], "\"together/tests\"", "{span:#?}");
        assert!(span["in_line_us"].parse::<u64>().is_ok(), "{span:#?}");
        let status = span.get("otel.status_code").map(String::as_str);
        seen.push((span["together"].as_str(), status));
    }
    seen.sort_unstable();
    let error = Some("\"ERROR\"");
    assert_eq!(seen, [("1", None), ("1", error), ("2", None), ("2", None)]);
}
