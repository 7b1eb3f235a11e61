//! Several users of one data folder, and how each may end.

use crate::bench::{
    Holder, ask, ask_until_answered, folder, kill, postmaster, processes, start, wait_for_another,
    wait_until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_joins_and_goes_on_after_the_first_is_killed() {
    let folder = folder();
    let first = Holder::start(folder.path());
    let server = start(folder.path()).await;
    assert_eq!(server.url("postgres"), first.url);
    let process = postmaster(folder.path());
    first.kill();
    assert_eq!(ask(&server.url("postgres"), "SELECT 1"), "1");
    assert_eq!(postmaster(folder.path()), process);
    // The survivor is the supervisor now.
    kill(process);
    wait_for_another(folder.path(), process);
    assert_eq!(ask_until_answered(&server.url("postgres"), "SELECT 1"), "1");
    server.stop().await.unwrap();
    assert_eq!(processes(folder.path()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_may_stop_before_the_second() {
    let folder = folder();
    let server = start(folder.path()).await;
    let second = Holder::start(folder.path());
    server.stop().await.unwrap();
    assert_eq!(ask(&second.url, "SELECT 1"), "1");
    second.end();
    assert_eq!(processes(folder.path()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_last_user_leaves_no_server() {
    let folder = folder();
    let only = Holder::start(folder.path());
    assert_eq!(ask(&only.url, "SELECT 1"), "1");
    only.kill();
    wait_until("the server is gone", || processes(folder.path()).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_meets_a_dying_server_starts_anew() {
    let folder = folder();
    for _ in 0..5 {
        Holder::start(folder.path()).kill();
        let server = start(folder.path()).await;
        assert_eq!(
            ask(
                &server.url("postgres"),
                "SELECT count(*) FROM generate_series(1, 10)"
            ),
            "10"
        );
        drop(server);
    }
    wait_until("the server is gone", || processes(folder.path()).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_its_guard_is_replaced() {
    let folder = folder();
    let server = start(folder.path()).await;
    let process = postmaster(folder.path());
    let mut guards = processes(folder.path());
    guards.retain(|line| line.contains("tarsify-postgres-guard"));
    // The watching half first (it has the higher id): it would answer for the server after the other is gone.
    for guard in guards.iter().rev() {
        kill(guard.split_whitespace().next().unwrap().parse().unwrap());
    }
    wait_for_another(folder.path(), process);
    assert_eq!(ask_until_answered(&server.url("postgres"), "SELECT 1"), "1");
    server.stop().await.unwrap();
    assert_eq!(processes(folder.path()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_share_one_server() {
    let folder = folder();
    let servers = tokio::join!(
        start(folder.path()),
        start(folder.path()),
        start(folder.path()),
        start(folder.path())
    );
    let (first, second, third, fourth) = servers;
    for server in [&first, &second, &third, &fourth] {
        assert_eq!(ask(&server.url("postgres"), "SELECT 1"), "1");
    }
    let guards = processes(folder.path())
        .iter()
        .filter(|line| line.contains("tarsify-postgres-guard"))
        .count();
    // The script and its watcher.
    assert_eq!(guards, 2);
    let (a, b, c, d) = tokio::join!(first.stop(), second.stop(), third.stop(), fourth.stop());
    for stopped in [a, b, c, d] {
        stopped.unwrap();
    }
    assert_eq!(processes(folder.path()), Vec::<String>::new());
}
