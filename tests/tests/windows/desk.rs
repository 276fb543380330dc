//! A few guards behind a desk: requests that met what they say, and what the engine tells of its windows.

use failsoft::draft::{ActionDraft, DependencyDraft, MatrixDraft, OperationDraft, RungDraft};
use failsoft::{
    Answer, Decision, DependencyId, Event, Fault, Matrix, MeterId, Millis, Outcome, Report, Request, Role,
    Signal, State, Time, WindowAccount, apply, snapshot, windows,
};

/// A rung that goes on and checks nothing.
pub(crate) fn open_rung() -> RungDraft {
    RungDraft::new(ActionDraft::Allow)
}

/// A guard that no outcome opens until it has failed 3 times in a row; one trial closes it.
pub(crate) fn guard(name: &str, ladder: Vec<RungDraft>) -> DependencyDraft {
    let mut guard = DependencyDraft::new(name, Role::Guard, Some(Millis::new(50)));
    guard.on_failure = ladder;
    guard.health.consecutive_failure_threshold = Some(3);
    guard.health.failure_rate_threshold = None;
    guard.health.degraded_failure_rate_threshold = None;
    guard.health.wait_duration_in_open_state = Millis::new(100);
    guard.health.permitted_number_of_calls_in_half_open_state = 1;
    guard.health.half_open_failure_rate_threshold = Some(100);
    guard
}

/// A matrix with these guards, and an operation `call` that needs all of them.
pub(crate) fn matrix(
    idle: i64,
    guards: Vec<DependencyDraft>,
    change: impl FnOnce(&mut MatrixDraft),
) -> Matrix {
    let mut draft = MatrixDraft::new("t");
    draft.window_idle = Millis::new(idle.unsigned_abs());
    let needs: Vec<&str> = guards.iter().map(|guard| guard.name.as_str()).collect();
    draft.operations = vec![OperationDraft::new("call", &needs)];
    draft.dependencies = guards;
    change(&mut draft);
    draft.compile("t@1").unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

/// An engine, and all that it told.
pub(crate) struct Desk<'m> {
    pub(crate) matrix: &'m Matrix,
    pub(crate) state: State,
    pub(crate) events: Vec<Event>,
}

impl<'m> Desk<'m> {
    pub(crate) fn new(matrix: &'m Matrix) -> Self {
        Self { matrix, state: State::new(matrix, Time::default()), events: Vec::new() }
    }

    pub(crate) fn id(&self, name: &str) -> DependencyId {
        self.matrix.dependency(name).expect("it is there")
    }

    pub(crate) fn tell(&mut self, signal: Signal<'_>, at: i64) -> Answer {
        apply(self.matrix, &mut self.state, signal, Time::from_millis(at), &mut self.events)
    }

    /// A line that says nothing of any dependency.
    pub(crate) fn pass(&mut self, at: i64) {
        self.tell(Signal::Instances { count: 1 }, at);
    }

    pub(crate) fn outcome(&mut self, name: &str, result: Report, at: i64) {
        let dependency = self.id(name);
        let (permit, latency, retry_after, had) = (None, None, None, None);
        let outcome = Outcome { dependency, result, permit, latency, retry_after, had };
        self.tell(Signal::Outcome(outcome), at);
    }

    pub(crate) fn request(&self, tenant: &str) -> Request {
        let mut request = Request::new(self.matrix, "call");
        request.set_tenant(tenant);
        request
    }

    pub(crate) fn failed(&self, request: &mut Request, name: &str, fault: Fault, at: i64) {
        request.failed(self.id(name), fault, Time::from_millis(at));
    }

    pub(crate) fn ok(&self, request: &mut Request, name: &str, at: i64) {
        request.ok(self.id(name), Time::from_millis(at));
    }

    pub(crate) fn commit(&mut self, request: &mut Request, at: i64) -> Decision {
        match self.tell(Signal::Decided(request), at) {
            Answer::Decision(decision) => decision,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn finish(&mut self, request: &mut Request, amounts: &[(MeterId, u64)], at: i64) {
        self.tell(Signal::Finished { request, amounts }, at);
    }

    /// The window of a dependency as it stands: a question.
    pub(crate) fn window(&self, name: &str, at: i64) -> Option<WindowAccount> {
        let id = self.id(name);
        let open = windows(self.matrix, &self.state, Time::from_millis(at));
        open.into_iter().find(|(of, _)| *of == id).map(|(_, account)| account)
    }

    /// How often a window has opened.
    pub(crate) fn opened(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::WindowOpened(_))).count()
    }

    /// The accounts of windows that have closed.
    pub(crate) fn closed(&self) -> Vec<&WindowAccount> {
        let closed = self.events.iter().filter_map(|event| match event {
            Event::WindowClosed { account, .. } => Some(&**account),
            _ => None,
        });
        closed.collect()
    }

    /// Saves and restores, in place or in a new process whose clock begins at `start`.
    pub(crate) fn restart(&mut self, at: i64, away: Option<i64>, start: Option<i64>) {
        let saved = snapshot::to_json(&self.state.save(self.matrix, Time::from_millis(at))).to_string();
        let snapshot = snapshot::from_json(&saved).unwrap_or_else(|mistake| panic!("{mistake}: {saved}"));
        if let Some(start) = start {
            self.state = State::new(self.matrix, Time::from_millis(start));
        }
        let away = away.map(|away| Millis::new(away.unsigned_abs()));
        self.tell(Signal::Restored { snapshot: &snapshot, away }, start.unwrap_or(at));
    }
}
