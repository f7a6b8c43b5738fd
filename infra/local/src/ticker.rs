//! Invokes a function periodically, as a schedule does on AWS.

use crate::edge::FunctionOrigin;
use jiff::Timestamp;
use serde_json::json;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

/// A running schedule. Dropping it ends the schedule after the current run.
#[derive(Debug)]
pub struct Ticker {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Ticker {
    /// Invokes `function` with the event of a schedule every `period`. Runs never overlap.
    #[must_use]
    pub fn start(function: FunctionOrigin, period: Duration) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    // If the stop signal and the next tick are both ready, stop.
                    biased;
                    _ = &mut stopped => break,
                    _ = ticks.tick() => {}
                }
                let output = function.invoke(scheduled_event()).await;
                tracing::trace!(function = function.name(), answer = %String::from_utf8_lossy(&output));
            }
        });
        Self { stop, task }
    }

    /// Waits for the current run. No other follows.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the schedule failed");
        }
    }
}

/// A [scheduled event](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html).
fn scheduled_event() -> Vec<u8> {
    let event = json!({
        "version": "0",
        "id": Uuid::new_v4(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": "local",
        "resources": ["arn:aws:events:local:000000000000:rule/edge-crm"],
        "detail": {}
    });
    event.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test(start_paused = true)]
    async fn runs_never_overlap_and_end_with_the_ticker() {
        let running = Arc::new(AtomicU32::new(0));
        let runs = Arc::new(AtomicU32::new(0));
        let (now, all) = (Arc::clone(&running), Arc::clone(&runs));
        let slow = FunctionOrigin::new("slow", move |event| {
            let (now, all) = (Arc::clone(&now), Arc::clone(&all));
            async move {
                let event: serde_json::Value = serde_json::from_slice(&event).unwrap();
                assert_eq!(event["detail-type"], "Scheduled Event");
                assert_eq!(now.fetch_add(1, Ordering::SeqCst), 0);
                tokio::time::sleep(Duration::from_millis(500)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                all.fetch_add(1, Ordering::SeqCst);
                Vec::new()
            }
        });
        let ticker = Ticker::start(slow, Duration::from_millis(200));
        tokio::time::sleep(Duration::from_millis(2200)).await;
        ticker.stop().await;
        assert_eq!(running.load(Ordering::SeqCst), 0);
        let count = runs.load(Ordering::SeqCst);
        assert!((3..=5).contains(&count), "{count}");
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(runs.load(Ordering::SeqCst), count);
    }
}
