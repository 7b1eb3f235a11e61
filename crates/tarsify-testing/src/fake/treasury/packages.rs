//! Packages of credits in memory.

use async_trait::async_trait;
use tarsify_domain::audit::Actor;
use tarsify_domain::id::PackageId;
use tarsify_domain::payments::{CreditPackage, PackageAmounts, PackageRepository, Shown};
use tarsify_domain::{Credits, RepoError, Timestamp, Version};
use uuid::Uuid;

use super::{FakeAuditEntry, FakeTreasury, State};
use crate::fake::standing;

impl State {
    /// The packages that every store begins with, under the same ids.
    pub(super) fn seed_packages(&mut self, now: Timestamp) {
        const FIRST: u128 = 0x019d_0000_0000_7000_8000_0000_0000_0000;
        let seeds: [(i64, u128); 5] = [
            (500, 0x0500),
            (1_000, 0x1000),
            (2_500, 0x2500),
            (5_000, 0x5000),
            (10_000, 0x1_0000),
        ];
        for (credits, number) in seeds {
            let id = PackageId::from_uuid(Uuid::from_u128(FIRST | number));
            let package = CreditPackage {
                id,
                amounts: PackageAmounts {
                    credits: Credits::new(credits),
                    bonus: Credits::ZERO,
                    price_cents: credits,
                },
                currency: "usd".to_owned(),
                is_popular: credits == 1_000,
                is_active: true,
                version: Version::FIRST,
                created_at: now,
                updated_at: now,
            };
            self.packages.insert(id, package);
        }
    }

    fn note(&mut self, actor: &Actor, action: &'static str, id: PackageId) {
        self.audit.push(FakeAuditEntry {
            actor: actor.clone(),
            action,
            about: id.uuid(),
            reason: None,
        });
    }
}

#[async_trait]
impl PackageRepository for FakeTreasury {
    async fn list(&self, which: Shown) -> Result<Vec<CreditPackage>, RepoError> {
        let state = self.enter().await?;
        let packages = state.packages.values();
        let wanted = packages.filter(|package| which == Shown::All || package.is_active);
        let mut packages: Vec<_> = wanted.cloned().collect();
        packages.sort_by_key(|package| (package.amounts.price_cents, package.id));
        Ok(packages)
    }

    async fn find(&self, id: PackageId) -> Result<Option<CreditPackage>, RepoError> {
        Ok(self.enter().await?.packages.get(&id).cloned())
    }

    async fn create(&self, package: &CreditPackage, actor: &Actor) -> Result<(), RepoError> {
        let mut state = self.enter().await?;
        state.packages.insert(package.id, package.clone());
        state.note(actor, "package.create", package.id);
        Ok(())
    }

    async fn revise(
        &self,
        package: &CreditPackage,
        actor: &Actor,
    ) -> Result<CreditPackage, RepoError> {
        let mut state = self.enter().await?;
        let row = state.packages.get_mut(&package.id);
        let row = standing(row, package.version, |row| row.version)?;
        *row = CreditPackage {
            version: row.version.next(),
            created_at: row.created_at,
            ..package.clone()
        };
        let row = row.clone();
        state.note(actor, "package.revise", package.id);
        Ok(row)
    }
}
