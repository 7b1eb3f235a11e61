//! The money of one run.

use tarsify_domain::Scope;
use tarsify_domain::execution::Found;
use tarsify_domain::id::{ConsumerId, ExecutionId};
use tarsify_domain::ledger::{HoldState, Receipt, ReceiptKind, WalletRepository};

use super::books::Books;
use crate::things::moment;

async fn receipt(books: &Books, run: ExecutionId) -> Receipt {
    let scope = Scope::Consumer(books.consumer);
    match books.wallets.find_receipt(scope, run).await.unwrap() {
        Found::Here(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

fn entries(receipt: &Receipt) -> Vec<(ReceiptKind, i64)> {
    let entries = receipt.entries.iter();
    entries
        .map(|entry| (entry.kind, entry.amount.get()))
        .collect()
}

#[tokio::test]
async fn a_receipt_tells_every_movement_once() {
    let books = Books::welcoming(100).await;
    let run = books.begin(21).await;
    let active = receipt(&books, run).await;
    assert_eq!(active.state, Some(HoldState::Active));
    assert_eq!((active.paid.get(), active.refunded.get()), (0, 0));
    assert_eq!(entries(&active), [(ReceiptKind::Hold, 21_000)]);

    books.end(run, "COMPLETED").await;
    let captured = receipt(&books, run).await;
    assert_eq!(captured.state, Some(HoldState::Captured));
    assert_eq!((captured.paid.get(), captured.refunded.get()), (21_000, 0));
    assert_eq!((captured.run.id, captured.run.charged.get()), (run, 21));
    // The developer's and the platform's part are one capture.
    let taken = [(ReceiptKind::Hold, 21_000), (ReceiptKind::Capture, 21_000)];
    assert_eq!(entries(&captured), taken);

    books.refund(run, Some(5)).await.unwrap();
    books.refund(run, Some(1)).await.unwrap();
    let refunded = receipt(&books, run).await;
    assert_eq!(
        (refunded.paid.get(), refunded.refunded.get()),
        (15_000, 6_000)
    );
    let given_back = [(ReceiptKind::Refund, 5_000), (ReceiptKind::Refund, 1_000)];
    assert_eq!(entries(&refunded), [taken, given_back].concat());
    assert!(refunded.entries.is_sorted_by_key(|entry| entry.at));
}

#[tokio::test]
async fn a_run_without_a_result_cost_nothing() {
    let books = Books::welcoming(100).await;
    let run = books.failed(21).await;
    let released = receipt(&books, run).await;
    assert_eq!(released.state, Some(HoldState::Released));
    assert_eq!((released.paid.get(), released.refunded.get()), (0, 0));
    assert_eq!(
        entries(&released),
        [(ReceiptKind::Hold, 21_000), (ReceiptKind::Release, 21_000)]
    );
}

#[tokio::test]
async fn a_free_run_has_an_empty_receipt() {
    let books = Books::open().await;
    let run = books.completed(0).await;
    let free = receipt(&books, run).await;
    assert_eq!((free.state, free.paid.get()), (None, 0));
    assert_eq!(entries(&free), []);
}

#[tokio::test]
async fn strangers_see_no_receipt() {
    let books = Books::welcoming(100).await;
    let run = books.completed(21).await;
    let find = |scope, run| books.wallets.find_receipt(scope, run);
    let stranger = Scope::Consumer(ConsumerId::new(moment(9)));
    assert_eq!(find(stranger, run).await.unwrap(), Found::Foreign);
    // Whose model it is is not whose money it is.
    let developer = Scope::Developer(books.developer);
    assert_eq!(find(developer, run).await.unwrap(), Found::Foreign);
    let nothing = ExecutionId::new(moment(9));
    assert_eq!(find(Scope::System, nothing).await.unwrap(), Found::Nowhere);
    let seen = find(Scope::System, run).await.unwrap();
    assert!(matches!(seen, Found::Here(_)), "{seen:?}");
}
