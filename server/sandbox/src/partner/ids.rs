//! Ids that describe themselves: what the sandbox must know about a job or a webhook later is
//! written into the id, with a check that other ids do not pass. The check is no secret: it tells
//! an id of the sandbox from a typing error, not a friend from a foe.

use crate::engine::clock::{CLOCK_MAX, EPOCH_UNIX_SECONDS, at};
use crate::engine::digest::{Digest, Frame};
use crate::engine::sealed_id::{check, crockford, cut, mask, number, seal};
use argus_openapi::types::common::Timestamp;
use argus_openapi::types::jobs::JobKind;
use argus_openapi::types::jobs::results::ResultForm;
use argus_openapi::types::uploads::UPLOAD_PREFIX;
use argus_openapi::types::webhooks::WebhookEvent;

/// How far before the start of time a job of the synthetic list may lie, in seconds.
const PAST_MAX: i64 = 24 * 3600;

/// The forms of an export, each in the place that a job id has of it.
pub(crate) const EXPORT_FORMS: [ResultForm; 4] =
    [ResultForm::Ndjson, ResultForm::Csv, ResultForm::NdjsonGzip, ResultForm::CsvGzip];

/// How a job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeded,
    Failed,
    Cancelled,
}

impl Outcome {
    /// Every outcome, each in the place of its number.
    const ALL: [Self; 3] = [Self::Succeeded, Self::Failed, Self::Cancelled];
}

/// What a job id says: the 128 bits of a ULID, from the top creation time in milliseconds, kind,
/// outcome, item count, digest and check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JobId {
    /// Creation time, in seconds after the start of time.
    pub(crate) created: i64,
    pub(crate) kind: JobKind,
    pub(crate) outcome: Outcome,
    /// Number of profiles that the payload names, 1 if it names none, 255 for all that is more; of an export,
    /// which names none, the place of its file's form. 0 for a job of the synthetic list, which had no payload.
    pub(crate) items: u8,
    /// The first 44 bits of the digest of the request.
    pub(crate) digest: u64,
}

const JOB_LENGTH: u32 = 26;
const JOB_CREATED_BITS: u32 = 48;
const JOB_KIND_BITS: u32 = 2;
const JOB_OUTCOME_BITS: u32 = 2;
const JOB_ITEMS_BITS: u32 = 8;
const JOB_DIGEST_BITS: u32 = 44;
const JOB_CHECK_BITS: u32 = 24;

/// How far each field lies above the digest's end.
const JOB_ITEMS_SHIFT: u32 = JOB_DIGEST_BITS;
const JOB_OUTCOME_SHIFT: u32 = JOB_ITEMS_SHIFT + JOB_ITEMS_BITS;
const JOB_KIND_SHIFT: u32 = JOB_OUTCOME_SHIFT + JOB_OUTCOME_BITS;
const JOB_CREATED_SHIFT: u32 = JOB_KIND_SHIFT + JOB_KIND_BITS;

// A value that outgrew its field would run into the next one and change ids without a word.
const _: () = assert!(JOB_CREATED_SHIFT + JOB_CREATED_BITS + JOB_CHECK_BITS == u128::BITS);
const _: () = assert!((EPOCH_UNIX_SECONDS + CLOCK_MAX as i64) * 1000 < 1 << JOB_CREATED_BITS);
const _: () = assert!(EPOCH_UNIX_SECONDS >= PAST_MAX, "the creation time has no sign");
const _: () = assert!(JobKind::ALL.len() <= 1 << JOB_KIND_BITS, "job ids have no room for another kind");
const _: () =
    assert!(Outcome::ALL.len() <= 1 << JOB_OUTCOME_BITS, "job ids have no room for another outcome");
const _: () = assert!(u8::BITS <= JOB_ITEMS_BITS, "job ids have no room for more items");
const _: () = {
    let mut number = 0;
    while number < Outcome::ALL.len() {
        assert!(Outcome::ALL[number] as usize == number, "an outcome is not in the place of its number");
        number += 1;
    }
};

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
        let text = crockford(fields << JOB_CHECK_BITS | check(&seal, JOB_CHECK_BITS), JOB_LENGTH);
        SealedJobId { text, seal }
    }

    /// Reads an id that the sandbox made. Lower case is refused, as one resource has one name.
    pub(crate) fn read(text: &str) -> Option<(Self, Digest)> {
        let bits = number(text, JOB_LENGTH)?;
        let fields = bits >> JOB_CHECK_BITS;
        let seal = seal("job id", fields);
        if bits & mask(JOB_CHECK_BITS) != check(&seal, JOB_CHECK_BITS) {
            return None;
        }
        let milliseconds = i64::try_from(fields >> JOB_CREATED_SHIFT).ok()?;
        let created = milliseconds / 1000 - EPOCH_UNIX_SECONDS;
        let in_time = milliseconds % 1000 == 0 && (-PAST_MAX..=i64::from(CLOCK_MAX)).contains(&created);
        let id = Self {
            created: in_time.then_some(created)?,
            kind: *JobKind::ALL.get(cut(fields, JOB_KIND_SHIFT, JOB_KIND_BITS))?,
            outcome: *Outcome::ALL.get(cut(fields, JOB_OUTCOME_SHIFT, JOB_OUTCOME_BITS))?,
            items: u8::try_from(cut(fields, JOB_ITEMS_SHIFT, JOB_ITEMS_BITS)).ok()?,
            digest: u64::try_from(fields & mask(JOB_DIGEST_BITS)).ok()?,
        };
        Some((id, seal))
    }

    /// The form of the file that the job makes.
    pub(crate) fn form(&self) -> ResultForm {
        match self.kind {
            JobKind::IntelligenceEnrichBulk => ResultForm::Ndjson,
            JobKind::ExportBulk => {
                let place = usize::from(self.items).saturating_sub(1);
                EXPORT_FORMS.get(place).copied().unwrap_or(ResultForm::Ndjson)
            }
            JobKind::ImportBulk | JobKind::GraphCompute => ResultForm::Json,
        }
    }

    /// What the job's file is called, given the text of the id.
    pub(crate) fn file_name(&self, text: &str) -> String {
        format!("{text}.{}", self.form().ending())
    }

    pub(crate) fn created_at(&self) -> Timestamp {
        at(self.created)
    }

    fn fields(&self) -> u128 {
        let kind = JobKind::ALL.iter().position(|kind| *kind == self.kind).unwrap_or_default() as u128;
        let milliseconds = ((EPOCH_UNIX_SECONDS + self.created) * 1000) as u128;
        milliseconds << JOB_CREATED_SHIFT
            | kind << JOB_KIND_SHIFT
            | (self.outcome as u128) << JOB_OUTCOME_SHIFT
            | u128::from(self.items) << JOB_ITEMS_SHIFT
            | u128::from(self.digest)
    }
}

/// What a webhook id says, after `wh_`: a bit for each event, digest and check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebhookId {
    pub(crate) events: Vec<WebhookEvent>,
    digest: u64,
}

const WEBHOOK_PREFIX: &str = "wh_";
const WEBHOOK_LENGTH: u32 = 20;
/// As many as there are events in a subscription at most, so that new events change no id.
const WEBHOOK_EVENT_BITS: u32 = 16;
const WEBHOOK_DIGEST_BITS: u32 = 60;
const WEBHOOK_CHECK_BITS: u32 = 24;

const _: () = assert!(WEBHOOK_EVENT_BITS + WEBHOOK_DIGEST_BITS + WEBHOOK_CHECK_BITS == 5 * WEBHOOK_LENGTH);
const _: () = assert!(
    WebhookEvent::ALL.len() <= WEBHOOK_EVENT_BITS as usize,
    "webhook ids have no room for another event"
);

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
        format!("{WEBHOOK_PREFIX}{}", crockford(fields << WEBHOOK_CHECK_BITS | check, WEBHOOK_LENGTH))
    }

    /// Reads an id that the sandbox made.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let bits = number(text.strip_prefix(WEBHOOK_PREFIX)?, WEBHOOK_LENGTH)?;
        let fields = bits >> WEBHOOK_CHECK_BITS;
        if bits & mask(WEBHOOK_CHECK_BITS) != check(&seal("webhook id", fields), WEBHOOK_CHECK_BITS) {
            return None;
        }
        let set = fields >> WEBHOOK_DIGEST_BITS;
        if set >> WebhookEvent::ALL.len() != 0 {
            return None;
        }
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

const UPLOAD_LENGTH: u32 = 18;
const UPLOAD_CHECK_BITS: u32 = 24;

/// The reference of an upload: digest and check, after the prefix. No operation judges one.
pub(crate) fn upload_ref(digest: &Digest) -> String {
    let fields = u128::from(digest.tail());
    let check = check(&seal("upload", fields), UPLOAD_CHECK_BITS);
    format!("{UPLOAD_PREFIX}{}", crockford(fields << UPLOAD_CHECK_BITS | check, UPLOAD_LENGTH))
}

/// The id of a delivery. No operation takes one, so that it needs to be stable and nothing else.
pub(crate) fn delivery_id(prefix: &str, webhook_id: &str, event: &str) -> String {
    let mut frame = Frame::new("delivery id");
    frame.part(webhook_id.as_bytes());
    frame.part(event.as_bytes());
    format!("{prefix}{}", crockford(u128::from(frame.finish().tail()), 13))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn job_id() -> impl Strategy<Value = JobId> {
        (
            -PAST_MAX..=i64::from(CLOCK_MAX),
            0..JobKind::ALL.len(),
            0..Outcome::ALL.len(),
            any::<u8>(),
            0..1u64 << JOB_DIGEST_BITS,
        )
            .prop_map(|(created, kind, outcome, items, digest)| JobId {
                created,
                kind: JobKind::ALL[kind],
                outcome: Outcome::ALL[outcome],
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
        fn a_changed_character_spoils_a_job_id(id in job_id(), place in 0usize..26, digit in 0u128..32) {
            let mut text = id.seal().text.into_bytes();
            prop_assume!(text[place] != crockford(digit, 1).as_bytes()[0]);
            text[place] = crockford(digit, 1).as_bytes()[0];
            prop_assert_eq!(JobId::read(std::str::from_utf8(&text).expect("ASCII")), None);
        }

        #[test]
        fn random_ids_are_refused(text in "[0-7][0-9A-HJKMNP-TV-Z]{25}", webhook in "wh_[0-9A-HJKMNP-TV-Z]{20}", any in ".{0,40}") {
            prop_assert_eq!(JobId::read(&text), None);
            prop_assert_eq!(WebhookId::read(&webhook), None);
            prop_assert_eq!(JobId::read(&any), None);
            prop_assert_eq!(WebhookId::read(&any), None);
        }

        #[test]
        fn a_webhook_id_says_which_events_it_has(set in 1u32..1 << WebhookEvent::ALL.len(), digest in any::<[u8; 32]>()) {
            let every = WebhookEvent::ALL.iter().enumerate();
            let events: Vec<_> = every.filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, event)| *event).collect();
            let id = WebhookId::new(&events, &Digest(digest));
            prop_assert_eq!(&id.events, &events);
            prop_assert_eq!(WebhookId::read(&id.text()), Some(id));
        }
    }

    #[test]
    fn a_webhook_id_with_an_event_of_tomorrow_is_no_id_of_today() {
        let id = |event: usize| {
            let fields = 1u128 << event << WEBHOOK_DIGEST_BITS;
            let check = check(&seal("webhook id", fields), WEBHOOK_CHECK_BITS);
            let bits = crockford(fields << WEBHOOK_CHECK_BITS | check, WEBHOOK_LENGTH);
            WebhookId::read(&format!("{WEBHOOK_PREFIX}{bits}"))
        };
        assert!(id(WebhookEvent::ALL.len() - 1).is_some());
        assert_eq!((id(WebhookEvent::ALL.len()), id(WEBHOOK_EVENT_BITS as usize - 1)), (None, None));
    }

    #[test]
    fn a_job_id_in_lower_case_is_another_name() {
        let id = JobId::new(0, JobKind::ExportBulk, Outcome::Succeeded, 1, &Digest([7; 32])).seal().text;
        assert!(JobId::read(&id).is_some());
        assert!(JobId::read(&id.to_lowercase()).is_none());
    }
}
