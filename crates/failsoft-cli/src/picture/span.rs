//! A stretch of a lane: one state that stood, or several that were merged.

use failsoft::{Health, Posture, Verdict};

use super::account::Window;

/// What a lane is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A dependency's health; a state is a [`Health`].
    Health,
    /// What an operation was answered; a state is a verdict and a posture.
    Operation,
    /// A dependency's windows; a state is a posture.
    Window,
    /// All that else was told; a state is a [`super::TOLD`].
    Told,
}

impl Kind {
    /// How bad a state is: of what is merged the worst is shown.
    pub(super) fn rank(self, state: u8) -> u8 {
        match self {
            Self::Health => match HEALTHS.get(usize::from(state)) {
                Some(Health::Healthy) => 1,
                Some(Health::Degraded) => 2,
                Some(Health::Probing) => 3,
                Some(Health::Down) => 4,
                Some(Health::Unknown) | None => 0,
            },
            // The posture goes before the verdict.
            Self::Operation => state % 4 * 4 + state / 4,
            Self::Window if state == IDLE => 0,
            Self::Window => state + 1,
            Self::Told => state,
        }
    }

    /// A state in a word or two.
    pub(super) fn state(self, state: u8) -> String {
        let posture = |state: u8| POSTURES.get(usize::from(state)).map_or("", |posture| posture.as_str());
        match self {
            Self::Health => HEALTHS.get(usize::from(state)).map_or("", |health| health.as_str()).into(),
            Self::Operation => {
                let verdict = VERDICTS.get(usize::from(state / 4)).map_or("", |verdict| verdict.as_str());
                format!("{verdict} {}", posture(state % 4))
            }
            Self::Window => posture(state).into(),
            Self::Told => super::TOLD.get(usize::from(state)).copied().unwrap_or_default().into(),
        }
    }
}

/// The states of a health lane, by number.
pub(super) const HEALTHS: [Health; 5] =
    [Health::Unknown, Health::Healthy, Health::Degraded, Health::Down, Health::Probing];
/// Postures by number, the better first.
pub(super) const POSTURES: [Posture; 4] =
    [Posture::Normal, Posture::FailSoft, Posture::FailOpen, Posture::FailClosed];
/// Verdicts by number, the better first.
pub(super) const VERDICTS: [Verdict; 4] = [Verdict::Allow, Verdict::Withhold, Verdict::Defer, Verdict::Deny];

/// The state of a window between its last use and its end, as it is drawn.
pub(super) const IDLE: u8 = 4;

/// The number of a health.
pub(super) fn health(health: Health) -> u8 {
    place(&HEALTHS, &health)
}

/// The number of a posture.
pub(super) fn posture(posture: Posture) -> u8 {
    place(&POSTURES, &posture)
}

/// The number of an answer's state.
pub(super) fn answer(verdict: Verdict, posture: Posture) -> u8 {
    place(&VERDICTS, &verdict) * 4 + place(&POSTURES, &posture)
}

fn place<T: PartialEq>(all: &[T], one: &T) -> u8 {
    let place = all.iter().position(|item| item == one).unwrap_or_default();
    u8::try_from(place).unwrap_or_default()
}

/// One stretch.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    /// From this moment on, in milliseconds.
    pub(super) from: i64,
    /// To this one; the lane's last may still go on.
    pub(super) to: i64,
    /// What stood; of several the worst.
    pub(super) state: u8,
    /// How many spans were merged into it; 1 where none were.
    pub(super) parts: u64,
    /// How many changes, decisions, windows or other lines it stands for.
    pub(super) count: u64,
    /// Of a merged one: per state the milliseconds (of a health) or the count, by state.
    pub(super) tally: Vec<(u8, u64)>,
    pub(super) body: Body,
}

/// What more there is to say.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    Health {
        /// The sentence of the change that began it; of several the one that began the worst.
        said: Option<u32>,
        /// Permits given while it stood.
        given: u64,
        /// Permits refused.
        held: u64,
    },
    /// One decision of a run that are alike, the first; of several runs that of the worst.
    Answer {
        answer: Option<u32>,
        who: Option<u32>,
        retry: Option<u64>,
    },
    Window(Box<Window>),
    Told {
        said: Option<u32>,
    },
}

impl Span {
    pub(super) fn new(at: i64, state: u8, body: Body) -> Self {
        Self { from: at, to: at, state, parts: 1, count: 1, tally: Vec::new(), body }
    }

    pub(super) fn length(&self) -> i64 {
        self.to.saturating_sub(self.from)
    }

    /// Whether more than one state stands in it.
    pub(super) fn is_mixed(&self) -> bool {
        self.tally.len() > 1
    }

    /// How much of each state is in it.
    pub(super) fn tallied(&self) -> Vec<(u8, u64)> {
        if !self.tally.is_empty() {
            return self.tally.clone();
        }
        let amount = match self.body {
            Body::Health { .. } => self.length().unsigned_abs(),
            Body::Answer { .. } | Body::Window(_) | Body::Told { .. } => self.count,
        };
        vec![(self.state, amount)]
    }

    /// Takes in the span that follows.
    pub(super) fn absorb(&mut self, next: Self, kind: Kind) {
        let mut tally = self.tallied();
        for (state, amount) in next.tallied() {
            match tally.iter_mut().find(|(held, _)| *held == state) {
                Some((_, held)) => *held = held.saturating_add(amount),
                None => tally.push((state, amount)),
            }
        }
        tally.sort_unstable_by_key(|(state, _)| kind.rank(*state));
        self.tally = tally;
        self.to = self.to.max(next.to);
        self.parts = self.parts.saturating_add(next.parts);
        self.count = self.count.saturating_add(next.count);
        let worse = kind.rank(next.state) > kind.rank(self.state);
        if worse {
            self.state = next.state;
        }
        match (&mut self.body, next.body) {
            (Body::Health { said, given, held }, Body::Health { said: s, given: g, held: h }) => {
                *given = given.saturating_add(g);
                *held = held.saturating_add(h);
                if worse {
                    *said = s;
                }
            }
            (Body::Window(window), Body::Window(next)) => window.absorb(*next),
            (body, next) if worse => *body = next,
            _ => {}
        }
    }

    /// Bytes of its JSON, or a few more.
    pub(super) fn weight(&self) -> usize {
        let numbers = digits(self.from.unsigned_abs()) + digits(self.to.unsigned_abs()) + digits(self.count);
        let tally: usize = self.tally.iter().map(|(_, amount)| 6 + digits(*amount)).sum();
        let body = match &self.body {
            Body::Health { given, held, .. } => 8 + digits(*given) + digits(*held),
            Body::Answer { retry, .. } => 18 + digits(retry.unwrap_or_default()),
            Body::Window(window) => window.weight(),
            Body::Told { .. } => 8,
        };
        numbers + digits(self.parts) + tally + body + 14
    }
}

/// How long a number is when it is written.
pub(super) fn digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| usize::try_from(log).unwrap_or_default() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(from: i64, to: i64, state: Health, said: u32) -> Span {
        let body = Body::Health { said: Some(said), given: 1, held: 0 };
        Span { to, ..Span::new(from, health(state), body) }
    }

    #[test]
    fn what_is_merged_keeps_the_worst_and_all_the_sums() {
        let mut span = of(0, 10, Health::Healthy, 1);
        span.absorb(of(10, 40, Health::Down, 2), Kind::Health);
        span.absorb(of(40, 45, Health::Probing, 3), Kind::Health);
        span.absorb(of(45, 50, Health::Healthy, 4), Kind::Health);
        let tally =
            vec![(health(Health::Healthy), 15), (health(Health::Probing), 5), (health(Health::Down), 30)];
        let body = Body::Health { said: Some(2), given: 4, held: 0 };
        let expected = Span { from: 0, to: 50, state: health(Health::Down), parts: 4, count: 4, tally, body };
        assert_eq!(span, expected);
        assert!(span.is_mixed());
    }

    #[test]
    fn the_posture_goes_before_the_verdict() {
        let rank = |verdict, posture| Kind::Operation.rank(answer(verdict, posture));
        assert!(rank(Verdict::Allow, Posture::FailOpen) > rank(Verdict::Deny, Posture::Normal));
        assert!(rank(Verdict::Deny, Posture::FailClosed) > rank(Verdict::Defer, Posture::FailClosed));
    }

    #[test]
    fn numbers_have_a_length() {
        assert_eq!([0, 9, 10, 999, 1_000].map(digits), [1, 1, 2, 3, 4]);
    }
}
