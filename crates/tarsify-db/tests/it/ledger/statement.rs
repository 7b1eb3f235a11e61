//! What stands on a consumer's statement.

use tarsify_domain::ledger::{EntryKind, StatementEntry, WalletRepository};
use tarsify_domain::page::{Limit, PageNumber, Position};
use tarsify_domain::{Page, PageRequest};

use super::books::Books;

type Line = (EntryKind, i64, i64, &'static str);

fn line(entry: &StatementEntry) -> Line {
    let (amount, after) = (entry.amount.get(), entry.balance_after.get());
    (entry.kind, amount, after, entry.subject.kind)
}

async fn page(books: &Books, kind: Option<EntryKind>, page: &PageRequest) -> Page<StatementEntry> {
    let listed = books.wallets.list_statement(books.consumer, kind, page);
    listed.await.unwrap()
}

fn large() -> PageRequest {
    PageRequest {
        position: Position::Number(PageNumber::FIRST),
        limit: Limit::parse(100).unwrap(),
    }
}

/// Something of every kind, and what the statement has to say of it, newest first.
async fn eventful() -> (Books, Vec<Line>) {
    let books = Books::welcoming(5).await;
    books.buy("pi_1", 100, 10).await;
    books.adjust(7).await.unwrap();
    let run = books.completed(20).await;
    books.failed(4).await;
    books.refund(run, Some(10)).await.unwrap();
    books.reverse("pi_1", "dispute", "dp_1", 50).await;
    books.close("pi_1", "dp_1", 50, "won").await;
    books.reverse("pi_1", "refund", "pi_1 100", 100).await;
    books.adjust(-1).await.unwrap();
    let mut lines = vec![
        (EntryKind::Welcome, 5_000, 5_000, "consumer"),
        (EntryKind::Purchase, 100_000, 105_000, "purchase"),
        (EntryKind::Bonus, 10_000, 115_000, "purchase"),
        (EntryKind::Adjustment, 7_000, 122_000, "grant"),
        (EntryKind::Hold, -20_000, 102_000, "execution"),
        (EntryKind::Hold, -4_000, 98_000, "execution"),
        (EntryKind::Release, 4_000, 102_000, "execution"),
        (EntryKind::Refund, 10_000, 112_000, "refund"),
        (EntryKind::Chargeback, -55_000, 57_000, "reversal"),
        (EntryKind::ChargebackReturned, 55_000, 112_000, "reversal"),
        (EntryKind::CardRefund, -110_000, 2_000, "reversal"),
        (EntryKind::Adjustment, -1_000, 1_000, "grant"),
    ];
    lines.reverse();
    (books, lines)
}

#[tokio::test]
async fn every_kind_has_its_line_with_what_was_left() {
    let (books, lines) = eventful().await;
    let listed = page(&books, None, &large()).await;
    assert_eq!(listed.items.iter().map(line).collect::<Vec<_>>(), lines);
    assert_eq!(listed.total, 12);
    assert_eq!(listed.next, None);
    // Without gaps: every line is what the line before it left, and its own amount.
    for pair in listed.items.windows(2) {
        let [newer, older] = pair else { unreachable!() };
        let expected = older.balance_after.get() + newer.amount.get();
        assert_eq!(newer.balance_after.get(), expected);
        assert!(newer.id > older.id);
    }
    assert_eq!(
        listed.items[0].balance_after,
        books.wallet().await.available
    );
    for entry in &listed.items {
        let is_of_a_run = matches!(entry.subject.kind, "execution" | "refund");
        let title = is_of_a_run.then_some("Model 1");
        assert_eq!(entry.model_title.as_deref(), title, "{entry:?}");
    }
    books.assert_sound().await;
}

#[tokio::test]
async fn one_kind_alone_is_found_and_counted() {
    let (books, lines) = eventful().await;
    for kind in EntryKind::ALL {
        let expected: Vec<_> = lines.iter().filter(|line| line.0 == *kind).collect();
        let listed = page(&books, Some(*kind), &large()).await;
        let found: Vec<_> = listed.items.iter().map(line).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected);
        assert_eq!(listed.total, u64::try_from(expected.len()).unwrap());
        assert!(!expected.is_empty(), "{kind:?} does not occur");
    }
}

#[tokio::test]
async fn pages_follow_each_other_by_number_and_by_cursor() {
    let (books, lines) = eventful().await;
    for limit in [1, 3, 5] {
        let mut by_cursor = Vec::new();
        let mut by_number = Vec::new();
        let limit = Limit::parse(limit).unwrap();
        let mut position = Position::Number(PageNumber::FIRST);
        loop {
            let listed = page(&books, None, &PageRequest { position, limit }).await;
            assert_eq!(listed.total, 12);
            by_cursor.extend(listed.items.iter().map(line));
            let number = 1 + by_number.len() / usize::try_from(limit.get()).unwrap();
            let number = PageNumber::parse(i64::try_from(number).unwrap()).unwrap();
            let position_by_number = Position::Number(number);
            let request = PageRequest {
                position: position_by_number,
                limit,
            };
            by_number.extend(page(&books, None, &request).await.items.iter().map(line));
            let Some(next) = listed.next else { break };
            position = Position::After(next);
        }
        assert_eq!((&by_cursor, &by_number), (&lines, &lines), "{limit:?}");
    }
}

#[tokio::test]
async fn a_refund_from_three_accounts_is_one_line() {
    let books = Books::open().await;
    books.buy("pi_1", 100, 0).await;
    let run = books.completed(20).await;
    books.mature().await;
    books.completed(10).await;
    books.refund(run, None).await.unwrap();
    let kinds = "SELECT kind || ' ' || amount FROM ledger_transfers WHERE ref_type = 'refund' \
        ORDER BY id";
    assert_eq!(
        books.sql(kinds).await,
        [
            "refund_pending 7000",
            "refund_payable 7000",
            "refund_platform 6000"
        ]
    );
    let listed = page(&books, Some(EntryKind::Refund), &large()).await;
    assert_eq!(
        listed.items.iter().map(line).collect::<Vec<_>>(),
        [(EntryKind::Refund, 20_000, 90_000, "refund")]
    );
    assert_eq!(
        (listed.total, page(&books, None, &large()).await.total),
        (1, 4)
    );
    books.assert_sound().await;
}

#[tokio::test]
async fn nobody_reads_the_lines_of_another() {
    let (books, _) = eventful().await;
    let mut new = crate::things::new_consumer(3);
    new.welcome = tarsify_domain::Credits::new(1);
    let other = {
        use tarsify_domain::people::ConsumerRepository;
        books.shop.consumers.register(&new).await.unwrap().id
    };
    let listed = books.wallets.list_statement(other, None, &large()).await;
    let listed = listed.unwrap();
    assert_eq!(
        listed.items.iter().map(line).collect::<Vec<_>>(),
        [(EntryKind::Welcome, 1_000, 1_000, "consumer")]
    );
    let nobody = tarsify_domain::id::ConsumerId::new(crate::things::moment(9));
    let listed = books.wallets.list_statement(nobody, None, &large()).await;
    assert_eq!(listed.unwrap().total, 0);
}
