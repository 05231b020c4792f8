//! What was asked for lately, in bounded room.

use std::{collections::HashMap, hash::Hash, mem};

/// Two halves: when the young one is full it becomes the old one, and what was in the old one and was not asked for
/// since is forgotten.
pub struct TwoGenerationCache<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// What the values of the young half weigh together.
    weight: usize,
    half: usize,
    weigh: fn(&V) -> usize,
}

impl<K: Eq + Hash, V: Clone> TwoGenerationCache<K, V> {
    /// Room for twice as much as `half`, as `weigh` counts it.
    pub fn new(half: usize, weigh: fn(&V) -> usize) -> Self {
        TwoGenerationCache { young: HashMap::new(), old: HashMap::new(), weight: 0, half, weigh }
    }

    /// A value, which is young again.
    pub fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.keep(key, value.clone());
        Some(value)
    }

    /// Keeps a value in place of the one before, unless it would drive out a good part of the others.
    pub fn keep(&mut self, key: K, value: V) {
        let weight = (self.weigh)(&value);
        if weight > self.half / 8 {
            return;
        }
        if self.weight + weight > self.half {
            self.old = mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += weight;
        if let Some(replaced) = self.young.insert(key, value) {
            self.weight -= (self.weigh)(&replaced);
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        (self.young, self.old, self.weight) = (HashMap::new(), HashMap::new(), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::TwoGenerationCache;

    #[test]
    fn what_is_asked_for_stays_and_the_room_is_bounded() {
        let mut recent = TwoGenerationCache::new(80, |text: &String| text.len());
        recent.keep(0, "asked".to_owned());
        for key in 1..1_000 {
            recent.keep(key, "five!".to_owned());
            assert_eq!(recent.get(&0).as_deref(), Some("asked"), "{key}");
            assert!(recent.young.len() <= 16 && recent.old.len() <= 16, "{key}");
        }
        assert_eq!((recent.get(&999).as_deref(), recent.get(&1)), (Some("five!"), None));
        recent.keep(0, "eleven long".to_owned());
        assert_eq!(recent.get(&0).as_deref(), Some("asked"), "what weighs too much is not kept");
        recent.clear();
        assert_eq!(recent.get(&0), None);
    }
}
