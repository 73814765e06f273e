//! Faults that a stand-in server plays, alike for every peer that speaks HTTP.

use strum::VariantArray as _;

use super::loopback_server::Reply;

/// A fault of a peer, or of the line to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::VariantArray)]
pub enum Fault {
    Unauthorized,
    Denied,
    Expired,
    NotFound,
    NotFoundByName,
    RangeRefused,
    TagKept,
    TooMany,
    TooManyWithWait,
    Broken,
    BadGateway,
    Unavailable,
    Closed,
    Reset,
    CutHead,
    CutBody,
    Stalled,
    Silent,
    Slow,
    Accepted,
    OtherContent,
    Page,
    Oversized,
    Redirect,
    Location,
    Realm,
    NoSpace,
    Conflict,
    InStream,
}

/// A kind of service that the task asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    Registry,
    Aws,
    Falcon,
    Engine,
}

/// Rule that holds for a fault, whatever the request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The request is sent again, and the run goes on if the fault passes.
    TriedAgain,
    /// The sign-in is renewed once.
    Renewed,
    /// The request is not sent again.
    Final,
    /// The answer is good, only slow or from another place.
    Harmless,
    /// An answer with a good status that is not the expected one: it is never taken for it.
    NotBelieved,
}

impl Fault {
    /// Description on the page.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Unauthorized => "401",
            Self::Denied => "403, denied",
            Self::Expired => "403, expired",
            Self::NotFound => "404 without a reason",
            Self::NotFoundByName => "404 with a reason",
            Self::RangeRefused => "416",
            Self::TagKept => "400, the tag is immutable",
            Self::TooMany => "429",
            Self::TooManyWithWait => "429 with `Retry-After`",
            Self::Broken => "500",
            Self::BadGateway => "502 with a page of HTML",
            Self::Unavailable => "503",
            Self::Closed => "Connection closed before the request is carried out",
            Self::Reset => "Connection reset after the request is carried out",
            Self::CutHead => "Answer cut in its head",
            Self::CutBody => "Answer cut in its body",
            Self::Stalled => "Answer that stops half way",
            Self::Silent => "No answer at all",
            Self::Slow => "Answer in small pieces",
            Self::Accepted => "202 instead of the expected status",
            Self::OtherContent => "Other content, or a digest that does not fit",
            Self::Page => "200 with a page of HTML",
            Self::Oversized => "Answer over its limit",
            Self::Redirect => "Redirect to another host",
            Self::Location => "202 with a location on another host",
            Self::Realm => "401 with a realm on another host, without TLS",
            Self::NoSpace => "500, no space left",
            Self::Conflict => "409, in use",
            Self::InStream => "200, and an error in the answer",
        }
    }

    pub(crate) fn rule(self) -> Rule {
        match self {
            Self::Unauthorized | Self::Expired | Self::Realm => Rule::Renewed,
            Self::Denied
            | Self::NotFound
            | Self::NotFoundByName
            | Self::RangeRefused
            | Self::TagKept
            | Self::NoSpace
            | Self::Conflict
            | Self::InStream => Rule::Final,
            Self::TooMany
            | Self::TooManyWithWait
            | Self::Broken
            | Self::BadGateway
            | Self::Unavailable
            | Self::Closed
            | Self::Reset
            | Self::CutHead
            | Self::CutBody
            | Self::Stalled
            | Self::Silent => Rule::TriedAgain,
            Self::Slow | Self::Redirect | Self::Location => Rule::Harmless,
            Self::Accepted | Self::OtherContent | Self::Page | Self::Oversized => Rule::NotBelieved,
        }
    }

    /// Returns true if only the body of an answer shows it, so that it cannot happen to a HEAD.
    pub(crate) fn is_of_body(self) -> bool {
        matches!(self, Self::CutBody | Self::Oversized)
    }

    /// The faults of a peer: some mean nothing to others.
    pub(crate) fn of(peer: Peer) -> impl Iterator<Item = Self> {
        let all = Self::VARIANTS.iter().copied();
        all.filter(move |fault| match fault {
            Self::RangeRefused | Self::TagKept | Self::Location | Self::Realm => {
                peer == Peer::Registry
            }
            Self::NoSpace | Self::Conflict | Self::InStream => peer == Peer::Engine,
            // An engine has no sign-in, no limit of requests and no other host.
            Self::Unauthorized
            | Self::Expired
            | Self::TooMany
            | Self::TooManyWithWait
            | Self::NotFound
            | Self::BadGateway
            | Self::Accepted
            | Self::Stalled
            | Self::Redirect => peer != Peer::Engine,
            _ => true,
        })
    }

    /// Returns true if a try ends by its time limit alone.
    pub(crate) fn takes_time(self) -> bool {
        matches!(self, Self::Stalled | Self::Silent)
    }

    /// The answer to a request, where all peers play the fault alike; `good` carries the request out.
    pub(crate) fn on_the_line(self, good: impl FnOnce() -> Reply) -> Option<Reply> {
        const HTML: [(&str, &str); 1] = [("content-type", "text/html")];
        Some(match self {
            Self::TooManyWithWait => Reply::new(429, &[("retry-after", "1")], ""),
            Self::BadGateway => Reply::new(502, &HTML, "<html><b>Bad gateway</b></html>"),
            Self::Closed => Reply::none(),
            Self::Reset => {
                good();
                Reply::reset()
            }
            Self::CutHead => good().cut_in_head(),
            Self::CutBody => good().cut_in_body(),
            Self::Stalled => good().stalled(),
            Self::Silent => Reply::never(),
            Self::Slow => good().in_pieces(),
            Self::Accepted => Reply::new(202, &[], ""),
            Self::Page => Reply::new(200, &HTML, "<html><b>Sign in to the network</b></html>"),
            _ => return None,
        })
    }
}
