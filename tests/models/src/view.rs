//! The steps of a view, and the edge that stores its answer.

use crate::state::{Key, Mark, Page, State, Tag, Writer};
use crate::time::{ANSWER, YOUNG};
use crate::{Fault, Protocol};

impl Protocol {
    /// Marks a tag, or relies on the young open mark that is there. The answer is whether a purge
    /// of that mark was already accepted, for a record that is still there.
    fn mark(&self, s: &mut State, tag: Tag) -> bool {
        let met = self.was_purged(s, tag);
        let mark = &mut s.marks[tag as usize];
        match mark {
            Some(young) if young.closed_by.is_none() && young.age <= YOUNG => met,
            _ => {
                *mark = Some(Mark {
                    age: 0,
                    closed_by: None,
                });
                Self::replace(s, tag);
                met
            }
        }
    }

    /// A render that is not followed marks its tag. Nothing else of it is seen by others.
    pub(crate) fn mark_elsewhere(&self, s: &mut State, tag: Tag) -> Option<()> {
        let before = s.marks[tag as usize];
        self.mark(s, tag);
        (s.marks[tag as usize] != before).then_some(())
    }

    /// The followed render marks its tag: its first step.
    pub(crate) fn mark_followed(&self, s: &mut State) -> Option<()> {
        let (age, read) = match s.page {
            Page::Absent if self.fault != Some(Fault::ReadsFirst) && self.may_begin(s) => (0, None),
            Page::Rendering {
                age,
                marked: false,
                read,
                ..
            } => (age, read),
            _ => return None,
        };
        let met = self.mark(s, s.view);
        s.page = Page::Rendering {
            age,
            marked: true,
            read,
            met,
        };
        Some(())
    }

    /// The followed render reads, consistently: after it has marked, and only then.
    pub(crate) fn read(&self, s: &mut State) -> Option<()> {
        let (age, marked, met) = match s.page {
            Page::Absent if self.fault == Some(Fault::ReadsFirst) && self.may_begin(s) => {
                (0, false, false)
            }
            Page::Rendering {
                age,
                marked: true,
                read: None,
                met,
            } => (age, true, met),
            _ => return None,
        };
        let read = Some(s.now_shown());
        s.page = Page::Rendering {
            age,
            marked,
            read,
            met,
        };
        Some(())
    }

    /// Ann's browser has her fresh key from the answer to her action, so not before its end.
    fn may_begin(&self, s: &State) -> bool {
        let ann = &s.work[Writer::Ann as usize];
        s.key == Key::Shared || (ann.commit.is_some() && ann.call.is_none())
    }

    /// The view answers in time to be cached.
    pub(crate) fn answer(&self, s: &mut State) -> Option<()> {
        match s.page {
            Page::Rendering {
                age,
                marked: true,
                read: Some(shown),
                met,
            } if age < ANSWER || self.fault == Some(Fault::LateAnswerCached) => {
                s.page = Page::Sent { age: 0, shown, met };
                Some(())
            }
            _ => None,
        }
    }

    /// The answer arrives, and the edge location stores it.
    pub(crate) fn store(&self, s: &mut State) -> Option<()> {
        match s.page {
            Page::Sent { shown, met, .. } => {
                s.page = Page::Cached {
                    age: 0,
                    shown,
                    met,
                    leaving: None,
                };
                Some(())
            }
            _ => None,
        }
    }
}
