//! One line of the route table: an address, who may use it, who handles it, and all that the
//! OpenAPI document says of it. Mounting, access and documentation come from the same line.

use actix_web::guard;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, Handler, Responder, web};
use tarsify_domain::ErrorCode;
use tarsify_domain::limits::LimitCategory;
use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::{RefOr, Schema};

use crate::limits::is_counted;
use crate::middleware::access::{Admission, guard as access_guard};
use crate::middleware::repetition::remember;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody; the `Authorization` header is not even looked at.
    Public,
    /// Anybody with a token of the consumers' realm, registered or not.
    AnyConsumer,
    /// A registered consumer.
    Consumer,
    /// Anybody with a token of the developers' realm, registered or not.
    AnyDeveloper,
    /// A registered developer.
    Developer,
    /// An administrator.
    Admin,
}

/// What a route answers when all goes well.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    One,
    Created,
    /// 201 with something that has no address of its own.
    Noted,
    /// 202: it was taken on, and `Location` says where it can be followed.
    Accepted,
    Page,
    /// 200 with events, as they happen.
    Events,
    /// 200 with lines of text that programs read.
    Lines,
    /// 200 without a body.
    Empty,
    Nothing,
}

/// Whether a request may carry a key that makes repeating it harmless.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repetition {
    /// It may not.
    Unkeyed,
    /// It may: its answer is remembered, and given again to whoever repeats it.
    Remembered,
    /// It may, and the use case keeps the key together with what it does.
    ByUseCase,
}

/// Another answer than the one that is meant.
pub(crate) struct OtherAnswer {
    pub(crate) status: &'static str,
    pub(crate) description: &'static str,
    pub(crate) data: Described,
}

pub(crate) type Schemas = Vec<(String, RefOr<Schema>)>;

/// A type as the document refers to it: the reference, and every schema behind it.
#[derive(Clone, Copy)]
pub(crate) struct Described {
    pub(crate) schema: fn() -> RefOr<Schema>,
    pub(crate) collect: fn(&mut Schemas),
}

impl Described {
    fn of<T: ToSchema>() -> Self {
        Self {
            schema: reference::<T>,
            collect: |schemas| {
                schemas.push((T::name().into_owned(), T::schema()));
                T::schemas(schemas);
            },
        }
    }
}

/// Named types are referred to, lists are written out around a reference.
fn reference<T: ToSchema>() -> RefOr<Schema> {
    match T::schema() {
        RefOr::T(Schema::Array(array)) => RefOr::T(Schema::Array(array)),
        _ => RefOr::Ref(utoipa::openapi::Ref::from_schema_name(T::name())),
    }
}

/// One line of the route table.
pub struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) aliases: Vec<&'static str>,
    pub(crate) access: Access,
    /// Whether a token for the run in the path will do instead.
    pub(crate) by_stream_token: bool,
    pub(crate) tag: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) operation_id: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Described>,
    pub(crate) body_may_be_absent: bool,
    pub(crate) answer: Option<Described>,
    pub(crate) other_answers: Vec<OtherAnswer>,
    pub(crate) shape: Shape,
    pub(crate) refusals: Vec<ErrorCode>,
    pub(crate) is_revision: bool,
    pub(crate) repetition: Repetition,
    /// What its requests count as, beside what all requests of the API do.
    pub(crate) category: Option<LimitCategory>,
    mount: Box<dyn Fn(Access, Method) -> actix_web::Route>,
}

/// A route that has no handler yet.
pub(crate) struct RouteBuilder {
    route: Route,
}

macro_rules! methods {
    ($($name:ident = $method:ident,)+) => {
        $(pub(crate) fn $name(path: &'static str, tag: &'static str, summary: &'static str) -> RouteBuilder {
            RouteBuilder::new(Method::$method, path, tag, summary)
        })+
    };
}

methods! { get = GET, post = POST, put = PUT, patch = PATCH, delete = DELETE, }

/// GET, and HEAD with it.
pub(crate) fn reading() -> actix_web::Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

impl RouteBuilder {
    fn new(method: Method, path: &'static str, tag: &'static str, summary: &'static str) -> Self {
        Self {
            route: Route {
                method,
                path,
                aliases: Vec::new(),
                access: Access::Public,
                by_stream_token: false,
                tag,
                summary,
                operation_id: String::new(),
                parameters: Vec::new(),
                body: None,
                body_may_be_absent: false,
                answer: None,
                other_answers: Vec::new(),
                shape: Shape::Nothing,
                refusals: Vec::new(),
                is_revision: false,
                repetition: Repetition::Unkeyed,
                category: None,
                mount: Box::new(|_access, _method| web::route()),
            },
        }
    }

    pub(crate) fn alias(mut self, path: &'static str) -> Self {
        self.route.aliases.push(path);
        self
    }

    pub(crate) const fn access(mut self, access: Access) -> Self {
        self.route.access = access;
        self
    }

    /// Lets in whoever has a stream token for the run in the path, too.
    pub(crate) const fn or_by_stream_token(mut self) -> Self {
        self.route.by_stream_token = true;
        self
    }

    pub(crate) fn query(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.route.parameters.extend(parameters);
        self
    }

    pub(crate) fn body<T: ToSchema + crate::extract::Body>(mut self) -> Self {
        self.route.body = Some(Described::of::<T>());
        self.route.body_may_be_absent = T::MAY_BE_ABSENT;
        self
    }

    pub(crate) fn answers<T: ToSchema>(mut self, shape: Shape) -> Self {
        self.route.answer = Some(Described::of::<T>());
        self.route.shape = shape;
        self
    }

    /// What it answers without an envelope when all goes well.
    pub(crate) const fn answers_nothing(mut self, shape: Shape) -> Self {
        self.route.shape = shape;
        self
    }

    /// Something else that it answers when all goes well.
    pub(crate) fn also_answers<T: ToSchema>(
        mut self,
        status: &'static str,
        description: &'static str,
    ) -> Self {
        self.route.other_answers.push(OtherAnswer {
            status,
            description,
            data: Described::of::<T>(),
        });
        self
    }

    /// It makes something: with an `Idempotency-Key` it does so once, however often it is sent.
    pub(crate) const fn creates(mut self) -> Self {
        self.route.repetition = Repetition::Remembered;
        self
    }

    /// The same where the use case keeps the key itself, together with what it does.
    pub(crate) const fn creates_by_key(mut self) -> Self {
        self.route.repetition = Repetition::ByUseCase;
        self
    }

    /// Its requests count as this too. Those who begin something are counted by the handler, which
    /// knows whether they do.
    pub(crate) const fn counts_as(mut self, category: LimitCategory) -> Self {
        self.route.category = Some(category);
        self
    }

    /// It changes something that has a version: `If-Match` is honoured.
    pub(crate) const fn revises(mut self) -> Self {
        self.route.is_revision = true;
        self
    }

    /// The failures that are this route's own; the common ones are known from the rest.
    pub(crate) fn refuses(mut self, codes: &[ErrorCode]) -> Self {
        self.route.refusals.extend_from_slice(codes);
        self
    }

    /// Names the handler; its name is the operation's id.
    pub(crate) fn to<F, Args>(mut self, handler: F) -> Route
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let name = std::any::type_name::<F>();
        self.route.operation_id = name.rsplit("::").next().unwrap_or(name).to_owned();
        let Route {
            path,
            repetition,
            body_may_be_absent,
            by_stream_token,
            category,
            ..
        } = self.route;
        let is_read_by_head = self.route.is_read_by_head();
        self.route.mount = Box::new(move |access, method| {
            let by_method = if is_read_by_head {
                reading()
            } else {
                web::method(method)
            };
            let mut route = by_method.to(handler.clone());
            if repetition == Repetition::Remembered {
                route = route.wrap(from_fn(move |request, next| {
                    remember(path, body_may_be_absent, request, next)
                }));
            }
            route.wrap(from_fn(move |request, next| {
                let admission = Admission {
                    access,
                    by_stream_token,
                    category,
                };
                access_guard(admission, request, next)
            }))
        });
        self.route
    }
}

impl Route {
    /// The method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The address and its other names.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> + '_ {
        std::iter::once(self.path).chain(self.aliases.iter().copied())
    }

    /// Who may use it.
    #[must_use]
    pub const fn access(&self) -> Access {
        self.access
    }

    /// The operation's id: the name of its handler.
    #[must_use]
    pub fn operation_id(&self) -> &str {
        &self.operation_id
    }

    /// The status when all goes well.
    pub(crate) const fn success_status(&self) -> u16 {
        match self.shape {
            Shape::One | Shape::Page | Shape::Events | Shape::Lines | Shape::Empty => 200,
            Shape::Created | Shape::Noted => 201,
            Shape::Accepted => 202,
            Shape::Nothing => 204,
        }
    }

    /// Whether it answers HEAD as well. For a HEAD of what does not end, its body would be made and
    /// not sent, for good: nobody would notice that the caller is gone.
    pub(crate) fn is_read_by_head(&self) -> bool {
        self.method == Method::GET && self.shape != Shape::Events
    }

    /// Whether callers are held to limits here.
    pub(crate) fn is_limited(&self) -> bool {
        is_counted(self.path)
    }

    pub(crate) fn mounted(&self) -> actix_web::Route {
        (self.mount)(self.access, self.method.clone())
    }
}
