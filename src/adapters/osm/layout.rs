//! Where nodes, ways and relations are in a source, so that each pass opens only the blocks that it needs.
//!
//! Nearly every file holds nodes, then ways, then relations; then two searches by bisection find the borders. Whether a
//! file keeps to it is seen while it is read; if not, every block is looked at once before (see [`Layout::scan`]).

use super::OsmError;
use super::blocks::{Blocks, Piece};
use super::file::Buffers;
use crate::domain::ObjectKind;

/// Which kinds of objects a block may have: nodes, ways, relations.
pub(super) type Kinds = [bool; 3];

/// The blocks of a source, with what is in them.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// In the order of the source; those of updates come last.
    pieces: Vec<(Piece, Kinds)>,
    /// How many of them are in files.
    in_files: usize,
}

/// Blocks that a pass reads.
pub(super) struct Stage {
    pub(super) pieces: Vec<Piece>,
    pub(super) kinds: Vec<Kinds>,
    /// Whether these are the blocks of updates.
    pub(super) updates: bool,
}

impl Layout {
    /// The layout of files that are in order.
    pub(super) fn of_sorted(blocks: &Blocks) -> Result<Self, OsmError> {
        let mut buffers = Buffers::new();
        let mut pieces = Vec::new();
        for (file, pbf) in blocks.files.iter().enumerate() {
            let blobs: Vec<Piece> = pbf.data_blobs()?.into_iter().map(|at| Piece::Blob(file, at)).collect();
            let mut known: Vec<Option<Kinds>> = vec![None; blobs.len()];
            let mut kinds = |at: usize| -> Result<Kinds, OsmError> {
                if let Some(kinds) = known[at] {
                    return Ok(kinds);
                }
                let kinds = blocks.kinds(blobs[at], &mut buffers)?;
                known[at] = Some(kinds);
                Ok(kinds)
            };
            let first_way = partition(0, blobs.len(), |at| kinds(at).map(|[_, way, relation]| way || relation))?;
            let first_relation = partition(first_way, blobs.len(), |at| kinds(at).map(|[_, _, relation]| relation))?;
            pieces.extend(blobs.iter().zip(&known).enumerate().map(|(at, (piece, known))| {
                let by_place = [at < first_way, (first_way..first_relation).contains(&at), at >= first_relation];
                (*piece, known.unwrap_or(by_place))
            }));
        }
        Self::with_updates(blocks, pieces)
    }

    /// The layout of files in any order, from a look at every block.
    pub(super) fn scan(blocks: &Blocks) -> Result<Self, OsmError> {
        let mut found = Vec::new();
        for (file, pbf) in blocks.files.iter().enumerate() {
            found.extend(pbf.data_blobs()?.into_iter().map(|at| Piece::Blob(file, at)));
        }
        let mut pieces = Vec::new();
        blocks.each(
            &found,
            |_, block| block.kinds(),
            |at, kinds| {
                pieces.push((found[at], kinds));
                Ok::<_, OsmError>(())
            },
        )?;
        Self::with_updates(blocks, pieces)
    }

    fn with_updates(blocks: &Blocks, mut pieces: Vec<(Piece, Kinds)>) -> Result<Self, OsmError> {
        let in_files = pieces.len();
        let mut buffers = Buffers::new();
        for at in 0..blocks.updates.len() {
            let piece = Piece::Update(at);
            pieces.push((piece, blocks.kinds(piece, &mut buffers)?));
        }
        Ok(Self { pieces, in_files })
    }

    /// The blocks with objects of a kind, those of files or those of updates.
    pub(super) fn stage(&self, kind: ObjectKind, updates: bool) -> Stage {
        let (in_files, in_updates) = self.pieces.split_at(self.in_files);
        let of = if updates { in_updates } else { in_files };
        let (pieces, kinds) = of.iter().filter(|(_, kinds)| kinds[kind as usize]).copied().unzip();
        Stage { pieces, kinds, updates }
    }

    /// Blocks of no kind at all: they are opened too, so that damage in them is found.
    pub(super) fn empty(&self) -> Vec<Piece> {
        self.pieces.iter().filter(|(_, kinds)| *kinds == [false; 3]).map(|(piece, _)| *piece).collect()
    }

    /// Bytes of the blocks with objects of a kind.
    pub(super) fn bytes(&self, kind: ObjectKind) -> u64 {
        self.pieces.iter().filter(|(_, kinds)| kinds[kind as usize]).map(|(piece, _)| piece.bytes()).sum()
    }
}

/// The first place from `low` up to `high` for which `is_behind` holds, if it holds for all after it.
fn partition(
    mut low: usize,
    mut high: usize,
    mut is_behind: impl FnMut(usize) -> Result<bool, OsmError>,
) -> Result<usize, OsmError> {
    while low < high {
        let middle = low + (high - low) / 2;
        if is_behind(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}
