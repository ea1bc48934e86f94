//! Files that are written, rotated and removed in every way, and what came of them into the journal.

mod begins;
mod bench;
mod finds;
mod full;
mod live;
mod random;
mod rotates;
mod several;
