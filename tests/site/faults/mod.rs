//! Floods, faults of disks, clocks and databases, and kills.

mod costs;
mod failures;
mod failures_database;
mod faults_clock;
mod faults_database;
mod faults_disk;
mod lost;
mod lost_power;
mod outages;
mod overload;
