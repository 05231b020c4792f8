//! What whoever runs the program does: settings, commands, databases, proxies.

mod commands;
mod commands_refused;
mod demo;
mod failures_start;
mod hosts_database;
mod hosts_environment;
mod log;
mod members;
mod poolers;
mod scan;
mod secret_keys;
mod secrets_stay;
mod serving;
mod users_changed;
mod users_invited;
mod users_listed;
