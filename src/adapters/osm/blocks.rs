//! The blocks of a source, from one file or several: inflated and decoded in parallel, handed on in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};

use super::block::Block;
use super::file::{BlobAt, Buffers, PbfFile};
use super::layout::Kinds;
use super::{Fault, OsmError};

/// Results that may wait for an earlier one, per thread: more would only cost memory.
const AHEAD_PER_THREAD: usize = 8;

/// Everything a source reads.
pub(super) struct Blocks {
    /// Its files, in order.
    pub(super) files: Vec<PbfFile>,
    /// Inflated blocks that come behind the files: what updates say.
    pub(super) updates: Vec<Vec<u8>>,
}

/// One block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// A blob of the file of this number.
    Blob(usize, BlobAt),
    /// One of the blocks of updates.
    Update(usize),
}

impl Piece {
    /// The number of its file; that of no file for a block of updates.
    pub(super) fn file(self) -> usize {
        match self {
            Self::Blob(file, _) => file,
            Self::Update(_) => usize::MAX,
        }
    }

    /// How much of the input it is.
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::Blob(_, at) => at.frame_bytes(),
            Self::Update(_) => 0,
        }
    }
}

impl Blocks {
    /// Shows a block to `work`.
    pub(super) fn with<R>(
        &self,
        piece: Piece,
        buffers: &mut Buffers,
        work: impl FnOnce(&Block<'_>) -> Result<R, Fault>,
    ) -> Result<R, OsmError> {
        match piece {
            Piece::Blob(file, at) => {
                let file = &self.files[file];
                let raw = file.inflated(at, buffers)?;
                Block::parse(raw).and_then(|block| work(&block)).map_err(|fault| file.damaged(at.frame, fault))
            }
            Piece::Update(at) => {
                let made = Block::parse(&self.updates[at]).and_then(|block| work(&block));
                made.map_err(|fault| OsmError::Update { source: fault })
            }
        }
    }

    /// Which kinds of objects are in a block.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method itself is not general in the block's lifetime"
    )]
    pub(super) fn kinds(&self, piece: Piece, buffers: &mut Buffers) -> Result<Kinds, OsmError> {
        self.with(piece, buffers, |block| block.kinds())
    }

    /// Decodes blocks on as many threads as rayon has, and hands on what `work` makes of each, in the order given.
    ///
    /// The caller's thread only takes results, so that blocks are decoded while it does.
    pub(super) fn each<T: Send, E: From<OsmError>>(
        &self,
        pieces: &[Piece],
        work: impl Fn(usize, &Block<'_>) -> Result<T, Fault> + Sync,
        mut take: impl FnMut(usize, T) -> Result<(), E>,
    ) -> Result<(), E> {
        let threads = rayon::current_num_threads().min(pieces.len());
        let window = Window { taken: Mutex::new(0), moved: Condvar::new(), ahead: threads * AHEAD_PER_THREAD };
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let (send, results) = mpsc::channel();
            for _ in 0..threads {
                let send = send.clone();
                let (window, next, work) = (&window, &next, &work);
                scope.spawn(move || {
                    // Whatever ends this thread, the others must not wait for it.
                    let _open = OpenOnDrop(window);
                    let mut buffers = Buffers::new();
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(piece) = pieces.get(at) else { return };
                        window.wait_for(at);
                        let made = self.with(*piece, &mut buffers, |block| work(at, block));
                        if send.send((at, made)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(send);
            let _open = OpenOnDrop(&window);
            let mut waiting = BTreeMap::new();
            let mut due = 0;
            for (at, made) in results {
                waiting.insert(at, made);
                while let Some(made) = waiting.remove(&due) {
                    take(due, made.map_err(E::from)?)?;
                    due += 1;
                    window.move_to(due);
                }
            }
            Ok(())
        })
    }
}

/// How far threads may be ahead of what has been taken.
struct Window {
    taken: Mutex<usize>,
    moved: Condvar,
    ahead: usize,
}

impl Window {
    fn wait_for(&self, at: usize) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while at >= taken.saturating_add(self.ahead) {
            taken = self.moved.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn move_to(&self, taken: usize) {
        let mut before = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *before = taken.max(*before);
        self.moved.notify_all();
    }
}

/// Lets every waiting thread go.
struct OpenOnDrop<'a>(&'a Window);

impl Drop for OpenOnDrop<'_> {
    fn drop(&mut self) {
        self.0.move_to(usize::MAX);
    }
}
