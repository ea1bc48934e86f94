use proptest::collection::vec;
use proptest::prelude::any;
use proptest::{prop_assert, prop_assert_eq, proptest};

use crate::logging::{Datagram, Frames, Likely, datagram};

fn framed(frame: &[u8]) -> Vec<u8> {
    [&u32::try_from(frame.len()).unwrap().to_be_bytes(), frame].concat()
}

#[test]
fn a_frame_may_be_as_long_as_it_may_be_and_no_longer() {
    let mut frames = Frames::new(5);
    frames.buffer().extend_from_slice(&framed(b"12345"));
    assert_eq!(frames.cut(), Ok(Some(&b"12345"[..])));
    frames.buffer().extend_from_slice(&framed(b"123456"));
    let error = frames.cut().unwrap_err();
    assert_eq!(error.likely(), Likely::LongRecord);
    assert!(
        error.to_string().starts_with("a frame of 6 bytes is announced, and 5 are the most (`max_frame`)"),
        "{error}"
    );
}

#[test]
fn a_length_says_who_may_have_sent_it() {
    for (first, likely) in [
        (b"GET ", Likely::Http),
        (b"POST", Likely::Http),
        (b"PUT ", Likely::Http),
        (b"\x16\x03\x01\x02", Likely::Tls),
        (b"<14>", Likely::Text),
        (b"2026", Likely::Text),
        (b"\x01\0\0\0", Likely::LongRecord),
        (b"\x80\x04\x95\x10", Likely::Unknown),
    ] {
        let mut frames = Frames::new(1 << 20);
        frames.buffer().extend_from_slice(first);
        assert_eq!(frames.cut().unwrap_err().likely(), likely, "{first:?}");
    }
}

#[test]
fn a_datagram_holds_one_of_these() {
    assert_eq!(datagram(b""), Datagram::Empty);
    assert_eq!(datagram(b"\0\0\0\0"), Datagram::Empty);
    assert_eq!(datagram(b"\0\0\0\x02}."), Datagram::Pickle(b"}."));
    assert_eq!(datagram(b"\0\0\0\x02}.more"), Datagram::Pickle(b"}."));
    assert_eq!(datagram(b"\0\0\0\x03}."), Datagram::Cut { said: 3, there: 2 });
    assert_eq!(datagram(b"\x80\x04}."), Datagram::Pickle(b"\x80\x04}."));
    assert_eq!(datagram(b"}."), Datagram::Bare(b"}."));
    assert_eq!(datagram(b"(see above)."), Datagram::Bare(b"(see above)."));
    assert_eq!(datagram(b"hello"), Datagram::Text(b"hello"));
}

proptest! {
    #[test]
    fn every_frame_comes_out_however_the_stream_is_cut(
        sent in vec(vec(any::<u8>(), 0..20), 0..20),
        sizes in vec(1..30usize, 1..10),
    ) {
        let stream: Vec<u8> = sent.iter().flat_map(|frame| framed(frame)).collect();
        let (mut frames, mut got, mut rest) = (Frames::new(20), Vec::new(), &stream[..]);
        for size in sizes.iter().cycle() {
            let (portion, behind) = rest.split_at(rest.len().min(*size));
            frames.buffer().extend_from_slice(portion);
            while let Some(frame) = frames.cut().unwrap() {
                got.push(frame.to_vec());
            }
            prop_assert!(frames.buffer().len() < 24);
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(frames.unfinished(), 0);
        prop_assert_eq!(got, sent.into_iter().filter(|frame| !frame.is_empty()).collect::<Vec<_>>());
    }

    #[test]
    fn any_datagram_is_one_of_these(bytes in vec(any::<u8>(), 0..40)) {
        match datagram(&bytes) {
            Datagram::Pickle(part) | Datagram::Bare(part) | Datagram::Text(part) => {
                prop_assert!(!part.is_empty() || bytes == [0; 4]);
            }
            Datagram::Cut { said, there } => prop_assert!(said as usize > there),
            Datagram::Empty => prop_assert!(bytes.is_empty() || bytes == [0; 4]),
        }
    }
}
