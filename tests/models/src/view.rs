//! The steps of a view, and of the edge that stores its response.

use crate::state::{Closed, Mark, Page, State, Tag, Worker, Writer};
use crate::{Fault, Follows, Protocol};

impl Protocol {
    /// Marks a tag with a time `late` ticks ago, and replaces any mark. Workers that read the old mark
    /// have not read the new one.
    fn mark(s: &mut State, tag: Tag, late: u8) {
        s.marks[tag as usize] = Some(Mark {
            age: late,
            closed: Closed::No,
        });
        s.forget_seen(tag);
    }

    /// A render that is not followed marks its tag, in time or late. It has no other effect on the rest:
    /// a run that follows its page is explored too.
    pub(crate) fn mark_unfollowed(&self, s: &mut State, tag: Tag, late: u8) -> Option<()> {
        let exists = tag == Tag::List || self.two_tags;
        (exists && late <= self.write).then_some(())?;
        Self::mark(s, tag, late);
        Some(())
    }

    /// The followed render marks its tag, as its first step.
    pub(crate) fn mark_followed(&self, s: &mut State) -> Option<()> {
        let reads_first = self.fault == Some(Fault::ReadsFirst);
        s.page = match s.page {
            Page::Absent if !reads_first && self.may_begin(s) => Page::Rendering {
                read: None,
                missed: false,
            },
            Page::Rendering {
                read: Some(shown),
                missed,
            } => Page::Sent {
                age: 0,
                shown,
                missed,
            },
            _ => return None,
        };
        Self::mark(s, Tag::List, 0);
        Some(())
    }

    /// The followed render reads consistently, after it has marked. Reading and responding are one step:
    /// a response in a later tick is not cached and makes no difference.
    pub(crate) fn read(&self, s: &mut State) -> Option<()> {
        let reads_first = self.fault == Some(Fault::ReadsFirst);
        let shown = s.now_shown();
        s.page = match s.page {
            Page::Absent if reads_first && self.may_begin(s) => Page::Rendering {
                read: Some(shown),
                missed: false,
            },
            Page::Rendering { read: None, missed } => Page::Sent {
                age: 0,
                shown,
                missed,
            },
            _ => return None,
        };
        Some(())
    }

    /// Whether the followed render may begin. With Ann's `fresh` key it begins after her action ends,
    /// because the response to the action sets the key.
    fn may_begin(&self, s: &State) -> bool {
        match self.follows {
            Follows::Shared => true,
            Follows::FreshOfAnn => {
                s.has_committed(Writer::Ann) && s.jobs[Worker::OfAnn as usize].is_none()
            }
            Follows::Nothing => false,
        }
    }

    /// The response arrives, and the edge location stores it.
    pub(crate) fn store(&self, s: &mut State) -> Option<()> {
        match s.page {
            Page::Sent { shown, missed, .. } => {
                s.page = Page::Cached {
                    age: 0,
                    shown,
                    missed,
                };
                Some(())
            }
            _ => None,
        }
    }
}
