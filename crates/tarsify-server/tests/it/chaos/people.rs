//! Those who live in the city. They repeat what was not answered, and take no other answer than they
//! were promised: nothing but a polite refusal while something is away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::json;
use tarsify_emulator::stripe::{SessionEnd, sign};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::city::{CLICKERS, City};
use crate::live::events;
use crate::support::{self, Answer, Ask, Bank, accepted, get, post, unix_now};

/// Longer than any answer takes that is not waited for; shorter than a process stands still.
const PATIENCE: Duration = Duration::from_secs(3);

/// Somebody with a browser, who knows both addresses.
#[derive(Clone)]
struct Caller {
    client: Client,
    urls: [String; 2],
    over: Arc<AtomicBool>,
}

/// What a request came to.
enum Came {
    /// It was answered, for good.
    To(Answer),
    /// Nobody answered, or asked to come back.
    Nothing,
}

impl Caller {
    async fn ask(&self, turn: usize, ask: &Ask) -> Came {
        let url = &self.urls[turn % 2];
        send(ask.clone().request(&self.client, url)).await
    }

    /// Asks until there is an answer; none when everything is over before.
    async fn insist(&self, first: usize, ask: &Ask) -> Option<Answer> {
        let mut turn = first;
        while !self.over.load(Ordering::Relaxed) {
            // The first try may still be under way where it was heard.
            if let Came::To(answer) = self.ask(turn, ask).await
                && answer.status != 409
            {
                return Some(answer);
            }
            turn += 1;
            sleep(Duration::from_millis(100)).await;
        }
        None
    }
}

/// Sends a request, whose answer may be anything but a failure of ours.
async fn send(request: RequestBuilder) -> Came {
    match request.send().await {
        Ok(response) => judge(response).await,
        Err(_) => Came::Nothing,
    }
}

/// The one failure that anybody may see is a polite one.
async fn judge(response: Response) -> Came {
    let Ok(answer) = Answer::read(response).await else {
        return Came::Nothing;
    };
    if answer.status == 503 {
        assert_eq!(answer.code(), Some("ERR_1005"), "{answer:#?}");
        return Came::Nothing;
    }
    // Who stood still between hearing somebody and reading what he asks finds that it took too long.
    if answer.status == 408 {
        return Came::Nothing;
    }
    assert!(answer.status < 500, "{answer:#?}");
    Came::To(answer)
}

/// Waits for all of them, who have nothing left to do but to hear of an end.
async fn join<T: 'static>(what: &str, tasks: JoinSet<T>) -> Vec<T> {
    let joined = timeout(support::PATIENCE, tasks.join_all()).await;
    joined.unwrap_or_else(|_| panic!("waited in vain until {what}"))
}

/// A run that was accepted, and what was asked of it.
pub(super) type Asked = (String, String);

/// A run, and what was seen of it.
type Followed = (String, Vec<String>);

/// Everybody.
pub(super) struct Crowd {
    over: Arc<AtomicBool>,
    clickers: JoinSet<Vec<Asked>>,
    buyer: JoinSet<Bought>,
    others: JoinSet<()>,
    followers: Arc<Mutex<JoinSet<Followed>>>,
}

/// What was bought.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bought {
    /// The purchases that were paid.
    pub(super) purchases: usize,
    /// The credits that these were to bring.
    pub(super) credits: i64,
}

/// What everybody remembers.
pub(super) struct Lived {
    /// The runs that were accepted.
    pub(super) runs: Vec<Asked>,
    /// How many more may have been: the last of each was not answered.
    pub(super) unanswered: usize,
    /// What was bought.
    pub(super) bought: Bought,
    followers: Arc<Mutex<JoinSet<Followed>>>,
}

impl Crowd {
    pub(super) fn come(city: &City) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let client = Client::builder().no_proxy().timeout(PATIENCE).build();
        let caller = Caller {
            client: client.unwrap(),
            urls: city.urls(),
            over: Arc::clone(&over),
        };
        let mut crowd = Self {
            over,
            clickers: JoinSet::new(),
            buyer: JoinSet::new(),
            others: JoinSet::new(),
            followers: Arc::default(),
        };
        let workshop = &city.workshop;
        for (number, token) in city.clickers.iter().enumerate() {
            let clicker = Clicker {
                number,
                caller: caller.clone(),
                token: token.clone(),
                asks: ["echo", "dear"].map(|slug| workshop.run(slug).by(token)),
                followers: Arc::clone(&crowd.followers),
            };
            crowd.clickers.spawn(clicker.click());
        }
        let order = post("/api/marketplace/credits/purchase").by(&workshop.consumer);
        crowd
            .buyer
            .spawn(buy(caller.clone(), Arc::clone(&city.bank), order));
        let payout = post("/api/studio/payouts/request").by(&workshop.developer);
        crowd.others.spawn(be_paid(caller.clone(), payout));
        let pages = [
            "/api/marketplace/runs?limit=5",
            "/api/marketplace/credits/history",
        ];
        for page in pages {
            let page = get(page).by(&workshop.consumer);
            crowd.others.spawn(read(caller.clone(), page));
        }
        crowd
    }

    /// Everybody stops asking for more.
    pub(super) async fn leave(self) -> Lived {
        self.over.store(true, Ordering::Relaxed);
        let runs: Vec<_> = self.clickers.join_all().await.concat();
        self.others.join_all().await;
        assert!(runs.len() > CLICKERS, "hardly anybody was served");
        let bought = join("the bank was heard", self.buyer).await.pop();
        Lived {
            runs,
            unanswered: CLICKERS,
            bought: bought.unwrap(),
            followers: self.followers,
        }
    }
}

impl Lived {
    /// What each who followed a run has seen of it, once it has ended.
    pub(super) async fn watched(&self) -> Vec<Followed> {
        let followers = std::mem::take(&mut *self.followers.lock().unwrap());
        assert!(!followers.is_empty(), "nobody followed anything");
        join("each who follows a run has seen its end", followers).await
    }
}

/// Who runs models, and now and then clicks twice, thinks better of it, or watches.
struct Clicker {
    number: usize,
    caller: Caller,
    token: String,
    asks: [Ask; 2],
    followers: Arc<Mutex<JoinSet<Followed>>>,
}

impl Clicker {
    async fn click(self) -> Vec<Asked> {
        let mut runs = Vec::new();
        let mut turn = 0;
        loop {
            let key = format!("click-{}-{turn}", self.number);
            // Dear runs earn what is paid out; more than some of them nobody could afford.
            let is_dear = turn % 10 == 3 && turn < 100;
            let ask = self.asks[usize::from(is_dear)].clone();
            // Nobody else asks the same, so that a result tells whose it is.
            let ask = ask.json(json!({"inputs": {"prompt": key}}));
            let ask = ask.header("idempotency-key", &key);
            let (one, twin) = tokio::join!(self.caller.insist(turn, &ask), async {
                if turn % 3 == 0 {
                    self.caller.insist(turn + 1, &ask).await
                } else {
                    None
                }
            });
            let ids: Vec<_> = [one, twin].into_iter().flatten().map(accepted).collect();
            let Some(run) = ids.first() else { return runs };
            assert!(
                ids.iter().all(|id| id == run),
                "two runs under one key: {ids:?}"
            );
            runs.push((run.clone(), key));
            if turn % 5 == 1 {
                let cancel = format!("/api/marketplace/runs/{run}/cancel");
                let cancel = post(cancel).by(&self.token);
                if let Came::To(answer) = self.caller.ask(turn, &cancel).await {
                    assert!(matches!(answer.status, 200 | 202 | 409), "{answer:#?}");
                }
            }
            if turn % 4 == 2 {
                let watching = watch(self.caller.clone(), self.token.clone(), run.clone());
                self.followers.lock().unwrap().spawn(watching);
            }
            turn += 1;
            sleep(Duration::from_millis(60)).await;
        }
    }
}

/// Follows a run on whichever process is there, from what was seen last, to its end.
async fn watch(caller: Caller, token: String, run: String) -> Followed {
    let client = Client::builder()
        .no_proxy()
        .read_timeout(Duration::from_secs(20));
    let client = client.build().unwrap();
    let (mut seen, mut last) = (Vec::new(), String::new());
    for turn in 0.. {
        let ask = get(events(&run)).by(&token).header("last-event-id", &last);
        let answer = ask.request(&client, &caller.urls[turn % 2]).send().await;
        match answer {
            Ok(stream) if stream.status() == 200 => {
                if is_at_its_end(stream, &mut seen, &mut last).await {
                    return (run, seen);
                }
            }
            Ok(other) => {
                if let Came::To(answer) = judge(other).await {
                    panic!("nobody may follow {run}: {answer:#?}");
                }
            }
            Err(_) => {}
        }
        sleep(Duration::from_millis(100)).await;
    }
    unreachable!("a stream has an end")
}

/// Reads a stream for as long as it is there; answers whether it has told the end.
async fn is_at_its_end(mut stream: Response, seen: &mut Vec<String>, last: &mut String) -> bool {
    let mut text = String::new();
    while let Ok(Some(bytes)) = stream.chunk().await {
        text.push_str(&String::from_utf8_lossy(&bytes));
        while let Some((event, rest)) = text.split_once("\n\n") {
            let field = |name: &str| {
                let line = event.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or_default().to_owned()
            };
            let (id, kind) = (field("id: "), field("event: "));
            text = rest.to_owned();
            match kind.as_str() {
                "end" => return true,
                "connected" | "" => {}
                _ => {
                    seen.push(format!("{id} {kind}"));
                    *last = id;
                }
            }
        }
    }
    false
}

/// Buys credits, and has the bank tell of it three times; answers what he paid for.
async fn buy(caller: Caller, bank: Arc<Bank>, order: Ask) -> Bought {
    let mut bought = Bought::default();
    loop {
        let order = order.clone().json(json!({"amountCents": 500}));
        let number = bought.purchases;
        let order = order.header("idempotency-key", &format!("order-{number}"));
        let Some(answer) = caller.insist(number, &order).await else {
            return bought;
        };
        let answer = answer.assert_ok(201);
        let sessions = bank.sessions_of(&answer.id());
        let session = sessions.first().unwrap()["id"].as_str().unwrap().to_owned();
        let message = bank.stripe.end_session(&session, SessionEnd::Paid).unwrap();
        bought.purchases += 1;
        let credits = ["creditsAmount", "bonusCredits"].map(|name| answer.data()[name].as_i64());
        bought.credits += credits.map(Option::unwrap).iter().sum::<i64>();
        for turn in 0..3 {
            // Until it is heard, whether or not the day is over.
            for again in 0.. {
                let url = format!("{}/api/webhooks/stripe", caller.urls[(turn + again) % 2]);
                let signature = sign(Bank::SECRET, &message.body, unix_now());
                let told = caller.client.post(url).body(message.body.clone());
                let told = told.header("content-type", "application/json");
                let told = send(told.header("stripe-signature", signature)).await;
                if let Came::To(answer) = told {
                    answer.assert_ok(200);
                    break;
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
        sleep(Duration::from_millis(300)).await;
    }
}

/// Has himself paid what he has earned, a little each time.
async fn be_paid(caller: Caller, payout: Ask) {
    for turn in 0.. {
        let amount = json!({"amount": 100 + turn % 7});
        let key = format!("payout-{turn}");
        let ask = payout.clone().json(amount).header("idempotency-key", &key);
        let Some(answer) = caller.insist(turn, &ask).await else {
            return;
        };
        // He may have nothing yet.
        assert!(
            matches!(answer.status, 201 | 400 | 402 | 422),
            "{answer:#?}"
        );
        sleep(Duration::from_millis(250)).await;
    }
}

/// Looks at a page again and again.
async fn read(caller: Caller, page: Ask) {
    let mut turn = 0;
    while let Some(answer) = caller.insist(turn, &page).await {
        answer.assert_ok(200);
        turn += 1;
        sleep(Duration::from_millis(100)).await;
    }
}
