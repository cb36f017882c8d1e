//! What a client says that its request is a part of: W3C Trace Context, in `_meta` (SEP-414).

use std::str::FromStr as _;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// How long a `traceparent` may be; those of versions to come may be longer than ours.
const LONGEST_PARENT: usize = 128;

/// How long a `tracestate` may be: as long as the specification has everybody pass on.
const LONGEST_STATE: usize = 512;

/// Returns the span of the client; `None` where it says none, or what it says is malformed.
pub(super) fn remote(traceparent: Option<&str>, tracestate: Option<&str>) -> Option<SpanContext> {
    let (trace, span, flags) = parent(traceparent?)?;
    let state = tracestate.filter(|state| state.len() <= LONGEST_STATE && !state.starts_with('='));
    let state = state.and_then(|state| TraceState::from_str(state).ok()).unwrap_or_default();
    let context = SpanContext::new(trace, span, flags, true, state);
    context.is_valid().then_some(context)
}

/// Reads `version-trace-span-flags`, each in lowercase hexadecimal digits.
fn parent(text: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    if text.len() > LONGEST_PARENT {
        return None;
    }
    let mut parts = text.split('-');
    let mut next = |digits: usize| {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        parts.next().filter(|part| part.len() == digits && part.bytes().all(is_digit))
    };
    let (version, trace, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
    // Version 0 has four parts, and versions to come begin with these; 255 is forbidden.
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()? & TraceFlags::SAMPLED.to_u8());
    Some((TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?, flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";

    #[test]
    fn a_valid_parent_is_read() {
        let read = remote(Some(PARENT), Some("vendor=1,other=2")).unwrap();
        assert_eq!(read.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(read.span_id().to_string(), "00f067aa0ba902b7");
        assert!(read.is_sampled() && read.is_remote());
        assert_eq!(read.trace_state().header(), "vendor=1,other=2");
        assert!(!remote(Some(&PARENT.replace("-01", "-00")), None).unwrap().is_sampled());
        assert!(remote(Some(&format!("{}-more", PARENT.replace("00-0a", "01-0a"))), None).is_some());
    }

    #[test]
    fn what_is_malformed_is_no_parent() {
        for wrong in [
            "".to_owned(),
            "00".to_owned(),
            PARENT.to_uppercase(),
            PARENT.replace("00-0a", "ff-0a"),
            PARENT.replace("-01", "-1"),
            PARENT.replace("-01", "-01-more"),
            PARENT.replace("0af7651916cd43dd8448eb211c80319c", "00000000000000000000000000000000"),
            PARENT.replace("00f067aa0ba902b7", "0000000000000000"),
            PARENT.replace("0af", "0aé"),
            format!("{PARENT}-{}", "0".repeat(10_000)),
            format!("01{}-{}", &PARENT[2..], "0".repeat(10_000)),
        ] {
            assert!(remote(Some(&wrong), None).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_state_that_is_malformed_or_long_is_left_out() {
        for state in ["=", "novalue", &format!("a={}", "b".repeat(600))] {
            let read = remote(Some(PARENT), Some(state)).unwrap();
            assert_eq!(read.trace_state().header(), "", "{state:.20}");
        }
    }
}
