//! What a test does to the fake store behind the ports' back: things that no port can do yet,
//! such as locking a person out or counting a run.

use tarsify_domain::catalog::TarsModel;
use tarsify_domain::id::{ConsumerId, DeveloperId, TarsModelId};
use tarsify_domain::people::{Consumer, Developer};

use super::FakeStore;

impl FakeStore {
    /// Edits a consumer as it is stored; his version stays.
    ///
    /// # Panics
    /// When there is no such consumer.
    pub fn edit_consumer(&self, id: ConsumerId, edit: impl FnOnce(&mut Consumer)) {
        let mut state = self.lock();
        let person = state.consumers.get_mut(&id);
        edit(&mut person.expect("the consumer is stored").profile);
    }

    /// Edits a developer as he is stored; his version stays.
    ///
    /// # Panics
    /// When there is no such developer.
    pub fn edit_developer(&self, id: DeveloperId, edit: impl FnOnce(&mut Developer)) {
        let mut state = self.lock();
        let person = state.developers.get_mut(&id);
        edit(&mut person.expect("the developer is stored").profile);
        state.market_changes();
    }

    /// Edits a tars model as it is stored; its version stays.
    ///
    /// # Panics
    /// When there is no such tars model.
    pub fn edit_tars_model(&self, id: TarsModelId, edit: impl FnOnce(&mut TarsModel)) {
        let mut state = self.lock();
        let model = state.tars_models.get_mut(&id);
        edit(model.expect("the tars model is stored"));
        state.market_changes();
    }
}
