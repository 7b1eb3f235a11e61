//! A rolling restart: two processes behind a balancer, each asked to stop and started anew in turn
//! while people read, run models, wait for them and follow them. Nobody may lose anything. It stands
//! here twice: short, always; and as long as it takes, by `scripts/endurance`.

mod balancer;
mod crowd;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use self::balancer::Balancer;
use self::crowd::{Crowd, Follower};
use crate::endurance::all_ended;
use crate::support::{Server, Workshop, until, until_within};

#[tokio::test]
async fn two_processes_restarted_in_turn_under_load_fail_nobody() {
    restart(4, 2_000, Duration::from_millis(20)).await;
}

#[tokio::test]
#[ignore = "minutes: scripts/endurance runs it"]
async fn twenty_restarts_under_load_fail_none_of_fifty_thousand_requests() {
    restart(20, 50_000, Duration::from_millis(4)).await;
}

/// Restarts one of two processes after the other so often, and goes on until so many requests were
/// answered, between which readers rest for so long.
#[expect(clippy::print_stdout, reason = "the figures are for who runs it")]
async fn restart(restarts: usize, requests: usize, rest: Duration) {
    let workshop = Workshop::open().await;
    let [one, two] = ports();
    let mut fleet = vec![start(&workshop, one).await, start(&workshop, two).await];
    let addresses = [fleet[0].address, fleet[1].address];
    let balancer = Arc::new(Balancer::begin(addresses));
    let mut followers = Vec::new();
    for _ in 0..3 {
        followers.push(Follower::begin(&workshop, &balancer).await);
    }
    let crowd = Crowd::gather(&workshop, &balancer, rest);
    let mut slowest = Duration::ZERO;
    for number in 0..restarts {
        let victim = number % 2;
        balancer.sends_to_both().await;
        let before = crowd.answered();
        until("there is something to lose", async || {
            crowd.answered() >= before + 50
        })
        .await;
        let asked = Instant::now();
        let leaving = fleet.remove(victim);
        let said = leaving.stop("TERM").await.assert_code(0);
        slowest = slowest.max(asked.elapsed());
        assert!(!said.err.contains("are cut off"), "{}", said.err);
        assert!(!said.err.contains("are left"), "{}", said.err);
        let fresh = start(&workshop, [one, two][victim]).await;
        fleet.insert(victim, fresh);
    }
    balancer.sends_to_both().await;
    let long = Duration::from_secs(1_200);
    until_within(long, "enough was asked", async || {
        sleep(Duration::from_millis(100)).await;
        crowd.answered() >= requests
    })
    .await;
    let (answered, accepted, failures) = crowd.disperse().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered} requests");
    all_ended(&workshop).await;
    let completed = workshop.executions("status = 'COMPLETED'");
    assert_eq!(
        (completed, workshop.executions("true")),
        (accepted, accepted)
    );
    let mut cuts = 0;
    for follower in followers {
        cuts += follower.saw_each_once(&workshop, accepted).await;
    }
    assert!(cuts >= restarts, "they were hardly cut off: {cuts}");
    println!(
        "{restarts} restarts, each over within {slowest:?}: {answered} requests, 0 failed, {} sent \
         again that had reached nobody; {accepted} runs, all completed; followers came back {cuts} times",
        balancer.unsent.load(Ordering::Relaxed)
    );
    for server in fleet {
        server.stop("TERM").await.assert_code(0);
    }
}

async fn start(workshop: &Workshop, port: u16) -> Server {
    let port = port.to_string();
    let arguments = ["serve", "--port", &port, "--role", "all"];
    Server::ready(workshop.place.start(&arguments)).await
}

/// Two ports that stay ours while nobody listens there: the system gives these to nobody who asks
/// for any.
fn ports() -> [u16; 2] {
    let first = 20_000 + u16::try_from(std::process::id() % 6_000).unwrap() * 2;
    let mut free =
        (first..first + 500).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    [free.next().unwrap(), free.next().unwrap()]
}
