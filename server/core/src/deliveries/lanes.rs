//! What receivers are spared, as far as one node knows. Each has a lane: so many attempts at a time, more of them while
//! it answers, fewer while it does not, and none for a while after it has failed again and again. So one that hangs
//! holds up little, and nobody else. Behind them others stand in line, so that a receiver that has shown that it answers
//! need not wait for the next claim.

use super::lease::{Behind, Open, Seen};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

/// How many attempts at a time a receiver gets that nothing is known of.
const FIRST_WIDTH: u32 = 4;
/// How many one gets at most.
const GREATEST_WIDTH: u32 = 64;
/// After how many failures in a row it is left alone for a while.
const FAILURES: u32 = 5;
/// For how long at first; twice as long after each further failure.
const FIRST_REST: Duration = Duration::from_secs(5);
/// For how long at most.
const LONGEST_REST: Duration = Duration::from_secs(300);
/// How many lanes may be known before those that say nothing are forgotten.
const KNOWN: usize = 4_096;

/// What an attempt says of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It answers.
    Answers,
    /// It takes its time to answer.
    IsSlow,
    /// It does not, or asks to be spared.
    Fails,
    /// Nothing: there was no attempt.
    Unknown,
}

/// The lanes of a node. Clones share them.
#[derive(Clone, Default)]
pub struct Lanes(Arc<Mutex<HashMap<String, Lane>>>);

struct Lane {
    width: u32,
    on_their_way: u32,
    line: VecDeque<oneshot::Sender<()>>,
    failures: u32,
    rests_until: Option<Instant>,
    /// Where the last claim left deliveries.
    left: Option<Behind>,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            width: FIRST_WIDTH,
            on_their_way: 0,
            line: VecDeque::new(),
            failures: 0,
            rests_until: None,
            left: None,
        }
    }
}

impl Lane {
    /// How many may be on their way.
    fn admits(&self, now: Instant) -> u32 {
        match self.failures {
            _ if self.rests(now) => 0,
            // One attempt finds out whether it answers again.
            FAILURES.. => 1,
            _ => self.width,
        }
    }

    /// How many may be claimed, with those that stand in line. They hold places of the node, and a receiver has to
    /// earn those: as many as it has been given more than at first.
    fn capacity(&self, now: Instant) -> u32 {
        let admitted = self.admits(now);
        admitted + admitted.saturating_sub(FIRST_WIDTH)
    }

    fn rests(&self, now: Instant) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }

    fn free(&self, now: Instant) -> u32 {
        let in_line = u32::try_from(self.line.len()).unwrap_or(u32::MAX);
        self.capacity(now).saturating_sub(self.on_their_way.saturating_add(in_line))
    }

    /// Whether a claim is worth its while: not for each single delivery of many.
    fn is_to_be_claimed_for(&self, now: Instant) -> bool {
        self.left.is_some() && self.free(now) >= self.capacity(now).div_ceil(2).max(1)
    }

    fn says_nothing(&self) -> bool {
        self.on_their_way == 0 && self.line.is_empty() && self.failures == 0 && self.left.is_none()
    }

    fn heed(&mut self, verdict: Verdict, now: Instant) {
        match verdict {
            Verdict::Answers => {
                (self.failures, self.rests_until) = (0, None);
                self.width = GREATEST_WIDTH.min(self.width + 1);
            }
            Verdict::IsSlow => {
                (self.failures, self.rests_until) = (0, None);
                self.width = self.width.min(FIRST_WIDTH.max(self.width / 2));
            }
            // It was on its way before the receiver was left alone, and says nothing new.
            Verdict::Fails if self.rests(now) => {}
            Verdict::Fails => {
                self.failures += 1;
                self.width = 1.max(self.width / 2);
                if let Some(more) = self.failures.checked_sub(FAILURES) {
                    let rest = FIRST_REST.saturating_mul(1_u32.checked_shl(more).unwrap_or(u32::MAX));
                    self.rests_until = Some(now + rest.min(LONGEST_REST));
                    // They would wait for longer than they are claimed for.
                    self.line.clear();
                }
            }
            Verdict::Unknown => {}
        }
    }

    /// Sends those on their way whose turn it is.
    fn admit(&mut self, now: Instant) {
        while self.on_their_way < self.admits(now) {
            let Some(next) = self.line.pop_front() else { return };
            self.on_their_way += u32::from(next.send(()).is_ok());
        }
    }
}

impl Lanes {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many deliveries may be claimed now for each known receiver, and how many for any other one.
    pub fn free(&self) -> (HashMap<String, u32>, u32) {
        let now = Instant::now();
        let mut known = self.known();
        if known.len() > KNOWN {
            known.retain(|_, lane| !lane.says_nothing());
        }
        (known.iter().map(|(name, lane)| (name.clone(), lane.free(now))).collect(), FIRST_WIDTH)
    }

    /// The receivers of which the last claim left deliveries behind and that have room for a good part of them.
    pub fn open(&self) -> Vec<Open> {
        let now = Instant::now();
        let open = |(name, lane): (&String, &Lane)| {
            let behind = lane.left.clone().filter(|_| lane.is_to_be_claimed_for(now))?;
            Some(Open { lane: name.clone(), free: lane.free(now), behind })
        };
        self.known().iter().filter_map(open).collect()
    }

    /// Notes what a claim saw.
    pub fn note(&self, seen: Vec<Seen>) {
        let mut known = self.known();
        for Seen { lane: name, left } in seen {
            match known.get_mut(&name) {
                Some(lane) => lane.left = left,
                None if left.is_some() => drop(known.insert(name, Lane { left, ..Lane::default() })),
                None => {}
            }
        }
    }

    /// A delivery was claimed. Its attempt begins when the ticket is admitted.
    pub fn enter(&self, name: &str) -> Ticket {
        let now = Instant::now();
        let mut known = self.known();
        let lane = known.entry(name.to_owned()).or_default();
        let turn = if lane.on_their_way < lane.admits(now) {
            lane.on_their_way += 1;
            None
        } else {
            let (next, turn) = oneshot::channel();
            // Nobody waits for a receiver that is left alone; who is not in line is sent away at once.
            if !lane.rests(now) {
                lane.line.push_back(next);
            }
            Some(turn)
        };
        Ticket { lanes: self.clone(), lane: name.to_owned(), turn, verdict: Verdict::Unknown }
    }

    /// How many receivers are left alone for now.
    pub fn resting(&self) -> usize {
        let now = Instant::now();
        self.known().values().filter(|lane| lane.rests(now)).count()
    }

    /// Whether a claim for this receiver is worth its while.
    fn is_to_be_claimed_for(&self, name: &str) -> bool {
        self.known().get(name).is_some_and(|lane| lane.is_to_be_claimed_for(Instant::now()))
    }
}

/// A claimed delivery's place in its lane, which it leaves when this is dropped.
pub struct Ticket {
    lanes: Lanes,
    lane: String,
    /// None once it is its turn.
    turn: Option<oneshot::Receiver<()>>,
    verdict: Verdict,
}

impl Ticket {
    /// Waits until the attempt may begin; says whether it may.
    pub async fn admitted(&mut self, patience: Duration) -> bool {
        if let Some(turn) = &mut self.turn {
            if !matches!(timeout(patience, turn).await, Ok(Ok(()))) {
                return false;
            }
            self.turn = None;
        }
        true
    }

    /// Leaves the lane with what the attempt says of the receiver; says whether a claim for it is worth its while.
    pub fn leave(mut self, verdict: Verdict) -> bool {
        self.verdict = verdict;
        let (lanes, lane) = (self.lanes.clone(), self.lane.clone());
        drop(self);
        lanes.is_to_be_claimed_for(&lane)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut known = self.lanes.known();
        let Some(lane) = known.get_mut(&self.lane) else { return };
        // It may have been admitted just as nobody waited for it any more.
        let was_admitted = self.turn.as_mut().is_none_or(|turn| {
            turn.close();
            turn.try_recv().is_ok()
        });
        let now = Instant::now();
        if was_admitted {
            lane.on_their_way = lane.on_their_way.saturating_sub(1);
            lane.heed(self.verdict, now);
        } else {
            lane.line.retain(|next| !next.is_closed());
        }
        lane.admit(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    /// How many may be claimed at most.
    const GREATEST: u32 = 2 * GREATEST_WIDTH - FIRST_WIDTH;

    fn free(lanes: &Lanes) -> u32 {
        let (known, each) = lanes.free();
        known.get("lane").copied().unwrap_or(each)
    }

    fn attempt(lanes: &Lanes, verdict: Verdict) {
        lanes.enter("lane").leave(verdict);
    }

    async fn is_admitted(ticket: &mut Ticket) -> bool {
        ticket.admitted(Duration::ZERO).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_grows_while_its_receiver_answers() {
        let lanes = Lanes::default();
        assert_eq!(free(&lanes), FIRST_WIDTH);
        (0..200).for_each(|_| attempt(&lanes, Verdict::Answers));
        assert_eq!(free(&lanes), GREATEST);
        let _tickets: Vec<_> = (0..10).map(|_| lanes.enter("lane")).collect();
        assert_eq!(free(&lanes), GREATEST - 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_narrows_while_its_receiver_takes_its_time() {
        let lanes = Lanes::default();
        (0..200).for_each(|_| attempt(&lanes, Verdict::Answers));
        attempt(&lanes, Verdict::IsSlow);
        assert_eq!(free(&lanes), GREATEST - GREATEST_WIDTH);
        (0..200).for_each(|_| attempt(&lanes, Verdict::IsSlow));
        assert_eq!((free(&lanes), lanes.resting()), (FIRST_WIDTH, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn those_beyond_the_width_stand_in_line_until_others_have_left() {
        let lanes = Lanes::default();
        (0..200).for_each(|_| attempt(&lanes, Verdict::Answers));
        let mut tickets: Vec<_> = (0..GREATEST).map(|_| lanes.enter("lane")).collect();
        assert_eq!(free(&lanes), 0);
        let mut waiting = tickets.split_off(GREATEST_WIDTH as usize);
        for ticket in &mut tickets {
            assert!(is_admitted(ticket).await);
        }
        assert!(!is_admitted(&mut waiting[0]).await);
        tickets.truncate(GREATEST_WIDTH as usize - 1);
        assert!(is_admitted(&mut waiting[0]).await);
        assert!(!is_admitted(&mut waiting[1]).await);
        // Who gives up leaves the line, and who was admitted meanwhile leaves the lane.
        drop(waiting);
        drop(tickets);
        assert_eq!(free(&lanes), GREATEST);
    }

    #[tokio::test(start_paused = true)]
    async fn who_stands_in_line_is_sent_away_when_the_receiver_is_left_alone() {
        let lanes = Lanes::default();
        let mut failing: Vec<_> = (0..FAILURES).map(|_| lanes.enter("lane")).collect();
        let mut waiting = lanes.enter("lane");
        for mut ticket in failing.drain(..) {
            // The first width of them is on its way, and each that leaves sends another one.
            assert!(is_admitted(&mut ticket).await);
            ticket.leave(Verdict::Fails);
        }
        assert!(!waiting.admitted(LONGEST_REST).await);
        drop(waiting);
        // So is who comes from a claim that had not heard of it, and keeps nobody from finding out afterwards.
        let mut late = lanes.enter("lane");
        assert!(!is_admitted(&mut late).await);
        advance(FIRST_REST).await;
        assert_eq!(free(&lanes), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_that_fail_together_let_a_receiver_be_left_alone_once() {
        let lanes = Lanes::default();
        (0..200).for_each(|_| attempt(&lanes, Verdict::Answers));
        let tickets: Vec<_> = (0..GREATEST_WIDTH).map(|_| lanes.enter("lane")).collect();
        for ticket in tickets {
            ticket.leave(Verdict::Fails);
        }
        assert_eq!(lanes.resting(), 1);
        advance(FIRST_REST).await;
        assert_eq!((free(&lanes), lanes.resting()), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_claim_is_worth_its_while_when_half_of_the_lane_is_free() {
        let lanes = Lanes::default();
        let mut tickets: Vec<_> = (0..FIRST_WIDTH).map(|_| lanes.enter("lane")).collect();
        lanes.note(vec![Seen { lane: "lane".to_owned(), left: Some(Behind::default()) }]);
        assert!(lanes.open().is_empty());
        for left in 1..FIRST_WIDTH / 2 {
            assert!(!tickets.remove(0).leave(Verdict::Unknown), "{left}");
        }
        assert!(tickets.remove(0).leave(Verdict::Unknown));
        let open = Open { lane: "lane".to_owned(), free: FIRST_WIDTH / 2, behind: Behind::default() };
        assert_eq!(lanes.open(), [open]);
        lanes.note(vec![Seen { lane: "lane".to_owned(), left: None }]);
        assert!(lanes.open().is_empty(), "nothing was left");
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_fails_again_and_again_is_left_alone_and_then_asked_once() {
        let lanes = Lanes::default();
        for failed in 1..=FAILURES {
            assert!(free(&lanes) > 0, "{failed}");
            attempt(&lanes, Verdict::Fails);
        }
        assert_eq!((free(&lanes), lanes.resting()), (0, 1));
        advance(FIRST_REST).await;
        assert_eq!((free(&lanes), lanes.resting()), (1, 0));
        let one = lanes.enter("lane");
        assert_eq!(free(&lanes), 0, "one finds out");
        one.leave(Verdict::Fails);
        advance(FIRST_REST).await;
        assert_eq!(free(&lanes), 0, "it rests for twice as long");
        advance(FIRST_REST).await;
        attempt(&lanes, Verdict::Answers);
        assert!(free(&lanes) > 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_ends_without_a_word_gives_its_place_back() {
        let lanes = Lanes::default();
        for _ in 0..FAILURES {
            attempt(&lanes, Verdict::Fails);
        }
        advance(LONGEST_REST).await;
        attempt(&lanes, Verdict::Unknown);
        assert_eq!(free(&lanes), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn lanes_that_say_nothing_are_forgotten_when_there_are_many() {
        let lanes = Lanes::default();
        for number in 0..2 * KNOWN {
            lanes.enter(&number.to_string()).leave(Verdict::Answers);
        }
        let _ticket = lanes.enter("lane");
        assert_eq!(lanes.free().0.len(), 1);
    }
}
