//! A developer sees his own models and no trace of anybody else's.

use tarsify_domain::catalog::{TarsModelChange, TarsModelFilter, TarsModelStatus};
use tarsify_domain::id::TarsModelId;
use tarsify_domain::{Expected, PageRequest};
use tarsify_testing::clock::MOMENT;

use crate::workshop::{Workshop, answer, one_of};

#[tokio::test]
async fn a_stranger_gets_the_answer_for_what_does_not_exist() {
    for status in TarsModelStatus::ALL {
        let shop = Workshop::new();
        let model = shop.model(*status).await;
        let stranger = shop.developer("stranger").await;
        let tars = &shop.tars;
        // A version that would be refused must not tell him that there is something.
        for expected in [&Expected::Any, &one_of(&[]), &one_of(&[1, 2])] {
            for id in [model.id, TarsModelId::new(MOMENT)] {
                let change = TarsModelChange::default();
                let answers = [
                    answer(tars.find(stranger, id).await),
                    answer(tars.revise(stranger, id, expected, change).await),
                    answer(tars.publish(stranger, id, expected).await),
                    answer(tars.archive(stranger, id, expected).await),
                    answer(tars.remove(stranger, id, expected).await),
                ];
                assert_eq!(answers, ["NotFound"; 5], "{status:?}");
            }
        }
        assert_eq!(shop.stored(&model).await, Some(model));
    }
}

#[tokio::test]
async fn a_list_holds_the_developers_own_newest_first_in_the_status_he_asks_for() {
    let shop = Workshop::new();
    let base = shop.base_model().await;
    let dora = shop.developer("dora").await;
    let emil = shop.developer("emil").await;
    let older = shop.draft(dora, &base).await;
    shop.later();
    let newer = shop.draft(dora, &base).await;
    let foreign = shop.draft(emil, &base).await;
    let publish = shop.tars.publish(dora, older.id, &Expected::Any).await;
    let older = publish.unwrap();
    let list = async |developer, status| {
        let filter = TarsModelFilter { status };
        let page = PageRequest::default();
        shop.tars
            .list(developer, filter, &page)
            .await
            .unwrap()
            .items
    };
    assert_eq!(list(dora, None).await, [newer.clone(), older.clone()]);
    assert_eq!(list(dora, Some(TarsModelStatus::Draft)).await, [newer]);
    assert_eq!(list(dora, Some(TarsModelStatus::Published)).await, [older]);
    assert_eq!(list(dora, Some(TarsModelStatus::Archived)).await, []);
    assert_eq!(list(emil, None).await, [foreign]);
}
