//! What Python really sent, and what nobody should have sent, against what Python makes of it.

mod expected;
mod fixture;
mod frames;
mod genuine;
mod hostile;
mod python;
