//! What may be shown, and how a place is counted.

use portcullis::text::{Excerpt, Span, distance, nearest, sanitise};

#[test]
fn columns_are_bytes_from_one() {
    let text = "é: x\r\nab".as_bytes();
    let span = Span::of(text, 7..9);
    assert_eq!((span.line, span.column, span.end_column), (2, 1, 3));
    assert_eq!(Span::of(text, 2..3).column, 3);
}

#[test]
fn a_mask_has_a_fixed_width_and_the_mark_covers_it() {
    let text = b"token = \"abcdef\" # x";
    let e = Excerpt::cut(text, &Span::of(text, 9..15), &[9..15]);
    assert_eq!(e.text, "token = \"********\" # x");
    assert_eq!(&e.text[e.mark.clone()], "********");
}

#[test]
fn a_megabyte_line_is_windowed_around_the_mark() {
    let mut text = vec![b'a'; 1 << 20];
    text[500_000..500_003].copy_from_slice(b"XYZ");
    let e = Excerpt::cut(&text, &Span::of(&text, 500_000..500_003), &[]);
    assert!(e.text.len() < 400, "{}", e.text.len());
    assert_eq!(&e.text[e.mark.clone()], "XYZ");
    assert!(e.text.starts_with('…') && e.text.ends_with('…'));
}

#[test]
fn nothing_that_moves_a_cursor_survives() {
    assert_eq!(sanitise(b"a\x1b[31mb\0c\xffd"), "a\\u{1b}[31mb\\u{0}c\u{fffd}d");
    assert_eq!(sanitise("\u{202e}x".as_bytes()), "\\u{202e}x");
}

#[test]
fn an_empty_line_and_the_end_of_the_text_can_be_marked() {
    for text in [&b""[..], b"\n", b"abc"] {
        let e = Excerpt::cut(text, &Span::of(text, text.len()..text.len()), &[]);
        assert!(e.mark.start <= e.text.len() && e.mark.end <= e.text.len());
    }
}

#[test]
fn near_means_a_slip_of_the_fingers() {
    assert_eq!(nearest("faet", ["feat", "fix"]), Some("feat"));
    assert_eq!(nearest("zzzzzz", ["feat", "fix"]), None);
    assert_eq!(distance("kitten", "sitting"), 3);
}
