//! What is sent, and what is taken for it when it is found.

use serde_json::json;
use tarsify_domain::clock::Timestamp;
use tarsify_domain::money::Credits;
use tarsify_domain::payments::AccountRef;

use super::*;

fn request() -> TransferRequest {
    TransferRequest {
        payout: PayoutId::new(Timestamp::UNIX_EPOCH),
        account: AccountRef::parse("acct_1").unwrap(),
        amount: Credits::new(5_000),
        may_have_been_sent: true,
    }
}

#[test]
fn a_payout_is_sent_in_its_own_group_and_under_its_own_key() {
    let request = request();
    let question = question(&request);
    let group = format!("payout:{}", request.payout);
    assert_eq!(
        (question.path, question.key.as_ref()),
        ("transfers", Some(&group))
    );
    for (field, value) in [
        ("amount", "5000"),
        ("currency", "usd"),
        ("destination", "acct_1"),
        ("transfer_group", &group),
        ("metadata[payout_id]", &request.payout.to_string()),
    ] {
        assert_eq!(question.form.value(field), Some(value), "{field}");
    }
    assert_eq!(
        search(&request).form.value("transfer_group"),
        Some(group.as_str())
    );
}

#[test]
fn the_transfer_of_the_payout_is_found() {
    let request = request();
    for destination in [
        json!("acct_1"),
        json!({ "id": "acct_1", "object": "account" }),
    ] {
        let transfer = json!({ "id": "tr_1", "amount": 5_000, "destination": destination });
        let found = read_found(&json!({ "data": [transfer] }), &request);
        assert_eq!(found, Ok(Some(TransferRef::parse("tr_1").unwrap())));
    }
    assert_eq!(read_found(&json!({ "data": [] }), &request), Ok(None));
}

#[test]
fn what_is_not_understood_is_not_taken_for_nothing() {
    let request = request();
    for list in [
        json!({}),
        json!({ "data": null }),
        json!({ "data": {} }),
        json!({ "data": [null] }),
        json!({ "data": [{ "amount": 5_000, "destination": "acct_1" }] }),
        json!({ "data": [{ "id": "tr_1", "amount": 4_999, "destination": "acct_1" }] }),
        json!({ "data": [{ "id": "tr_1", "amount": 5_000, "destination": "acct_2" }] }),
        json!({ "data": [{ "id": "tr_1", "amount": 5_000, "destination": null }] }),
    ] {
        let found = read_found(&list, &request);
        assert!(matches!(found, Err(PaymentError::Unavailable(_))), "{list}");
    }
}
