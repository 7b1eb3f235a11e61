//! Live events: what happens to runs, as it happens, as a `text/event-stream`.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue,
};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tarsify_domain::execution::{LogPlace, LoggedEvent};
use tarsify_domain::id::{ConsumerId, ExecutionId};
use tarsify_domain::people::Developer;
use tarsify_domain::{ErrorCode, Misfit, Scope};
use tarsify_engine::{FollowError, Followed, Following, FollowingAll, StreamToken};
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

use super::runs::Runs;
use crate::envelope::Made;
use crate::error::ApiError;
use crate::extract::query::{self, QueryFields, QueryIn};
use crate::extract::{
    Administrator, Body, Fields, PathId, RegisteredConsumer, RegisteredDeveloper, Valid,
};
use crate::lifecycle::Lifecycle;
use crate::metrics::{OpenStream, StreamKind};
use crate::middleware::access::{self, ByStreamToken};
use crate::wire::Moment;

/// Where a stream was broken off, as browsers send it.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The same for who cannot send headers.
const LAST_EVENT_ID_QUERY: &str = "lastEventId";
/// The pause between two words that say nothing: by them a dead caller is noticed.
const HEARTBEAT: Duration = Duration::from_secs(6);
/// How long a caller should wait before he comes back, in milliseconds.
const RETRY: u32 = 2_000;

/// Something that happened to a run.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunEventOut {
    /// Whose event it is.
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d")]
    execution_id: Uuid,
    /// Its number among those of the run: 1, 2, 3 and so on.
    #[schema(example = 3)]
    seq: i64,
    /// What happened; expect further kinds.
    #[schema(
        pattern = "^(queued|accepted|started|progress|output_delta|completed|failed|timed_out|cancelled)$",
        example = "progress"
    )]
    kind: &'static str,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:01.000Z")]
    at: Moment,
    /// What there is to say about it. Of an `output_delta`: its `index` among them, and `text` that
    /// goes on the text before, `data` of the model's own kind, or `truncated` when no more is told.
    #[schema(value_type = Object, example = json!({ "fraction": 0.5 }))]
    data: Map<String, Value>,
}

impl From<&LoggedEvent> for RunEventOut {
    fn from(event: &LoggedEvent) -> Self {
        Self {
            execution_id: event.place.execution.uuid(),
            seq: event.place.seq,
            kind: event.kind.as_str(),
            at: Moment(event.at),
            data: event.data.clone(),
        }
    }
}

/// A token by which a run can be followed once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StreamTokenOut {
    /// Goes into the query of the stream as `token`.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    token: String,
    /// Until when it can be used.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:31:00.000Z")]
    expires_at: Moment,
}

/// Nothing has to be said to be given a token.
#[derive(ToSchema)]
pub(crate) struct StreamTokenIn {}

impl Body for StreamTokenIn {
    const MAY_BE_ABSENT: bool = true;

    fn read(_fields: &mut Fields) -> Option<Self> {
        Some(Self {})
    }
}

/// Where a stream was broken off.
pub(crate) struct Broken(Option<String>);

struct BrokenQuery(Option<String>);

impl QueryIn for BrokenQuery {
    fn read(query: &mut QueryFields) -> Option<Self> {
        let last = query.optional(LAST_EVENT_ID_QUERY, |text| Ok(text.to_owned()));
        // It was looked at before, when it was let in.
        let _ = query.optional(access::STREAM_TOKEN, |_| Ok(()));
        Some(Self(last))
    }
}

impl FromRequest for Broken {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let BrokenQuery(asked) = match query::read(request.query_string()) {
            Ok(asked) => asked,
            Err(issues) => return ready(Err(ApiError::faults(ErrorCode::Validation, issues))),
        };
        // A browser that comes back by itself says the newer one in the header.
        let header = request.headers().get(LAST_EVENT_ID);
        let header = header.map(|value| match value.to_str() {
            Ok(value) => value.trim().to_owned(),
            // It is none of ours, and refused as such.
            Err(_) => "?".to_owned(),
        });
        ready(Ok(Self(header.filter(|value| !value.is_empty()).or(asked))))
    }
}

impl Broken {
    /// The number of an event of one run; before the first one, if none was said.
    fn number(self) -> Result<i64, ApiError> {
        let Some(text) = self.0 else { return Ok(0) };
        let number = text.parse().ok().filter(|number| *number >= 0);
        number.ok_or_else(|| {
            unknown_event("must be the id of an event of this stream: a whole number")
        })
    }

    /// The place of an event among those of all runs.
    fn place(self) -> Result<Option<LogPlace>, ApiError> {
        let Some(text) = self.0 else { return Ok(None) };
        let place = read_place(&text);
        let place = place.ok_or_else(|| {
            unknown_event("must be the id of an event of this stream, as it came")
        })?;
        Ok(Some(place))
    }
}

fn unknown_event(message: &'static str) -> ApiError {
    ApiError::fault(Misfit::new("format", message).at(format!("/{LAST_EVENT_ID_QUERY}")))
}

fn write_place(place: LogPlace) -> String {
    format!("{}.{}.{}", place.turn, place.execution, place.seq)
}

fn read_place(text: &str) -> Option<LogPlace> {
    let mut parts = text.split('.');
    let place = LogPlace {
        turn: parts.next()?.parse().ok()?,
        execution: parts.next()?.parse().ok()?,
        seq: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(place)
}

/// On whose behalf a run is followed.
pub(crate) struct Follower(Scope);

#[derive(Debug, thiserror::Error)]
#[error("the route's access rule lets in nobody who could follow")]
struct NobodyFollows;

impl FromRequest for Follower {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let scope = if let Some(consumer) = extensions.get::<ConsumerId>() {
            Some(Scope::Consumer(*consumer))
        } else if let Some(developer) = extensions.get::<Developer>() {
            Some(Scope::Developer(developer.id))
        } else {
            // The token was for the run in the path, and given to whom it belongs.
            extensions.get::<ByStreamToken>().map(|_| Scope::System)
        };
        let scope = scope.map(Self);
        ready(scope.ok_or_else(|| ApiError::internal(NobodyFollows)))
    }
}

/// Follows one run to its end.
pub(crate) async fn follow_run(
    runs: Runs,
    Follower(scope): Follower,
    broken: Broken,
    id: PathId<ExecutionId>,
) -> Result<HttpResponse, ApiError> {
    follow_one(runs, (scope, StreamKind::Run), broken, id).await
}

/// The same for developers' own test runs.
pub(crate) async fn follow_test_run(
    runs: Runs,
    Follower(scope): Follower,
    broken: Broken,
    id: PathId<ExecutionId>,
) -> Result<HttpResponse, ApiError> {
    follow_one(runs, (scope, StreamKind::Developer), broken, id).await
}

async fn follow_one(
    runs: Runs,
    (scope, kind): (Scope, StreamKind),
    broken: Broken,
    id: PathId<ExecutionId>,
) -> Result<HttpResponse, ApiError> {
    let id = id.id()?;
    let following = runs.engine.follow(scope, id, broken.number()?).await;
    let source = Source::One(following.map_err(refusal)?);
    let connected = json!({ "executionId": id.to_string() });
    Ok(stream(runs, (source, kind), None, &connected))
}

/// Follows all runs of a consumer.
pub(crate) async fn follow_runs(
    runs: Runs,
    RegisteredConsumer(consumer): RegisteredConsumer,
    broken: Broken,
) -> Result<HttpResponse, ApiError> {
    let scope = Scope::Consumer(consumer);
    follow_all(runs, (scope, StreamKind::Consumer), broken).await
}

/// Follows everything.
pub(crate) async fn follow_everything(
    runs: Runs,
    _admin: Administrator,
    broken: Broken,
) -> Result<HttpResponse, ApiError> {
    follow_all(runs, (Scope::System, StreamKind::Admin), broken).await
}

async fn follow_all(
    runs: Runs,
    (scope, kind): (Scope, StreamKind),
    broken: Broken,
) -> Result<HttpResponse, ApiError> {
    let following = runs.engine.follow_all(scope, broken.place()?).await;
    let following = following.map_err(refusal)?;
    // Who is cut off before anything happened can say from where he goes on.
    let id = write_place(following.place());
    let source = Source::All(following);
    Ok(stream(runs, (source, kind), Some(&id), &json!({})))
}

fn refusal(error: FollowError) -> ApiError {
    match error {
        FollowError::Read(error) => error.into(),
        FollowError::Ahead => unknown_event(
            "names no event of this stream, or one so old that what came after it is removed: begin without it, or with the id of the last event that came",
        ),
    }
}

/// Gives a token by which the caller's run can be followed once, for who cannot send headers.
pub(crate) async fn create_stream_token(
    runs: Runs,
    RegisteredConsumer(consumer): RegisteredConsumer,
    id: PathId<ExecutionId>,
    Valid(StreamTokenIn {}): Valid<StreamTokenIn>,
) -> Result<Made<StreamTokenOut>, ApiError> {
    let scope = Scope::Consumer(consumer);
    grant(&runs, scope, id.id()?).await
}

/// The same for developers' own test runs.
pub(crate) async fn create_test_stream_token(
    runs: Runs,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    id: PathId<ExecutionId>,
    Valid(StreamTokenIn {}): Valid<StreamTokenIn>,
) -> Result<Made<StreamTokenOut>, ApiError> {
    let scope = Scope::Developer(developer.id);
    grant(&runs, scope, id.id()?).await
}

async fn grant(
    runs: &Runs,
    scope: Scope,
    id: ExecutionId,
) -> Result<Made<StreamTokenOut>, ApiError> {
    let StreamToken { token, until } = runs.engine.grant_stream_token(scope, id).await?;
    Ok(Made {
        body: StreamTokenOut {
            token,
            expires_at: Moment(until),
        },
        location: None,
    })
}

/// What is followed.
enum Source {
    One(Following),
    All(FollowingAll),
}

impl Source {
    async fn next(&mut self) -> Result<Followed, FollowError> {
        match self {
            Self::One(following) => following.next().await,
            Self::All(following) => following.next().await,
        }
    }

    fn id(&self, event: &LoggedEvent) -> String {
        match self {
            Self::One(_) => event.place.seq.to_string(),
            Self::All(_) => write_place(event.place),
        }
    }
}

/// A stream on its way.
struct Stream {
    source: Source,
    lifecycle: Data<Lifecycle>,
    /// When he has to come back.
    until: Option<Instant>,
    /// What is said first.
    connected: Option<Bytes>,
    is_over: bool,
    /// He is counted as long as this is there.
    open: OpenStream,
}

fn stream(
    runs: Runs,
    (source, kind): (Source, StreamKind),
    id: Option<&str>,
    connected: &Value,
) -> HttpResponse {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    let begin = format!("retry: {RETRY}\nevent: connected\n{id}data: {connected}\n\n");
    // Who follows a run goes when it ends.
    let until = matches!(source, Source::All(_)).then(|| Instant::now() + runs.stream_life);
    let stream = Stream {
        source,
        lifecycle: runs.lifecycle,
        until,
        connected: Some(begin.into()),
        is_over: false,
        open: runs.metrics.http.open_stream(kind),
    };
    let words = futures_util::stream::unfold(stream, |mut stream| async {
        let word = stream.next().await?;
        Some((Ok::<_, Infallible>(word), stream))
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("text/event-stream")))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        // Nothing on the way may keep events back until there are more of them.
        .insert_header((CONTENT_ENCODING, HeaderValue::from_static("identity")))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(words)
}

impl Stream {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(connected) = self.connected.take() {
            return Some(connected);
        }
        if self.is_over {
            return None;
        }
        tokio::select! {
            next = self.source.next() => match next {
                Ok(Followed::Event(event)) => {
                    self.open.sent();
                    Some(word(&self.source.id(&event), &event))
                }
                Ok(Followed::End) => {
                    self.is_over = true;
                    Some(Bytes::from_static(b"event: end\ndata: {}\n\n"))
                }
                Err(error) => {
                    tracing::warn!(%error, "a stream of events was broken off");
                    None
                }
            },
            // He comes back by himself, to another process, and goes on after the last event that
            // he got.
            pause = self.lifecycle.sent_off() => {
                self.is_over = true;
                let milliseconds = pause.as_millis();
                Some(format!("retry: {milliseconds}\n\n").into())
            }
            // The same, if he still may.
            () = reached(self.until) => None,
            () = tokio::time::sleep(HEARTBEAT) => Some(Bytes::from_static(b":\n\n")),
        }
    }
}

async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn word(id: &str, event: &LoggedEvent) -> Bytes {
    let data = RunEventOut::from(event);
    // A map of JSON values always can be written.
    let data = serde_json::to_string(&data).unwrap_or_default();
    let kind = event.kind.as_str();
    format!("id: {id}\nevent: {kind}\ndata: {data}\n\n").into()
}

#[cfg(test)]
mod tests;
