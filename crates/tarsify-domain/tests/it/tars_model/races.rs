//! Somebody else was quicker: between the read and the write the row changed, was published,
//! was run, or went away.

use std::sync::Arc;

use tarsify_domain::catalog::{TarsModel, TarsModelRepository, TarsModelStatus, TarsModels};
use tarsify_domain::{Expected, Scope};
use tarsify_testing::FakeStore;
use tarsify_testing::builders::title;

use super::revise::retitled;
use crate::interloper::{Act, Interloper};
use crate::workshop::{Workshop, answer, one_of};

/// The use cases, with somebody who edits the row after every read.
fn with_rival(shop: &Workshop, model: &TarsModel, edit: fn(&mut TarsModel)) -> TarsModels {
    let (store, id) = (shop.store.clone(), model.id);
    let rival = Interloper::after_find(&shop.store, move || {
        store.edit_tars_model(id, edit);
        Box::pin(async {})
    });
    shop.wiring().tars(rival)
}

fn revised_by_the_rival(model: &mut TarsModel) {
    model.title = title("The rival's title");
    model.version = model.version.next();
}

/// Each wish's answer on a model of its own.
async fn lose(edit: fn(&mut TarsModel), stated: Stated) -> [String; 4] {
    let mut answers = [const { String::new() }; 4];
    for (place, answered) in answers.iter_mut().enumerate() {
        let shop = Workshop::new();
        let draft = shop.model(TarsModelStatus::Draft).await;
        let tars = with_rival(&shop, &draft, edit);
        let (dora, id, expected) = (draft.developer_id, draft.id, stated.expected(&draft));
        let revision = shop.changes.revision();
        let before = shop.later();
        *answered = match place {
            0 => answer(tars.revise(dora, id, &expected, retitled("Lost")).await),
            1 => answer(tars.publish(dora, id, &expected).await),
            2 => answer(tars.archive(dora, id, &expected).await),
            _ => answer(tars.remove(dora, id, &expected).await),
        };
        let left = shop.stored(&draft).await.unwrap();
        assert!(left.updated_at < before, "the rival's row was overwritten");
        assert_eq!(shop.changes.revision(), revision, "nothing was committed");
    }
    answers
}

#[derive(Clone, Copy)]
enum Stated {
    Nothing,
    TheRightVersion,
}

impl Stated {
    fn expected(self, model: &TarsModel) -> Expected {
        match self {
            Self::Nothing => Expected::Any,
            Self::TheRightVersion => one_of(&[model.version.get()]),
        }
    }
}

#[tokio::test]
async fn a_lost_race_is_a_conflict_for_who_stated_nothing() {
    let answers = lose(revised_by_the_rival, Stated::Nothing).await;
    assert_eq!(answers, ["Repo(Stale)"; 4]);
}

#[tokio::test]
async fn a_lost_race_is_a_failed_precondition_for_who_stated_a_version() {
    let answers = lose(revised_by_the_rival, Stated::TheRightVersion).await;
    assert_eq!(answers, ["PreconditionFailed"; 4]);
}

#[tokio::test]
async fn a_draft_that_is_published_or_run_meanwhile_is_not_deleted() {
    let edits: [fn(&mut TarsModel); 2] = [
        |model| model.status = TarsModelStatus::Published,
        |model| model.total_runs = 1,
    ];
    for edit in edits {
        let shop = Workshop::new();
        let draft = shop.model(TarsModelStatus::Draft).await;
        let tars = with_rival(&shop, &draft, edit);
        let remove = tars.remove(draft.developer_id, draft.id, &Expected::Any);
        assert_eq!(answer(remove.await), "Repo(Stale)");
        assert!(shop.stored(&draft).await.is_some());
    }
}

#[tokio::test]
async fn a_model_that_is_deleted_meanwhile_does_not_come_back() {
    let shop = Workshop::new();
    let draft = shop.model(TarsModelStatus::Draft).await;
    let (store, gone) = (shop.store.clone(), draft.clone());
    let rival = Interloper::after_find(&shop.store, move || delete(store.clone(), &gone));
    let tars = shop.wiring().tars(rival);
    let publish = tars.publish(draft.developer_id, draft.id, &Expected::Any);
    assert_eq!(answer(publish.await), "Repo(Stale)");
    assert_eq!(shop.stored(&draft).await, None);
}

fn delete(store: Arc<FakeStore>, model: &TarsModel) -> Act {
    let (id, version) = (model.id, model.version);
    Box::pin(async move {
        let delete = TarsModelRepository::delete(&*store, Scope::System, id, version);
        delete.await.unwrap();
    })
}

#[tokio::test]
async fn of_many_who_publish_at_once_one_succeeds() {
    let shop = Workshop::new();
    let draft = shop.model(TarsModelStatus::Draft).await;
    let publish = || {
        shop.tars
            .publish(draft.developer_id, draft.id, &Expected::Any)
    };
    let (one, two, three) = tokio::join!(publish(), publish(), publish());
    let mut answers = [answer(one), answer(two), answer(three)];
    answers.sort();
    assert_eq!(answers, ["Repo(Stale)", "Repo(Stale)", "ok"]);
    assert_eq!(
        shop.stored(&draft).await.unwrap().version,
        draft.version.next()
    );
}
