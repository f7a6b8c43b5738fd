//! Phone numbers: extensions, and the link that dials.

use edge_crm_tests::Product;
use serde_json::Value;

/// Numbers and the link of each.
const NUMBERS: [(&str, &str); 16] = [
    ("+49 4333 633333 ext. 543", "tel:+494333633333;ext=543"),
    ("+1 (555) 123-4567 x890", "tel:+15551234567;ext=890"),
    (
        "+1 (555) 123-4567 extension 890",
        "tel:+15551234567;ext=890",
    ),
    ("+1 (555) 123-4567 #890", "tel:+15551234567;ext=890"),
    ("+1-555-123-4567;ext=890", "tel:+15551234567;ext=890"),
    ("+7 495 123-45-67 доб. 123", "tel:+74951234567;ext=123"),
    ("+7 (495) 123-45-67 (доб. 123)", "tel:+74951234567;ext=123"),
    ("+49 4333 633333 Durchwahl 12", "tel:+494333633333;ext=12"),
    ("+43 1 23456789 DW 12", "tel:+43123456789;ext=12"),
    ("+33 1 23 45 67 89 poste 12", "tel:+33123456789;ext=12"),
    ("+34 912 345 678 ext: 12", "tel:+34912345678;ext=12"),
    ("+52 55 1234 5678 int. 12", "tel:+525512345678;ext=12"),
    ("+51 1 234 5678 anexo 12", "tel:+5112345678;ext=12"),
    ("03-1234-5678 内線 123", "tel:0312345678;ext=123"),
    ("010-12345678转分机 123", "tel:01012345678;ext=123"),
    (
        "＋１ ５５５ １２３ ４５６７ ｘ８９０",
        "tel:+15551234567;ext=890",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_number_may_have_an_extension_and_is_dialed_with_it() {
    let product = Product::start();
    let acme = product.sign_up("Acme").await;
    for (phone, link) in NUMBERS {
        let fields = [("name", "Ada"), ("phone", phone)];
        let contact = acme.post("create-contact", &fields).await.data();
        assert_eq!(contact["phone"], phone);
        let id = contact["id"].as_str().unwrap();
        let page = acme.page(&acme.contacts(&format!("/{id}"))).await.text;
        assert!(
            page.contains(&format!("href=\"{link}\"")),
            "{phone}: {page}"
        );
    }
    // The words of a list may end in a number too.
    let fields = [("name", "Ada"), ("phone", "reception, room 12 or 13")];
    let response = acme.post("create-contact", &fields).await;
    let message = response.field_error("phone");
    assert!(message.contains("24 characters; 20 fit"), "{message}");
}

/// The document must allow what the product accepts.
#[test]
fn the_api_document_has_room_for_an_extension() {
    let document = include_str!("../../../docs/openapi.json");
    let document: Value = serde_json::from_str(document).unwrap();
    let mut limits = Vec::new();
    phone_limits(&document, &mut limits);
    assert!(limits.len() >= 2, "{limits:?}");
    let longest = NUMBERS.map(|(phone, _)| phone.chars().count() as u64);
    assert!(
        limits
            .iter()
            .all(|limit| Some(limit) > longest.iter().max())
    );
}

fn phone_limits(value: &Value, limits: &mut Vec<u64>) {
    if let Some(limit) = value.pointer("/phone/maxLength").and_then(Value::as_u64) {
        limits.push(limit);
    }
    match value {
        Value::Object(fields) => fields
            .values()
            .for_each(|inner| phone_limits(inner, limits)),
        Value::Array(items) => items.iter().for_each(|inner| phone_limits(inner, limits)),
        _ => {}
    }
}
