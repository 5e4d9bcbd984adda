//! An output of a pass: a table that rows are read into.

use teams_tables::Projection;

/// A pass has several, known by their positions: of a pass of messages the roots are 0, the replies 1, then come the
/// tables that are taken from them; of a directory the rows are 0 and the deletes 1.
pub struct Output {
    pub projection: Projection,
    /// Its rows go to the caller. Others are read because something is made of them.
    pub wanted: bool,
}

impl Output {
    pub fn wanted(projection: Projection) -> Self {
        Self { projection, wanted: true }
    }

    pub fn unwanted(projection: Projection) -> Self {
        Self { projection, wanted: false }
    }
}
