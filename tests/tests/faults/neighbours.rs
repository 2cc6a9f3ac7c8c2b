//! A healthy receiver beside one that misbehaves: what the healthy one is told comes as soon as without the other. Both
//! are measured in one run, in turns, so that whatever else the machine does costs either as much.

use crate::deliveries::{Depot, dialler};
use argus_core::deliveries::couriers::{CourierSettings, Couriers};
use argus_core::dialler::{Dialler, Limits};
use argus_core::outbox::Happenings;
use argus_tests::{Installation, Receiver, Treatment, on_both_engines, scale};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::time::Duration;

on_both_engines! {
    a_receiver_that_misbehaves_delays_no_delivery_to_a_healthy_one
}

/// How many events happen at a time.
const BURST: usize = 10;
/// How much slower the healthy one may be beside the other.
const SLOWER: u32 = 2;
/// What nobody would call slow: a wait for the disk or the processor of a busy machine.
const NOISE: Duration = Duration::from_millis(80);
/// What has waited so long waited for the other one.
const STUCK: Duration = Duration::from_secs(5);
/// How often it is measured before it counts.
const TRIES: usize = 5;

/// What a receiver does to those who deliver.
#[derive(Clone, Copy, Debug)]
enum Misdeed {
    Hangs,
    Drips,
    Fails,
    Redirects,
    AnswersAndCloses,
    Floods,
    Vanishes,
}

impl Misdeed {
    const ALL: [Self; 7] = [
        Self::Hangs,
        Self::Drips,
        Self::Fails,
        Self::Redirects,
        Self::AnswersAndCloses,
        Self::Floods,
        Self::Vanishes,
    ];

    fn treatment(self) -> Treatment {
        match self {
            // Until it is gone.
            Self::Vanishes => Treatment::Answer(204),
            Self::Hangs => Treatment::Hang,
            Self::Drips => Treatment::Drip,
            Self::Fails => Treatment::Answer(500),
            Self::Redirects => Treatment::Redirect("https://receiver.example/".to_owned()),
            Self::AnswersAndCloses => Treatment::AnswerAndClose,
            Self::Floods => Treatment::Flood(10 * 1024 * 1024),
        }
    }
}

/// A node that delivers to a healthy receiver.
struct Node {
    dialler: Dialler,
    happenings: Happenings,
    couriers: Couriers,
    healthy: Receiver,
    told: usize,
    // Last: it looks at what was left.
    depot: Depot,
}

impl Node {
    async fn start(installation: Installation) -> Self {
        let depot = Depot::open(installation).await;
        let (dialler, happenings) = (dialler(Limits::default().attempt), Happenings::default());
        let healthy = Receiver::start().await;
        depot.subscribe(&dialler, &healthy.url()).await;
        let couriers = depot.couriers(&dialler, &happenings, CourierSettings::default());
        Self { dialler, happenings, couriers, healthy, told: 0, depot }
    }

    /// How long each of some events takes from when it is recorded until it has come to the healthy receiver.
    async fn burst(&mut self) -> Vec<Duration> {
        let mut recorded: HashMap<String, DateTime<Utc>> = HashMap::new();
        for _ in 0..BURST {
            let subject = format!("p{}", self.told);
            self.depot.tell(&subject).await;
            recorded.insert(subject, Utc::now());
            self.happenings.told();
            self.told += 1;
        }
        let came = self.healthy.wait_for(self.told).await;
        let mut times = Vec::with_capacity(BURST);
        for delivery in &came {
            let subject = delivery.json()["data"]["subject"].as_str().unwrap().to_owned();
            // Those of an earlier burst are none of this one.
            let Some(recorded) = recorded.remove(&subject) else { continue };
            // It may be found before the recorder hears that it is recorded.
            let took = (delivery.came_at - recorded).to_std().unwrap_or_default();
            assert!(took < STUCK, "{subject} came after {took:?}");
            times.push(took);
        }
        assert!(recorded.is_empty(), "they did not come: {recorded:?}");
        times
    }

    /// Ends with whatever is still on its way.
    async fn end(self) {
        self.couriers.stop(Duration::ZERO).await;
    }
}

/// The time that one of a hundred takes longer than.
fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

async fn a_receiver_that_misbehaves_delays_no_delivery_to_a_healthy_one(installation: Installation) {
    let mut without = Node::start(installation.another()).await;
    let mut with = Node::start(installation).await;
    for node in [&mut without, &mut with] {
        node.burst().await;
    }
    for misdeed in Misdeed::ALL {
        let mut slower = Vec::new();
        for _ in 0..TRIES {
            let (alone, beside) = measure(misdeed, &mut without, &mut with).await;
            if beside < NOISE.max(alone * SLOWER) {
                slower.clear();
                break;
            }
            slower.push((alone, beside));
        }
        assert!(slower.is_empty(), "beside one that {misdeed:?}: {slower:?}");
    }
    without.end().await;
    with.end().await;
}

/// What one of a hundred events takes longer than, without another receiver and beside one that misbehaves.
async fn measure(misdeed: Misdeed, without: &mut Node, with: &mut Node) -> (Duration, Duration) {
    let bad = Receiver::start().await;
    bad.treats_all(misdeed.treatment());
    let (id, _) = with.depot.subscribe(&with.dialler, &bad.url()).await;
    with.burst().await;
    bad.wait_for(1).await;
    // It stays where it is unless it vanishes.
    let bad = Some(bad).filter(|_| !matches!(misdeed, Misdeed::Vanishes));
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for round in 0..scale(12, 100) {
        if round % 2 == 0 {
            alone.extend(without.burst().await);
            beside.extend(with.burst().await);
        } else {
            beside.extend(with.burst().await);
            alone.extend(without.burst().await);
        }
    }
    drop(bad);
    with.depot.sql(&format!(
        "DELETE FROM deliveries WHERE webhook_id = '{id}'; DELETE FROM signing_secrets WHERE owner = '{id}'; \
         DELETE FROM webhooks WHERE id = '{id}'"
    ));
    (p99(&mut alone), p99(&mut beside))
}
