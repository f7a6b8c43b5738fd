//! Writes a given number of contacts directly to the table.

use dynoxide::types::{AttributeValue, Item};
use dynoxide::{Database, ImportOptions};
use std::path::Path;

/// The organisation's name. Its slug is the name in lower case.
pub const TENANT: &str = "Grown";

/// A word in the company of 30 % of the contacts.
pub const COMMON: &str = "holdings";
/// A word in the company of 1 % of the contacts.
pub const UNCOMMON: &str = "quarry";
/// A word in the names of three contacts.
pub const RARE: &str = "quillfeather";

/// How many contacts to write at once.
const BATCH: usize = 10_000;

/// The creation time of the first contact, in milliseconds since 1970.
const BEGIN: u64 = 1_767_225_600_000;

const GIVEN: [&str; 16] = [
    "Ada", "Björn", "Chloé", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ingrid", "João", "Kofi",
    "Lena", "Mei", "Nils", "Olga", "Priya",
];
const FAMILY: [&str; 16] = [
    "Andersson",
    "Bergström",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ivanova",
    "Jansen",
    "Kovács",
    "Lindberg",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Petrov",
];
const TRADE: [&str; 8] = [
    "Bakery",
    "Foundry",
    "Gardens",
    "Logistics",
    "Optics",
    "Press",
    "Robotics",
    "Textiles",
];

/// Adds contacts, each with its guard, to the data of a local stack that is not running. The same
/// number always gives the same contacts.
pub fn fill(data: &Path, contacts: usize) {
    let file = data.join("dynamodb.sqlite");
    let database = Database::new(file.to_str().expect("UTF-8")).expect("a database");
    database.enable_bulk_loading().expect("a setting");
    let mut random = fastrand::Rng::with_seed(1);
    let numbers: Vec<_> = (0..contacts).collect();
    for batch in numbers.chunks(BATCH) {
        let items = batch
            .iter()
            .flat_map(|number| contact(*number, contacts, &mut random));
        let options = ImportOptions {
            record_streams: false,
            set_cached_at: false,
        };
        let stored = database.import_items("edge-crm", items.collect(), options);
        assert_eq!(stored.expect("an import").items_imported, 2 * batch.len());
    }
    database.disable_bulk_loading().expect("a setting");
}

/// A contact and its guard.
fn contact(number: usize, of: usize, random: &mut fastrand::Rng) -> [Item; 2] {
    let tenant = TENANT.to_lowercase();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let at = BEGIN + number as u64 * 1_000;
    // A UUIDv7 (RFC 9562): the time, then random bits.
    let id = uuid::Builder::from_unix_timestamp_millis(
        at,
        &random.u128(..).to_be_bytes()[..10]
            .try_into()
            .expect("ten bytes"),
    );
    let id = id.into_uuid().to_string();
    let pick = |from: &[&'static str], random: &mut fastrand::Rng| from[random.usize(..from.len())];
    let given = pick(&GIVEN, random);
    let family = match number {
        // The first, the middle and the last contact.
        _ if [0, of / 2, of - 1].contains(&number) => "Quillfeather",
        _ => pick(&FAMILY, random),
    };
    let kind = match random.u32(..100) {
        0..30 => "Holdings",
        30 => "Quarry",
        _ => "Works",
    };
    let company = format!("{} {} {kind}", pick(&FAMILY, random), pick(&TRADE, random));
    let email = format!(
        "{}.{number}@{}.example",
        given.to_lowercase(),
        pick(&TRADE, random).to_lowercase()
    );
    let email: String = email.chars().filter(char::is_ascii).collect();
    let written = jiff::Timestamp::from_millisecond(at.cast_signed())
        .expect("a time")
        .to_string();
    let guard = Item::from([
        (
            "pk".to_owned(),
            text(&format!("#guard:{tenant}:contacts:email:{email}")),
        ),
        ("sk".to_owned(), text("guard")),
        ("owner".to_owned(), text(&id)),
    ]);
    let contact = Item::from([
        ("pk".to_owned(), text(&format!("{tenant}:contacts"))),
        ("sk".to_owned(), text(&id)),
        ("id".to_owned(), text(&id)),
        ("name".to_owned(), text(&format!("{given} {family}"))),
        ("email".to_owned(), text(&email)),
        ("company".to_owned(), text(&company)),
        (
            "phone".to_owned(),
            text(&format!("+46 8 {:06}", number % 1_000_000)),
        ),
        ("notes".to_owned(), AttributeValue::NULL(true)),
        (
            "ownerId".to_owned(),
            text("0197a3b0-0000-7000-8000-000000000001"),
        ),
        ("createdAt".to_owned(), text(&written)),
        ("updatedAt".to_owned(), text(&written)),
        ("version".to_owned(), AttributeValue::N("1".to_owned())),
    ]);
    [contact, guard]
}
