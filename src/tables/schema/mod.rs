//! What a declaration is made of: columns, where their values come from, and the way a table is read.

mod column;
mod list;
mod projection;
mod reading;
mod source;
mod table;
mod takes;

pub use column::{Column, ColumnType, spark_struct};
pub use list::{Empty, List, Parent, Shape};
pub use projection::Projection;
pub use reading::{Archive, DirectoryObject, Meetings, Reading, Report};
pub use source::{Derived, Part, Source};
pub use table::{Ingestion, Table};
pub use takes::Takes;
