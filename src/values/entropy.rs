//! Shannon entropy of short texts, without the standard library's logarithm.

/// Shannon entropy in bits per byte, to some seven digits.
pub fn entropy(bytes: &[u8]) -> f32 {
    let mut counts = [0u32; 256];
    bytes.iter().for_each(|b| counts[*b as usize] += 1);
    let total = bytes.len() as u32;
    if total == 0 {
        return 0.0;
    }
    let weighed = |n: u32| u64::from(n) * log2(n);
    let sum: u64 = counts.iter().filter(|c| **c > 0).map(|c| weighed(*c)).sum();
    ((weighed(total) - sum) as f64 / f64::from(total) / f64::from(1 << FRACTION)) as f32
}

/// Binary digits of a logarithm after the point.
const FRACTION: u32 = 24;

/// The logarithm of a number above nought, by squaring: exact for powers of two. That of the standard library would
/// have every hook load a library of mathematics when it starts.
fn log2(n: u32) -> u64 {
    let whole = n.ilog2();
    let mut mantissa = u64::from(n) << (31 - whole);
    let mut digits = u64::from(whole);
    for _ in 0..FRACTION {
        mantissa = (mantissa * mantissa) >> 31;
        let digit = mantissa >> 32;
        mantissa >>= digit;
        digits = digits << 1 | digit;
    }
    digits
}
