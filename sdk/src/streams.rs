//! Streams over the lists that take no filter. Jobs have a file of their own.

use crate::client::ArgusClient;
use crate::generated::types::{App, Webhook, WebhookDelivery};
use crate::pages::{ItemStream, Page, items};

impl ArgusClient {
    /// The tenant's apps, newest first, over all pages.
    ///
    /// ```no_run
    /// use futures::TryStreamExt;
    ///
    /// # async fn f(client: argus_sdk::ArgusClient) -> Result<(), argus_sdk::Error> {
    /// let apps: Vec<_> = client.stream_apps().try_collect().await?;
    /// # Ok(()) }
    /// ```
    pub fn stream_apps(&self) -> ItemStream<App> {
        let client = self.clone();
        items(move |cursor| {
            let client = client.clone();
            async move {
                let mut call = client.app_list();
                if let Some(cursor) = cursor {
                    call = call.cursor(cursor);
                }
                let page = call.send().await?.into_inner();
                Ok(Page { items: page.apps, next_cursor: page.next_cursor })
            }
        })
    }

    /// The tenant's webhook subscriptions, newest first, over all pages.
    pub fn stream_webhooks(&self) -> ItemStream<Webhook> {
        let client = self.clone();
        items(move |cursor| {
            let client = client.clone();
            async move {
                let mut call = client.webhook_list();
                if let Some(cursor) = cursor {
                    call = call.cursor(cursor);
                }
                let page = call.send().await?.into_inner();
                Ok(Page { items: page.webhooks, next_cursor: page.next_cursor })
            }
        })
    }

    /// The delivery attempts of a subscription, newest first, over all pages.
    pub fn stream_webhook_deliveries(&self, webhook_id: &str) -> ItemStream<WebhookDelivery> {
        let (client, webhook_id) = (self.clone(), webhook_id.to_owned());
        items(move |cursor| {
            let (client, webhook_id) = (client.clone(), webhook_id.clone());
            async move {
                let mut call = client.webhook_delivery_list().webhook_id(webhook_id);
                if let Some(cursor) = cursor {
                    call = call.cursor(cursor);
                }
                let page = call.send().await?.into_inner();
                Ok(Page { items: page.deliveries, next_cursor: page.next_cursor })
            }
        })
    }
}
