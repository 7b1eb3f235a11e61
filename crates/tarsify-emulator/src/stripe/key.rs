//! Keys under which calls are kept: the first result stays, whatever it was.

use std::collections::BTreeMap;

use super::answer::Answer;

/// What was kept.
#[derive(Debug, Default)]
pub(super) struct Keys(BTreeMap<String, Kept>);

#[derive(Debug)]
struct Kept {
    /// What was asked for.
    asked: String,
    /// None while it is under way.
    answer: Option<Answer>,
}

/// What there is under a key.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// Nothing: the call is begun, and its key is in use from now on.
    Nothing,
    /// The same call, with its answer.
    Same(Answer),
    /// The same call, under way.
    UnderWay,
    /// Another call.
    Other,
}

impl Keys {
    pub(super) fn begin(&mut self, key: &str, asked: &str) -> Found {
        match self.0.get(key) {
            Some(kept) if kept.asked != asked => Found::Other,
            Some(Kept {
                answer: Some(answer),
                ..
            }) => Found::Same(answer.clone()),
            Some(_) => Found::UnderWay,
            None => {
                let asked = asked.to_owned();
                let kept = Kept {
                    asked,
                    answer: None,
                };
                self.0.insert(key.to_owned(), kept);
                Found::Nothing
            }
        }
    }

    pub(super) fn keep(&mut self, key: &str, answer: &Answer) {
        if let Some(kept) = self.0.get_mut(key) {
            kept.answer = Some(answer.clone());
        }
    }

    /// The call was left before it had its effect.
    pub(super) fn leave(&mut self, key: &str) {
        if self.0.get(key).is_some_and(|kept| kept.answer.is_none()) {
            self.0.remove(key);
        }
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    //! The life of a key.

    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_result_stays() {
        let mut keys = Keys::default();
        assert_eq!(keys.begin("a", "x"), Found::Nothing);
        assert_eq!(keys.begin("a", "x"), Found::UnderWay);
        assert_eq!(keys.begin("a", "y"), Found::Other);
        assert_eq!(keys.begin("b", "y"), Found::Nothing);
        let answer = Answer::object(json!({ "id": 1 }));
        keys.keep("a", &answer);
        assert_eq!(keys.begin("a", "x"), Found::Same(answer));
        assert_eq!(keys.begin("a", "y"), Found::Other);
        keys.leave("a");
        assert_ne!(keys.begin("a", "x"), Found::Nothing);
        keys.leave("b");
        assert_eq!(keys.begin("b", "z"), Found::Nothing);
        keys.forget();
        assert_eq!(keys.begin("a", "y"), Found::Nothing);
    }
}
