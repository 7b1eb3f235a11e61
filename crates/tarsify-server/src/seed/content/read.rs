//! Makes the domain's values of the tables of a file.

use serde::de::DeserializeOwned;
use tarsify_domain::Misfit;
use tarsify_domain::catalog::base_model::Seconds;
use tarsify_domain::catalog::endpoint::ProviderEndpointId;
use tarsify_domain::catalog::{
    Category, ConfigOverrides, EndpointSource, InputSchema, OutputType, SchemaRules,
};
use tarsify_domain::money::Price;
use tarsify_domain::text::{
    Bio, Country, Description, DockerImage, EmailAddress, GpuType, Name, OutputFormat, PersonName,
    Slug, Title,
};
use tarsify_engine::JsonSchemaRules;

use super::entry::Entry;
use super::fault::{ContentError, Fault};
use super::{DemoDeveloper, DemoTarsModel, SeedBaseModel, SeedEndpoint};

/// The entries of a file, not yet looked into.
pub(super) fn outline<T: DeserializeOwned>(text: &str, file: &str) -> Result<T, ContentError> {
    toml::from_str(text).map_err(|error| {
        let message = format!("is not understood: {}", error.to_string().trim_end());
        ContentError::new(file, vec![Fault::of_file(message)])
    })
}

/// The entries that have no fault; the faults of the others go to `faults`.
pub(super) fn read_all<T>(
    kind: &'static str,
    named_by: &str,
    tables: Vec<toml::Table>,
    faults: &mut Vec<Fault>,
    read: fn(&mut Entry) -> Option<T>,
) -> Vec<T> {
    let mut found = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        let mut entry = Entry::new(kind, named_by, index + 1, table);
        found.extend(read(&mut entry));
        faults.extend(entry.into_faults());
    }
    found
}

// Each reader reads every field before it gives up for a missing one, so that all faults are told.

pub(super) fn read_endpoint(entry: &mut Entry) -> Option<SeedEndpoint> {
    let key = entry.text("key", Slug::parse);
    let name = entry.text("name", Name::parse);
    let gpu_type = entry.text("gpu_type", GpuType::parse);
    let source = entry.text("source", EndpointSource::parse);
    let docker_image = entry.optional_text("docker_image", DockerImage::parse);
    let placeholder = entry.text("placeholder", ProviderEndpointId::parse);
    Some(SeedEndpoint {
        key: key?.as_str().to_owned(),
        name: name?,
        gpu_type: gpu_type?,
        source: source?,
        docker_image,
        placeholder: placeholder?,
    })
}

pub(super) fn read_base_model(entry: &mut Entry) -> Option<SeedBaseModel> {
    let endpoint = entry.text("endpoint", Slug::parse);
    let slug = entry.text("slug", Slug::parse);
    let name = entry.text("name", Name::parse);
    let description = entry.optional_text("description", Description::parse);
    let category = entry.text("category", Category::parse);
    let output_type = entry.text("output_type", OutputType::parse);
    let output_format = entry.text("output_format", OutputFormat::parse);
    let estimated = entry.number("estimated_seconds", Seconds::parse);
    let timeout = entry.number("timeout_seconds", Seconds::parse);
    let streams_output = entry.optional_flag("streams_output");
    let active = entry.flag("active");
    let input_schema = entry.json("input_schema", |value| {
        let schema = InputSchema::parse(value).map_err(|misfit| vec![misfit.at("")])?;
        let issues = JsonSchemaRules.check_schema(&schema);
        if issues.is_empty() {
            Ok(schema)
        } else {
            Err(issues)
        }
    });
    if let (Some(estimated), Some(timeout)) = (estimated, timeout)
        && estimated > timeout
    {
        let message = "must not be more than timeout_seconds: no usual run could end in time";
        entry.refuse("estimated_seconds", Misfit::new("maximum", message).at(""));
    }
    Some(SeedBaseModel {
        endpoint: endpoint?.as_str().to_owned(),
        slug: slug?,
        name: name?,
        description,
        category: category?,
        output_type: output_type?,
        output_format: output_format?,
        estimated: estimated?,
        timeout: timeout?,
        streams_output: streams_output?,
        active: active?,
        input_schema: input_schema?,
    })
}

pub(super) fn read_developer(entry: &mut Entry) -> Option<DemoDeveloper> {
    let email = entry.text("email", EmailAddress::parse);
    let name = entry.text("name", PersonName::parse);
    let bio = entry.optional_text("bio", Bio::parse);
    let country = entry.optional_text("country", Country::parse);
    Some(DemoDeveloper {
        email: email?,
        name: name?,
        bio,
        country,
    })
}

pub(super) fn read_tars_model(entry: &mut Entry) -> Option<DemoTarsModel> {
    let developer = entry.text("developer", EmailAddress::parse);
    let base_model = entry.text("base_model", Slug::parse);
    let title = entry.text("title", Title::parse);
    let slug = entry.text("slug", Slug::parse);
    let description = entry.optional_text("description", Description::parse);
    let price = entry.number("price", Price::parse);
    let overrides = entry.optional_json("overrides", ConfigOverrides::parse);
    Some(DemoTarsModel {
        developer: developer?,
        base_model: base_model?,
        title: title?,
        slug: slug?,
        description,
        price: price?,
        overrides: overrides.unwrap_or_default(),
    })
}
