//! Floods, faults of disks, clocks and databases, and kills.

mod client_forms;
pub mod connections;
mod costs;
mod failures;
mod failures_database;
mod faults_clients;
mod faults_clock;
mod faults_database;
mod faults_disk;
mod limits_rates;
mod lost;
mod lost_power;
mod outages;
mod overload;
