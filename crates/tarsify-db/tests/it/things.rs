//! Things to store, made from a number, so that two of the same number are the same.

use serde_json::json;
use tarsify_db::{
    PgBaseModelRepository, PgConsumerRepository, PgDeveloperRepository, PgEndpointRepository,
    PgMarketRepository, PgTarsModelRepository,
};
use tarsify_domain::catalog::base_model::{EndpointRef, Seconds};
use tarsify_domain::catalog::endpoint::{EndpointLimits, ProviderEndpointId};
use tarsify_domain::catalog::{
    BaseModel, BaseModelRepository, Category, ConfigOverrides, Endpoint, EndpointRepository,
    EndpointSource, InputSchema, NewEndpoint, OutputType, Provider, TarsModel, TarsModelRepository,
    TarsModelStatus,
};
use tarsify_domain::id::{BaseModelId, ConsumerId, DeveloperId, TarsModelId};
use tarsify_domain::money::{Credits, Price};
use tarsify_domain::people::{
    Developer, DeveloperRepository, IdentityKey, NewConsumer, NewDeveloper, Realm,
};
use tarsify_domain::text::{
    Description, EmailAddress, GpuType, Name, OutputFormat, PersonName, Slug, Title,
};
use tarsify_domain::{Timestamp, Version};

use crate::support::TestDatabase;

/// A moment, `number` seconds and a few odd microseconds after a fixed one.
pub(crate) fn moment(number: i64) -> Timestamp {
    let nanoseconds = (1_700_000_000 + i128::from(number)) * 1_000_000_000 + 123_457_000;
    Timestamp::from_unix_timestamp_nanos(nanoseconds).unwrap()
}

pub(crate) fn email(number: i64) -> EmailAddress {
    EmailAddress::parse(&format!("person{number}@example.com")).unwrap()
}

pub(crate) fn identity(realm: Realm, number: i64) -> IdentityKey {
    IdentityKey {
        realm,
        issuer: "https://issuer.example".to_owned(),
        subject: format!("subject-{number}"),
    }
}

pub(crate) fn new_consumer(number: i64) -> NewConsumer {
    NewConsumer {
        id: ConsumerId::new(moment(number)),
        key: identity(Realm::Consumers, number),
        email: Some(email(number)),
        email_is_verified: true,
        name: Some(PersonName::parse(&format!("Consumer {number}")).unwrap()),
        registered_at: moment(number),
        welcome: Credits::ZERO,
    }
}

pub(crate) fn new_developer(number: i64) -> NewDeveloper {
    NewDeveloper {
        id: DeveloperId::new(moment(number)),
        key: identity(Realm::Developers, number),
        email: Some(email(number)),
        email_is_verified: true,
        display_name: Some(PersonName::parse(&format!("Developer {number}")).unwrap()),
        registered_at: moment(number),
    }
}

pub(crate) fn endpoint(number: i64) -> Endpoint {
    let new = NewEndpoint {
        provider_endpoint_id: ProviderEndpointId::parse(&format!("endpoint-{number}")).unwrap(),
        provider: Provider::RunPod,
        name: Name::parse(&format!("Endpoint {number}")).unwrap(),
        source: EndpointSource::Hub,
        docker_image: None,
        gpu_type: GpuType::parse("A40").unwrap(),
        is_active: true,
        limits: EndpointLimits {
            retry_on_429: Some(true),
            max_retries: Some(1),
            ..EndpointLimits::default()
        },
    };
    Endpoint::new(new, moment(number))
}

pub(crate) fn schema() -> InputSchema {
    // The order of keys is the author's: neither sorted nor by length.
    let schema = json!({
        "type": "object",
        "properties": {"prompt": {"type": "string"}, "a": {"type": "number"}, "Width": {}},
        "required": ["prompt"],
    });
    InputSchema::parse(schema).unwrap()
}

pub(crate) fn base_model(number: i64, on: &Endpoint, category: Category) -> BaseModel {
    BaseModel {
        id: BaseModelId::new(moment(number)),
        endpoint: EndpointRef {
            id: on.id,
            name: on.name.clone(),
            is_active: on.is_active,
        },
        slug: Slug::parse(&format!("base-{number}")).unwrap(),
        name: Name::parse(&format!("Base {number}")).unwrap(),
        description: None,
        category,
        input_schema: schema(),
        output_type: OutputType::Image,
        output_format: OutputFormat::parse("png").unwrap(),
        estimated: Seconds::parse(7).unwrap(),
        timeout: Seconds::parse(700).unwrap(),
        streams_output: false,
        is_active: true,
        tars_model_count: 0,
        version: Version::FIRST,
        created_at: moment(number),
        updated_at: moment(number),
    }
}

pub(crate) fn tars_model(number: i64, developer: DeveloperId, base: &BaseModel) -> TarsModel {
    let overrides = json!({
        "promptPrefix": "secret ",
        "lockedInputs": {"a": 1, "Width": 2},
        "zUnknown": null,
        "b": [1, 2],
    });
    TarsModel {
        id: TarsModelId::new(moment(number)),
        developer_id: developer,
        base_model: base.clone().into(),
        title: Title::parse(&format!("Model {number}")).unwrap(),
        slug: Slug::parse(&format!("model-{number}")).unwrap(),
        description: Some(Description::parse("What it does").unwrap()),
        overrides: ConfigOverrides::parse(overrides).unwrap(),
        price: Price::DEFAULT,
        status: TarsModelStatus::Draft,
        version: Version::FIRST,
        total_runs: 0,
        created_at: moment(number),
        updated_at: moment(number),
        published_at: None,
    }
}

/// The repositories of one database.
pub(crate) struct Shop {
    pub(crate) test: TestDatabase,
    pub(crate) consumers: PgConsumerRepository,
    pub(crate) developers: PgDeveloperRepository,
    pub(crate) endpoints: PgEndpointRepository,
    pub(crate) base_models: PgBaseModelRepository,
    pub(crate) tars_models: PgTarsModelRepository,
    pub(crate) market: PgMarketRepository,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let test = crate::support::database().await;
        let database = test.database.clone();
        Self {
            test,
            consumers: PgConsumerRepository::new(database.clone()),
            developers: PgDeveloperRepository::new(database.clone()),
            endpoints: PgEndpointRepository::new(database.clone()),
            base_models: PgBaseModelRepository::new(database.clone()),
            tars_models: PgTarsModelRepository::new(database.clone()),
            market: PgMarketRepository::new(database),
        }
    }

    pub(crate) async fn developer(&self, number: i64) -> Developer {
        let new = new_developer(number);
        self.developers.register(&new).await.unwrap()
    }

    pub(crate) async fn endpoint(&self, number: i64) -> Endpoint {
        let endpoint = endpoint(number);
        self.endpoints.create(&endpoint).await.unwrap();
        endpoint
    }

    pub(crate) async fn base_model(&self, number: i64, category: Category) -> BaseModel {
        let endpoint = self.endpoint(number).await;
        let model = base_model(number, &endpoint, category);
        self.base_models.create(&model).await.unwrap();
        model
    }

    /// A draft of a new developer on a new base model.
    pub(crate) async fn draft(&self, number: i64) -> TarsModel {
        let developer = self.developer(number).await;
        let base = self.base_model(number, Category::Image).await;
        let model = tars_model(number, developer.id, &base);
        self.tars_models.create(&model).await.unwrap();
        model
    }

    pub(crate) async fn publish(&self, mut model: TarsModel) -> TarsModel {
        model.publish(moment(1_000)).unwrap();
        self.tars_models.revise(&model).await.unwrap()
    }
}
