//! The emails in the mailbox of a product.

use crate::Product;
use std::time::{Duration, Instant};

/// An email.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its subject.
    pub subject: String,
    /// The path and the query of its link.
    pub link: String,
}

impl Letter {
    /// The token in its link. Empty if there is none.
    #[must_use]
    pub fn token(&self) -> &str {
        self.link
            .split_once("token=")
            .map_or("", |(_, token)| token)
    }
}

impl Product {
    /// The emails to this address so far, the oldest first.
    pub async fn letters(&self, to: &str) -> Vec<Letter> {
        let mailbox = self.client().page("/mailbox").await.text;
        let articles = mailbox.split("<article").skip(1);
        let own = articles.filter(|article| article.contains(&format!("To {to},")));
        let between = |text: &str, start: &str, end: &str| {
            let rest = text.split_once(start).map_or("", |(_, rest)| rest);
            rest.split_once(end).map_or("", |(part, _)| part).to_owned()
        };
        let letter = |article: &str| {
            let link = between(article, "<a href=\"", "\"");
            Letter {
                subject: between(article, "<h2>", "</h2>"),
                link: link.strip_prefix(&self.url).unwrap_or(&link).to_owned(),
            }
        };
        let mut letters: Vec<_> = own.map(letter).collect();
        letters.reverse();
        letters
    }

    /// Waits until so many emails to this address have arrived, and returns them.
    ///
    /// # Panics
    /// If they do not arrive within two minutes, or there are more.
    pub async fn wait_for_letters(&self, to: &str, count: usize) -> Vec<Letter> {
        let late = Instant::now() + Duration::from_secs(120);
        loop {
            let letters = self.letters(to).await;
            assert!(letters.len() <= count, "{letters:?}");
            if letters.len() == count {
                return letters;
            }
            assert!(Instant::now() < late, "{to} got only {letters:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
