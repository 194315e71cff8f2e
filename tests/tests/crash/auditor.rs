//! Auditor after each crash: compares the commands and responses of clients with the stored data.

use std::collections::BTreeSet;

use foretell_tests::{Answer, Client, Server};
use futures::StreamExt as _;
use serde_json::Value;

use super::books::Books;
use super::command::{Command, Effect};
use super::crowd::{Crowd, SendResult, Sent, send_result};

/// Number of commands examined concurrently.
const AT_ONCE: usize = 16;

/// Knowledge of everything that must have happened so far.
pub(super) struct Auditor {
    admin: Client,
    books: Books,
    expected: BTreeSet<Effect>,
    findings: Findings,
}

/// Results of commands without a response.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) acknowledged: usize,
    /// Executed, but no client got the response.
    pub(super) done_unheard: usize,
    /// Not executed, according to the stored data.
    pub(super) undone: usize,
}

impl Auditor {
    /// Records everything that happened before the first crash.
    pub(super) async fn begin(server: &Server, crowd: &Crowd) -> Self {
        let (admin, mut books) = (server.admin().await, Books::default());
        books.read(&crowd.users).await;
        let expected = books.effects();
        Self { admin, books, expected, findings: Findings::default() }
    }

    /// Checks that every acknowledged command is stored once as acknowledged, and the others
    /// completely or not at all; then sends all of them again under the same keys, which must not
    /// execute any twice.
    pub(super) async fn check(&mut self, server: &Server, crowd: &Crowd, sent: Vec<Sent>) {
        self.admin = self.admin.moved_to(server.origin());
        self.admin.check_audit().await;
        self.books.read(&crowd.users).await;
        for sent in &sent {
            self.note(sent);
        }
        let examined = futures::stream::iter(sent).map(|sent| self.examine(crowd, sent));
        let examined: Vec<_> = examined.buffer_unordered(AT_ONCE).collect().await;

        self.books.read(&crowd.users).await;
        for (command, answer) in examined {
            let done = command.told(&answer).into_iter().filter(|(_, told)| told.is_some());
            self.expected.extend(done.map(|(effect, _)| effect));
        }
        let effects = self.books.effects();
        let differing: Vec<_> = effects.symmetric_difference(&self.expected).collect();
        assert!(
            differing.is_empty(),
            "what was said was done, and nothing else, but for {differing:?}"
        );
        self.check_ledger(server).await;
    }

    /// Checks that data read after earlier crashes has not changed, and returns the findings.
    pub(super) async fn finish(self, server: &Server, crowd: &Crowd) -> Findings {
        self.books.check_unchanged(&crowd.users).await;
        self.check_ledger(server).await;
        self.findings
    }

    async fn check_ledger(&self, server: &Server) {
        self.admin.check_audit().await;
        let audit = server.command("ledger audit").run().await.succeeded();
        assert!(audit.stdout.contains("the ledger is sound"), "{}", audit.stdout);
    }

    fn note(&mut self, sent: &Sent) {
        let is_done = sent.command.effects().iter().any(|effect| self.books.has(effect));
        let findings = &mut self.findings;
        match (&sent.result, is_done) {
            (SendResult::Acknowledged(_), _) => findings.acknowledged += 1,
            (SendResult::Incomplete, true) => panic!("done without being known: {sent:?}"),
            (_, true) => findings.done_unheard += 1,
            (_, false) => findings.undone += 1,
        }
    }

    /// Finds a command, sends it again, and returns the final response.
    async fn examine(&self, crowd: &Crowd, sent: Sent) -> (Command, Answer) {
        let Sent { command, result } = sent;
        let client = &crowd.users[command.user];
        let mut found = Vec::new();
        for effect in command.effects() {
            found.push(self.find(client, &effect).await);
        }
        let there = found.iter().flatten().count();
        assert!(there == 0 || there == found.len(), "half of {command:?} is there: {found:#?}");

        let again = client.post_once(&command.path, &command.key, command.body.clone()).await;
        assert!(
            matches!(send_result(again.clone()), SendResult::Acknowledged(_)),
            "{command:?} was answered {:#}",
            again.body
        );
        if let SendResult::Acknowledged(first) = &result {
            check_repeated(&command, first, &again);
        } else {
            crowd.learn(&command, &again);
        }
        for ((effect, told), found) in command.told(&again).into_iter().zip(found) {
            match (found, told) {
                (Some(found), Some(told)) => {
                    assert!(again.is_replay(), "{effect:?} was there before it was done");
                    effect.check_agrees(&found, &told);
                }
                (Some(found), None) => panic!("{effect:?} was refused and is there: {found:#}"),
                (None, Some(_)) => {
                    assert!(!again.is_replay(), "{effect:?} is said to be there, and is not");
                }
                (None, None) => {}
            }
        }
        (command, again)
    }

    /// Reads an effect; the response must match the stored data.
    async fn find(&self, client: &Client, effect: &Effect) -> Option<Value> {
        let is_there = self.books.has(effect);
        let Some(path) = self.books.path_of(effect) else {
            assert!(!is_there, "{effect:?} has no place");
            return None;
        };
        let answer = client.get(&path).await;
        if is_there {
            return Some(answer.data(200));
        }
        answer.refused(404, "NOT_FOUND");
        None
    }
}

/// Checks that a repeated command gets its first response, also an error, under another request id.
fn check_repeated(command: &Command, first: &Answer, again: &Answer) {
    assert!(again.is_replay(), "{command:?} was answered {first:#?}, and done again: {again:#?}");
    let [first, again] = [first, again].map(|answer| {
        let mut body = answer.body.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.remove("requestId");
        }
        (answer.status, body)
    });
    assert_eq!(again, first, "{command:?}");
}
