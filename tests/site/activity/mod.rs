//! The record of activity: what is written, and where it is read.

mod commands;
mod keys;
mod members;
mod page;
mod retention;
