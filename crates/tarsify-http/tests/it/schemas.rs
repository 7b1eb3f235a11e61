//! JSON Schemas that are none, and developers' values that do not fit: refused with the place
//! of each fault.

use serde_json::{Value, json};

use crate::support::{Shop, address, base_model_body, tars_model_body};

#[actix_web::test]
async fn an_input_schema_that_cannot_be_used_is_refused() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let base = shop.base_model("base").await;
    let path = format!("/api/admin/base-models/{}", base["id"].as_str().unwrap());
    let object = |properties: Value| json!({ "type": "object", "properties": properties });
    let cases = [
        (json!({}), vec![("/inputSchema", "type")]),
        (
            json!({ "type": "array" }),
            vec![("/inputSchema/type", "type")],
        ),
        (
            object(json!({ "a": { "type": "strin" } })),
            vec![("/inputSchema/properties/a/type", "")],
        ),
        (
            object(json!({ "a": { "$ref": "https://example.com/schema.json" } })),
            vec![("/inputSchema/properties/a/$ref", "$ref")],
        ),
        (
            object(json!({ "a": { "$ref": "file:///etc/passwd" } })),
            vec![("/inputSchema/properties/a/$ref", "$ref")],
        ),
        (
            object(json!({ "a": { "$ref": "#/$defs/absent" } })),
            vec![("/inputSchema/properties/a/$ref", "$ref")],
        ),
        (
            object(json!({ "a": { "pattern": "(" } })),
            vec![("/inputSchema/properties/a/pattern", "pattern")],
        ),
    ];
    let writes = shop.store.writes();
    for (schema, faults) in cases {
        let mut body = base_model_body(&base["endpoint"]["id"], "other");
        body["inputSchema"] = schema.clone();
        let made = shop.post("/api/admin/base-models").json(&body);
        let changed = shop.patch(&path).json(&json!({ "inputSchema": schema }));
        for ask in [made, changed] {
            let reply = ask.token(&admin).await;
            reply.assert(400, "ERR_1001");
            let issues = reply.issues();
            for (place, code) in &faults {
                let named = |(path, rule): &(String, String)| {
                    path == place && (code.is_empty() || rule == code)
                };
                assert!(issues.iter().any(named), "{schema}: {issues:?}");
            }
        }
    }
    assert_eq!(shop.store.writes(), writes);
}

#[actix_web::test]
async fn locked_values_that_do_not_fit_are_named_when_made_changed_and_published() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let admin = shop.admin();
    let base = shop.base_model("base").await;
    let misfits = json!({
        "lockedInputs": { "width": 5, "no-input": 1 },
        "defaultInputs": { "seed": "x" },
        "hiddenFields": ["prompt"],
    });
    let expected = [
        "/configOverrides/defaultInputs/seed",
        "/configOverrides/hiddenFields/0",
        "/configOverrides/lockedInputs/no-input",
        "/configOverrides/lockedInputs/width",
    ];
    let mut body = tars_model_body(&base["id"], "misfit");
    body["configOverrides"] = misfits.clone();
    let writes = shop.store.writes();
    let made = shop.post("/api/studio/tars-models").token(&token);
    let made = made.json(&body).await;
    made.assert(400, "ERR_1001");
    let paths: Vec<_> = made.issues().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, expected);
    assert_eq!(shop.store.writes(), writes);

    let model = shop.draft_on(&base, &token, "fits").await;
    let writes = shop.store.writes();
    let change = json!({ "configOverrides": misfits });
    let changed = shop.patch(address(&model)).token(&token).json(&change);
    changed.await.assert(400, "ERR_1001");
    assert_eq!(shop.store.writes(), writes);

    // What fitted once need not fit when it is published.
    let path = format!("/api/admin/base-models/{}", base["id"].as_str().unwrap());
    let narrow = json!({ "inputSchema": {
        "type": "object",
        "properties": { "prompt": { "type": "string" }, "width": { "type": "integer", "maximum": 512 } },
    } });
    let narrowed = shop.patch(path).token(&admin).json(&narrow);
    narrowed.await.assert(200, "");
    let publish = shop.post(format!("{}/publish", address(&model)));
    let reply = publish.token(&token).await;
    reply.assert_faults(&[("/configOverrides/lockedInputs/width", "maximum")]);
    let draft = shop.get(address(&model)).token(&token).await;
    assert_eq!(draft.data()["status"], "DRAFT");
}

#[actix_web::test]
async fn ids_in_a_body_that_lead_nowhere_are_told_by_their_code() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let token = shop.developer("grace").await;
    let nowhere = json!("0198b2c4-d5e6-7f80-91a2-b3c4d5e6f7ff");
    let base = shop.base_model("base").await;
    let model = shop.draft_on(&base, &token, "model").await;
    let writes = shop.store.writes();
    let body = base_model_body(&nowhere, "other");
    let made = shop.post("/api/admin/base-models").token(&admin);
    made.json(&body).await.assert(404, "ERR_5505");
    let path = format!("/api/admin/base-models/{}", base["id"].as_str().unwrap());
    let moved = shop.patch(path).token(&admin);
    let moved = moved.json(&json!({ "endpointId": nowhere }));
    moved.await.assert(404, "ERR_5505");
    let made = shop.post("/api/studio/tars-models").token(&token);
    let made = made.json(&tars_model_body(&nowhere, "other"));
    made.await.assert(404, "ERR_5503");
    let moved = shop.patch(address(&model)).token(&token);
    let moved = moved.json(&json!({ "baseModelId": nowhere }));
    moved.await.assert(404, "ERR_5503");
    assert_eq!(shop.store.writes(), writes);
}
