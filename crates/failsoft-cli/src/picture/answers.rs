//! Answers in words, each once, and which of them are alike.

use std::collections::BTreeMap;

use failsoft::{Decision, Matrix};

use super::interned::{Interned, Renumbered, Weigh};
use crate::replay::alike;
use crate::words::{self, name};

/// So many reasons, obligations or emits of one answer are shown.
const MOST: usize = 16;

/// An answer, by the numbers of its sentences.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Answer {
    /// The status and the code.
    pub(super) head: u32,
    pub(super) reasons: Vec<u32>,
    pub(super) obligations: Vec<u32>,
    pub(super) emits: Vec<u32>,
    pub(super) preview: bool,
    pub(super) enforced: bool,
}

impl Answer {
    pub(super) fn of(
        matrix: &Matrix,
        decision: &Decision,
        preview: bool,
        words: &mut Interned<Box<str>>,
    ) -> Self {
        let mut head = decision.status.to_string();
        if let Some(code) = &decision.code {
            head = format!("{head} {}", name(code));
        }
        let reasons = decision.reasons.iter().map(|reason| words::reason(matrix, reason));
        let obligations = decision.obligations.iter().map(|item| words::obligation(matrix, item));
        Self {
            head: words.number(head.into()),
            reasons: listed(reasons, words),
            obligations: listed(obligations, words),
            emits: listed(decision.emits.iter().map(words::emit), words),
            preview,
            enforced: decision.enforced,
        }
    }

    /// The numbers of all its sentences.
    pub(super) fn words(&self) -> impl Iterator<Item = u32> {
        let lists = [&self.reasons, &self.obligations, &self.emits];
        std::iter::once(self.head).chain(lists.into_iter().flatten().copied())
    }

    fn renumber(&mut self, new: &Renumbered) {
        new.apply(&mut self.head);
        let lists = [&mut self.reasons, &mut self.obligations, &mut self.emits];
        lists.into_iter().flatten().for_each(|number| new.apply(number));
    }
}

impl Weigh for Answer {
    fn weight(&self) -> usize {
        7 * self.words().count() + 16
    }
}

fn listed(all: impl Iterator<Item = String>, words: &mut Interned<Box<str>>) -> Vec<u32> {
    let mut all = all.fuse();
    let mut numbers: Vec<u32> =
        all.by_ref().take(MOST).map(|sentence| words.number(shortened(sentence).into())).collect();
    let more = all.count();
    if more > 0 {
        numbers.push(words.number(format!("and {more} more").into()));
    }
    numbers
}

/// A name of the matrix may have 4,096 bytes; a sentence on the page has not.
fn shortened(sentence: String) -> String {
    const MOST: usize = 240;
    match sentence.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", sentence.get(..end).unwrap_or_default()),
        None => sentence,
    }
}

/// `r3 of clinic-north`.
pub(super) fn who(request: Option<&str>, tenant: Option<&str>) -> Option<String> {
    match (request, tenant) {
        (Some(request), Some(tenant)) => Some(format!("{} of {}", name(request), name(tenant))),
        (Some(request), None) => Some(name(request)),
        (None, Some(tenant)) => Some(format!("of {}", name(tenant))),
        (None, None) => None,
    }
}

/// All answers, and the last of each operation.
pub(super) struct Answers {
    pub(super) all: Interned<Answer>,
    /// By the place of the operation's lane.
    last: BTreeMap<usize, (Decision, bool)>,
}

impl Answers {
    pub(super) fn new() -> Self {
        Self { all: Interned::new(), last: BTreeMap::new() }
    }

    /// Whether an operation is answered as it last was.
    pub(super) fn is_same(&self, operation: usize, decision: &Decision, preview: bool) -> bool {
        let last = self.last.get(&operation);
        last.is_some_and(|(last, was_preview)| *was_preview == preview && alike(last, decision))
    }

    pub(super) fn last(&mut self, operation: usize, decision: &Decision, preview: bool) {
        self.last.insert(operation, (decision.clone(), preview));
    }

    /// Nothing is as it last was.
    pub(super) fn forget(&mut self) {
        self.last.clear();
    }

    /// Tells the answers what their sentences' numbers are now.
    pub(super) fn renumber(&mut self, new: &Renumbered) {
        self.all.change(|answer| answer.renumber(new));
    }
}
