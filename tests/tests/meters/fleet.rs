//! Instances that share a store, each with a host that does what the specification asks of one.

use failsoft::draft::{
    ActionDraft, DependencyDraft, MatrixDraft, MeterDraft, OperationDraft, RungDraft, Share,
};
use failsoft::{
    Answer, DependencyId, Event, Fault, Matrix, MeterId, Millis, Outcome, Promise, Report, Request, Role,
    Signal, State, Time, apply, promises,
};

/// What one schedule is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) limit: u64,
    pub(crate) max_instances: u64,
    pub(crate) share: Share,
    /// Whether each answer of the store brings a reading.
    pub(crate) reads: bool,
    /// Whether instances are told how many they are, truly or not.
    pub(crate) tells: bool,
    /// Whether hosts ask before they call as well as after, and tell how it ended.
    pub(crate) asks_first: bool,
    /// The largest amount of a request.
    pub(crate) largest: u64,
    /// How long the store's periods are, where it has any, and whether a reading tells when they end.
    pub(crate) period: Option<(i64, bool)>,
    /// Whether hosts add to the store what they are told to add.
    pub(crate) adds: bool,
}

impl Terms {
    /// `quota` keeps the count; `local_meter` while it is lost, else no.
    pub(crate) fn matrix(&self) -> Matrix {
        let mut quota = DependencyDraft::new("quota", Role::Guard, Some(Millis::new(50)));
        quota.health.consecutive_failure_threshold = Some(1);
        quota.health.wait_duration_in_open_state = Millis::new(100);
        quota.health.permitted_number_of_calls_in_half_open_state = 1;
        quota.health.degraded_failure_rate_threshold = None;
        quota.health.failure_rate_threshold = None;
        quota.health.half_open_failure_rate_threshold = Some(100);
        let meter = ActionDraft::LocalMeter { meter: "m".into(), share: self.share };
        quota.on_failure = vec![RungDraft::new(meter)];
        let mut meter = MeterDraft::new("m", "quota");
        meter.limit = Some(self.limit);
        meter.window = self.period.map(|(length, _)| Millis::new(length.unsigned_abs()));
        meter.max_instances = Some(self.max_instances);
        // What an instance lets through as its trial while the store has not heard what it counted alone.
        meter.max_unreported = Some(self.largest);
        let mut draft = MatrixDraft::new("fleet");
        draft.dependencies = vec![quota];
        draft.meters = vec![meter];
        draft.operations = vec![OperationDraft::new("call", &["quota"])];
        draft.compile("fleet@1").expect("a matrix without mistakes")
    }
}

/// One instance and its host.
struct Instance {
    state: State,
    /// Whether its host reaches the store.
    reaches: bool,
    gone: bool,
    /// Told to be added to the store's count, and not added yet.
    to_add: u64,
}

/// A store's count of one tenant, and all that ever counted it.
pub(crate) struct Fleet<'m> {
    terms: Terms,
    matrix: &'m Matrix,
    quota: DependencyId,
    meter: MeterId,
    instances: Vec<Instance>,
    stored: u64,
    now: i64,
    /// Which of the store's periods it is.
    period: i64,
    admitted: u64,
    /// The smallest number of instances that any was told.
    smallest_told: u64,
    /// The most that was let through in one of the store's periods.
    pub(crate) most: u64,
}

impl<'m> Fleet<'m> {
    pub(crate) fn new(terms: Terms, matrix: &'m Matrix, instances: usize) -> Self {
        let (quota, meter) = (matrix.dependency("quota"), matrix.meter("m"));
        let mut fleet = Self {
            terms,
            matrix,
            quota: quota.expect("it is there"),
            meter: meter.expect("it is there"),
            instances: Vec::new(),
            stored: 0,
            now: 0,
            period: 0,
            admitted: 0,
            smallest_told: terms.max_instances,
            most: 0,
        };
        (0..instances).for_each(|_| fleet.join());
        fleet
    }

    /// The bound that `failsoft check` prints, for as many instances as there were.
    pub(crate) fn bound(&self) -> u64 {
        let promise: Promise = promises(self.matrix)[0];
        // The divisor is the document's, or the smallest number that was told.
        let instances = u64::try_from(self.instances.len()).expect("a few");
        let shares = |instances: u64| match promise.share {
            Share::PerInstance => instances * promise.limit / self.smallest_told,
            Share::Percent(percent) => instances * promise.limit * percent / 100,
        };
        let astride = if self.terms.period.is_some() { shares(instances) } else { 0 };
        let bound = promise.limit + shares(instances - 1) + astride + instances * promise.unreported;
        if instances == self.terms.max_instances && self.smallest_told == instances {
            assert_eq!(Some(bound), promise.most(), "as it is printed");
        }
        bound
    }

    pub(crate) fn join(&mut self) {
        let state = State::new(self.matrix, self.time());
        self.instances.push(Instance { state, reaches: true, gone: false, to_add: 0 });
    }

    /// What it counted alone is lost with it.
    pub(crate) fn leave(&mut self, which: usize) {
        self.instances[which].gone = true;
    }

    pub(crate) fn cut_off(&mut self, which: usize) {
        self.instances[which].reaches = false;
    }

    pub(crate) fn connect(&mut self, which: usize) {
        self.instances[which].reaches = true;
    }

    pub(crate) fn wait(&mut self, length: i64) {
        self.now += length;
    }

    /// All are told how many they are.
    pub(crate) fn tell_instances(&mut self, count: u64) {
        self.smallest_told = self.smallest_told.min(count.max(1));
        (0..self.instances.len()).for_each(|which| {
            self.tell(which, Signal::Instances { count });
        });
    }

    pub(crate) fn instances(&self) -> usize {
        self.instances.len()
    }

    fn time(&self) -> Time {
        Time::from_millis(self.now)
    }

    /// A signal to one instance; its host adds what it is told to.
    fn tell(&mut self, which: usize, signal: Signal<'_>) -> Answer {
        let mut events = Vec::new();
        let now = self.time();
        let answer = apply(self.matrix, &mut self.instances[which].state, signal, now, &mut events);
        for event in events {
            if let Event::MeterSettlement { amount, .. } = event {
                self.instances[which].to_add += amount;
            }
        }
        self.add(which);
        answer
    }

    fn add(&mut self, which: usize) {
        let instance = &mut self.instances[which];
        if instance.reaches && self.terms.adds {
            self.stored += std::mem::take(&mut instance.to_add);
        }
    }

    fn goes_on(&mut self, which: usize, request: &mut Request) -> bool {
        let answer = self.tell(which, Signal::Decided(request));
        matches!(answer, Answer::Decision(decision) if decision.verdict.goes_on())
    }

    /// One request of the tenant's to one instance: ask the store if it may be asked, then decide.
    pub(crate) fn request(&mut self, which: usize, amount: u64) -> bool {
        if self.instances[which].gone {
            return false;
        }
        self.now += 1;
        if let Some((length, _)) = self.terms.period
            && self.now / length != self.period
        {
            (self.period, self.stored, self.admitted) = (self.now / length, 0, 0);
        }
        let (quota, meter, matrix) = (self.quota, self.meter, self.matrix);
        let mut request = Request::new(matrix, "call");
        request.set_tenant("t");
        request.set_amount(meter, amount);
        if !self.terms.asks_first {
            request.set_unfinished();
        } else if !self.goes_on(which, &mut request) {
            return false;
        }
        let asks = Signal::Permit { dependency: quota, named: false, instead_of: None };
        if self.tell(which, asks) != Answer::NotPermitted {
            let report = match self.instances[which].reaches {
                false => Report::Failed(Fault::Timeout),
                true if self.stored + amount > self.terms.limit => Report::Refused,
                true => {
                    self.stored += amount;
                    Report::Ok
                }
            };
            request.report(quota, report, self.time());
            let (latency, retry_after, had) = (Some(1), None, None);
            let outcome =
                Outcome { dependency: quota, result: report, permit: None, latency, retry_after, had };
            self.tell(which, Signal::Outcome(outcome));
            if self.terms.reads && self.instances[which].reaches {
                let used = self.stored;
                let left =
                    |(length, _): (i64, bool)| Millis::new((length - self.now % length).unsigned_abs());
                let resets_in = self.terms.period.filter(|(_, tells)| *tells).map(left);
                self.tell(
                    which,
                    Signal::Reading {
                        meter,
                        tenant: "t",
                        session: "",
                        used,
                        limit: None,
                        mode: None,
                        resets_in,
                        age: Millis::ZERO,
                    },
                );
            }
        }
        let goes_on = self.goes_on(which, &mut request);
        if self.terms.asks_first {
            let cost = if goes_on { amount } else { 0 };
            self.tell(which, Signal::Finished { request: &mut request, amounts: &[(meter, cost)] });
        }
        self.admitted += if goes_on { amount } else { 0 };
        self.most = self.most.max(self.admitted);
        goes_on
    }
}
