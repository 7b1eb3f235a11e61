//! Who may do what, changed beside a server that runs: roles by command, accounts by SQL.

use std::time::Duration;

use crate::support::{Answer, Shop, Store, get, post, until};

const HEEDED_WITHIN: Duration = Duration::from_secs(1);

async fn ask_as_admin(shop: &Shop) -> Answer {
    let ask = get("/api/admin/endpoints").by(&shop.developer);
    shop.server.send(ask).await
}

#[tokio::test]
async fn a_granted_and_a_revoked_role_count_from_the_next_request_on() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    ask_as_admin(&shop).await.assert_failed(403, "ERR_2003");

    let grant = ["admin", "grant", "Grace@Example.com"];
    let said = shop.place.run(&grant).await.assert_code(0);
    assert!(said.out.contains("grace@example.com"), "{said:#?}");
    ask_as_admin(&shop).await.assert_ok(200);

    let revoke = ["admin", "revoke", "grace@example.com"];
    shop.place.run(&revoke).await.assert_code(0);
    ask_as_admin(&shop).await.assert_failed(403, "ERR_2003");
}

#[tokio::test]
async fn a_role_for_somebody_unknown_is_refused_with_the_way_to_register() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    // A consumer of that address is somebody else.
    let consumer = shop.place.token("consumer", "ada@example.com").await;
    let register = post("/api/marketplace/auth/register").by(&consumer);
    shop.server.send(register).await.assert_ok(201);
    let said = shop.place.run(&["admin", "grant", "ada@example.com"]).await;
    said.assert_code(1)
        .assert_one_line(&["ada@example.com", "POST /api/studio/auth/register"]);
    let said = shop.place.run(&["admin", "grant", "no address"]).await;
    said.assert_code(1).assert_one_line(&["e-mail"]);
}

#[tokio::test]
async fn a_disabled_account_is_locked_out_within_a_second_and_let_in_again() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    let me = get("/api/studio/auth/me").by(&shop.developer);
    shop.server.send(me.clone()).await.assert_ok(200);
    store.sql("UPDATE people SET status = 'DISABLED' WHERE email = 'grace@example.com'");
    heeded(&shop, 403).await;
    let refused = shop.server.send(me.clone()).await;
    refused.assert_failed(403, "ERR_2003");
    store.sql("UPDATE people SET status = 'ACTIVE' WHERE email = 'grace@example.com'");
    heeded(&shop, 200).await;
}

#[tokio::test]
async fn tokens_from_before_a_sign_out_everywhere_are_refused_within_a_second() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    store.sql(
        "UPDATE people SET tokens_valid_after = now() + interval '1 second' \
         WHERE email = 'grace@example.com'",
    );
    heeded(&shop, 401).await;
    let me = get("/api/studio/auth/me").by(&shop.developer);
    let refused = shop.server.send(me).await;
    refused.assert_failed(401, "ERR_2001");
}

async fn heeded(shop: &Shop, status: u16) {
    let took = until("the account's change is heeded", async || {
        let me = get("/api/studio/auth/me").by(&shop.developer);
        shop.server.send(me).await.status == status
    })
    .await;
    assert!(took <= HEEDED_WITHIN, "heeded after {took:?}");
}
