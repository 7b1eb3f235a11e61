//! Everybody who could knock, in each state: unknown, too late, new, locked out, and known.

use serde_json::json;

use super::document::Operation;
use super::rules::{Realm, Side, Standing};
use super::world::{World, register, scope_of};
use crate::support::{Firebase, claims, get, signed_token, strangers_token, until};

/// What whoever reads the metrics has to show.
pub(super) const OPERATOR: &str = "the-operators-own-token-of-the-matrix";

/// Somebody who knocks at every door.
pub(super) struct Caller {
    pub(super) name: &'static str,
    pub(super) standing: Standing,
    token: Option<String>,
}

/// Those whom nobody knows, or no longer.
fn strangers() -> Vec<Caller> {
    use Standing as S;
    let (users, developers) = (Firebase::USERS, Firebase::DEVELOPERS);
    let ann = claims(users, "uid-ann");
    let of_another_project = claims("somebody-else", "uid-ann");
    let mut for_another_audience = ann.clone();
    for_another_audience["aud"] = json!("somebody-else");
    let old = |project| {
        let mut claims = claims(project, "uid-old");
        claims["exp"] = json!(claims["iat"].as_u64().unwrap() - 3_600);
        signed_token(&claims)
    };
    let new = |project| signed_token(&claims(project, "uid-new"));
    let nobody = Caller {
        name: "nobody",
        standing: S::Nobody,
        token: None,
    };
    let others = [
        ("garbage", S::Unknown, "garbage".to_owned()),
        ("a stranger's key", S::Unknown, strangers_token(&ann)),
        (
            "another audience",
            S::Unknown,
            signed_token(&for_another_audience),
        ),
        (
            "another project",
            S::Unknown,
            signed_token(&of_another_project),
        ),
        (
            "an old consumer's token",
            S::Expired(Realm::Consumers),
            old(users),
        ),
        (
            "an old developer's token",
            S::Expired(Realm::Developers),
            old(developers),
        ),
        ("a new consumer", S::Newcomer(Realm::Consumers), new(users)),
        (
            "a new developer",
            S::Newcomer(Realm::Developers),
            new(developers),
        ),
    ];
    let others = others.into_iter().map(Caller::with);
    std::iter::once(nobody).chain(others).collect()
}

impl Caller {
    fn with((name, standing, token): (&'static str, Standing, String)) -> Self {
        Self {
            name,
            standing,
            token: Some(token),
        }
    }
}

impl World {
    /// Whoever could knock, in each state.
    pub(super) async fn invite(&mut self) {
        use Standing as S;
        let (first, second) = (Side::First, Side::Second);
        let consumer = |side| self.consumer(side).to_owned();
        let developer = |side| self.developer(side).to_owned();
        let known = [
            (
                "a locked consumer",
                S::Locked(Realm::Consumers),
                self.locked("consumer").await,
            ),
            (
                "a locked developer",
                S::Locked(Realm::Developers),
                self.locked("developer").await,
            ),
            ("the first consumer", S::Consumer(first), consumer(first)),
            ("the second consumer", S::Consumer(second), consumer(second)),
            ("the first developer", S::Developer(first), developer(first)),
            (
                "the second developer",
                S::Developer(second),
                developer(second),
            ),
            ("the operator", S::Operator, OPERATOR.to_owned()),
            ("an admin", S::Admin, self.admin().await),
            ("a bare admin", S::BareAdmin, self.workshop.admin.clone()),
        ];
        let known = known.into_iter().map(Caller::with);
        self.callers = strangers().into_iter().chain(known).collect();
    }

    /// Somebody who registered, and was locked out since.
    async fn locked(&self, kind: &str) -> String {
        let email = format!("locked-{kind}@example.com");
        let token = register(&self.workshop, &self.server, kind, &email).await;
        let lock = format!("UPDATE people SET status = 'DISABLED' WHERE email = '{email}'");
        self.workshop.store.sql(&lock);
        until("he is locked out", async || {
            let me = get(format!("{}/auth/me", scope_of(kind))).by(&token);
            self.send(me).await.status == 403
        })
        .await;
        token
    }

    /// A developer who was made an administrator.
    async fn admin(&self) -> String {
        let email = "ruth@example.com";
        let token = register(&self.workshop, &self.server, "developer", email).await;
        let grant = ["admin", "grant", email];
        self.workshop.place.run(&grant).await.assert_code(0);
        token
    }

    /// Whoever registers is new each time.
    pub(super) async fn token(&self, operation: &Operation, caller: &Caller) -> Option<String> {
        if !operation.path.ends_with("/auth/register") {
            return caller.token.clone();
        }
        let subject = format!("uid-new-{}", self.number());
        match caller.standing {
            Standing::Newcomer(Realm::Consumers) => {
                Some(signed_token(&claims(Firebase::USERS, &subject)))
            }
            Standing::Newcomer(Realm::Developers) => {
                Some(signed_token(&claims(Firebase::DEVELOPERS, &subject)))
            }
            Standing::BareAdmin => {
                let email = format!("{subject}@example.com");
                Some(self.workshop.place.token("admin", &email).await)
            }
            _ => caller.token.clone(),
        }
    }
}
