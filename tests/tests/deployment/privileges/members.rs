//! Actions on members, and the emails that they send.

use super::Watched;
use serde_json::json;

/// Members: invited twice, changed, joined, removed. Each is also refused.
pub(super) async fn members(watched: &mut Watched, cookie: &str) {
    let invite = watched.function("invite-member");
    let mia = json!({ "email": "mia@example.com", "role": "member" });
    assert_eq!(watched.post(&invite, cookie, mia.clone()).await.status, 200);
    watched.mark("acme:members").await;
    let invited = watched.post(&invite, cookie, mia).await.json["data"].clone();
    let ada = json!({ "email": "ada@example.com", "role": "member" });
    assert_eq!(watched.post(&invite, cookie, ada).await.status, 409);
    mail(watched).await;

    let nobody = "0198c5d2-7a00-7000-8000-000000000001";
    let change = watched.function("change-role");
    for (id, status) in [(invited["id"].as_str(), 200), (Some(nobody), 404)] {
        watched.mark("acme:members").await;
        let fields = json!({ "userId": id, "role": "viewer" });
        assert_eq!(watched.post(&change, cookie, fields).await.status, status);
    }

    let accept = watched.function("accept-invite");
    let link = invited["link"].as_str().expect("a link");
    for (password, status) in [
        ("short", 400),
        ("correct horse", 200),
        ("correct horse", 403),
    ] {
        watched.mark("acme:members").await;
        let (_, token) = link.split_once('=').expect("a token");
        let fields = json!({ "token": token, "name": "Mia", "password": password });
        assert_eq!(watched.post(&accept, "", fields).await.status, status);
    }

    let remove = watched.function("remove-member");
    for status in [200, 404] {
        watched.mark("acme:members").await;
        let fields = json!({ "userId": invited["id"] });
        assert_eq!(watched.post(&remove, cookie, fields).await.status, status);
    }
}

/// Two emails: one from the stream's event, and one from a sweep.
async fn mail(watched: &mut Watched) {
    let deliver = watched.function("deliver-mail");
    let record = watched.inside.table.under("#mail:").remove(0);
    let keys = json!({ "pk": { "S": record.pk }, "sk": { "S": record.sk } });
    let stream = json!({ "Records": [{ "eventName": "INSERT", "dynamodb": { "Keys": keys } }] });
    watched.run(&deliver, &stream).await;
    let sweep = json!({ "detail-type": "Scheduled Event", "source": "aws.events" });
    watched.run(&deliver, &sweep).await;
    assert!(watched.inside.table.under("#mail:").is_empty());
}
