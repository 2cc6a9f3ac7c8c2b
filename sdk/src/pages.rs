//! Streams over cursor pages.

use crate::error::{Error, ErrorKind};
use futures::StreamExt;
use futures::stream::{self, BoxStream, TryStreamExt};
use std::future::Future;

/// The items of all pages, fetched as they are consumed. It ends after the first error.
pub type ItemStream<T> = BoxStream<'static, Result<T, Error>>;

/// One page of a list.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}

enum Next {
    First,
    After(String),
    End,
}

/// The items of all pages that `fetch` returns, from the first page on.
pub(crate) fn items<T, F, P>(fetch: F) -> ItemStream<T>
where
    T: Send + 'static,
    F: Fn(Option<String>) -> P + Send + 'static,
    P: Future<Output = Result<Page<T>, Error>> + Send + 'static,
{
    stream::try_unfold((fetch, Next::First), async |(fetch, next)| {
        let cursor = match next {
            Next::First => None,
            Next::After(cursor) => Some(cursor),
            Next::End => return Ok(None),
        };
        let page = fetch(cursor.clone()).await?;
        // Without this check a faulty server would keep a client busy for ever.
        if page.next_cursor.is_some() && page.next_cursor == cursor {
            return Err(Error::new(ErrorKind::InvalidResponse, "a page names itself as the next one"));
        }
        let next = page.next_cursor.map_or(Next::End, Next::After);
        Ok(Some((stream::iter(page.items).map(Ok), (fetch, next))))
    })
    .try_flatten()
    .boxed()
}
