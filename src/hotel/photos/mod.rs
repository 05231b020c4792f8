//! Photos of properties and room types (docs/contract/photos.md): a collection, and batches through `content.photos`.

mod batch;
mod photo;

pub use crate::hotel::photos::{
    batch::{ABOUT, Batch, write},
    photo::{MOST, Parent, Photo, delete_of_property, delete_of_room_type, of_properties, of_room_types},
};
