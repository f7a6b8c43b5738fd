//! The steps of a view, and the edge that stores its answer.

use crate::state::{Closed, Mark, Page, State, Tag, Worker, Writer};
use crate::{Fault, Follows, Protocol};

impl Protocol {
    /// Marks a tag, whatever mark is there, with a time that may be `late` ticks ago by now.
    /// Whoever has seen the mark that was there has not seen this one.
    fn mark(s: &mut State, tag: Tag, late: u8) {
        s.marks[tag as usize] = Some(Mark {
            age: late,
            closed: Closed::No,
        });
        s.forget_seen(tag);
    }

    /// A render that is not followed marks its tag, in time or late. Nothing else of it is seen
    /// by others: its page, if it is to be cached, is one that might have been followed.
    pub(crate) fn mark_elsewhere(&self, s: &mut State, tag: Tag, late: u8) -> Option<()> {
        let exists = tag == Tag::List || self.two_tags;
        (exists && late <= self.write).then_some(())?;
        Self::mark(s, tag, late);
        Some(())
    }

    /// The followed render marks its tag: its first step.
    pub(crate) fn mark_followed(&self, s: &mut State) -> Option<()> {
        let reads_first = self.fault == Some(Fault::ReadsFirst);
        s.page = match s.page {
            Page::Absent if !reads_first && self.may_begin(s) => Page::Rendering {
                read: None,
                met: false,
            },
            Page::Rendering {
                read: Some(shown),
                met,
            } => Page::Sent { age: 0, shown, met },
            _ => return None,
        };
        Self::mark(s, Tag::List, 0);
        Some(())
    }

    /// The followed render reads, consistently: after it has marked, and only then. It answers in
    /// the same tick, or its answer is not cached and would make no difference: so both are one
    /// step.
    pub(crate) fn read(&self, s: &mut State) -> Option<()> {
        let reads_first = self.fault == Some(Fault::ReadsFirst);
        let shown = s.now_shown();
        s.page = match s.page {
            Page::Absent if reads_first && self.may_begin(s) => Page::Rendering {
                read: Some(shown),
                met: false,
            },
            Page::Rendering { read: None, met } => Page::Sent { age: 0, shown, met },
            _ => return None,
        };
        Some(())
    }

    /// Whether the followed render may begin. Ann's browser has her fresh key from the answer to
    /// her action, so not before its end.
    fn may_begin(&self, s: &State) -> bool {
        match self.follows {
            Follows::Shared => true,
            Follows::FreshOfAnn => {
                s.has_committed(Writer::Ann) && s.jobs[Worker::OfAnn as usize].is_none()
            }
            Follows::Nothing => false,
        }
    }

    /// The answer arrives, and the edge location stores it.
    pub(crate) fn store(&self, s: &mut State) -> Option<()> {
        match s.page {
            Page::Sent { shown, met, .. } => {
                s.page = Page::Cached { age: 0, shown, met };
                Some(())
            }
            _ => None,
        }
    }
}
