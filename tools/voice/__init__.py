"""Emotion of the voice by a trained model: classes, or arousal, valence and dominance."""

from emer.tools.voice.speech_emotion import SpeechEmotion

__all__ = ["SpeechEmotion"]
