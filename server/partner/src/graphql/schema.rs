//! What documents can ask for. The names are those of the shipped documents. It shows nobody what it has: introspection
//! and suggestions are off, and no document reaches it that is not approved.

use super::data::{Data, NotLoaded};
use super::objects::{Device, Incident, Job, Profile, Webhook};
use crate::profiles::Details;
use argus_core::ids::{JobId, WebhookId};
use argus_openapi::graphql::LIMITS;
use argus_openapi::types::common::PAGE_LIMIT_MAX;
use argus_openapi::types::profiles::ProfileKind;
use async_graphql::{
    Context, EmptyMutation, EmptySubscription, ID, Interface, Object, Schema, SchemaBuilder, Union,
    ValidationMode,
};
use futures::future::try_join_all;
use std::sync::Arc;

/// The schema.
pub(super) type ArgusSchema = Schema<Query, EmptyMutation, EmptySubscription>;

/// The schema, with the limits of documents as a second wall behind the gate. Whether a document fits was found out when
/// its bundle was read, and whether its variables do, by the gate: of the rules of validation only those run again that
/// guard the executor.
pub(super) fn schema() -> ArgusSchema {
    builder().validation_mode(ValidationMode::Fast).finish()
}

pub(super) fn builder() -> SchemaBuilder<Query, EmptyMutation, EmptySubscription> {
    let limit = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
    Schema::build(Query, EmptyMutation, EmptySubscription)
        .disable_introspection()
        .disable_suggestions()
        .limit_depth(limit(LIMITS.depth))
        .limit_complexity(limit(LIMITS.cost))
        .limit_directives(limit(LIMITS.directives))
}

/// What a document begins with.
pub(super) struct Query;

/// The data of the request that a field is asked in.
pub(super) fn data<'c>(context: &Context<'c>) -> Result<&'c Data, NotLoaded> {
    context.data_opt::<Arc<Data>>().map(|data| &**data).ok_or(NotLoaded)
}

/// How many entries of a list are given: what is asked for, up to what a page has. Lists that are loaded always say how
/// many are wanted, so that the gate can count what a document asks for.
pub(super) fn bounded(first: i32) -> u32 {
    u32::try_from(first).unwrap_or(0).min(PAGE_LIMIT_MAX)
}

#[Object]
impl Query {
    /// A profile, whatever it is about.
    async fn profile(&self, context: &Context<'_>, id: ID) -> Result<Option<Profile>, NotLoaded> {
        Ok(data(context)?.profile(&id).await?.map(Profile))
    }

    /// Several profiles, in the order of their identifiers; `null` for one that there is not.
    async fn profiles(&self, context: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Profile>>, NotLoaded> {
        let data = data(context)?;
        try_join_all(ids.iter().map(async |id| Ok(data.profile(id).await?.map(Profile)))).await
    }

    /// An incident.
    async fn incident(&self, context: &Context<'_>, id: ID) -> Result<Option<Incident>, NotLoaded> {
        let found = data(context)?.profile(&id).await?;
        Ok(found.filter(|found| found.profile.kind == ProfileKind::Incident).map(Incident))
    }

    /// A device.
    async fn device(&self, context: &Context<'_>, id: ID) -> Result<Option<Device>, NotLoaded> {
        let found = data(context)?.profile(&id).await?;
        Ok(found.filter(|found| found.profile.kind == ProfileKind::Device).map(Device))
    }

    /// What a profile is about: an incident, a device, or else the profile itself.
    async fn subject(&self, context: &Context<'_>, id: ID) -> Result<Option<Subject>, NotLoaded> {
        Ok(data(context)?.profile(&id).await?.map(Subject::from))
    }

    /// A job.
    async fn job(&self, context: &Context<'_>, id: ID) -> Result<Option<Job>, NotLoaded> {
        let data = data(context)?;
        match id.parse::<JobId>() {
            Ok(id) => Ok(data.job(&id).await?.map(Job)),
            Err(_) => Ok(None),
        }
    }

    /// The newest jobs, newest first: 200 at most.
    async fn jobs(&self, context: &Context<'_>, first: i32) -> Result<Vec<Job>, NotLoaded> {
        Ok(data(context)?.latest_jobs(bounded(first)).await?.into_iter().map(Job).collect())
    }

    /// A subscription.
    async fn webhook(&self, context: &Context<'_>, id: ID) -> Result<Option<Webhook>, NotLoaded> {
        let data = data(context)?;
        match id.parse::<WebhookId>() {
            Ok(id) => Ok(data.webhook(&id).await?.map(Webhook)),
            Err(_) => Ok(None),
        }
    }

    /// The newest subscriptions, newest first: 200 at most.
    async fn webhooks(&self, context: &Context<'_>, first: i32) -> Result<Vec<Webhook>, NotLoaded> {
        Ok(data(context)?.latest_webhooks(bounded(first)).await?.into_iter().map(Webhook).collect())
    }

    /// Whatever has this identifier: a subscription or a job, if it is one's, or else what a profile is about.
    async fn node(&self, context: &Context<'_>, id: ID) -> Result<Option<Node>, NotLoaded> {
        node(data(context)?, &id).await
    }

    /// Several of them, in the order of their identifiers; `null` for one that there is not.
    async fn nodes(&self, context: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>, NotLoaded> {
        let data = data(context)?;
        try_join_all(ids.iter().map(async |id| node(data, id).await)).await
    }
}

async fn node(data: &Data, id: &str) -> Result<Option<Node>, NotLoaded> {
    if let Ok(id) = id.parse::<WebhookId>()
        && let Some(webhook) = data.webhook(&id).await?
    {
        return Ok(Some(Webhook(webhook).into()));
    }
    if let Ok(id) = id.parse::<JobId>()
        && let Some(job) = data.job(&id).await?
    {
        return Ok(Some(Job(job).into()));
    }
    Ok(data.profile(id).await?.map(Node::from))
}

/// What a profile is about.
#[derive(Union)]
pub(super) enum Subject {
    /// A wallet or an entity.
    Profile(Profile),
    /// An incident.
    Incident(Incident),
    /// A device.
    Device(Device),
}

impl From<Arc<Details>> for Subject {
    fn from(found: Arc<Details>) -> Self {
        match found.profile.kind {
            ProfileKind::Incident => Self::Incident(Incident(found)),
            ProfileKind::Device => Self::Device(Device(found)),
            ProfileKind::Wallet | ProfileKind::Entity => Self::Profile(Profile(found)),
        }
    }
}

/// Whatever has an identifier.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Its identifier."))]
pub(super) enum Node {
    /// A profile.
    Profile(Profile),
    /// An incident.
    Incident(Incident),
    /// A device.
    Device(Device),
    /// A job.
    Job(Job),
    /// A subscription.
    Webhook(Webhook),
}

impl From<Arc<Details>> for Node {
    fn from(found: Arc<Details>) -> Self {
        match Subject::from(found) {
            Subject::Profile(profile) => profile.into(),
            Subject::Incident(incident) => incident.into(),
            Subject::Device(device) => device.into(),
        }
    }
}
