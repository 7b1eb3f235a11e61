//! Developers in memory.

use async_trait::async_trait;
use tarsify_domain::people::{
    Developer, DeveloperRepository, IdentityKey, NewDeveloper, PersonStatus, Role,
};
use tarsify_domain::text::EmailAddress;
use tarsify_domain::{Credits, RepoError, Version};

use super::paging::count;
use super::{FakeStore, Person, State, conflict_if, standing};

fn unregistered(new: &NewDeveloper) -> Developer {
    let NewDeveloper {
        id,
        key,
        email,
        email_is_verified: _,
        display_name,
        registered_at,
    } = new.clone();
    Developer {
        id,
        subject: key.subject,
        email,
        display_name,
        avatar_url: None,
        bio: None,
        country: None,
        payout_email: None,
        stripe_account_id: None,
        is_verified: false,
        profile_is_complete: false,
        role: Role::User,
        status: PersonStatus::Active,
        tokens_valid_after: None,
        total_earnings: Credits::ZERO,
        pending_payout: Credits::ZERO,
        model_count: 0,
        version: Version::FIRST,
        created_at: registered_at,
        updated_at: registered_at,
    }
}

impl State {
    fn see_developer(&self, row: &Developer) -> Developer {
        let models = self.tars_models.values();
        let models = models.filter(|model| model.developer_id == row.id);
        Developer {
            model_count: count(models.count()),
            ..row.clone()
        }
    }
}

#[async_trait]
impl DeveloperRepository for FakeStore {
    async fn find_by_identity(&self, key: &IdentityKey) -> Result<Option<Developer>, RepoError> {
        let state = self.reading().await?;
        let mut people = state.developers.values();
        let person = people.find(|person| person.key == *key);
        Ok(person.map(|person| state.see_developer(&person.profile)))
    }

    async fn register(&self, new: &NewDeveloper) -> Result<Developer, RepoError> {
        let mut state = self.writing().await?;
        conflict_if(state.developers.values().any(|person| {
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
        state.developers.insert(new.id, person);
        Ok(profile)
    }

    async fn revise(&self, developer: &Developer) -> Result<Developer, RepoError> {
        let mut state = self.writing().await?;
        let row = state.developers.get_mut(&developer.id);
        let row = row.map(|person| &mut person.profile);
        let row = standing(row, developer.version, |row| row.version)?;
        row.display_name.clone_from(&developer.display_name);
        row.avatar_url.clone_from(&developer.avatar_url);
        row.bio.clone_from(&developer.bio);
        row.country = developer.country;
        row.payout_email.clone_from(&developer.payout_email);
        row.profile_is_complete = developer.profile_is_complete;
        row.updated_at = developer.updated_at;
        row.version = row.version.next();
        let row = row.clone();
        state.market_changes();
        Ok(state.see_developer(&row))
    }

    async fn assign_role(
        &self,
        email: &EmailAddress,
        role: Role,
    ) -> Result<Option<Developer>, RepoError> {
        let mut state = self.writing().await?;
        let mut people = state.developers.values_mut();
        let Some(person) = people.find(|person| {
            person.email_is_verified && person.profile.email.as_ref() == Some(email)
        }) else {
            return Ok(None);
        };
        person.profile.role = role;
        person.profile.version = person.profile.version.next();
        let row = person.profile.clone();
        Ok(Some(state.see_developer(&row)))
    }
}
