//! Each job as a path of its own: what it can be told becomes typed parameters and bodies. It says of a secret that there
//! is one, and of choices that a command prints, nothing more than that.

use std::sync::Arc;

use serde_json::Value;
use utoipa::openapi::path::{
    Operation, Parameter as Described, ParameterBuilder, ParameterIn, ParameterStyle, PathItem,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{AdditionalProperties, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Content, OpenApi, RefOr, Required};

use crate::config::{Job, Stdin};
use crate::parameters::{Kind, Offers, Parameter, Pattern};

/// The path of any job.
const ANY: &str = "/jobs/{job}";

/// Any text; no request can bring a NUL.
const TEXT: &str = r"^[^\u0000]*$";

/// The same, but no option of a command.
const UNDASHED: &str = r"^(?:[^\u0000-][^\u0000]*)?$";

/// Adds a path for each of `jobs` that a request can start, and says what any job takes.
pub(super) fn describe(document: &mut OpenApi, jobs: &[Arc<Job>]) {
    let Some(any) = document.paths.paths.get_mut(ANY) else { return };
    let (Some(get), Some(post)) = (&mut any.get, &mut any.post) else { return };
    let (plain_get, plain_post) = (get.clone(), post.clone());
    get.operation_id = Some("visit".to_owned());
    get.parameters.get_or_insert_default().push(RefOr::T(anything()));
    post.request_body = Some(RefOr::T(body_of(
        object().additional_properties(Some(Schema::Object(text().build()))).build(),
        Required::False,
    )));
    for job in jobs.iter().filter(|job| job.can_be_started()) {
        let mut item = PathItem::default();
        item.get = job.get.then(|| by_query(plain_get.clone(), job, "visit"));
        item.post = job.post.then(|| match job.stdin {
            Stdin::None => by_body(plain_post.clone(), job),
            Stdin::Body { max } => with_input(plain_post.clone(), job, max),
        });
        document.paths.paths.insert(format!("/jobs/{}", job.name), item);
    }
}

/// The parameters of a job that is not named: any name, any text.
fn anything() -> Described {
    let values = object().additional_properties(Some(Schema::Object(text().build())));
    ParameterBuilder::new()
        .name("parameters")
        .parameter_in(ParameterIn::Query)
        .description(Some("The job's own parameters, each by its name"))
        .style(Some(ParameterStyle::Form))
        .explode(Some(true))
        .schema(Some(values))
        .build()
}

/// What is the same in all operations of a job.
fn of_job(mut operation: Operation, job: &Job, verb: &str) -> Operation {
    operation.operation_id = Some(format!("{verb}_{}", job.name));
    operation.summary = Some(job.description.clone().unwrap_or_else(|| format!("Runs {}", job.name)));
    let is_query = |parameter: &RefOr<Described>| match parameter {
        RefOr::T(parameter) => matches!(parameter.parameter_in, ParameterIn::Query),
        RefOr::Ref(_) => true,
    };
    operation.parameters.get_or_insert_default().retain(is_query);
    operation
}

fn by_query(operation: Operation, job: &Job, verb: &str) -> Operation {
    let mut operation = of_job(operation, job, verb);
    let own = job.parameters.iter().map(|parameter| {
        let required = if parameter.default.is_none() { Required::True } else { Required::False };
        let described = ParameterBuilder::new().name(&parameter.name).parameter_in(ParameterIn::Query);
        let described = described.required(required).description(parameter.description.as_ref());
        RefOr::T(described.schema(Some(schema(parameter))).build())
    });
    operation.parameters.get_or_insert_default().extend(own);
    operation
}

fn by_body(operation: Operation, job: &Job) -> Operation {
    let mut operation = of_job(operation, job, "start");
    let mut values = object().additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    let mut needed = Required::False;
    for parameter in &job.parameters {
        values = values.property(&parameter.name, schema(parameter));
        if parameter.default.is_none() {
            values = values.required(&parameter.name);
            needed = Required::True;
        }
    }
    if !job.parameters.is_empty() {
        operation.request_body = Some(RefOr::T(body_of(values.build(), needed)));
    }
    operation
}

/// The body is the command's input, and the parameters are in the query.
fn with_input(operation: Operation, job: &Job, max: u64) -> Operation {
    let mut operation = by_query(operation, job, "start");
    let bytes = Content::new(Some(
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))),
    ));
    let body = RequestBodyBuilder::new().content("application/octet-stream", bytes).required(Some(Required::False));
    let about = format!("The standard input of the command, of any type, at most {max} bytes");
    operation.request_body = Some(RefOr::T(body.description(Some(about)).build()));
    operation
}

/// A body of parameters, in each of its two formats.
fn body_of(values: Object, required: Required) -> RequestBody {
    RequestBodyBuilder::new()
        .description(Some("The job's parameters; they may be in the query as well, none of them twice. A number, true or false stands for \
             its text, and a whole number is written with digits alone"))
        .content("application/json", Content::new(Some(values.clone())))
        .content("application/x-www-form-urlencoded", Content::new(Some(values)))
        .required(Some(required))
        .build()
}

fn object() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object)
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(TEXT))
}

/// What a parameter may be.
fn schema(parameter: &Parameter) -> Object {
    let string = ObjectBuilder::new().schema_type(Type::String);
    let schema = match &parameter.kind {
        Kind::Text { pattern } => string.pattern(whole(parameter, pattern.as_ref())),
        Kind::Secret { pattern } => string
            .pattern(whole(parameter, pattern.as_ref()))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .write_only(true),
        Kind::Int { min, max } => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(*min)
            .maximum(*max),
        Kind::Bool => ObjectBuilder::new().schema_type(Type::Boolean),
        Kind::Choices(choices) => string.enum_values(Some(choices.clone())),
        Kind::ChoicesFrom(_) => string.pattern(whole(parameter, None)),
    };
    let allowed = match &parameter.kind {
        Kind::ChoicesFrom(_) => "one of the choices that /jobs/NAME/form?format=json tells".to_owned(),
        _ => parameter.allowed(&Offers::default()),
    };
    let about = parameter.description.iter().cloned().chain([format!("Allowed: {allowed}")]);
    let default =
        parameter.default.as_deref().filter(|_| !parameter.is_secret()).map(|text| value(&parameter.kind, text));
    schema.description(Some(about.collect::<Vec<_>>().join(". "))).default(default).build()
}

/// A default as JSON has it.
fn value(kind: &Kind, text: &str) -> Value {
    match kind {
        Kind::Int { .. } | Kind::Bool => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        _ => Value::from(text),
    }
}

/// What the whole of a text has to match, as ECMAScript writes it; of a pattern that it would read otherwise, nothing:
/// the description has it as it was written.
fn whole(parameter: &Parameter, pattern: Option<&Pattern>) -> Option<String> {
    let refuses_dash = parameter.leads_argument;
    match pattern.map(Pattern::as_str) {
        None => Some(if refuses_dash { UNDASHED } else { TEXT }.to_owned()),
        Some(written) if !is_common(written) => None,
        Some(written) if refuses_dash => Some(format!("^(?!-)(?:{written})$")),
        Some(written) => Some(format!("^(?:{written})$")),
    }
}

/// Whether a pattern says the same in ECMAScript: none of what only Rust's regular expressions have is in it.
fn is_common(pattern: &str) -> bool {
    let only_here = ["(?P", "(?i", "(?m", "(?s", "(?U", "(?u", "(?x", "(?R", "(?-", "[[", "[^[", "&&", "--", "~~"];
    let escapes = ["\\A", "\\z", "\\x{", "\\a", "\\p", "\\P", "\\<", "\\>", "\\Q", "\\U"];
    !only_here.iter().chain(&escapes).any(|part| pattern.contains(part))
}
