//! The steps of a view, and of the edge that stores its response.

use crate::state::{Page, State, Status, Tag, Worker, Writer};
use crate::{Fault, Follows, Protocol};

impl Protocol {
    /// Marks a tag with a time `late` ticks ago, and replaces any mark. `None` if the tag has changed too
    /// recently, or if the allowance does not cover it. The page is then not cached.
    fn mark(&self, s: &mut State, tag: Tag, late: u8) -> Option<()> {
        let quiet = self.quiet == 0 || s.mark(tag).changed >= self.quiet + late;
        quiet.then_some(())?;
        self.reserve(s, tag)?;
        let mark = &mut s.marks[tag as usize];
        mark.age = late;
        if !self.breaks(Fault::KeepsClosed) || !matches!(mark.status, Status::Pending(_)) {
            mark.status = Status::Open;
        }
        Some(())
    }

    /// A render that is not followed marks its tag, in time or late. It has no other effect on the rest:
    /// a run that follows its page is explored too.
    pub(crate) fn mark_unfollowed(&self, s: &mut State, tag: Tag, late: u8) -> Option<()> {
        let exists = tag == Tag::List || self.two_tags;
        (exists && late <= self.write).then_some(())?;
        self.mark(s, tag, late)
    }

    /// The followed render marks its tag, as its first step.
    pub(crate) fn mark_followed(&self, s: &mut State) -> Option<()> {
        let reads_first = self.breaks(Fault::ReadsFirst);
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
        self.mark(s, Tag::List, 0)
    }

    /// The followed render reads consistently, after it has marked. Reading and responding are one step:
    /// a response in a later tick is not cached and makes no difference.
    pub(crate) fn read(&self, s: &mut State) -> Option<()> {
        let reads_first = self.breaks(Fault::ReadsFirst);
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
