//! joblines turns commands into pages: visiting a job's URL runs it and streams its output line by line.
//!
//! # The map
//!
//! Many sources write, one journal holds, many views show. They share only the records; HTTP is the outermost ring.
//!
//! ```text
//! source ──▶ chunk ──▶ journal ──▶ reader ──▶ view ──▶ HTTP body
//! ```
//!
//! | module | what it is | may import |
//! |---|---|---|
//! | [`record`] | what a journal holds: start, chunks of lines, end | nothing |
//! | [`logging`] | what logging libraries send, as records: pure decoders of bytes from outside | `record` |
//! | [`parameters`] | what a job can be told: definitions, values, why one is refused | nothing |
//! | [`journal`] | one append-only log: its format on disk, one writer, many readers | `record` |
//! | [`sources`] | what appends to a journal: the processes of jobs, standard input, and what brings a feed's lines | `journal`, `logging`, `parameters`, `record` |
//! | [`views`] | html, text, ndjson, sse: pure functions from records to bytes, and the pages | `record` |
//! | [`config`] | `jobs.toml` as written → jobs as meant | `sources`' settings, `parameters` |
//! | [`runs`] | one run = one source into one journal; the history | `config`, `sources`, `journal`, `parameters`, `record` |
//! | [`feeds`] | endless journals: started with the server, kept to a size | `config`, `sources`, `journal`, `record` |
//! | [`http`] | routes, negotiation, who may do what, the streaming body | all of the above |
//! | [`cli`] | the verbs of the command line | everything |
//!
//! `tests/architecture/` reads `src/` and holds this table.

pub mod record;

pub mod logging;

pub mod parameters;

pub mod journal;

pub mod sources;

pub mod views;

pub mod config;

pub mod runs;

pub mod feeds;

pub mod http;

pub mod cli;
