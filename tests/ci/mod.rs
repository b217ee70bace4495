//! `portcullis ci`: what each platform's variables and event files come to, and whole runs in checkouts as platforms
//! make them.

mod checkout;
mod platforms;
