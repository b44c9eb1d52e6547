"""Reading questions: topic, person, declined questions, missing evidence."""

from emer.agents.questions.declined import decline_reason
from emer.agents.questions.not_shown import absence_reason, missing_evidence, topic_for
from emer.agents.questions.question import Moment, Topic, topic_of

__all__ = [
    "Moment",
    "Topic",
    "absence_reason",
    "decline_reason",
    "missing_evidence",
    "topic_for",
    "topic_of",
]
