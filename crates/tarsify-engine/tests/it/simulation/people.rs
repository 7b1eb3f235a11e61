//! Who asks, and the models that are asked for.

use std::str::FromStr;
use std::sync::Arc;

use serde_json::json;
use tarsify_domain::catalog::endpoint::ProviderEndpointId;
use tarsify_domain::catalog::{
    Category, ConfigOverrides, InputSchema, OutputType, Provider, TarsModelStatus,
};
use tarsify_domain::execution::{Requester, RunnableBase, RunnableEndpoint, RunnableModel};
use tarsify_domain::id::{
    BaseModelId, ConsumerId, DeveloperId, EndpointId, ExecutionId, TarsModelId,
};
use tarsify_domain::money::Price;
use tarsify_domain::text::{Name, Slug, Title};
use tarsify_domain::version::Version;

use super::dice::Dice;

pub(super) const MODELS: usize = 3;
/// How many test runs one of the developers has.
pub(super) const SMALL_QUOTA: u32 = 2;

/// An id that the seed decides.
pub(super) fn id<T: FromStr>(dice: &mut Dice) -> T
where
    T::Err: std::fmt::Debug,
{
    let (high, low) = (dice.next(), dice.next());
    let text = format!(
        "{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xFFFF,
        high & 0xFFF,
        low >> 52,
        low & 0xFFFF_FFFF_FFFF,
    );
    T::from_str(&text).unwrap()
}

pub(super) fn execution_id(dice: &mut Dice) -> ExecutionId {
    id(dice)
}

pub(super) fn people(dice: &mut Dice) -> Vec<Requester> {
    let mut people = Vec::new();
    for _ in 0..4 {
        people.push(Requester::Consumer(id::<ConsumerId>(dice)));
    }
    for daily_quota in [1_000_000, SMALL_QUOTA] {
        let id = id::<DeveloperId>(dice);
        people.push(Requester::Developer { id, daily_quota });
    }
    people
}

pub(super) fn models(dice: &mut Dice) -> Vec<Arc<RunnableModel>> {
    let models = 0..MODELS;
    models.map(|number| Arc::new(model(number, dice))).collect()
}

fn model(number: usize, dice: &mut Dice) -> RunnableModel {
    let endpoint = format!("endpoint{number}");
    RunnableModel {
        id: id::<TarsModelId>(dice),
        version: Version::FIRST,
        slug: Slug::parse(&format!("anime-{number}")).unwrap(),
        title: Title::parse(&format!("Anime Generator {number}")).unwrap(),
        developer_id: id::<DeveloperId>(dice),
        status: TarsModelStatus::Published,
        price: Price::parse(25).unwrap(),
        overrides: ConfigOverrides::parse(json!({"promptPrefix": "anime style, "})).unwrap(),
        base_model: RunnableBase {
            id: id::<BaseModelId>(dice),
            version: Version::FIRST,
            name: Name::parse("Image Generator").unwrap(),
            category: Category::Image,
            output_type: OutputType::Image,
            input_schema: InputSchema::parse(json!({"type": "object"})).unwrap(),
            estimated_seconds: 12,
            timeout_seconds: u32::try_from(dice.between(20, 120)).unwrap(),
            streams_output: false,
            is_active: true,
        },
        endpoint: RunnableEndpoint {
            id: id::<EndpointId>(dice),
            version: Version::FIRST,
            provider: Provider::RunPod,
            provider_endpoint_id: ProviderEndpointId::parse(&endpoint).unwrap(),
            is_active: true,
        },
    }
}

/// The model after its developer has changed its price.
pub(super) fn revised(model: &RunnableModel, dice: &mut Dice) -> RunnableModel {
    let price = i64::try_from(dice.below(1000)).unwrap();
    RunnableModel {
        version: model.version.next(),
        price: Price::parse(price).unwrap(),
        ..model.clone()
    }
}
