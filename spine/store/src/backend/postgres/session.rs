//! A connection in use, and what is said on it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::Object;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use super::link::{Fault, Sql};
use super::pulse::Pulse;
use crate::backend::Scope;

/// How long one conversation may take.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(9);
/// How long a statement may take that is long by nature: of a migration, or of a copy.
pub(super) const LONG_ANSWER_MAX: Duration = Duration::from_secs(3_600);

/// A connection in use.
pub(super) struct Session {
    connection: Option<Object>,
    prepares: bool,
    pulse: Arc<Pulse>,
    answer_max: Duration,
    /// In the middle of a conversation, of which nobody else may get the rest.
    talks: bool,
}

/// What begins a transaction: names whose rows it may see, and keeps the planner to the keys. Every question goes by a key; but a plan
/// that was made while a table was small reads all of it, and a connection keeps such a plan until the server has next counted the
/// rows, which after an import is a minute or more.
pub(super) fn naming(scope: Scope) -> String {
    let tenant = match scope {
        Scope::Tenant(tenant) => tenant.0.to_string(),
        Scope::All => "*".to_owned(),
    };
    format!("SET LOCAL iris.tenant = '{tenant}'; SET LOCAL enable_seqscan = off")
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, tokio_postgres::Error>> + Send + 'a>>;

/// One step of a conversation that is sent as a whole before any answer is read.
pub(super) enum Step<'a> {
    /// Statements without values.
    Plain(String),
    /// A question, or a change that returns nothing.
    Sql(&'a Sql, Vec<&'a (dyn ToSql + Sync)>),
}

impl Session {
    pub(super) fn new(connection: Object, prepares: bool, pulse: &Arc<Pulse>) -> Self {
        Self { connection: Some(connection), prepares, pulse: Arc::clone(pulse), answer_max: ANSWER_MAX, talks: false }
    }

    /// Waits as long as this for an answer from now on, as long as the server is there.
    pub(super) fn answers_within(&mut self, answer_max: Duration) {
        self.answer_max = answer_max;
    }

    /// How many warnings were sent on any connection to the server: a commit that says so is not what it should be.
    pub(super) fn warnings(&self) -> u64 {
        self.pulse.warnings()
    }

    /// Sends all steps in one go, in order, then reads their answers; waits [`ANSWER_MAX`] at most, and not for a server that
    /// hangs. After a step that fails the server skips the rest of its transaction, so the first fault is the one that counts.
    pub(super) async fn converse(&mut self, steps: &[Step<'_>]) -> Result<Vec<Vec<Row>>, Fault> {
        self.talks = true;
        let answer = tokio::select! {
            answer = tokio::time::timeout(self.answer_max, self.speak(steps)) => answer.unwrap_or_else(|_| {
                Err(Fault::Away(format!("no answer within {} seconds", self.answer_max.as_secs())))
            }),
            () = self.pulse.hangs() => Err(Fault::Away("it hangs".into())),
        };
        self.talks = false;
        answer
    }

    async fn speak(&self, steps: &[Step<'_>]) -> Result<Vec<Vec<Row>>, Fault> {
        let Some(connection) = &self.connection else { return Err(Fault::Away("the connection is gone".into())) };
        // Before the first word: a statement that had to be prepared in between would come too late for its transaction.
        let mut prepared: Vec<Option<Statement>> = Vec::with_capacity(steps.len());
        for step in steps {
            prepared.push(match step {
                Step::Sql(sql, _) if self.prepares => Some(connection.prepare_typed_cached(sql.text, sql.types).await?),
                _ => None,
            });
        }
        let mut answers: Vec<Answer<'_>> = Vec::with_capacity(steps.len());
        for (step, statement) in steps.iter().zip(prepared) {
            answers.push(match (step, statement) {
                (Step::Plain(text), _) => {
                    Box::pin(async move { connection.batch_execute(text).await.map(|()| vec![]) })
                }
                (Step::Sql(_, values), Some(statement)) => {
                    Box::pin(async move { connection.query(&statement, values).await })
                }
                (Step::Sql(sql, values), None) => {
                    let typed: Vec<_> = values.iter().copied().zip(sql.types.iter().cloned()).collect();
                    Box::pin(async move { connection.query_typed(sql.text, &typed).await })
                }
            });
        }
        let mut early = Vec::with_capacity(answers.len());
        for answer in &mut answers {
            // The first look at a question sends it. After one that cannot be sent nothing is: no commit of a part.
            match std::future::poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await {
                Poll::Ready(Err(error)) => return Err(error.into()),
                poll => early.push(poll),
            }
        }
        let mut rows = Vec::with_capacity(answers.len());
        let mut fault = None;
        for (early, answer) in early.into_iter().zip(answers) {
            let result = match early {
                Poll::Ready(result) => result,
                Poll::Pending => answer.await,
            };
            match result {
                Ok(answer) => rows.push(answer),
                Err(error) => {
                    fault.get_or_insert(error);
                }
            }
        }
        fault.map_or(Ok(rows), |error| Err(error.into()))
    }

    /// Gives the connection back, or away if it is not what it was: it was lost, or something failed on it.
    pub(super) fn settle<T>(&mut self, result: &Result<T, Fault>) {
        if matches!(result, Err(Fault::Away(_))) {
            self.discard();
        }
    }

    pub(super) fn discard(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(Object::take(connection));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.talks {
            self.discard();
        }
    }
}
