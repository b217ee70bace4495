//! Kinds of values, requirements on pairs of them, and the table that decides. Knows no files and prints no values:
//! [`ComparedValue`] has no `Debug` on purpose.

/// The kind of value that a key has in one environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    Plain,
    Reference,
    /// Ciphertext without a nonce (Windmill): equal text means an equal secret under an equal key.
    Deterministic,
    /// Ciphertext with a nonce (SOPS, SealedSecret, age, Vault transit): equal text was copied.
    Randomised,
    Empty,
    Placeholder,
    Absent,
}

impl ValueKind {
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

/// A value prepared for comparison. Its text never leaves the family.
#[derive(Clone, PartialEq, Eq)]
pub struct ComparedValue {
    pub kind: ValueKind,
    /// Normalised if plain, else as written.
    pub(super) text: String,
    /// Names that a reference resolves within its environment. Empty if it means the same everywhere.
    pub(super) targets: Vec<String>,
}

impl ComparedValue {
    /// A number or a switch, in plain text: `3600`, `1.5`, `true`, `off`.
    pub fn is_number_or_switch(&self) -> bool {
        let text = self.text.to_ascii_lowercase();
        let switch = matches!(text.as_str(), "true" | "false" | "yes" | "no" | "on" | "off");
        self.kind == ValueKind::Plain && (switch || text.parse::<f64>().is_ok())
    }
}

/// The policy's requirement on a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    MustDiffer,
    MustMatch,
    MayDiffer,
    /// Allowed only in these environments.
    OnlyIn(Vec<String>),
    Ignore,
    /// No requirement: differences are reported as notes.
    Report,
}

impl Requirement {
    /// The name in the policy.
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

/// The result of comparing one key in two environments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyVerdict {
    Ok,
    /// Cannot be compared without the decryption keys.
    Opaque,
    /// Must differ, but is equal.
    Same,
    /// Must match, but differs.
    Differs,
    /// Plain in one, ciphertext or a reference in the other.
    KindDiffers,
    /// Exists in one environment only.
    Missing,
    /// Empty, or a placeholder that was not filled in.
    Placeholder,
    /// Exists in an environment where the policy forbids it.
    Elsewhere,
    /// Differs, which is only reported.
    Noted,
}

impl KeyVerdict {
    /// The name in the matrix.
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

/// A value of one environment in a comparison.
#[derive(Clone, Copy)]
pub struct EnvironmentValue<'v> {
    pub environment: &'v str,
    /// `None`: absent.
    pub value: Option<&'v ComparedValue>,
}

impl EnvironmentValue<'_> {
    pub fn kind(&self) -> ValueKind {
        self.value.map_or(ValueKind::Absent, |v| v.kind)
    }
}

/// Decides by the table. `target_differs` says whether equal references resolve to different values in the two
/// environments; `None` if that is unknown.
pub fn decide(
    requirement: &Requirement,
    sides: [EnvironmentValue<'_>; 2],
    target_differs: &dyn Fn(&ComparedValue) -> Option<bool>,
) -> KeyVerdict {
    match requirement {
        Requirement::Ignore => return KeyVerdict::Ok,
        Requirement::OnlyIn(environments) => {
            let elsewhere =
                |s: &EnvironmentValue<'_>| s.value.is_some() && !environments.iter().any(|e| e == s.environment);
            return if sides.iter().any(elsewhere) { KeyVerdict::Elsewhere } else { KeyVerdict::Ok };
        }
        _ => {}
    }
    // A key that is set nowhere is no difference: many files list possible keys.
    if sides.iter().all(|s| matches!(s.kind(), ValueKind::Empty | ValueKind::Absent)) {
        return KeyVerdict::Ok;
    }
    let [Some(a), Some(b)] = sides.map(|s| s.value) else {
        return KeyVerdict::Missing;
    };
    if [a, b].iter().any(|v| matches!(v.kind, ValueKind::Empty | ValueKind::Placeholder)) {
        return match requirement {
            Requirement::Report if a == b => KeyVerdict::Ok,
            Requirement::Report => KeyVerdict::Noted,
            _ => KeyVerdict::Placeholder,
        };
    }
    let equal = a.text == b.text;
    match (requirement, a.kind == b.kind) {
        (Requirement::MayDiffer, _) => KeyVerdict::Ok,
        (Requirement::Report, same) => {
            if same && equal {
                KeyVerdict::Ok
            } else {
                KeyVerdict::Noted
            }
        }
        (Requirement::MustDiffer, false) => KeyVerdict::Ok,
        (_, false) => KeyVerdict::KindDiffers,
        (Requirement::MustDiffer, true) => match (a.kind, equal) {
            (ValueKind::Reference, true) => match target_differs(a) {
                Some(true) => KeyVerdict::Ok,
                Some(false) => KeyVerdict::Same,
                None => KeyVerdict::Opaque,
            },
            (_, true) => KeyVerdict::Same,
            (ValueKind::Deterministic | ValueKind::Randomised, false) => KeyVerdict::Opaque,
            (_, false) => KeyVerdict::Ok,
        },
        (_, true) => match (a.kind, equal) {
            (_, true) => KeyVerdict::Ok,
            (ValueKind::Deterministic | ValueKind::Randomised, false) => KeyVerdict::Opaque,
            (_, false) => KeyVerdict::Differs,
        },
    }
}
