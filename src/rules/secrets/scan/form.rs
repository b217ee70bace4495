//! The judgement over what a detector's pattern matched: what its form proves, and where it stands, weighed in one table.
//! (Values that only a name calls secret are for `assignment::score`.)

use crate::finding::Confidence;

/// What a form proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A checksum holds: only the provider makes one.
    Issued,
    /// A provider's prefix, alphabet and length: it is told wherever it stands.
    Prefixed,
    /// It decodes to what it says it is, which anybody can make for a test.
    WellFormed,
    /// A provider's alphabet and length, with the provider's name beside it.
    Named,
    /// Nothing but a password can stand here: in a URL, a connection string, a header.
    Placed,
    /// A form that many things have.
    Common,
}

/// Where a match stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Ordinary,
    /// Documentation, which shows how it is done: files of prose, but no message.
    Prose,
    /// Tests, fixtures, examples, comments that documentation is made from.
    Example,
}

/// The most that a match can be there.
#[rustfmt::skip]
const TABLE: &[(Form, [Confidence; 3])] = &[
    //                  Ordinary          Prose             Example
    (Form::Issued,     [Confidence::High, Confidence::High, Confidence::High]),
    (Form::Prefixed,   [Confidence::High, Confidence::High, Confidence::Medium]),
    (Form::WellFormed, [Confidence::High, Confidence::High, Confidence::Low]),
    (Form::Named,      [Confidence::High, Confidence::High, Confidence::Low]),
    (Form::Placed,     [Confidence::High, Confidence::Low,  Confidence::Low]),
    (Form::Common,     [Confidence::High, Confidence::Low,  Confidence::Low]),
];

/// The most that a match of a form can be at a place.
pub fn at_most(form: Form, place: Place) -> Confidence {
    let row = TABLE.iter().find(|(f, _)| *f == form);
    row.map_or(Confidence::Low, |(_, most)| most[place as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stronger_form_is_never_less_sure_at_the_same_place() {
        for pair in TABLE.windows(2) {
            assert!((0..3).all(|place| pair[0].1[place] >= pair[1].1[place]), "{:?}", pair[1].0);
        }
        for (form, _) in TABLE {
            assert_eq!(at_most(*form, Place::Ordinary), Confidence::High);
        }
        for form in [Form::Issued, Form::Prefixed] {
            assert!(at_most(form, Place::Example) > Confidence::Low, "no folder makes a provider's token a warning");
        }
    }
}
