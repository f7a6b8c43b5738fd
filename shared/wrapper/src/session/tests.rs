use super::*;
use action::{Role, TenantId};

const NOW: i64 = 1_800_000_000;

fn config(https: bool) -> Config {
    Config::for_tests(https)
}

const CLIENT: Client<'_> = Client {
    address: "192.0.2.1",
    agent: Some("a browser"),
    own: None,
};

fn grant() -> Grant {
    Grant {
        tenant: TenantId::parse("acme").unwrap(),
        user: uuid::Uuid::now_v7().into(),
        role: Role::Member,
        generation: Some(0),
    }
}

/// A session that was just opened: its token and its items.
fn opened() -> (Token, BTreeMap<Key, Item>) {
    let (operation, cookie) = open(&grant(), &CLIENT, NOW, &config(true)).unwrap();
    let text = cookie.split(['=', ';']).nth(1).unwrap();
    let token = Token::verify(text, &config(true).keys).unwrap();
    let Operation::Put { key, item, .. } = operation else {
        panic!("{operation:?}")
    };
    let member = json!({ "role": "member" });
    let [_, membership, _] = keys(&token);
    let items = [(key, item), (membership, member)];
    (
        token,
        items
            .map(|(key, item)| (key, item.as_object().unwrap().clone()))
            .into(),
    )
}

#[test]
fn over_https_the_cookie_is_for_this_host_only() {
    let (_, cookie) = open(&grant(), &CLIENT, NOW, &config(true)).unwrap();
    assert!(cookie.starts_with("__Host-session=1."));
    assert!(cookie.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure"));
    let (_, cookie) = open(&grant(), &CLIENT, NOW, &config(false)).unwrap();
    assert!(cookie.starts_with("session=1.") && !cookie.contains("Secure"));
}

#[test]
fn a_new_session_is_live_and_keeps_its_cookie() {
    let (token, items) = opened();
    let live = check(&token, &items, NOW, &config(true)).unwrap();
    assert_eq!(
        (live.actor, live.renewal, live.extend_to),
        (token.actor, None, None)
    );
}

#[test]
fn an_expired_token_of_a_live_session_is_renewed_and_a_day_later_its_end_moves() {
    let (token, items) = opened();
    let live = check(&token, &items, NOW + 120, &config(true)).unwrap();
    assert!(live.renewal.is_some() && live.extend_to.is_none());
    let tomorrow = NOW + 86_401;
    let live = check(&token, &items, tomorrow, &config(true)).unwrap();
    assert_eq!(live.extend_to, Some(tomorrow + Session::IDLE));
}

#[test]
fn a_stored_session_that_has_ended_is_not_live() {
    let (token, items) = opened();
    assert_eq!(
        check(&token, &items, NOW + Session::IDLE, &config(true)),
        None
    );
}

#[test]
fn a_new_generation_ends_every_session_except_the_one_that_moves_to_it() {
    let (token, mut items) = opened();
    let live = check(&token, &items, NOW, &config(true)).unwrap();
    let [_, _, generation] = keys(&token);
    let next = json!({ "generation": 1 });
    items.insert(generation, next.as_object().unwrap().clone());
    assert_eq!(check(&token, &items, NOW, &config(true)), None);
    let Operation::Put { key, item, .. } = end_others(&live, 1) else {
        panic!("no write")
    };
    items.insert(key, item.as_object().unwrap().clone());
    let live = check(&token, &items, NOW, &config(true)).unwrap();
    assert_eq!(live.session.generation, 1);
}

#[test]
fn a_session_is_opened_only_in_a_known_generation() {
    let unproven = Grant {
        generation: None,
        ..grant()
    };
    assert!(open(&unproven, &CLIENT, NOW, &config(true)).is_none());
    let stored = json!({ "id": "first", "tenant": "acme", "generation": 3, "expires_at": NOW });
    let own = SessionRecord::read(stored.as_object().unwrap());
    let own = Client {
        own: own.as_ref(),
        ..CLIENT
    };
    let written = |grant| match open(&grant, &own, NOW, &config(true)).unwrap().0 {
        Operation::Put { item, .. } => item,
        other => panic!("{other:?}"),
    };
    let item = written(unproven);
    assert_eq!(
        (&item["generation"], &item["signIn"]),
        (&json!(3), &json!("first"))
    );
}

#[test]
fn a_long_user_agent_is_shortened() {
    let name = "é".repeat(300);
    let client = Client {
        agent: Some(&name),
        ..CLIENT
    };
    let (operation, _) = open(&grant(), &client, NOW, &config(true)).unwrap();
    let Operation::Put { item, .. } = operation else {
        panic!("no write")
    };
    assert_eq!(item["agent"].as_str().unwrap().chars().count(), MAX_AGENT);
}

#[test]
fn a_session_without_its_record_or_its_membership_is_not_live() {
    let (token, items) = opened();
    for key in items.keys() {
        let mut fewer = items.clone();
        fewer.remove(key);
        assert_eq!(check(&token, &fewer, NOW, &config(true)), None, "{key:?}");
    }
}

#[test]
fn a_user_who_is_only_invited_has_no_live_session() {
    let (token, mut items) = opened();
    let [_, membership, _] = keys(&token);
    for (status, lives) in [("active", true), ("invited", false), ("", false)] {
        let member = items.get_mut(&membership).unwrap();
        member.insert("status".to_owned(), json!(status));
        let live = check(&token, &items, NOW, &config(true));
        assert_eq!(live.is_some(), lives, "{status}");
    }
}

#[test]
fn a_session_of_one_organisation_is_not_live_in_another() {
    let (mut token, items) = opened();
    let [session, membership, _] = keys(&token);
    token.actor.tenant = TenantId::parse("other").unwrap();
    let moved = [
        (session.clone(), items[&session].clone()),
        (keys(&token)[1].clone(), items[&membership].clone()),
    ];
    assert_eq!(check(&token, &moved.into(), NOW, &config(true)), None);
}
