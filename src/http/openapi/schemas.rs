//! Types of the document that nothing else is made of: words of a query, and what a stream consists of.
#![expect(dead_code, reason = "what derives from them is all that is wanted of them")]

use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::record::Stream;
use crate::views::{EndRecord, FeedObject, LineObject, QueueObject, RunObject, StoppedObject};

/// A format of an answer.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum Answered {
    Html,
    Text,
    Ndjson,
    Sse,
    Json,
}

/// A format of what is no stream.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum Listed {
    Html,
    Text,
    Ndjson,
    Json,
}

/// A stream of lines, or all of them.
pub(super) struct StreamWord;

impl PartialSchema for StreamWord {
    fn schema() -> RefOr<Schema> {
        let words = [""].into_iter().chain(Stream::ALL.map(Stream::name));
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
    }
}

impl ToSchema for StreamWord {}

/// A level, a range of them, or several.
#[derive(ToSchema)]
#[schema(value_type = String, format = "level", examples("warning", "30", "debug..info", "warning,error"))]
pub(super) struct Word(String);

/// A time, or how long ago it was.
#[derive(ToSchema)]
#[schema(value_type = String, format = "moment", examples("2026-11-21T12:00:00Z", "15m", "2h", "1d"))]
pub(super) struct Moment(String);

/// One line of NDJSON, or the data of one server-sent event.
pub(super) struct StreamObject;

impl PartialSchema for StreamObject {
    fn schema() -> RefOr<Schema> {
        let names = [
            RunObject::name(),
            FeedObject::name(),
            QueueObject::name(),
            LineObject::name(),
            EndRecord::name(),
            StoppedObject::name(),
        ];
        let one = names.iter().fold(OneOfBuilder::new(), |one, name| one.item(Ref::from_schema_name(name.as_ref())));
        one.description(Some("One line of NDJSON, or the data of one server-sent event")).into()
    }
}

impl ToSchema for StreamObject {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        add::<RunObject<'_>>(schemas);
        add::<FeedObject<'_>>(schemas);
        add::<QueueObject>(schemas);
        add::<LineObject>(schemas);
        add::<EndRecord>(schemas);
        add::<StoppedObject>(schemas);
    }
}

/// Adds the schema of `T` and all that it refers to.
pub(super) fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}
