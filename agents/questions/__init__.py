"""Reading questions: topic, person, declined questions, missing evidence."""

from emer.agents.questions.answerability import decline_reason
from emer.agents.questions.not_shown import absence_reason, missing_evidence, topic_for
from emer.agents.questions.question import Topic

__all__ = ["Topic", "absence_reason", "decline_reason", "missing_evidence", "topic_for"]
