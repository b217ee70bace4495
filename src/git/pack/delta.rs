//! Deltas: the instructions that turn a base into another object (gitformat-pack). Owns parsing and applying them.

use std::fmt;

use crate::subject::CopiedRun;

/// Why a pack cannot be read; completes "damaged at offset n: ".
#[derive(Debug)]
pub(super) struct Damage(pub &'static str);

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The sizes of base and result in the delta's header.
pub(super) fn sizes(delta: &[u8]) -> Result<(usize, usize), Damage> {
    let (base, used) = size(delta)?;
    let (result, _) = size(&delta[used..])?;
    Ok((base, result))
}

fn size(bytes: &[u8]) -> Result<(usize, usize), Damage> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let value = usize::try_from(value).map_err(|_| Damage("a delta is for an object too large"))?;
            return Ok((value, at + 1));
        }
    }
    Err(Damage("the sizes of a delta are cut off"))
}

/// Applies a delta: `out` gets the result and `copied` the runs that come from `base`. Both are cleared first.
pub(super) fn apply(base: &[u8], delta: &[u8], out: &mut Vec<u8>, copied: &mut Vec<CopiedRun>) -> Result<(), Damage> {
    out.clear();
    copied.clear();
    let (base_size, used) = size(delta)?;
    let (result, more) = size(&delta[used..])?;
    if base_size != base.len() {
        return Err(Damage("a delta is for a base of another size"));
    }
    out.try_reserve_exact(result).map_err(|_| Damage("a delta makes more than memory holds"))?;
    let mut rest = &delta[used + more..];
    while let Some((&command, tail)) = rest.split_first() {
        rest = tail;
        let run = if command & 0x80 != 0 {
            let (from, len) = copy(command, &mut rest)?;
            let run = base.get(from..from + len).ok_or(Damage("a delta copies from beyond its base"))?;
            match copied.last_mut() {
                Some(last) if last.from + last.len == from && last.at + last.len == out.len() => last.len += len,
                _ => copied.push(CopiedRun { from, at: out.len(), len }),
            }
            run
        } else if command == 0 {
            return Err(Damage("a delta holds an instruction that means nothing"));
        } else {
            let run;
            (run, rest) = rest.split_at_checked(command as usize).ok_or(Damage("a delta is cut off"))?;
            run
        };
        if out.len() + run.len() > result {
            return Err(Damage("a delta makes more than it says"));
        }
        out.extend_from_slice(run);
    }
    if out.len() < result { Err(Damage("a delta makes less than it says")) } else { Ok(()) }
}

/// Offset and length of a copy instruction: the bits of its first byte say which of their bytes follow.
fn copy(command: u8, rest: &mut &[u8]) -> Result<(usize, usize), Damage> {
    let mut number = |bits: std::ops::Range<u32>| {
        let mut value = 0usize;
        for (place, bit) in bits.enumerate() {
            if command >> bit & 1 != 0 {
                let (byte, tail) = rest.split_first().ok_or(Damage("a delta is cut off"))?;
                *rest = tail;
                value |= usize::from(*byte) << (8 * place);
            }
        }
        Ok(value)
    };
    let (from, len) = (number(0..4)?, number(4..7)?);
    Ok((from, if len == 0 { 0x10000 } else { len }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(base: &[u8], delta: &[u8]) -> Result<(Vec<u8>, Vec<CopiedRun>), Damage> {
        let (mut out, mut copied) = (vec![1], vec![CopiedRun { from: 0, at: 0, len: 1 }]);
        apply(base, delta, &mut out, &mut copied).map(|()| (out, copied))
    }

    #[test]
    fn copies_and_insertions_are_applied_in_order() {
        // Copy 0..4, copy 4..6 (the same run), insert `x`, copy 2..4.
        let delta = [10, 9, 0x90, 4, 0x91, 4, 2, 1, b'x', 0x91, 2, 2];
        let (out, copied) = applied(b"0123456789", &delta).expect("a delta");
        assert_eq!(out, b"012345x23");
        assert_eq!(copied, [CopiedRun { from: 0, at: 0, len: 6 }, CopiedRun { from: 2, at: 7, len: 2 }]);
    }

    #[test]
    fn a_copy_of_length_zero_is_65536_bytes() {
        let base = vec![b'b'; 0x10001];
        let (out, copied) = applied(&base, &[0x81, 0x80, 4, 0x80, 0x80, 4, 0x81, 1]).expect("a delta");
        assert_eq!((out.len(), copied), (0x10000, vec![CopiedRun { from: 1, at: 0, len: 0x10000 }]));
    }

    #[test]
    fn truncated_deltas_and_copies_beyond_the_base_are_damage() {
        let whole = [10, 9, 0x90, 4, 0x91, 4, 2, 1, b'x', 0x91, 2, 2];
        for end in 0..whole.len() {
            assert!(applied(b"0123456789", &whole[..end]).is_err(), "cut at {end}");
        }
        for (delta, why) in [
            (&[9, 1, 1, b'x'][..], "a base of another size"),
            (&[10, 1, 0], "means nothing"),
            (&[10, 1, 2, b'x', b'y'], "more than it says"),
            (&[10, 4, 0x91, 8, 4], "beyond its base"),
        ] {
            let said = applied(b"0123456789", delta).expect_err("damage").to_string();
            assert!(said.contains(why), "{said}");
        }
    }
}
