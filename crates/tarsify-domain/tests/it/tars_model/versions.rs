//! The version that a caller believes he is changing, where nobody else interferes.

use tarsify_domain::Expected;
use tarsify_domain::catalog::TarsModelStatus;

use super::revise::retitled;
use crate::workshop::{Workshop, answer, one_of};

#[tokio::test]
async fn a_stated_version_must_be_the_current_one() {
    let table = [
        (Expected::Any, "ok"),
        (one_of(&[2]), "ok"),
        (one_of(&[7, 2, 1]), "ok"),
        (one_of(&[1]), "PreconditionFailed"),
        (one_of(&[3]), "PreconditionFailed"),
        (one_of(&[]), "PreconditionFailed"),
    ];
    for (expected, wanted) in table {
        for wish in ["revise", "publish", "archive", "remove"] {
            let shop = Workshop::new();
            let first = shop.model(TarsModelStatus::Draft).await;
            let (dora, id) = (first.developer_id, first.id);
            let change = retitled("Second version");
            let second = shop.tars.revise(dora, id, &Expected::Any, change).await;
            let second = second.unwrap();
            assert_eq!(second.version.get(), 2);
            let answer = match wish {
                "revise" => {
                    let change = retitled("Third version");
                    answer(shop.tars.revise(dora, id, &expected, change).await)
                }
                "publish" => answer(shop.tars.publish(dora, id, &expected).await),
                "archive" => answer(shop.tars.archive(dora, id, &expected).await),
                _ => answer(shop.tars.remove(dora, id, &expected).await),
            };
            assert_eq!(answer, wanted, "{wish} expecting {expected:?}");
            let untouched = shop.stored(&first).await == Some(second);
            assert_eq!(untouched, wanted != "ok", "{wish} expecting {expected:?}");
        }
    }
}

/// Whoever looks at an old version does not see why it would be refused now.
#[tokio::test]
async fn the_version_is_checked_before_the_status() {
    let shop = Workshop::new();
    let published = shop.model(TarsModelStatus::Published).await;
    let (dora, id) = (published.developer_id, published.id);
    let stale = &one_of(&[1]);
    let publish = shop.tars.publish(dora, id, stale).await;
    assert_eq!(answer(publish), "PreconditionFailed");
    let remove = shop.tars.remove(dora, id, stale).await;
    assert_eq!(answer(remove), "PreconditionFailed");
}
