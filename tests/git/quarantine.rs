//! The quarantine of a real push, seen from inside a pre-receive hook.
