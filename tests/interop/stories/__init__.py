"""The stories, by what they are about."""

from tests.interop.stories import carried, election, groups, later, links, packets, told_outside, trackers
from tests.interop.story import Story

STORIES: tuple[Story, ...] = (
    *election.STORIES,
    *packets.STORIES,
    *links.STORIES,
    *trackers.STORIES,
    *groups.STORIES,
    *told_outside.STORIES,
    *carried.STORIES,
    *later.STORIES,
)
