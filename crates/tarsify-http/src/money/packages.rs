//! Packages of credits: those on offer for everybody, all of them for administrators.

mod wire;

use actix_web::web::Data;
use tarsify_domain::audit::Actor;
use tarsify_domain::id::PackageId;
use tarsify_domain::payments::{CreditPackage, Packages, Shown};

pub(crate) use wire::{CreatePackageIn, CreditPackageOut, CreditPackagesOut, UpdatePackageIn};

use crate::envelope::{Created, NoContent, Resource, Success, Tagged};
use crate::error::ApiError;
use crate::extract::{Administrator, IfMatch, PathId, Valid};

/// Lists the packages on offer, the cheapest first.
pub(crate) async fn list_offered_packages(
    packages: Data<Packages>,
) -> Result<Success<CreditPackagesOut>, ApiError> {
    Ok(Success(packages.list(Shown::OnOffer).await?.into()))
}

/// Lists all packages, the cheapest first.
pub(crate) async fn list_packages(
    packages: Data<Packages>,
    _admin: Administrator,
) -> Result<Tagged<Vec<CreditPackageOut>>, ApiError> {
    let all = packages.list(Shown::All).await?;
    Ok(Tagged(all.into_iter().map(Into::into).collect()))
}

/// Makes a package.
pub(crate) async fn create_package(
    packages: Data<Packages>,
    Administrator(admin): Administrator,
    Valid(body): Valid<CreatePackageIn>,
) -> Result<Created<CreditPackageOut>, ApiError> {
    let package = packages.create(&Actor::from(&admin), body.into()).await?;
    Ok(Created {
        version: package.version,
        location: format!("/api/admin/credit-packages/{}", package.id),
        body: package.into(),
    })
}

/// Shows a package.
pub(crate) async fn show_package(
    packages: Data<Packages>,
    _admin: Administrator,
    path: PathId<PackageId>,
) -> Result<Resource<CreditPackageOut>, ApiError> {
    Ok(resource(packages.find(path.id()?).await?))
}

/// Changes a package: absent keeps. What was bought stays as it was.
pub(crate) async fn update_package(
    packages: Data<Packages>,
    Administrator(admin): Administrator,
    Valid(body): Valid<UpdatePackageIn>,
    path: PathId<PackageId>,
    IfMatch(expected): IfMatch,
) -> Result<Resource<CreditPackageOut>, ApiError> {
    let (actor, id) = (Actor::from(&admin), path.id()?);
    let package = packages.revise(&actor, id, &expected, body.into()).await?;
    Ok(resource(package))
}

/// Takes a package off the offer.
pub(crate) async fn delete_package(
    packages: Data<Packages>,
    Administrator(admin): Administrator,
    path: PathId<PackageId>,
    IfMatch(expected): IfMatch,
) -> Result<NoContent, ApiError> {
    let (actor, id) = (Actor::from(&admin), path.id()?);
    packages.withdraw(&actor, id, &expected).await?;
    Ok(NoContent)
}

fn resource(package: CreditPackage) -> Resource<CreditPackageOut> {
    Resource {
        version: package.version,
        body: package.into(),
    }
}
