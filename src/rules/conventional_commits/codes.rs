//! The codes of this family with their default severities. Explanations are in `policies/conventional-commits.yml`; a test
//! keeps the two lists equal.

use crate::finding::Severity;

macro_rules! codes {
    ($($name:ident $text:literal $severity:ident,)*) => {
        /// A kind of mistake in a message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($name,)* }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// `family/code`.
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$name => concat!("conventional-commits/", $text),)* }
            }

            /// Without the family.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    EmptyMessage "empty-message" Error,
    LeadingSpace "leading-space" Error,
    TrailingSpace "trailing-space" Error,
    GitmojiPrefix "gitmoji-prefix" Error,
    TypeMissing "type-missing" Error,
    TypeUnknown "type-unknown" Error,
    TypeCase "type-case" Error,
    ScopeEmpty "scope-empty" Error,
    ScopeUnclosed "scope-unclosed" Error,
    ScopeBrackets "scope-brackets" Error,
    ScopeCharacter "scope-character" Error,
    ScopeSpace "scope-space" Error,
    ScopeMissing "scope-missing" Error,
    ScopeUnknown "scope-unknown" Error,
    ScopeCase "scope-case" Error,
    BangBeforeScope "bang-before-scope" Error,
    UnexpectedCharacter "unexpected-character" Error,
    SpaceBeforeScope "space-before-scope" Error,
    SpaceBeforeColon "space-before-colon" Error,
    ColonMissing "colon-missing" Error,
    ColonDoubled "colon-doubled" Error,
    SpaceAfterColon "space-after-colon" Error,
    DescriptionEmpty "description-empty" Error,
    DescriptionCase "description-case" Error,
    DescriptionTooShort "description-too-short" Error,
    DescriptionTooLong "description-too-long" Error,
    FullStop "full-stop" Warning,
    HeaderTooLong "header-too-long" Error,
    BlankLineMissing "blank-line-missing" Error,
    BodyMissing "body-missing" Error,
    BodyTooShort "body-too-short" Error,
    BodyTooLong "body-too-long" Error,
    BodyLineTooLong "body-line-too-long" Error,
    FooterMissing "footer-missing" Error,
    FooterLineTooLong "footer-line-too-long" Error,
    FooterNotSeparated "footer-not-separated" Warning,
    SignedOffByMissing "signed-off-by-missing" Error,
    ReferenceMissing "reference-missing" Error,
    BreakingChangeNearMiss "breaking-change-near-miss" Warning,
    AutosquashLeft "autosquash-left" Error,
    InvisibleCharacter "invisible-character" Error,
    BidiControl "bidi-control" Error,
    ControlCharacter "control-character" Error,
    NotUtf8 "not-utf8" Warning,
}
