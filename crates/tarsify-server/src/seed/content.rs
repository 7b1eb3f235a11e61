//! The catalogue and the demo as their files describe them, in the domain's types. A file with
//! any fault is refused whole, with every fault named by its entry and field.

mod entry;
mod fault;
mod read;

use tarsify_domain::catalog::base_model::Seconds;
use tarsify_domain::catalog::endpoint::ProviderEndpointId;
use tarsify_domain::catalog::{Category, ConfigOverrides, EndpointSource, InputSchema, OutputType};
use tarsify_domain::money::Price;
use tarsify_domain::text::{
    Bio, Country, Description, DockerImage, EmailAddress, GpuType, Name, OutputFormat, PersonName,
    Slug, Title,
};

pub(crate) use self::fault::ContentError;
use self::fault::{Fault, Names, complete};
use self::read::{
    outline, read_all, read_base_model, read_developer, read_endpoint, read_tars_model,
};

/// The catalogue that is part of the binary.
pub(crate) const BUILT_IN_CATALOG: &str = include_str!("../../../../config/catalog.toml");
/// The demo that is part of the binary.
pub(crate) const BUILT_IN_DEMO: &str = include_str!("../../../../config/demo.toml");

/// Where models run and what they do.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    pub(crate) endpoints: Vec<SeedEndpoint>,
    pub(crate) base_models: Vec<SeedBaseModel>,
}

/// One `[[endpoint]]`.
#[derive(Debug, Clone)]
pub(crate) struct SeedEndpoint {
    /// Its name in the file.
    pub(crate) key: String,
    pub(crate) name: Name,
    pub(crate) gpu_type: GpuType,
    pub(crate) source: EndpointSource,
    pub(crate) docker_image: Option<DockerImage>,
    /// Its id at the provider while no real one is known.
    pub(crate) placeholder: ProviderEndpointId,
}

/// One `[[base_model]]`.
#[derive(Debug, Clone)]
pub(crate) struct SeedBaseModel {
    /// The key of its endpoint, which the file has.
    pub(crate) endpoint: String,
    pub(crate) slug: Slug,
    pub(crate) name: Name,
    pub(crate) description: Option<Description>,
    pub(crate) category: Category,
    pub(crate) output_type: OutputType,
    pub(crate) output_format: OutputFormat,
    pub(crate) estimated: Seconds,
    pub(crate) timeout: Seconds,
    pub(crate) streams_output: bool,
    pub(crate) active: bool,
    pub(crate) input_schema: InputSchema,
}

/// The people of the demo and what they sell.
#[derive(Debug, Clone)]
pub(crate) struct Demo {
    pub(crate) developers: Vec<DemoDeveloper>,
    pub(crate) tars_models: Vec<DemoTarsModel>,
}

/// One `[[developer]]`.
#[derive(Debug, Clone)]
pub(crate) struct DemoDeveloper {
    pub(crate) email: EmailAddress,
    pub(crate) name: PersonName,
    pub(crate) bio: Option<Bio>,
    pub(crate) country: Option<Country>,
}

/// One `[[tars_model]]`.
#[derive(Debug, Clone)]
pub(crate) struct DemoTarsModel {
    /// The e-mail address of its developer, whom the file has.
    pub(crate) developer: EmailAddress,
    /// The slug of its base model, which only the database knows.
    pub(crate) base_model: Slug,
    pub(crate) title: Title,
    pub(crate) slug: Slug,
    pub(crate) description: Option<Description>,
    pub(crate) price: Price,
    pub(crate) overrides: ConfigOverrides,
}

impl Catalog {
    /// Reads a catalogue; `file` is what its faults call it.
    pub(crate) fn parse(text: &str, file: &str) -> Result<Self, ContentError> {
        let RawCatalog {
            endpoint,
            base_model,
        } = outline(text, file)?;
        let mut faults = Vec::new();
        if endpoint.is_empty() && base_model.is_empty() {
            faults.push(Fault::of_file(
                "holds nothing: add [[endpoint]] and [[base_model]] entries",
            ));
        }
        let endpoints = read_all("endpoint", "key", endpoint, &mut faults, read_endpoint);
        let mut keys = Names::new("key");
        let mut placeholders = Names::new("placeholder");
        for entry in &endpoints {
            keys.add("endpoint", &entry.key, &entry.key, &mut faults);
            let placeholder = entry.placeholder.as_str();
            placeholders.add("endpoint", &entry.key, placeholder, &mut faults);
        }
        // An endpoint with a fault of its own is not in the list, yet it is in the file.
        let knows_all_keys = faults.is_empty();
        let base_models = read_all(
            "base model",
            "slug",
            base_model,
            &mut faults,
            read_base_model,
        );
        let mut slugs = Names::new("slug");
        for entry in &base_models {
            let slug = entry.slug.as_str();
            slugs.add("base model", slug, slug, &mut faults);
            if knows_all_keys && !keys.has(&entry.endpoint) {
                let known = keys.listed();
                let message = format!("is no key of an endpoint of this file: use one of {known}");
                faults.push(Fault::new("base model", slug, "endpoint", message));
            }
        }
        complete(
            file,
            faults,
            Self {
                endpoints,
                base_models,
            },
        )
    }
}

impl Demo {
    /// Reads a demo; `file` is what its faults call it.
    pub(crate) fn parse(text: &str, file: &str) -> Result<Self, ContentError> {
        let RawDemo {
            developer,
            tars_model,
        } = outline(text, file)?;
        let mut faults = Vec::new();
        let developers = read_all("developer", "email", developer, &mut faults, read_developer);
        let mut emails = Names::new("email");
        for entry in &developers {
            let email = entry.email.as_str();
            emails.add("developer", email, email, &mut faults);
        }
        let knows_all_developers = faults.is_empty();
        let tars_models = read_all(
            "tars model",
            "slug",
            tars_model,
            &mut faults,
            read_tars_model,
        );
        let mut slugs = Names::new("slug");
        for entry in &tars_models {
            let slug = entry.slug.as_str();
            slugs.add("tars model", slug, slug, &mut faults);
            if knows_all_developers && !emails.has(entry.developer.as_str()) {
                let known = emails.listed();
                let message = format!("is no developer of this file: use one of {known}");
                faults.push(Fault::new("tars model", slug, "developer", message));
            }
        }
        complete(
            file,
            faults,
            Self {
                developers,
                tars_models,
            },
        )
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCatalog {
    #[serde(default)]
    endpoint: Vec<toml::Table>,
    #[serde(default)]
    base_model: Vec<toml::Table>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDemo {
    #[serde(default)]
    developer: Vec<toml::Table>,
    #[serde(default)]
    tars_model: Vec<toml::Table>,
}

#[cfg(test)]
mod tests;
