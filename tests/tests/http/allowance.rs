//! The allowance of purges: what it does not cover is not cached, so it is never exceeded.

use crate::cached_views::{Acme, is_cached, is_private};
use edge_crm_local::Distribution;
use edge_crm_tests::inside::{
    Answer, Inside, ORIGIN_SECRET, UNHURRIED, config, edge, invoke, through_edge,
};
use serde_json::json;
use std::sync::Arc;
use store::Allowance;
use wrapper::Config;

/// An organisation whose product may buy this many purges a month.
async fn with(a_month: u64) -> (Acme, Distribution) {
    let (distribution, client) = edge().await;
    let config = Config {
        origin_secrets: vec![ORIGIN_SECRET.to_owned()],
        inline_purge_timeout: UNHURRIED.operation,
        allowance: Allowance { a_month },
        ..config()
    };
    let acme = Acme::inside(Inside::with(config, client).await).await;
    (acme, distribution)
}

/// A page of an organisation, through the edge.
async fn page(inside: &Inside, cookie: &str, tenant: &str, name: &str) -> Answer {
    let view = edge_crm_tests::runner(Arc::clone(&inside.app), &format!("list-{name}"));
    let path = format!("/t/{tenant}/{name}");
    let key = format!("{tenant}|owner|html|");
    invoke(&view, &through_edge(&path, cookie, "text/html", &key)).await
}

impl Acme {
    async fn page(&self, name: &str) -> Answer {
        page(&self.inside, &self.cookie, "acme", name).await
    }

    async fn rename(&self, name: &str) {
        let rename = edge_crm_tests::runner(Arc::clone(&self.inside.app), "update-profile");
        let response = self
            .inside
            .post(&rename, &self.cookie, &json!({ "name": name }))
            .await;
        assert_eq!(response.status, 200, "{response:?}");
    }

    fn bought(&self, pk: &str) -> i64 {
        let counts = self.inside.table.under(pk);
        let bought = counts.iter().map(|count| count.get("bought"));
        bought.filter_map(|bought| bought.as_i64()).sum()
    }
}

#[tokio::test]
async fn without_an_allowance_nothing_is_cached() {
    let (acme, _distribution) = with(0).await;
    for name in ["contacts", "members", "projects"] {
        assert!(is_private(&acme.page(name).await));
    }
    assert!(acme.open_marks().is_empty());
}

#[tokio::test]
async fn an_open_mark_reserves_what_it_can_cost_and_renewing_it_reserves_no_more() {
    let (acme, _distribution) = with(100_000).await;
    for _ in 0..3 {
        assert!(is_cached(&acme.page("members").await));
    }
    let windows = acme.inside.table.under("#purges:acme");
    assert!(!windows.is_empty());
    // One of them, unless the window has just changed.
    for item in windows {
        assert_eq!(item.get("reserved"), 2);
    }
}

/// The allowance is at least a quarter of the month's at any time of the month, and an organisation uses half of
/// it.
#[tokio::test]
async fn what_is_bought_never_exceeds_the_allowance() {
    let (acme, distribution) = with(40).await;
    let mut cached = 0;
    for n in 0..40 {
        cached += u64::from(is_cached(&acme.page("members").await));
        acme.rename(&format!("Ada {n}")).await;
    }
    let bought = distribution.counters().items;
    assert!((2..=10).contains(&cached), "{cached} pages were cached");
    assert_eq!(
        bought, cached,
        "each change after a cached page bought one purge"
    );
    assert!(bought <= 10);
    assert_eq!(acme.bought("#edge:purges"), bought.cast_signed());
    assert_eq!(acme.bought("#purges:acme"), bought.cast_signed());
    assert!(is_private(&acme.page("members").await));
    acme.inside.proxy.calls();
    assert!(is_private(&acme.page("members").await));
    let calls = acme.inside.proxy.calls();
    assert_eq!(calls.len(), 2, "the process knows it: {calls:?}");

    let (cookie, tenant) = acme.inside.sign_up("Other").await;
    let other = page(&acme.inside, &cookie, &tenant, "members").await;
    assert!(is_cached(&other), "the others have what is left");
}
