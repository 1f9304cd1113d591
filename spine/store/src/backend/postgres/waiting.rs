//! Waiting for something asynchronous on a thread that may already be inside a runtime's `block_on`.
//!
//! The runtime's own `block_on` cannot be used there: on one thread all of them, the outermost too, are woken by the same means.
//! What woke the outer one while the inner one waited would be used up by the inner one, and the outer one would wait for ever,
//! as a `join!` of two writes did in which the second still asked a question when the first had its answer.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::runtime::Handle;

/// A thread that waits for one future.
struct Waiting {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Waits for a future on this thread; `handle` is of the runtime that its connections and timers belong to.
pub(super) fn wait<F: Future>(handle: &Handle, future: F) -> F::Output {
    let _runtime = handle.enter();
    let waiting = Arc::new(Waiting { thread: std::thread::current(), woken: AtomicBool::new(true) });
    let waker = Waker::from(Arc::clone(&waiting));
    let mut future = pin!(future);
    loop {
        // Somebody else may have unparked the thread; whoever waits by parking looks at what they wait for.
        while !waiting.woken.swap(false, Ordering::Acquire) {
            std::thread::park();
        }
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::runtime::{Builder, Runtime};
    use tokio::sync::oneshot;

    use super::*;

    fn runtime() -> Runtime {
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    /// A write has its answer while a question waits on the same thread for its own, and nothing else is to come.
    #[test]
    fn a_question_uses_up_nobody_elses_waking() {
        let (done, all) = mpsc::channel();
        std::thread::spawn(move || {
            let (outer, engine) = (runtime(), runtime());
            outer.block_on(async {
                let (answer, answered) = oneshot::channel();
                let question = async {
                    let asked = async {
                        answer.send("stored").unwrap();
                        // Long enough for this thread to look whether it was woken, and to wait again.
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    };
                    tokio::task::block_in_place(|| wait(engine.handle(), asked));
                };
                // The write first, so that it waits already.
                let (answer, ()) = tokio::join!(biased; answered, question);
                done.send(answer.unwrap()).unwrap();
            });
        });
        assert_eq!(all.recv_timeout(Duration::from_secs(20)), Ok("stored"));
    }

    #[test]
    fn it_waits_where_there_is_no_runtime_and_on_its_threads() {
        let engine = runtime();
        let slow = || async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            tokio::spawn(async { 7 }).await.unwrap()
        };
        assert_eq!(wait(engine.handle(), slow()), 7);
        let outer = runtime();
        let handle = engine.handle().clone();
        let inside = outer.spawn(async move { tokio::task::block_in_place(|| wait(&handle, slow())) });
        assert_eq!(outer.block_on(inside).unwrap(), 7);
    }
}
