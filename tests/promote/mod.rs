//! Promotion plans against real git and against brute force.

mod agrees;
mod brute;
mod scenarios;
mod story;
