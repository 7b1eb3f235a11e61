//! What follows for each cell: whom an address lets in, and what is said of things that are somebody
//! else's or not there. An address that these rules do not know makes the test fail.

/// Whom an address lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    Public,
    /// Whoever has the one token that the operator has set.
    Operator,
    /// Whoever has a token of the consumers' project.
    AnyConsumer,
    Consumer,
    AnyDeveloper,
    Developer,
    Admin,
}

/// One of the two wholly separate populations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Realm {
    Consumers,
    Developers,
}

/// One of two people of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    First,
    Second,
}

/// What a caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Nobody,
    /// His token is nobody's.
    Unknown,
    /// His token was good once.
    Expired(Realm),
    /// His token is good, and he has not registered.
    Newcomer(Realm),
    /// Somebody locked him out.
    Locked(Realm),
    Consumer(Side),
    Developer(Side),
    /// He has the operator's token, which is nobody's.
    Operator,
    /// An administrator with a developer's profile.
    Admin,
    /// An administrator without one.
    BareAdmin,
}

/// What stands in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Run,
    TestRun,
    TarsModel,
    Purchase,
    /// A model by its slug: the first is in the market, the second is a draft.
    Slug,
    /// The same where it is to be run.
    Runnable,
    Endpoint,
    BaseModel,
    /// A run, as administrators see it.
    Execution,
    Package,
    /// A consumer, as administrators see him.
    Person,
    /// A run and a token that was never given for it.
    Callback,
}

/// Which of them a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    /// The path has no place for one.
    None,
    Of(Side),
    Absent,
}

/// A status and a code.
pub(super) type Refusal = (u16, &'static str);

const NO_TOKEN: Refusal = (401, "ERR_2000");
const BAD_TOKEN: Refusal = (401, "ERR_2001");
const OLD_TOKEN: Refusal = (401, "ERR_2002");
const FORBIDDEN: Refusal = (403, "ERR_2003");

/// What anybody may ask. This list may only shrink.
const PUBLIC: [&str; 12] = [
    "GET /api/marketplace/credits/packages",
    "GET /api/marketplace/models",
    "GET /api/marketplace/models/{slug}",
    "GET /api/public/models",
    "GET /api/public/models/{slug}",
    "GET /health",
    "GET /health/live",
    "GET /health/ready",
    "GET /livez",
    "GET /readyz",
    "POST /api/webhooks/runpod/{executionId}/{token}",
    "POST /api/webhooks/stripe",
];

/// Whom an address is for.
pub(super) fn guard_of(name: &str, path: &str) -> Guard {
    if PUBLIC.contains(&name) {
        return Guard::Public;
    }
    let registers = path.ends_with("/auth/register");
    match path.split('/').nth(2) {
        None if path == "/metrics" => Guard::Operator,
        Some("marketplace" | "consumer") if registers => Guard::AnyConsumer,
        Some("marketplace" | "consumer") => Guard::Consumer,
        Some("studio" | "developer") if registers => Guard::AnyDeveloper,
        Some("studio" | "developer") => Guard::Developer,
        Some("admin") => Guard::Admin,
        _ => panic!("{name}: whom is this for? Say so in matrix/rules.rs"),
    }
}

/// What the parameters of a path name; `None` when it has none.
pub(super) fn kind_of(path: &str) -> Option<Kind> {
    let (before, _) = path.split_once("/{")?;
    Some(match before {
        "/api/marketplace/models" if path.ends_with("/run") => Kind::Runnable,
        "/api/marketplace/models" | "/api/public/models" => Kind::Slug,
        "/api/marketplace/runs" | "/api/consumer/executions" => Kind::Run,
        "/api/marketplace/credits/purchases" => Kind::Purchase,
        "/api/studio/runs" | "/api/developer/runs" => Kind::TestRun,
        "/api/studio/tars-models"
        | "/api/developer/tars-models"
        | "/api/studio/analytics/models" => Kind::TarsModel,
        "/api/admin/endpoints" => Kind::Endpoint,
        "/api/admin/base-models" => Kind::BaseModel,
        "/api/admin/executions" => Kind::Execution,
        "/api/admin/credit-packages" => Kind::Package,
        "/api/admin/consumers" => Kind::Person,
        "/api/webhooks/runpod" => Kind::Callback,
        _ => panic!("{path}: whose is what stands there? Say so in matrix/rules.rs"),
    })
}

impl Guard {
    const fn realm(self) -> Option<Realm> {
        match self {
            Self::Public | Self::Operator => None,
            Self::AnyConsumer | Self::Consumer => Some(Realm::Consumers),
            Self::AnyDeveloper | Self::Developer | Self::Admin => Some(Realm::Developers),
        }
    }

    /// What the document has to say of it.
    pub(super) const fn scheme(self) -> Option<&'static str> {
        match self {
            Self::Public | Self::Operator => None,
            Self::AnyConsumer | Self::Consumer => Some("consumer"),
            Self::AnyDeveloper | Self::Developer => Some("developer"),
            Self::Admin => Some("admin"),
        }
    }

    /// Why somebody is kept out, if he is.
    pub(super) fn keeps_out(self, standing: Standing) -> Option<Refusal> {
        match (self, standing) {
            (Self::Public, _) | (Self::Operator, Standing::Operator) => return None,
            (_, Standing::Nobody) => return Some(NO_TOKEN),
            (Self::Operator, _) | (_, Standing::Operator) => return Some(BAD_TOKEN),
            _ => {}
        }
        let realm = self.realm()?;
        let theirs = match standing {
            Standing::Nobody | Standing::Unknown | Standing::Operator => return Some(BAD_TOKEN),
            Standing::Expired(theirs) if theirs == realm => return Some(OLD_TOKEN),
            Standing::Expired(_) => return Some(BAD_TOKEN),
            Standing::Newcomer(theirs) | Standing::Locked(theirs) => theirs,
            Standing::Consumer(_) => Realm::Consumers,
            Standing::Developer(_) | Standing::Admin | Standing::BareAdmin => Realm::Developers,
        };
        if theirs != realm {
            return Some(BAD_TOKEN);
        }
        match (self, standing) {
            (Self::AnyConsumer | Self::AnyDeveloper, _) => None,
            (_, Standing::Locked(_)) => Some(FORBIDDEN),
            (Self::Consumer, Standing::Newcomer(_)) => Some((404, "ERR_3000")),
            (Self::Developer, Standing::Newcomer(_) | Standing::BareAdmin) => {
                Some((404, "ERR_4000"))
            }
            (Self::Admin, Standing::Newcomer(_) | Standing::Developer(_)) => Some(FORBIDDEN),
            _ => None,
        }
    }
}

impl Kind {
    /// What is said when there is no such thing.
    const fn absent(self) -> Refusal {
        match self {
            Self::Run | Self::TestRun | Self::Execution => (404, "ERR_6103"),
            Self::TarsModel => (404, "ERR_5500"),
            Self::Purchase | Self::Package => (404, "ERR_7001"),
            Self::Slug | Self::Runnable => (404, "ERR_6100"),
            Self::Endpoint => (404, "ERR_5505"),
            Self::BaseModel => (404, "ERR_5503"),
            Self::Person => (404, "ERR_3000"),
            Self::Callback => (404, "ERR_1002"),
        }
    }

    /// What is said when it is somebody else's: the same, but where the contract names another code, so
    /// that the id of a run and the slug of a draft tell that there is one.
    const fn foreign(self) -> Refusal {
        match self {
            Self::Run | Self::TestRun => (403, "ERR_6104"),
            Self::Runnable => (409, "ERR_6101"),
            _ => self.absent(),
        }
    }

    /// Whether it is his, as far as he was let in.
    fn is_of(self, standing: Standing, side: Side) -> bool {
        match self {
            Self::Run | Self::Purchase => standing == Standing::Consumer(side),
            Self::TestRun | Self::TarsModel => standing == Standing::Developer(side),
            Self::Slug | Self::Runnable => side == Side::First,
            Self::Callback => false,
            // Administrators see everybody's.
            Self::Endpoint | Self::BaseModel | Self::Execution | Self::Package | Self::Person => {
                true
            }
        }
    }
}

/// How a request has to be refused; `None` when it is to be carried out.
pub(super) fn refusal(
    guard: Guard,
    kind: Option<Kind>,
    (standing, object): (Standing, Object),
) -> Option<Refusal> {
    let kept_out = guard.keeps_out(standing);
    kept_out.or_else(|| match (kind, object) {
        (None, _) | (_, Object::None) => None,
        (Some(kind), Object::Absent) => Some(kind.absent()),
        (Some(kind), Object::Of(side)) if kind.is_of(standing, side) => None,
        (Some(kind), Object::Of(_)) => Some(kind.foreign()),
    })
}

/// Whether a refusal may tell that the thing is there.
pub(super) fn may_tell_apart(guard: Guard, kind: Kind, standing: Standing) -> bool {
    guard.keeps_out(standing).is_none() && kind.foreign() != kind.absent()
}

/// Refusals of a request that was let in and is about the right thing: what the caller is or what
/// became of the thing forbids it, and no cell can be in another state.
pub(super) fn may_be_refused(handler: &str, standing: Standing, found: (u16, &str)) -> bool {
    match handler {
        // Whoever has registered may ask to, and is told.
        "register_consumer" | "register_developer" => {
            let is_new = matches!(standing, Standing::Newcomer(_) | Standing::BareAdmin);
            !is_new && matches!(found, (409, "ERR_3001" | "ERR_4001"))
        }
        // Nobody here has shown the payment provider who he is.
        "request_payout" => found == (403, "ERR_4002"),
        // Only the payment provider can sign.
        "receive_stripe_event" => found == (400, "ERR_1001"),
        _ => false,
    }
}

/// Operations that succeed for nobody here, for the reasons above.
pub(super) const NEVER_CARRIED_OUT: [&str; 3] = [
    "receive_runpod_callback",
    "receive_stripe_event",
    "request_payout",
];
