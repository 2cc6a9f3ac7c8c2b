//! Ids that describe themselves: what the sandbox must know about a job or a webhook later is
//! written into the id, with a check that other ids do not pass. The check is no secret: it tells
//! an id of the sandbox from a typing error, not a friend from a foe.

use crate::clock::{CLOCK_MAX, EPOCH_UNIX_SECONDS, at};
use crate::digest::{Digest, Frame};
use argus_openapi::types::common::Timestamp;
use argus_openapi::types::jobs::JobKind;
use argus_openapi::types::webhooks::WebhookEvent;

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// How far before the start of time a job of the synthetic list may lie, in seconds.
const PAST_MAX: i64 = 24 * 3600;

/// How a job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeded,
    Failed,
    Cancelled,
}

const OUTCOMES: [Outcome; 3] = [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled];

/// What a job id says. Layout of the 128 bits of a ULID, from the top: 48 creation time in
/// milliseconds, 2 kind, 2 outcome, 8 item count, 44 digest, 24 check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JobId {
    /// Creation time, in seconds after the start of time.
    pub(crate) created: i64,
    pub(crate) kind: JobKind,
    pub(crate) outcome: Outcome,
    /// Number of items in the payload, 255 for all that is more; 0 for a job of the synthetic list,
    /// which had no payload.
    pub(crate) items: u8,
    /// The first 44 bits of the digest of the request.
    pub(crate) digest: u64,
}

const JOB_DIGEST_BITS: u32 = 44;
const JOB_CHECK_BITS: u32 = 24;

/// The text of a job id, with the digest that its check is cut from.
pub(crate) struct SealedJobId {
    pub(crate) text: String,
    /// Derived from the id alone, so that a view finds the trace of the creation again.
    pub(crate) seal: Digest,
}

impl JobId {
    pub(crate) fn new(created: i64, kind: JobKind, outcome: Outcome, items: usize, digest: &Digest) -> Self {
        let items = u8::try_from(items).unwrap_or(u8::MAX);
        Self { created, kind, outcome, items, digest: digest.tail() >> (64 - JOB_DIGEST_BITS) }
    }

    /// The id as text, and its seal.
    pub(crate) fn seal(&self) -> SealedJobId {
        let fields = self.fields();
        let seal = seal("job id", fields);
        let text = crockford(fields << JOB_CHECK_BITS | check(&seal, JOB_CHECK_BITS), 26);
        SealedJobId { text, seal }
    }

    /// Reads an id that the sandbox made. Lower case is refused, as one resource has one name.
    pub(crate) fn read(text: &str) -> Option<(Self, Digest)> {
        let bits = number(text, 26)?;
        let fields = bits >> JOB_CHECK_BITS;
        let seal = seal("job id", fields);
        if bits & mask(JOB_CHECK_BITS) != check(&seal, JOB_CHECK_BITS) {
            return None;
        }
        let milliseconds = i64::try_from(fields >> (12 + JOB_DIGEST_BITS)).ok()?;
        let created = milliseconds / 1000 - EPOCH_UNIX_SECONDS;
        let in_time = milliseconds % 1000 == 0 && (-PAST_MAX..=i64::from(CLOCK_MAX)).contains(&created);
        let id = Self {
            created: in_time.then_some(created)?,
            kind: *JobKind::ALL.get(cut(fields, 10 + JOB_DIGEST_BITS, 2))?,
            outcome: *OUTCOMES.get(cut(fields, 8 + JOB_DIGEST_BITS, 2))?,
            items: u8::try_from(cut(fields, JOB_DIGEST_BITS, 8)).ok()?,
            digest: u64::try_from(fields & mask(JOB_DIGEST_BITS)).ok()?,
        };
        Some((id, seal))
    }

    pub(crate) fn created_at(&self) -> Timestamp {
        at(self.created)
    }

    fn fields(&self) -> u128 {
        let kind = JobKind::ALL.iter().position(|kind| *kind == self.kind).unwrap_or_default() as u128;
        let milliseconds = ((EPOCH_UNIX_SECONDS + self.created) * 1000) as u128;
        let fields = milliseconds << 2 | kind;
        let fields = fields << 2 | self.outcome as u128;
        let fields = fields << 8 | u128::from(self.items);
        fields << JOB_DIGEST_BITS | u128::from(self.digest)
    }
}

/// What a webhook id says: 5 bits of events, 60 of the digest, 25 check; 18 characters after `wh_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebhookId {
    pub(crate) events: Vec<WebhookEvent>,
    digest: u64,
}

const WEBHOOK_PREFIX: &str = "wh_";
const WEBHOOK_DIGEST_BITS: u32 = 60;
const WEBHOOK_CHECK_BITS: u32 = 25;

impl WebhookId {
    /// The events are kept as a set, in the order of the contract.
    pub(crate) fn new(events: &[WebhookEvent], digest: &Digest) -> Self {
        let events = WebhookEvent::ALL.into_iter().filter(|event| events.contains(event)).collect();
        Self { events, digest: digest.tail() >> (64 - WEBHOOK_DIGEST_BITS) }
    }

    pub(crate) fn text(&self) -> String {
        let events = WebhookEvent::ALL
            .iter()
            .enumerate()
            .filter(|(_, event)| self.events.contains(event))
            .fold(0, |set, (index, _)| set | 1 << index);
        let fields = events << WEBHOOK_DIGEST_BITS | u128::from(self.digest);
        let check = check(&seal("webhook id", fields), WEBHOOK_CHECK_BITS);
        format!("{WEBHOOK_PREFIX}{}", crockford(fields << WEBHOOK_CHECK_BITS | check, 18))
    }

    /// Reads an id that the sandbox made.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let bits = number(text.strip_prefix(WEBHOOK_PREFIX)?, 18)?;
        let fields = bits >> WEBHOOK_CHECK_BITS;
        if bits & mask(WEBHOOK_CHECK_BITS) != check(&seal("webhook id", fields), WEBHOOK_CHECK_BITS) {
            return None;
        }
        let set = fields >> WEBHOOK_DIGEST_BITS;
        let events: Vec<_> = WebhookEvent::ALL
            .into_iter()
            .enumerate()
            .filter(|(index, _)| set >> index & 1 == 1)
            .map(|(_, event)| event)
            .collect();
        let digest = u64::try_from(fields & mask(WEBHOOK_DIGEST_BITS)).ok()?;
        (!events.is_empty()).then_some(Self { events, digest })
    }
}

/// The id of a delivery. No operation takes one, so that it needs to be stable and nothing else.
pub(crate) fn delivery_id(prefix: &str, webhook_id: &str, event: &str) -> String {
    let mut frame = Frame::new("delivery id");
    frame.part(webhook_id.as_bytes());
    frame.part(event.as_bytes());
    format!("{prefix}{}", crockford(u128::from(frame.finish().tail()), 13))
}

fn seal(domain: &str, fields: u128) -> Digest {
    let mut frame = Frame::new(domain);
    frame.part(&fields.to_be_bytes());
    frame.finish()
}

fn check(seal: &Digest, bits: u32) -> u128 {
    u128::from(seal.tail()) & mask(bits)
}

const fn mask(bits: u32) -> u128 {
    (1 << bits) - 1
}

fn cut(fields: u128, shift: u32, bits: u32) -> usize {
    (fields >> shift & mask(bits)) as usize
}

/// Crockford's base 32, most significant character first.
fn crockford(bits: u128, length: u32) -> String {
    (0..length).rev().map(|place| char::from(CROCKFORD[(bits >> (place * 5) & 31) as usize])).collect()
}

/// The number behind upper-case Crockford characters, which must be exactly so many.
fn number(text: &str, length: usize) -> Option<u128> {
    if text.len() != length {
        return None;
    }
    let mut bits: u128 = 0;
    for byte in text.bytes() {
        let digit = CROCKFORD.iter().position(|character| *character == byte)?;
        if bits >> 123 != 0 {
            return None;
        }
        bits = bits << 5 | digit as u128;
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn job_id() -> impl Strategy<Value = JobId> {
        (-PAST_MAX..=i64::from(CLOCK_MAX), 0..4usize, 0..3usize, any::<u8>(), 0..1u64 << JOB_DIGEST_BITS)
            .prop_map(|(created, kind, outcome, items, digest)| JobId {
                created,
                kind: JobKind::ALL[kind],
                outcome: OUTCOMES[outcome],
                items,
                digest,
            })
    }

    proptest! {
        #[test]
        fn a_job_id_says_what_was_written_into_it(id in job_id()) {
            let sealed = id.seal();
            prop_assert_eq!(sealed.text.len(), 26);
            prop_assert!(sealed.text.as_bytes()[0] <= b'7', "a ULID has 128 bits");
            prop_assert_eq!(JobId::read(&sealed.text), Some((id, sealed.seal)));
        }

        #[test]
        fn a_changed_character_spoils_a_job_id(id in job_id(), place in 0usize..26, digit in 0usize..32) {
            let mut text = id.seal().text.into_bytes();
            prop_assume!(text[place] != CROCKFORD[digit]);
            text[place] = CROCKFORD[digit];
            prop_assert_eq!(JobId::read(std::str::from_utf8(&text).expect("ASCII")), None);
        }

        #[test]
        fn random_ids_are_refused(text in "[0-7][0-9A-HJKMNP-TV-Z]{25}", webhook in "wh_[0-9A-HJKMNP-TV-Z]{18}", any in ".{0,40}") {
            prop_assert_eq!(JobId::read(&text), None);
            prop_assert_eq!(WebhookId::read(&webhook), None);
            prop_assert_eq!(JobId::read(&any), None);
            prop_assert_eq!(WebhookId::read(&any), None);
        }

        #[test]
        fn a_webhook_id_says_which_events_it_has(set in 1u8..32, digest in any::<[u8; 32]>()) {
            let events: Vec<_> = (0..5).filter(|bit| set >> bit & 1 == 1).map(|bit| WebhookEvent::ALL[bit]).collect();
            let id = WebhookId::new(&events, &Digest(digest));
            prop_assert_eq!(&id.events, &events);
            prop_assert_eq!(WebhookId::read(&id.text()), Some(id));
        }
    }

    #[test]
    fn a_job_id_in_lower_case_is_another_name() {
        let id = JobId::new(0, JobKind::ExportBulk, Outcome::Succeeded, 1, &Digest([7; 32])).seal().text;
        assert!(JobId::read(&id).is_some());
        assert!(JobId::read(&id.to_lowercase()).is_none());
    }
}
