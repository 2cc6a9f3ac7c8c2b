//! A node that tells one receiver of everything.

use crate::database::{BenchDatabase, settings};
use crate::place::Place;
use argus_core::context::{Context, Live};
use argus_core::deliveries::attempt::Attempts;
use argus_core::deliveries::couriers::{CourierSettings, Couriers};
use argus_core::deliveries::signing_secrets::{PURPOSE, fresh};
use argus_core::deliveries::webhooks::{self, NewWebhook};
use argus_core::dialler::{Dialler, DiallerSettings, SystemResolver};
use argus_core::envelope::Envelope;
use argus_core::ids::WebhookId;
use argus_core::objects::{ObjectSettings, Objects};
use argus_core::outbox::Happenings;
use argus_core::pepper::Pepper;
use argus_core::store::Database;
use argus_core::{Clock, tenants};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::webhooks::WebhookEvent;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

/// A node without couriers, and one subscription.
pub struct Scene {
    pub database: Database,
    pub caller: Context<Live>,
    pub happenings: Happenings,
    attempts: Attempts,
    objects: Objects,
}

impl Scene {
    /// Subscribes a receiver on this machine to what [`Self::happen`] makes.
    pub async fn new(place: &Place, receiver: SocketAddr) -> Result<Self, Box<dyn Error>> {
        let clock = Clock::system();
        let database = open(&place.database).await?;
        let tenant = tenants::create(&database.requests, &clock, &"Bench".parse()?).await?;
        let caller = tenant.operator(&clock);
        let envelope = Arc::new(Envelope::read_or_make(place.data(), None)?);
        let objects = ObjectSettings::embedded(place.data());
        let objects = Objects::open(&objects, Arc::new(Pepper::open(place.data())?), clock.clone())?;
        let dialler = DiallerSettings { loopback: true, ..DiallerSettings::new("argus-bench") };
        let dialler = Dialler::new(&dialler, SystemResolver::default(), clock.clone())?;
        let id = WebhookId::fresh(&clock)?;
        let webhook = NewWebhook {
            organization_id: caller.principal.organization_id.clone(),
            secrecy_level: SecrecyLevel::Standard,
            url: format!("http://{receiver}/argus"),
            events: vec![WebhookEvent::JobSucceeded, WebhookEvent::ProfileEnriched],
            sealed_secret: envelope.seal(PURPOSE, id.as_str(), fresh()?.expose())?,
            id,
        };
        database.requests.write(&caller, move |tx| webhooks::insert(tx, &webhook)).await?;
        let attempts = Attempts { dialler, envelope, clock };
        Ok(Self { database, caller, happenings: Happenings::default(), attempts, objects })
    }

    /// Begins to tell of what has happened.
    pub fn tell(&self) -> Couriers {
        Couriers::start(
            self.database.deliveries.clone(),
            self.objects.clone(),
            self.attempts.clone(),
            self.happenings.clone(),
            CourierSettings::default(),
        )
    }
}

async fn open(database: &BenchDatabase) -> Result<Database, Box<dyn Error>> {
    let settings = settings(&database.url);
    let open = move || {
        Database::migrate(&settings, &[])?;
        Database::open(&settings, &[])
    };
    Ok(tokio::task::spawn_blocking(open).await??)
}
