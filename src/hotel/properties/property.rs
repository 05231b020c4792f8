//! A property and its fields.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    base::{
        clock,
        error::{Problems, Result},
        ids::{GroupId, PropertyId},
        settings,
    },
    db::{Bind, Tx, folded},
    hotel::{
        facilities::PropertyFacilities,
        photos::{self, Batch, Parent},
        properties::parts::{Content, PropertyType, Settings},
    },
    resource::{
        attribute::{Attribute, field},
        collection::{self, Computed, Name, Related, Relationship, Resource, Stored},
        fields::Need,
        validate::Operation,
        value::{
            Count, Country, Currency, EmailAddress, Latitude, Longitude, Phone, Text, TimeZone, Title, Unstored, Url,
        },
    },
};

/// A property. `Default` has the values of a new one.
#[derive(Clone, Debug)]
pub struct Property {
    pub title: Title,
    pub is_active: bool,
    pub email: Option<EmailAddress>,
    pub phone: Option<Phone>,
    pub currency: Currency,
    pub country: Option<Country>,
    pub state: Option<Text<255>>,
    pub city: Option<Text<255>>,
    pub address: Option<Text<255>>,
    pub zip_code: Option<Text<32>>,
    pub latitude: Option<Latitude>,
    pub longitude: Option<Longitude>,
    /// None is treated as UTC.
    pub timezone: Option<TimeZone>,
    pub facilities: PropertyFacilities,
    pub property_type: PropertyType,
    pub content: Content,
    pub logo_url: Option<Url>,
    pub acc_channels_count: Unstored<Count>,
    /// The group of a new property, where the body names one.
    pub group_id: Unstored<Option<GroupId>>,
    pub settings: Settings,
}

impl Default for Property {
    fn default() -> Self {
        Property {
            title: Title::default(),
            is_active: true,
            email: None,
            phone: None,
            currency: Currency::default(),
            country: None,
            state: None,
            city: None,
            address: None,
            zip_code: None,
            latitude: None,
            longitude: None,
            timezone: None,
            facilities: PropertyFacilities::default(),
            property_type: PropertyType::Hotel,
            content: Content::default(),
            logo_url: None,
            acc_channels_count: Unstored::default(),
            group_id: Unstored(None),
            settings: Settings::default(),
        }
    }
}

impl Resource for Property {
    const NAME: Name = Name { one: "property", many: "properties" };
    const PARENT: collection::Parent = collection::Parent::Property("id");
    const MAKER: Option<&'static str> = Some("made_by");
    const ROW: &'static str = "p";
    const FIELDS: &'static [Attribute<Self>] = &[
        field!(title).required().filter().about("Name of the property."),
        field!(is_active)
            .need(Need::NotNull)
            .filter()
            .about("Inactive properties remain accessible but are hidden from shopping results."),
        field!(email).about("Contact address given to channels."),
        field!(phone).about("Contact phone."),
        field!(currency).required().filter().about("ISO 4217 code; the default for everything in the property."),
        field!(country).filter().about("ISO 3166-1 alpha-2 code."),
        field!(state).about("State or region."),
        field!(city).filter().about("City."),
        field!(address).about("Street and number."),
        field!(zip_code).about("Postal code."),
        field!(latitude).about("Degrees north, returned as sent."),
        field!(longitude).about("Degrees east, returned as sent."),
        field!(timezone).about("IANA time zone name. Without one, UTC applies."),
        field!(facilities).hidden().about("IDs from `/property_facilities`."),
        field!(property_type).about("Kind of property.").says_default(),
        field!(content).about("Texts and photos."),
        field!(logo_url).about("URL of the logo."),
        // No channels yet: all have none.
        field!(acc_channels_count)
            .need(Need::ReadOnly)
            .ordered_by("p.id is null")
            .about("Number of connected channels."),
        field!(group_id)
            .need(Need::OnCreate)
            .filtered_by(
                "p.id in (
                select gp.property_id from group_properties gp
                join group_users gu on gu.group_id = gp.group_id and gu.user_id = $1
                where gp.group_id {})",
            )
            .hidden()
            .about("The first group of the property. Default: the caller's first group."),
        field!(settings).about("Switches and limits."),
    ];
    const COMPUTED: &'static [Computed<Self>] = &[
        Computed {
            column: "search",
            value: |property| Bind::Text(format!("{}\n{}", folded(&property.title.0), property.folded_city())),
        },
        Computed { column: "sort_city", value: |property| Bind::Text(property.folded_city()) },
    ];
    /// Of its groups each caller sees others: they are rendered for each (`render.rs`).
    const RELATIONSHIPS: &'static [Relationship<Self>] = &[
        Relationship { name: "groups", of: "group", data: Related::Named(|_| Vec::new()) },
        Relationship {
            name: "facilities",
            of: "facility",
            data: Related::Named(|property| property.facilities.named()),
        },
    ];
    const OPTION: &'static [&'static str] = &["id", "title", "currency"];
    /// Plural here, unlike everywhere else.
    const OPTION_TYPE: &'static str = "properties";
    const TAG: &'static str = "Properties";
    const DELETED: &'static str = "Deletes it permanently, with everything that belongs to it. Owners only.";
    const FORCE: bool = true;
    // Each may have texts and photos of some 900 kB in all.
    const STEP: usize = 5;

    fn property(&self) -> Option<PropertyId> {
        None
    }

    fn currency(&self) -> &str {
        &self.currency
    }

    fn limit(settings: &settings::Settings) -> i64 {
        settings.max_properties
    }

    fn normalize(sent: &mut Map<String, Value>) {
        if let Some(Value::Object(settings)) = sent.get_mut("settings") {
            Settings::normalize(settings);
        }
    }

    fn check(&mut self, problems: &mut Problems) {
        if !problems.names("settings") && !problems.names("currency") {
            let mut wrong = Problems::default();
            self.settings.check(&self.currency, &mut wrong);
            problems.merge_inside("settings", wrong);
        }
    }

    async fn relate(
        tx: &mut Tx,
        stored: &mut Stored<Self>,
        operation: Operation,
        problems: &mut Problems,
    ) -> Result<()> {
        let parent = Parent { property: PropertyId(stored.id), room_type: None };
        stored.resource.content.photos.relate(tx, parent, operation, problems).await
    }

    async fn complete(tx: &mut Tx, found: &mut [Stored<Self>]) -> Result<()> {
        let ids: Vec<Uuid> = found.iter().map(|stored| stored.id).collect();
        let mut photos = photos::of_properties(tx, &ids).await?;
        for stored in found {
            stored.resource.content.photos = Batch::of(photos.remove(&stored.id).unwrap_or_default());
        }
        Ok(())
    }

    async fn written(tx: &mut Tx, _: Option<&Stored<Self>>, stored: &Stored<Self>) -> Result<()> {
        Ok(photos::write(tx, stored.resource.content.photos.changes(), clock::now()).await?)
    }
}

impl Property {
    /// A new property from a body. What is wrong goes to `problems`.
    pub fn create(mut sent: Map<String, Value>, problems: &mut Problems) -> Self {
        let mut property = Self::default();
        Self::normalize(&mut sent);
        collection::apply(&mut property, &sent, Operation::Create, problems);
        property
    }

    fn folded_city(&self) -> String {
        self.city.as_ref().map(|city| folded(&city.0)).unwrap_or_default()
    }
}
