//! Words for names and texts. Some are beyond ASCII on purpose.

use rand::Rng;
use rand::rngs::StdRng;

pub fn pick<'a, T: ?Sized>(rng: &mut StdRng, from: &[&'a T]) -> &'a T {
    from[rng.random_range(0..from.len())]
}

pub const GIVEN: &[&str] = &[
    "Ada", "Björn", "Chiara", "Dmitri", "Élodie", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kavya", "Łukasz", "Mei",
    "Nuno", "Oksana", "Priya", "Quentin", "Rosa", "Søren", "太郎",
];
pub const FAMILY: &[&str] = &[
    "Almeida",
    "Brandt",
    "Costa",
    "Dvořák",
    "Eriksen",
    "Fischer",
    "García",
    "Horvat",
    "Ivanova",
    "Jensen",
    "Kim",
    "Lindqvist",
    "Moreau",
    "Novak",
    "O'Neill",
    "Petrov",
    "Quist",
    "Rossi",
    "Sato",
    "Türk",
];
pub const TEAMS: &[&str] =
    &["Harbour", "Meadow", "Foundry", "Lantern", "Orchard", "Quarry", "Beacon", "Thicket", "Mill & Weir", "Café Élan"];
pub const CHANNELS: &[&str] = &[
    "Planning",
    "Releases",
    "Water cooler",
    "Support",
    "Design – drafts",
    "Budget",
    "Onboarding",
    "Incidents",
    "Ideas",
    "日本語",
];
pub const TITLES: &[&str] = &["Analyst", "Engineer", "Editor", "Buyer", "Planner", "Technician"];
pub const DEPARTMENTS: &[&str] = &["Operations", "Research", "Sales", "Finance", "Logistics"];
pub const TEXT: &[&str] = &[
    "the", "plan", "for", "next", "week", "looks", "good", "please", "review", "before", "Friday", "numbers", "moved",
    "again", "supplier", "answered", "late", "we", "ship", "two", "crates", "naïve", "façade", "測試", "done", "🚀",
    "tests", "are", "green", "who", "can", "help", "with", "invoice", "4711", "thanks", "everyone", "Straße", "closed",
    "&amp;", "agenda", "attached", "see", "thread", "above",
];
pub const REACTIONS: &[&str] = &["like", "heart", "😄", "👍", "surprised", "🎉"];
