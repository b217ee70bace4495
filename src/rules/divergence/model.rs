//! What a value is, what is asked of two, and the one table that decides. Owns kinds, requirements and verdicts;
//! knows no file and prints no value: [`Value`] has no `Debug` on purpose.

/// What stands under a key in one environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Plain,
    Reference,
    /// Equal ciphertext is an equal secret under an equal key (Windmill).
    Deterministic,
    /// Ciphertext with a nonce: equal bytes were copied (SOPS, SealedSecret, age, Vault transit).
    Randomised,
    Empty,
    Placeholder,
    Absent,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Reference => "reference",
            Self::Deterministic => "ciphertext",
            Self::Randomised => "randomised ciphertext",
            Self::Empty => "empty",
            Self::Placeholder => "placeholder",
            Self::Absent => "absent",
        }
    }
}

/// A value fit to be compared. Its text never leaves the family.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    pub kind: Kind,
    /// Normalised where plain, else as written.
    pub(super) text: String,
    /// Names that a reference resolves in its own environment. Empty for one that means the same everywhere.
    pub(super) targets: Vec<String>,
}

/// What the policy asks of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    MustDiffer,
    MustMatch,
    MayDiffer,
    /// Only in these environments.
    OnlyIn(Vec<String>),
    Ignore,
    /// Nothing; what differs or is missing is told as a note.
    Report,
}

impl Requirement {
    /// As it is written in a policy.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MustDiffer => "must_differ",
            Self::MustMatch => "must_match",
            Self::MayDiffer => "may_differ",
            Self::OnlyIn(_) => "only_in",
            Self::Ignore => "ignore",
            Self::Report => "report",
        }
    }
}

/// What the table says of one key in two environments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    /// Nobody without the keys can say.
    Opaque,
    /// Must differ, and does not.
    Same,
    /// Must match, and does not.
    Differs,
    /// Plain in one, ciphertext or a reference in the other.
    KindDiffers,
    /// In one environment only.
    Missing,
    /// Empty, or stands for a value that nobody filled in.
    Placeholder,
    /// Where the policy says it must not be.
    Elsewhere,
    /// Differs, and only a report was asked for.
    Noted,
}

impl Verdict {
    /// As the matrix shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Opaque => "opaque",
            Self::Same => "same",
            Self::Differs => "differs",
            Self::KindDiffers => "kind differs",
            Self::Missing => "missing",
            Self::Placeholder => "placeholder",
            Self::Elsewhere => "not allowed here",
            Self::Noted => "noted",
        }
    }
}

/// One environment's part in a comparison.
#[derive(Clone, Copy)]
pub struct Standing<'v> {
    pub environment: &'v str,
    /// `None`: absent.
    pub value: Option<&'v Value>,
}

impl Standing<'_> {
    pub fn kind(&self) -> Kind {
        self.value.map_or(Kind::Absent, |v| v.kind)
    }
}

/// The table. `target_differs`: whether what an equal reference leads to differs between the two environments; `None`
/// where that cannot be seen.
pub fn judge(
    asked: &Requirement,
    sides: [Standing<'_>; 2],
    target_differs: &dyn Fn(&Value) -> Option<bool>,
) -> Verdict {
    match asked {
        Requirement::Ignore => return Verdict::Ok,
        Requirement::OnlyIn(environments) => {
            let elsewhere = |s: &Standing<'_>| s.value.is_some() && !environments.iter().any(|e| e == s.environment);
            return if sides.iter().any(elsewhere) { Verdict::Elsewhere } else { Verdict::Ok };
        }
        _ => {}
    }
    // What is set nowhere is no difference: many files name what may be set.
    if sides.iter().all(|s| matches!(s.kind(), Kind::Empty | Kind::Absent)) {
        return Verdict::Ok;
    }
    let [Some(a), Some(b)] = sides.map(|s| s.value) else {
        return Verdict::Missing;
    };
    if [a, b].iter().any(|v| matches!(v.kind, Kind::Empty | Kind::Placeholder)) {
        return match asked {
            Requirement::Report if a == b => Verdict::Ok,
            Requirement::Report => Verdict::Noted,
            _ => Verdict::Placeholder,
        };
    }
    let equal = a.text == b.text;
    match (asked, a.kind == b.kind) {
        (Requirement::MayDiffer, _) => Verdict::Ok,
        (Requirement::Report, same) => {
            if same && equal {
                Verdict::Ok
            } else {
                Verdict::Noted
            }
        }
        (Requirement::MustDiffer, false) => Verdict::Ok,
        (_, false) => Verdict::KindDiffers,
        (Requirement::MustDiffer, true) => match (a.kind, equal) {
            (Kind::Reference, true) => match target_differs(a) {
                Some(true) => Verdict::Ok,
                Some(false) => Verdict::Same,
                None => Verdict::Opaque,
            },
            (_, true) => Verdict::Same,
            (Kind::Deterministic | Kind::Randomised, false) => Verdict::Opaque,
            (_, false) => Verdict::Ok,
        },
        (_, true) => match (a.kind, equal) {
            (_, true) => Verdict::Ok,
            (Kind::Deterministic | Kind::Randomised, false) => Verdict::Opaque,
            (_, false) => Verdict::Differs,
        },
    }
}
