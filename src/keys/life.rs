//! Until when and from where a key works.

use ipnet::IpNet;

use crate::base::clock::Moment;

/// Until when and from where a key works.
#[derive(Clone, Debug, Default)]
pub struct KeyLife {
    /// `None` for no end.
    pub expires_at: Option<Moment>,
    /// `None` for anywhere.
    pub allowed: Option<Box<[IpNet]>>,
}
