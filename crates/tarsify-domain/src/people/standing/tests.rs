//! How many are remembered.

use super::*;
use crate::people::identity::Realm;

/// A clock that goes on when it is told to.
#[derive(Default)]
struct Told(Mutex<Duration>);

impl Clock for Told {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + *self.0.lock().unwrap()
    }
}

fn key(number: usize) -> IdentityKey {
    IdentityKey {
        realm: Realm::Consumers,
        issuer: "issuer".to_owned(),
        subject: number.to_string(),
    }
}

#[test]
fn so_many_are_remembered_and_those_of_before_make_room() {
    let clock = Arc::new(Told::default());
    let standings = Standings::new(Arc::<Told>::clone(&clock));
    let begun = standings.now();
    let standing = Standing {
        id: ConsumerId::new(begun),
        status: PersonStatus::Active,
        tokens_valid_after: None,
    };
    for number in 0..=MOST {
        standings.remember(&key(number), begun, standing);
    }
    let kept = || standings.seen.lock().unwrap().len();
    assert_eq!(kept(), MOST);
    assert_eq!(standings.find(&key(0)), Some(standing));
    assert_eq!(standings.find(&key(MOST)), None, "he is asked for anew");
    *clock.0.lock().unwrap() += BELIEVED;
    standings.remember(&key(MOST), standings.now(), standing);
    assert_eq!(kept(), 1);
    assert_eq!(standings.find(&key(MOST)), Some(standing));
}
