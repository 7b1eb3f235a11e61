//! Consumers in memory.

use async_trait::async_trait;
use tarsify_domain::people::{
    Consumer, ConsumerRepository, IdentityKey, NewConsumer, PersonStatus,
};
use tarsify_domain::{Credits, RepoError, Version};

use super::{FakeStore, Person, conflict_if, standing};

fn unregistered(new: &NewConsumer) -> Consumer {
    let NewConsumer {
        id,
        key,
        email,
        email_is_verified: _,
        name,
        welcome,
        registered_at,
    } = new.clone();
    Consumer {
        id,
        subject: key.subject,
        email,
        name,
        avatar_url: None,
        status: PersonStatus::Active,
        tokens_valid_after: None,
        credits_balance: welcome,
        run_count: 0,
        purchase_count: 0,
        total_credits_spent: Credits::ZERO,
        version: Version::FIRST,
        created_at: registered_at,
        updated_at: registered_at,
    }
}

#[async_trait]
impl ConsumerRepository for FakeStore {
    async fn find_by_identity(&self, key: &IdentityKey) -> Result<Option<Consumer>, RepoError> {
        let state = self.reading().await?;
        let mut people = state.consumers.values();
        let person = people.find(|person| person.key == *key);
        Ok(person.map(|person| person.profile.clone()))
    }

    async fn register(&self, new: &NewConsumer) -> Result<Consumer, RepoError> {
        let mut state = self.writing().await?;
        conflict_if(state.consumers.values().any(|person| {
            person.key == new.key
                || new.email_is_verified
                    && person.email_is_verified
                    && new.email.is_some()
                    && person.profile.email == new.email
        }))?;
        let profile = unregistered(new);
        let person = Person {
            key: new.key.clone(),
            email_is_verified: new.email_is_verified,
            profile: profile.clone(),
        };
        state.consumers.insert(new.id, person);
        Ok(profile)
    }

    async fn revise(&self, consumer: &Consumer) -> Result<Consumer, RepoError> {
        let mut state = self.writing().await?;
        let row = state.consumers.get_mut(&consumer.id);
        let row = row.map(|person| &mut person.profile);
        let row = standing(row, consumer.version, |row| row.version)?;
        row.name.clone_from(&consumer.name);
        row.avatar_url.clone_from(&consumer.avatar_url);
        row.updated_at = consumer.updated_at;
        row.version = row.version.next();
        Ok(row.clone())
    }
}
